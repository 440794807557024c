use tokio::sync::oneshot;

use crate::control::{Allow, ReloadReport, TemporaryReport};

/// What can be asked of the task that changes the policy in force.
pub enum Request {
    /// Somebody wants the policy file to be read again.
    Reload(Reload),
    /// Somebody wants something to be let through for a while.
    Allow(Allow, oneshot::Sender<TemporaryReport>),
    /// Somebody wants temporary rules to end: those with this id or name. Behind it, who.
    Revoke(String, u32, oneshot::Sender<TemporaryReport>),
}

/// A reload that somebody wants.
pub struct Reload {
    /// Whether to only say what would be changed.
    pub dry_run: bool,
    /// Who waits for the answer, if anybody does.
    pub reply: Option<oneshot::Sender<ReloadReport>>,
}

impl Request {
    /// A reload that nobody waits for; the log and `status` say what came of it.
    pub const fn unattended() -> Self {
        Self::Reload(Reload { dry_run: false, reply: None })
    }
}

impl Reload {
    /// Answers.
    pub fn answer(self, report: &ReloadReport) {
        if let Some(reply) = self.reply {
            // Who asked may be gone; the log has it.
            let _ = reply.send(report.clone());
        }
    }
}
