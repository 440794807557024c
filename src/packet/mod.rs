//! Bytes that the kernel hands over, from the IP header on, to typed packets; and a datagram to bytes.
//!
//! Everything that is read here was sent by a client that may be hostile. Each header is validated before `pnet_packet`,
//! which stays private in here, is asked for its fields: alone it accepts an IHL below 5, wrong versions and lengths that
//! contradict each other. Checksums are not verified: with offloading the kernel hands over packets whose checksum is not
//! filled in yet.

mod build;
mod error;
mod extension;
mod icmp;
mod ip;
mod segment;
mod summary;
mod syn;
mod tcp;
mod udp;

pub use build::udp_packet;
pub use error::PacketError;
pub use icmp::icmp_type;
pub use segment::{Segment, segment};
pub use summary::{Summary, summary};
pub use syn::{Syn, syn};
pub use udp::{UdpDatagram, udp};
