//! Another policy while decider runs: the file is read again, and what it says is put in force without a moment in which
//! neither the old one nor the new one holds.
//!
//! One task does it, one change after the other. [`mod@file`] reads, [`change`] carries out, [`cut`] ends connections that the
//! new policy does not allow. Temporary rules are put beside those of the file, and taken away again, by the same way
//! ([`temporary`]).

mod change;
mod cut;
mod file;
mod request;
mod skew;
mod temporary;
mod ways;

pub use request::{Reload, Request};
pub use skew::Skew;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;

use crate::clock;
use crate::control::{ChangedRule, FailureKind, ReloadFailure, ReloadReport, ReloadStatus};
use crate::envoy::{Listener, Steering};
use crate::kernel::Local;
use crate::model::Moment;
use crate::policy::temporary::Temporaries;
use crate::policy::{Difference, InForce, SlotTable, Spec};

use super::backend::View;
use super::firewall::Firewall;
use super::notify;
use super::state_dir::StateDir;
use super::temporary::{in_force, tell_dropped};
use change::PATIENCE;
use ways::Ways;

/// Changes the policy in force, one change after the other.
pub struct Reloader {
    /// What is shared with the control socket.
    pub view: Arc<View>,
    /// The kernel's state.
    pub firewall: Arc<Mutex<Firewall>>,
    /// Who on this host is what: found at the start, and the same for a whole run.
    pub local: Local,
    /// Envoy's files.
    pub steering: Steering,
    /// Which rule has which mark and port.
    pub slots: SlotTable,
    /// Where that is saved. Held until the end, so that no other decider takes it.
    pub state: StateDir,
    /// What the policy file said when it was read last.
    pub file: Spec,
    /// What is let through beside that for a while.
    pub temporaries: Temporaries,
    /// When those were saved last.
    pub saved: Moment,
    /// How the clocks stood to each other when it was looked last which rules are over.
    pub compared: Skew,
    /// Whether some of them are over and could not be taken out.
    pub cannot_end: bool,
}

impl Reloader {
    /// Judges the connections of an Envoy that was left behind by the policy of this start, before any of its listeners counts
    /// as ready.
    pub async fn judge_what_was_left(&self, listeners: &BTreeMap<String, Listener>) {
        let policy = &self.view.shared.published.load_full().policy;
        let ways = Ways::of_listeners(listeners, policy.spec()).and(policy);
        let cut = self.cut(&ways, Vec::new()).await.len();
        if cut > 0 {
            tracing::warn!(cut, "connections of before are not allowed by this policy and have been cut");
        }
    }

