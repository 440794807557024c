use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;

use crate::model::{MarkMask, Moment, NamePattern, Proto, RuleId, Scope, Upstream, Verdict};

use super::limits::Limits;
use super::pattern::InterfacePattern;

/// A policy file, checked: what it says with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Whether refusals are carried out.
    pub mode: Mode,
    /// How.
    pub refusal: Refusal,
    /// Whose traffic is covered.
    pub gateway: Gateway,
    /// Whether this host's own processes are covered.
    pub host: bool,
    /// Where names come from.
    pub dns: Dns,
    /// Where allowed traffic goes.
    pub envoy: EnvoySpec,
    /// The mark bits that are decider's.
    pub marks: MarkMask,
    /// Where metrics are given, if anywhere.
    pub metrics: Option<Listen>,
    /// Where events are written, if anywhere.
    pub events: Option<EventFile>,
    /// Where Envoy connects to, by rules that do not say; none: as suits the rule's name.
    pub upstream: Option<Upstream>,
    /// Whether the kernel may decide by itself what it has been told already.
    pub fast_path: bool,
    /// In the order of the file.
    pub rules: Vec<Rule>,
}

impl Spec {
    /// Whether the kernel may decide anything by itself: only where something is refused, and only of clients.
    #[must_use]
    pub fn has_fast_path(&self) -> bool {
        self.fast_path && self.mode == Mode::Enforce && !self.gateway.interfaces.is_empty()
    }
}

/// Where it is listened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// TCP.
    Tcp(SocketAddr),
    /// A UNIX socket; an absolute path.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// Where events are written, and how much of them is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFile {
    /// An absolute path; the older files are beside it, with `.1` and so on behind.
    pub path: PathBuf,
    /// Bytes after which another file is begun.
    pub size: u64,
    /// Older files that are kept.
    pub keep: u32,
}

/// Whether refusals are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Yes.
    Enforce,
    /// No: everything passes, and what enforce would refuse is recorded.
    Audit,
}

impl Mode {
    /// The word for it in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Audit => "audit",
        }
    }

    /// What becomes of what has to be refused.
    #[must_use]
    pub const fn refusal(self) -> Verdict {
        match self {
            Self::Enforce => Verdict::Deny,
            Self::Audit => Verdict::Audit,
        }
    }
}

/// How a refused client gets to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// TCP reset, ICMP for the rest: at once.
    Reject,
    /// Not at all.
    Drop,
}

/// Clients behind this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The interfaces they come in by; none if only this host's own processes are covered.
    pub interfaces: Vec<InterfacePattern>,
    /// Their addresses; empty: any.
    pub networks: Vec<IpNet>,
}

impl Gateway {
    /// Whether a client with this address is one of those that the policy is for.
    #[must_use]
    pub fn covers(&self, client: IpAddr) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|network| network.contains(&client))
    }
}

/// What clients may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queries {
    /// Everything.
    Any,
    /// Names that a rule allows, and record types that say where they are.
    Policy,
}

/// How names are learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dns {
    /// Whose answers are believed; at least one.
    pub resolvers: Vec<IpAddr>,
    /// What clients may ask them.
    pub queries: Queries,
    /// An observation counts at least this long, whatever the TTL.
    pub min_ttl: Duration,
    /// And this much longer than its TTL.
    pub grace: Duration,
    /// A longer TTL is cut to this.
    pub max_ttl: Duration,
    /// Observations kept at most.
    pub capacity: usize,
    /// Whose observations count.
    pub scope: Scope,
    /// What becomes of an address with several allowed names and different routes.
    pub on_ambiguous: OnAmbiguous,
    /// Whether an allowed name may be at a private address.
    pub allow_private: bool,
}

/// What becomes of an address with several allowed names and different routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnAmbiguous {
    /// The name that was asked for last counts.
    Latest,
    /// Refused.
    Deny,
}

/// Where allowed traffic goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoySpec {
    /// Whether decider starts and watches Envoy.
    pub manage: bool,
    /// Its program; none: from `PATH`.
    pub binary: Option<PathBuf>,
    /// Whom it runs as; none: as decider itself. There always is one where this host's own processes are covered.
    pub user: Option<User>,
    /// Where its files are.
    pub config_dir: PathBuf,
    /// The IPv4 address of the listeners, a loopback address; `::1` always beside it.
    pub listen: Ipv4Addr,
    /// Port of slot 0.
    pub first_port: u16,
}

/// A user of this host, as the policy names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// By name; whether there is such a user is not known yet.
    Name(String),
    /// By number.
    Id(u32),
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl EnvoySpec {
    /// The port of decider's own relay for DNS over TCP, in front of those of the listeners.
    #[must_use]
    pub const fn relay_port(&self) -> u16 {
        self.first_port.saturating_sub(1)
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its id, given or made.
    pub id: RuleId,
    /// The name it is about, or all names below one.
    pub name: NamePattern,
    /// What its traffic is.
    pub proto: Proto,
    /// Its ports, in order, each once; at least one.
    pub ports: Vec<u16>,
    /// What becomes of it.
    pub action: Action,
    /// Where Envoy connects to, if it allows. Never [`Upstream::Resolve`] for an allow rule of many names.
    pub upstream: Upstream,
    /// The only clients that it is for, by their source addresses, narrow ones first; empty: everybody.
    pub clients: Vec<IpNet>,
    /// When it ends, if the file says so.
    pub expires: Option<Expiry>,
    /// Its line in the file, from 1; 0 if it is in none.
    pub line: usize,
    /// Until when it counts, and for whom, if it is a temporary one.
    pub term: Option<Term>,
}

/// When a rule of a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// By the wall clock, as it is written.
    pub at: Timestamp,
    /// By the clock of this boot, from which on it counts no more. Zero, so that it counts for nobody, until
    /// [`Spec::at`] has compared the clocks.
    pub ends: Moment,
}

/// What a temporary rule is narrowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The only client that it is for, by its source address; none: everybody.
    pub client: Option<IpAddr>,
    /// From this moment on it counts no more.
    pub ends: Moment,
    /// How long it was asked for.
    pub lasts: Duration,
    /// The user who asked.
    pub by: u32,
}

/// Who asks what the rules say, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Source address.
    pub client: IpAddr,
    /// The moment.
    pub now: Moment,
}

impl Rule {
    /// Whether it counts for somebody. One that is temporary or for some clients only counts for nobody in particular (none) never.
    #[must_use]
    pub fn counts_for(&self, asker: Option<Asker>) -> bool {
        Limits::of(self).is_none_or(|limits| limits.count_for(asker))
    }

    /// When it ends, by the clock of this boot; none if it does not.
    #[must_use]
    pub fn ends(&self) -> Option<Moment> {
        let ends = [self.term.map(|term| term.ends), self.expires.map(|expiry| expiry.ends)];
        ends.into_iter().flatten().min()
    }
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Let through, by the rule's own listener.
    Allow,
    /// Refuse; beats every allow.
    Deny,
}

impl Action {
    /// The word for it in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}
