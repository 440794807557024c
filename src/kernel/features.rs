use super::ruleset::QueueStatement;
use super::{KernelError, Nft, Presence};

/// What kernels differ in, as far as the ruleset does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// How a rule hands a packet to a queue.
    pub queueing: QueueStatement,
    /// Whether a table can belong to a process, and end with it (Linux 5.12 and later).
    pub owned_tables: bool,
}

impl Features {
    /// What this kernel has. Changes nothing.
    ///
    /// # Errors
    /// If it cannot hand packets to userspace, or nft cannot be run.
    pub fn probe() -> Result<Self, KernelError> {
        Ok(Self { queueing: Nft::probe()?, owned_tables: Presence::probe().is_ok() })
    }
}
