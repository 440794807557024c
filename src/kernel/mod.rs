//! What decider keeps in the kernel: an nftables table and another that ends with the process, routing rules, a
//! local route. And what the kernel tells.
//!
//! Planners are pure: [`Ruleset::plan`] and [`RoutingPlan`] turn a policy into data that `decider render` can print.
//! The edges carry it out: [`Nft`] applies a ruleset in one transaction and reads it back, [`Routing`] keeps rules and
//! routes, [`monitor()`] hears of every change to them, [`RefusalLog`] of what the ruleset refused by itself,
//! [`Conntrack`] of connections that begin and end, [`Sockets`] of whose they are.

mod backstop;
mod conntrack;
mod cut;
mod datagram;
mod error;
mod fast_map;
mod features;
mod flow_news;
mod inspect;
mod links;
mod listing;
mod measures;
mod monitor;
mod names;
mod nft;
mod nft_socket;
mod presence;
mod queue_stats;
mod queue_target;
mod refusal_log;
mod routing;
mod routing_plan;
mod ruleset;
mod sockets;
mod teardown;

pub use backstop::{Backstop, BackstopChanges, BackstopPlan, Link};
pub use conntrack::{Conntrack, conntrack_is_silent};
pub use cut::{Cutter, SocketEnds};
pub use error::KernelError;
pub use fast_map::FastMaps;
pub use features::Features;
pub use flow_news::{FlowNews, Life};
pub use inspect::{list_ruleset, nft_version, try_ruleset};
pub use links::links;
pub use monitor::{Change, monitor};
pub use names::{ALIVE_TABLE, FAST_COUNTER, PROTOCOL, TABLE};
pub use nft::{Nft, Update, refusal_counters, table_exists};
pub use presence::Presence;
pub use queue_stats::{QueueStats, queue_stats};
pub use refusal_log::{RefusalLog, Refused};
pub use routing::{Routing, interface_names};
pub use routing_plan::{LocalRoute, RoutingPlan, RoutingRule};
pub use ruleset::{Attendance, Local, QueueNumbers, QueueStatement, Ruleset};
pub use sockets::{Connection, Owner, Sockets};
pub use teardown::teardown;
