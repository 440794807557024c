//! What clients and resolvers may send, byte for byte, and exactly what is made of it: by the parsers, and by the workers
//! that decide, with their events and counters. Every case is tried for IPv4 and IPv6.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod answers;
mod chains;
mod hints;
#[path = "../messages/mod.rs"]
mod messages;
mod packet_bytes;
mod questions;
mod replies;
mod retransmissions;
mod seeds;
mod spoofs;
mod syns;
mod syns_v4;
mod syns_v6;
mod udp;
mod wildcards;
mod world;

use packet_bytes::Family;
