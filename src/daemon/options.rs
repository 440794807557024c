use std::io;
use std::path::PathBuf;

use crate::control::ServerError;
use crate::envoy::EnvoyError;
use crate::kernel::{KernelError, QueueNumbers};
use crate::metrics;
use crate::policy::{CompileError, SlotError};
use crate::queue::{Backend, OpenError};
use crate::relay::ListenError;

use super::state_dir::StateError;

/// What a run is told beside its policy.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the policy came from.
    pub policy_file: PathBuf,
    /// Control socket.
    pub socket: PathBuf,
    /// Whose members may look at it over the control socket; none: the group `decider`, if there is one.
    pub group: Option<String>,
    /// Whose members may give commands over it; none: root alone.
    pub command_group: Option<String>,
    /// What must outlive a restart.
    pub state_dir: PathBuf,
    /// First queue number.
    pub first_queue: u16,
    /// Queues, and threads, for SYNs.
    pub syn_workers: u16,
    /// Queues, and threads, for DNS.
    pub dns_workers: u16,
    /// What receives packets from the queues.
    pub backend: Backend,
    /// NFLOG group.
    pub log_group: u16,
    /// What a clean stop leaves behind.
    pub on_exit: OnExit,
    /// Whether to reload whenever the policy file changes.
    pub watch: bool,
    /// Whether the process gives up what it does not need.
    pub sandbox: bool,
}

/// What a clean stop leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExit {
    /// The ruleset and the lockdown: nothing new gets out.
    Closed,
    /// Nothing.
    Open,
}

/// Why a policy could not be brought into force.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A right is missing.
    #[error("this needs the right to change the network (CAP_NET_ADMIN)")]
    NoCapability,
    /// Those who may look are not to be found.
    #[error("{0}")]
    Group(String),
    /// Another program has a port that a listener needs.
    #[error("cannot listen on {address}, which a rule's listener needs: {source}")]
    Port {
        /// The listener's address.
        address: std::net::SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// Two queues would have the same number, or one above 65535.
    #[error("queue numbers from {first} on do not suffice for {count} queues")]
    QueueNumbers {
        /// The first.
        first: u16,
        /// How many.
        count: u16,
    },
    /// Another program has the relay's port.
    #[error(transparent)]
    Relay(#[from] ListenError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] OpenError),
    /// The kernel's state.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Envoy.
    #[error(transparent)]
    Envoy(#[from] EnvoyError),
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The control socket.
    #[error(transparent)]
    Control(#[from] ServerError),
    /// Metrics.
    #[error(transparent)]
    Metrics(#[from] metrics::ListenError),
    /// More rules than marks.
    #[error(transparent)]
    Slots(#[from] SlotError),
    /// The policy and the slots do not fit.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Not every trace could be removed.
    #[error("not everything could be removed: {message}")]
    Left {
        /// What was left and why.
        message: String,
    },
    /// The system refused something else.
    #[error("cannot {operation}: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

/// SYN workers when nobody says how many: more queues than this help no machine we know.
const MOST_WORKERS: usize = 8;

impl Default for Options {
    /// One SYN worker a processor, at most eight; two for DNS.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let syn_workers = u16::try_from(processors.min(MOST_WORKERS)).unwrap_or(1);
        Self {
            policy_file: PathBuf::from("/etc/decider/policy.yaml"),
            socket: PathBuf::from("/run/decider/control.sock"),
            group: None,
            command_group: None,
            state_dir: PathBuf::from("/var/lib/decider"),
            first_queue: 5300,
            syn_workers,
            dns_workers: 2,
            backend: Backend::default(),
            log_group: 5300,
            on_exit: OnExit::Closed,
            watch: false,
            sandbox: true,
        }
    }
}

impl Options {
    /// The numbers of the queues: SYNs first, DNS behind.
    #[must_use]
    pub fn queues(&self) -> QueueNumbers {
        let dns = self.first_queue.saturating_add(self.syn_workers);
        let end = dns.saturating_add(self.dns_workers);
        QueueNumbers { syn: self.first_queue..=dns.saturating_sub(1), dns: dns..=end.saturating_sub(1) }
    }
}

impl StartError {
    /// The system refused an operation.
    #[must_use]
    pub fn system(operation: &'static str, source: io::Error) -> Self {
        Self::System { operation, source }
    }

    /// What to do about it, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoCapability => Some("run it as root, or give the service CAP_NET_ADMIN"),
            Self::Port { .. } | Self::Relay(_) => {
                Some("stop the program that has the port, or move all listeners with envoy.first_port")
            }
            Self::QueueNumbers { .. } => Some("use a smaller --first-queue or fewer --workers"),
            Self::Queue(OpenError::Taken(_)) => Some("stop the other program, or use other queues with --first-queue"),
            Self::Metrics(_) => Some("stop the program that is there, or give `metrics.listen` another place"),
            Self::Left { .. } => Some("run `decider down`"),
            Self::Envoy(error) => error.help(),
            Self::Queue(OpenError::System { .. })
            | Self::Kernel(_)
            | Self::Group(_)
            | Self::State(_)
            | Self::Control(_)
            | Self::Slots(_)
            | Self::Compile(_)
            | Self::System { .. } => None,
        }
    }
}
