use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::clock;
use crate::control::{Allow, FailureKind, ReloadFailure, ReloadReport, TemporaryFailure, TemporaryReport};
use crate::model::{Moment, RuleId};
use crate::policy::temporary::{Asked, Merged, Refused, Resolved, SAVE_EVERY, Saved, Temporaries, resolve};
use crate::policy::{Difference, Rule, written_duration};

use super::change::PATIENCE;
use super::{Reloader, Skew};
use crate::daemon::temporary::{clocks, in_force, view};

/// How often it is looked whether a rule has ended: the clock that says so goes on through a suspend, a timer does not.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Reloader {
    /// Comes back when it may be time for [`end_what_is_over`](Self::end_what_is_over).
    pub async fn something_may_be_over(&self) {
        let (now, mut ends) = (clock::now(), self.first_end());
        // Somebody may set the wall clock, and what was over is in force again.
        if self.file.expires() {
            ends = ends.or(Some(now.after(LOOK_EVERY)));
        }
        let Some(ends) = ends else { return std::future::pending().await };
        let left = ends.since(now);
        let wait = if left.is_zero() && self.cannot_end { LOOK_EVERY } else { left.min(LOOK_EVERY) };
        // Not before it is over: a timer counts in milliseconds.
        sleep(wait + Duration::from_millis(1)).await;
    }

    /// When the first rule in force ends, if one does.
    fn first_end(&self) -> Option<Moment> {
        self.view.shared.published.load().policy.spec().rules.iter().filter_map(Rule::ends).min()
    }

    /// Takes the rules out that are over, and cuts their connections. Where the wall clock was set, brings those back that are not.
    pub async fn end_what_is_over(&mut self) {
        let (now, skew) = (clock::now(), Skew::now());
        let (stay, over) = self.temporaries.split_at(now);
        let was_set = self.file.expires() && skew.differs_from(self.compared);
        if !was_set && self.first_end().is_none_or(|end| now < end) {
            return self.save_again(now);
        }
        let before = self.view.shared.published.load_full();
        let mut report = TemporaryReport::default();
        let ended = self.put(stay.merge(&in_force(self.file.clone()).spec), Duration::ZERO, &mut report).await;
        self.cannot_end = ended.is_err();
        if ended.is_ok() {
            self.compared = skew;
        }
        let after = self.view.shared.published.load_full();
        let changed = Difference::between(before.policy.spec(), after.policy.spec());
        tell_of_expiry(&changed, &over, &report);
        let cut = report.cut.len();
        for rule in over.iter() {
            match &ended {
                Ok(()) => tracing::info!(rule = %rule.id, cut, "a temporary rule has ended"),
                Err(failure) => {
                    let reason = &failure.message;
                    tracing::error!(rule = %rule.id, reason, "a temporary rule lets nothing new through, but is still there");
                }
            }
        }
    }

    /// Adds a temporary rule.
    pub async fn allow(&mut self, asked: Allow) -> TemporaryReport {
        let began = Instant::now();
        let mut report = TemporaryReport { dry_run: asked.dry_run, ..TemporaryReport::default() };
        let failure = self.try_to_allow(asked, &mut report).await.err();
        self.concluded(report, failure, began)
    }

    async fn try_to_allow(&mut self, asked: Allow, report: &mut TemporaryReport) -> Result<(), TemporaryFailure> {
        let Allow { target, for_s, client, dry_run, by } = asked;
        let asked = Asked { target, client, lasts: Duration::from_secs(for_s), by };
        let Resolved { rule, notes } =
            resolve(&asked, &in_force(self.file.clone()).spec, clock::now()).map_err(refused)?;
        report.notes = notes;
        let (with, renewed) = self.temporaries.with(rule.clone()).map_err(refused)?;
        report.renewed = renewed;
        let merged = with.merge(&in_force(self.file.clone()).spec);
        if let Some(dropped) = merged.dropped.iter().find(|dropped| dropped.id == rule.id) {
            return Err(refused(dropped.why.clone()));
        }
        if !dry_run {
            self.put(merged, PATIENCE, report).await?;
            let lasts = written_duration(asked.lasts);
            let client = asked.client.map_or("everybody".to_owned(), |client| client.to_string());
            tracing::info!(rule = %rule.id, client, lasts, by, renewed, "a temporary rule was added");
        }
        report.not_ready.retain(|id| *id == rule.id);
        report.rules.extend(view(&rule));
        Ok(())
    }

    /// Ends temporary rules before their time.
    pub async fn revoke(&mut self, which: &str, by: u32) -> TemporaryReport {
        let began = Instant::now();
        let mut report = TemporaryReport::default();
        let failure = self.try_to_revoke(which, by, &mut report).await.err();
        self.concluded(report, failure, began)
    }

    async fn try_to_revoke(
        &mut self,
        which: &str,
        by: u32,
        report: &mut TemporaryReport,
    ) -> Result<(), TemporaryFailure> {
        let (stay, go) = self.temporaries.split_by(which);
        if go.is_empty() {
            return Err(TemporaryFailure {
                kind: FailureKind::Policy,
                code: None,
                message: "no temporary rule has this id or name".to_owned(),
                help: Some("`decider allow --list` shows those there are".to_owned()),
            });
        }
        self.put(stay.merge(&in_force(self.file.clone()).spec), Duration::ZERO, report).await?;
        report.not_ready.clear();
        for rule in go.iter() {
            tracing::info!(rule = %rule.id, by, cut = report.cut.len(), "a temporary rule was revoked");
            report.rules.extend(view(rule));
        }
        Ok(())
    }

    /// Puts the file's policy in force with these rules beside it. They are saved first: a crash in between must not bring a rule
    /// back that somebody has ended.
    async fn put(
        &mut self,
        merged: Merged,
        patience: Duration,
        report: &mut TemporaryReport,
    ) -> Result<(), TemporaryFailure> {
        self.save(&merged.kept).map_err(|message| failed(ReloadFailure { kind: FailureKind::System, message }))?;
        let mut changed = ReloadReport::default();
        if let Err(failure) = self.change(merged.spec, patience, &mut changed).await {
            if let Err(error) = self.save(&self.temporaries.clone()) {
                tracing::error!(error, "the saved temporary rules are not those in force");
            }
            return Err(failed(failure));
        }
        self.temporaries = merged.kept;
        report.cut = changed.cut;
        report.not_ready = changed.not_ready;
        report.notes.extend(changed.notes);
        Ok(())
    }

    /// Saves temporary rules with the clocks of now.
    ///
    /// # Errors
    /// Why they cannot be saved.
    pub fn save(&mut self, rules: &Temporaries) -> Result<(), String> {
        let clocks = clocks().map_err(|error| format!("the clocks cannot be read: {error}: nothing was changed"))?;
        let saved = self.state.save_temporary(&Saved::of(rules, &clocks));
        saved.map_err(|error| format!("{error}: nothing was changed"))?;
        self.saved = clocks.now;
        Ok(())
    }

    fn save_again(&mut self, now: Moment) {
        if now.since(self.saved) < SAVE_EVERY {
            return;
        }
        if let Err(error) = self.save(&self.temporaries.clone()) {
            tracing::warn!(error, "how long temporary rules were in force is not saved: a reboot may end them sooner");
            self.saved = now;
        }
    }

    fn concluded(&self, report: TemporaryReport, failure: Option<TemporaryFailure>, began: Instant) -> TemporaryReport {
        let epoch = self.view.shared.published.load().policy.epoch();
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        TemporaryReport { ok: failure.is_none(), failure, epoch, took_ms, ..report }
    }
}

/// Tells the log which rules of the file are over, or in force again.
fn tell_of_expiry(changed: &Difference, temporaries: &Temporaries, report: &TemporaryReport) {
    let cut = report.cut.len();
    let is_of_file = |id: &&RuleId| temporaries.iter().all(|rule| rule.id != **id);
    for rule in changed.removed.iter().filter(is_of_file) {
        tracing::info!(%rule, cut, "a rule is over: its `expires` has passed");
    }
    for rule in &changed.added {
        tracing::warn!(%rule, "a rule is in force again: the clock has been set back");
    }
}

fn refused(refused: Refused) -> TemporaryFailure {
    let Refused { code, message, help } = refused;
    TemporaryFailure { kind: FailureKind::Policy, code: Some(code.as_str().to_owned()), message, help }
}

fn failed(failure: ReloadFailure) -> TemporaryFailure {
    let ReloadFailure { kind, message } = failure;
    TemporaryFailure { kind, code: None, message, help: None }
}
