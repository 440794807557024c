//! The control socket: JSON lines over a UNIX stream, one request a connection.
//!
//! A request is one line, `{"v":1,"request":"status"}`. The reply is one line, `{"v":1,"reply":...}` or
//! `{"v":1,"error":{...}}`; following events is a line each, `{"v":1,"event":{...}}`, and `{"v":1,"gap":n}`
//! where the reader was too slow. A follower keeps its side open and sends nothing more: that ends the stream.

mod access;
mod client;
mod flow;
mod listed;
mod process;
mod protocol;
mod rate;
mod reload;
mod server;
mod temporary;

pub use access::Groups;
pub use client::{CallError, Client, EventLine};
pub use flow::FlowView;
pub use listed::{CacheEntry, RuleView};
pub use protocol::{
    Degraded, DnsStatus, EnvoyStatus, Failure, HealStatus, Line, QueueStatus, Request, SandboxStatus, Status,
    TcpStatus, VERSION, parse_request, request_line,
};
pub use reload::{ChangedRule, CutFlow, FailureKind, ReloadFailure, ReloadReport, ReloadStatus};
pub use server::{Backend, Server, ServerError, make_directory};
pub use temporary::{Allow, TemporaryFailure, TemporaryReport, TemporaryView};