    /// Answers requests until nobody can make any more.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        loop {
            let next = tokio::select! {
                next = requests.recv() => next,
                () = self.something_may_be_over() => {
                    self.end_what_is_over().await;
                    continue;
                }
            };
            let Some(first) = next else { return };
            let mut asked = vec![first];
            // Whoever asked before the file is read is answered by that one reading.
            while let Ok(more) = requests.try_recv() {
                asked.push(more);
            }
            self.serve(asked).await;
        }
    }

    async fn serve(&mut self, asked: Vec<Request>) {
        let mut reloads = Vec::new();
        for request in asked {
            // Whoever does not wait for the answer any more finds it in the log.
            match request {
                Request::Reload(reload) => reloads.push(reload),
                Request::Allow(asked, reply) => drop(reply.send(self.allow(asked).await)),
                Request::Revoke(which, by, reply) => drop(reply.send(self.revoke(&which, by).await)),
            }
        }
        let (dry, real): (Vec<Reload>, Vec<Reload>) = reloads.into_iter().partition(|reload| reload.dry_run);
        for reload in dry {
            let report = self.answer(true).await;
            reload.answer(&report);
        }
        if !real.is_empty() {
            let report = self.reload().await;
            for reload in real {
                reload.answer(&report);
            }
        }
    }

    async fn reload(&mut self) -> ReloadReport {
        notify::reloading();
        let report = self.answer(false).await;
        tell_log(&report);
        self.view.with_health(|health| {
            let (count, failed) = health.reload.as_ref().map_or((0, 0), |last| (last.count, last.failed));
            let at = Timestamp::try_from(clock::wall()).ok();
            let (ok, message) = (report.ok, in_a_line(&report));
            health.reload = Some(ReloadStatus { at, ok, message, count: count + 1, failed: failed + u64::from(!ok) });
        });
        notify::ready();
        report
    }

    async fn answer(&mut self, dry_run: bool) -> ReloadReport {
        let began = Instant::now();
        let path = &self.view.options.policy_file;
        let mut report = ReloadReport { dry_run, policy: path.display().to_string(), ..ReloadReport::default() };
        report.failure = self.carry_out(&mut report).await.err();
        report.ok = report.failure.is_none();
        report.epoch = self.view.shared.published.load().policy.epoch();
        report.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        report
    }

    async fn carry_out(&mut self, report: &mut ReloadReport) -> Result<(), ReloadFailure> {
        let file = file::read(&self.view.options.policy_file, report)?;
        let InForce { spec, over } = in_force(file.clone());
        report.notes.extend(over.iter().map(|rule| format!("the rule {rule} is over: its `expires` has passed")));
        let merged = self.temporaries.merge(&spec);
        let before = self.view.shared.published.load_full();
        let difference = Difference::between(before.policy.spec(), &merged.spec);
        describe(&difference, report);
        let verb = if report.dry_run { "would be" } else { "is" };
        let dropped = merged.dropped.iter();
        report
            .notes
            .extend(dropped.map(|rule| format!("the temporary rule {} {verb} dropped: {}", rule.id, rule.why.message)));
        refuse_what_needs_a_restart(&difference)?;
        if report.dry_run {
            return self.foretell(merged.spec, report);
        }
        self.change(merged.spec.clone(), PATIENCE, report).await?;
        tell_dropped(&merged);
        (self.file, self.temporaries) = (file, merged.kept);
        self.compared = Skew::now();
        if !merged.dropped.is_empty()
            && let Err(error) = self.save(&self.temporaries.clone())
        {
            // The next start drops them again.
            report.notes.push(error);
        }
        Ok(())
    }

    /// Puts a policy in force. Where a rule has to wait for a mark that something of another one is still alive of, that
    /// one is brought to its end first.
    async fn change(&mut self, spec: Spec, patience: Duration, report: &mut ReloadReport) -> Result<(), ReloadFailure> {
        let waiting = self.change_to(spec.clone(), patience, report).await?;
        if !waiting.is_empty() {
            self.change_to(spec, patience, report).await?;
        }
        Ok(())
    }
}

fn describe(difference: &Difference, report: &mut ReloadReport) {
    report.added.clone_from(&difference.added);
    report.removed.clone_from(&difference.removed);
    let changed = difference.changed.iter();
    report.changed = changed.map(|rule| ChangedRule { id: rule.id.clone(), what: rule.what.clone() }).collect();
    report.settings = difference.settings.iter().map(|&key| key.to_owned()).collect();
    report.notes.extend(difference.from_the_next_start().map(|key| format!("{key} counts from the next start on")));
}

fn refuse_what_needs_a_restart(difference: &Difference) -> Result<(), ReloadFailure> {
    let keys: Vec<&str> = difference.for_a_run().collect();
    if keys.is_empty() {
        return Ok(());
    }
    let message = format!("{} can only be changed by a restart of decider: nothing was changed", keys.join(", "));
    Err(ReloadFailure { kind: FailureKind::Restart, message })
}

fn in_a_line(report: &ReloadReport) -> String {
    match &report.failure {
        Some(failure) => failure.message.clone(),
        None => format!(
            "{} rules added, {} removed, {} changed, {} connections cut",
            report.added.len(),
            report.removed.len(),
            report.changed.len(),
            report.cut.len(),
        ),
    }
}

fn tell_log(report: &ReloadReport) {
    let (policy, took_ms, epoch) = (&report.policy, report.took_ms, report.epoch.0);
    match &report.failure {
        None => tracing::info!(policy, epoch, took_ms, what = in_a_line(report), "the policy was read again"),
        Some(failure) => {
            let (reason, problems) = (&failure.message, &report.rendered);
            tracing::error!(policy, reason, problems, "the policy file is not put in force: the old policy goes on");
        }
    }
}
