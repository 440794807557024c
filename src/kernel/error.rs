use std::io;

/// Why the kernel's state is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// There is no nft program.
    #[error("cannot run nft: {0}; install nftables")]
    NoNft(io::Error),
    /// The nft program said no.
    #[error("nft cannot {operation}: {message}")]
    Nft {
        /// What was tried.
        operation: &'static str,
        /// The first lines of what it said.
        message: String,
    },
    /// Neither way of queueing packets works.
    #[error(
        "this kernel cannot hand packets to userspace: nft_queue says \"{native}\", xt_NFQUEUE says \"{target}\"; \
         load one of these modules or install a kernel that has them"
    )]
    NoQueue {
        /// What came of the native statement.
        native: String,
        /// What came of the target.
        target: String,
    },
    /// What was applied is not what is there.
    #[error("the ruleset was applied, but the kernel lists something else: {0}")]
    Differs(String),
    /// Marked packets go to Envoy over `lo`.
    #[error("the interface lo is down, so nothing can be handed to Envoy: run `ip link set lo up`")]
    LoopbackDown,
    /// The kernel does not take the backstop's program.
    #[error("cannot load the backstop's eBPF program: {0}")]
    NoBackstop(String),
    /// Something else is where the backstop would be.
    #[error(
        "{interface} has an `ingress` qdisc, which leaves no room for the backstop: put `clsact` in its place \
         (`tc qdisc del dev {interface} ingress && tc qdisc add dev {interface} clsact`, then its filters anew)"
    )]
    IngressQdisc {
        /// Where.
        interface: String,
    },
    /// A netlink operation failed.
    #[error("cannot {operation}: {source}")]
    Netlink {
        /// What was tried.
        operation: String,
        /// The kernel's answer.
        source: io::Error,
    },
}

impl KernelError {
    /// A netlink operation failed.
    pub fn netlink(operation: impl Into<String>, source: io::Error) -> Self {
        Self::Netlink { operation: operation.into(), source }
    }
}
