use tokio::sync::oneshot;

use crate::control::ReloadReport;

/// Somebody wants the policy file to be read again.
pub struct Request {
    /// Whether to only say what would be changed.
    pub dry_run: bool,
    /// Who waits for the answer, if anybody does.
    pub reply: Option<oneshot::Sender<ReloadReport>>,
}

impl Request {
    /// A reload that nobody waits for; the log and `status` say what came of it.
    pub const fn unattended() -> Self {
        Self { dry_run: false, reply: None }
    }

    /// Answers.
    pub fn answer(self, report: &ReloadReport) {
        if let Some(reply) = self.reply {
            // Who asked may be gone; the log has it.
            let _ = reply.send(report.clone());
        }
    }
}
