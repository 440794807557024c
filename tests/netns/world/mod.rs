//! What the scenarios play in. One noun a file.

mod addresses;
mod client;
mod dns;
mod family;
mod flow;
mod gateway;
mod hammer;
mod internet;
mod kernel_state;
mod namespace;
mod packet;
mod patience;
mod process;
mod raw;
mod resolver;
mod server;
mod setup;
mod wire;

pub use addresses::*;
pub use client::Client;
pub use dns::{Message, Question};
pub use family::{Family, both};
pub use flow::OpenFlow;
pub use gateway::Gateway;
pub use hammer::Hammer;
pub use internet::Internet;
pub use kernel_state::kernel_state;
pub use namespace::Namespace;
pub use packet::{Segment, datagram, flag, ip};
pub use patience::{eventually, within};
pub use process::Process;
pub use raw::{RawSender, Sniffer};
pub use resolver::{Resolver, Zone};
pub use server::BannerServer;
pub use setup::{Setup, World};
pub use wire::{Flow, Wire};
