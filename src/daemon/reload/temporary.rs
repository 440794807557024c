use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::clock;
use crate::control::{Allow, FailureKind, ReloadFailure, ReloadReport, TemporaryFailure, TemporaryReport};
use crate::model::Moment;
use crate::policy::temporary::{Asked, Merged, Refused, Resolved, SAVE_EVERY, Saved, Temporaries, resolve};
use crate::policy::written_duration;

use super::Reloader;
use super::change::PATIENCE;
use crate::daemon::temporary::{clocks, view};

/// How often it is looked whether a rule has ended: the clock that says so goes on through a suspend, a timer does not.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Reloader {
    /// Comes back when it may be time for [`end_what_is_over`](Self::end_what_is_over).
    pub async fn something_may_be_over(&self) {
        let ends = self.temporaries.iter().filter_map(|rule| rule.term).map(|term| term.ends).min();
        let Some(ends) = ends else { return std::future::pending().await };
        let left = ends.since(clock::now());
        let wait = if left.is_zero() && self.cannot_end { LOOK_EVERY } else { left.min(LOOK_EVERY) };
        // Not before it is over: a timer counts in milliseconds.
        sleep(wait + Duration::from_millis(1)).await;
    }

    /// Takes the rules out that are over, and cuts their connections.
    pub async fn end_what_is_over(&mut self) {
        let now = clock::now();
        let (stay, over) = self.temporaries.split_at(now);
        if over.is_empty() {
            return self.save_again(now);
        }
        let mut report = TemporaryReport::default();
        let ended = self.put(stay.merge(&self.file), Duration::ZERO, &mut report).await;
        self.cannot_end = ended.is_err();
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
        let Resolved { rule, notes } = resolve(&asked, &self.file, clock::now()).map_err(refused)?;
        report.notes = notes;
        let (with, renewed) = self.temporaries.with(rule.clone()).map_err(refused)?;
        report.renewed = renewed;
        let merged = with.merge(&self.file);
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
        self.put(stay.merge(&self.file), Duration::ZERO, report).await?;
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

fn refused(refused: Refused) -> TemporaryFailure {
    let Refused { code, message, help } = refused;
    TemporaryFailure { kind: FailureKind::Policy, code: Some(code.as_str().to_owned()), message, help }
}

fn failed(failure: ReloadFailure) -> TemporaryFailure {
    let ReloadFailure { kind, message } = failure;
    TemporaryFailure { kind, code: None, message, help: None }
}
