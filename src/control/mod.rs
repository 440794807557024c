//! The control socket: JSON lines over a UNIX stream, one request a connection.
//!
//! A request is one line, `{"v":1,"request":"status"}`. The reply is one line, `{"v":1,"reply":...}` or
//! `{"v":1,"error":{...}}`; following events is a line each, `{"v":1,"event":{...}}`, and `{"v":1,"gap":n}`
//! where the reader was too slow. A follower keeps its side open and sends nothing more: that ends the stream.

mod access;
mod client;
mod flow;
mod listed;
mod peer;
mod process;
mod protocol;
mod rate;
mod reload;
mod server;
mod socket;
mod status;
mod temporary;

pub use access::Groups;
pub use client::{CallError, Client, EventLine};
pub use flow::FlowView;
pub use listed::{CacheEntry, RuleView};
pub use protocol::{Failure, Line, Request, VERSION, parse_request, request_line};
pub use reload::{ChangedRule, CutFlow, FailureKind, ReloadFailure, ReloadReport, ReloadStatus};
pub use server::{Backend, Server, ServerError};
pub use socket::{SocketError, SocketFile, make_directory};
pub use status::{
    Degraded, DnsStatus, EnvoyStatus, EventFileStatus, FastPathStatus, HealStatus, QueueStatus, SandboxStatus, Status,
    TcpStatus,
};
pub use temporary::{Allow, TemporaryFailure, TemporaryReport, TemporaryView};
