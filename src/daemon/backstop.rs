use crate::clock;
use crate::kernel::{Backstop, BackstopChanges, BackstopPlan, KernelError, links};
use crate::queue::Shared;
use crate::record::{Throttle, Told};

use super::backend::View;

/// Keeps the backstop in step with the policy and the interfaces.
pub struct BackstopKeeper {
    backstop: Backstop,
    /// Whether there is none because none is wanted.
    is_away: bool,
    failures: Throttle,
}

impl BackstopKeeper {
    /// Opens a socket for it.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn connect() -> Result<Self, KernelError> {
        Ok(Self { backstop: Backstop::connect()?, is_away: false, failures: Throttle::default() })
    }

    async fn ensure(&mut self, shared: &Shared) -> Result<BackstopChanges, KernelError> {
        let published = shared.published.load();
        let spec = published.policy.spec();
        if spec.host {
            // In audit mode too: the mode may change.
            self.backstop.load(spec.marks);
        }
        let plan = |links: &[_]| BackstopPlan::new(&published.policy, links);
        if plan(&[]).is_none() && self.is_away {
            return Ok(BackstopChanges::default());
        }
        let plan = plan(&links()?);
        let changes = self.backstop.ensure(plan.as_ref()).await?;
        self.is_away = plan.is_none();
        Ok(changes)
    }

    /// Puts the backstop where it belongs. What cannot be done is tried again when something changes: the ruleset is in
    /// force meanwhile.
    pub async fn keep(&mut self, view: &View) {
        match self.ensure(&view.shared).await {
            Ok(BackstopChanges { followed, repaired }) => {
                if followed > 0 {
                    tracing::info!(interfaces = followed, "the backstop follows the interfaces that there are");
                }
                if repaired > 0 {
                    tracing::warn!(interfaces = repaired, "the backstop was taken away and has been put back");
                }
                self.failures.works();
                view.with_health(|health| {
                    health.backstop = None;
                    if repaired > 0 {
                        health.heal.backstop += u64::try_from(repaired).unwrap_or(u64::MAX);
                        health.healed(format!("backstop: of {repaired} interfaces"));
                    }
                });
            }
            Err(error) => {
                let what =
                    "if another program flushes the ruleset, this host can connect to anything until it is put back";
                // With each interface that comes or goes.
                if let Some(Told { left_out }) = self.failures.fails(&error.to_string(), clock::now()) {
                    tracing::error!(%error, left_out, "the backstop is not wholly in force: {what}");
                }
                view.with_health(|health| health.backstop = Some(format!("{error}; {what}")));
            }
        }
    }
}
