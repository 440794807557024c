use std::collections::HashSet;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::clock;
use crate::control::{FailureKind, ReloadFailure, ReloadReport};
use crate::envoy::{EnvoyState, Phase};
use crate::kernel::{FAST_COUNTER, Ruleset, refusal_counters};
use crate::model::{RuleId, Slot};
use crate::policy::{Difference, Policy, Route, SlotTable, Spec};
use crate::queue::{Published, Readiness};

use super::Reloader;
use super::cut::Condemned;
use super::ways::Ways;
use crate::daemon::offline::limits;

/// How long Envoy may take to have its new listeners in use: a name that does not answer takes four seconds.
pub const PATIENCE: Duration = Duration::from_secs(6);
/// How long it may take to lose the old ones.
const SHORT: Duration = Duration::from_secs(2);

impl Reloader {
    /// Puts a policy in force, without the rules that have to wait for a mark; returns those. Before that, Envoy has so long to
    /// have new listeners in use.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub async fn change_to(
        &mut self,
        spec: Spec,
        patience: Duration,
        report: &mut ReloadReport,
    ) -> Result<Vec<RuleId>, ReloadFailure> {
        let before = self.view.shared.published.load_full();
        let (after, slots, waiting) = self.compile(&before.policy, spec)?;
        // In front of everything: after a crash, the next decider gives the same marks.
        self.state.save_slots(&slots).map_err(refused)?;

        let files = self.steering.add(&after).map_err(refused)?;
        let deadline = Instant::now() + patience;
        self.wait_for_envoy(&after, deadline, |route| !leads_elsewhere(&before.policy, route)).await;
        let doomed = self.condemned_if_known(&Ways::of(&before.policy), &after);
        // The kernel goes on by itself with what the new policy says, and with what is known by then.
        let shared = &self.view.shared;
        let pause = tokio::task::block_in_place(|| shared.pause_fast());
        if let Err(failure) = self.enforce(&before.policy, after).await {
            self.take_back();
            // So that it is looked at until all is as it was.
            self.view.with_health(|health| health.ruleset = Some(failure.message.clone()));
            return Err(failure);
        }
        self.slots = slots;
        self.judge_knowledge_anew();
        drop(pause);
        // Before their listeners end: what Envoy ends by itself has no reset.
        let published = self.view.shared.published.load_full();
        if !Difference::between(before.policy.spec(), published.policy.spec()).is_empty() {
            report.cut.extend(self.cut(&Ways::of(&before.policy).and(&published.policy), doomed).await);
        }
        if let Err(error) = self.steering.settle(files) {
            report.notes.push(format!("Envoy's old listeners stay: {error}"));
        }
        self.wait_for_envoy(&published.policy, deadline.max(Instant::now() + SHORT), |_| true).await;
        self.view.follow_envoy();
        let missing = published.policy.routes().iter().filter(|route| !published.readiness.is_ready(route));
        report.not_ready = missing.map(|route| route.rule.id.clone()).collect();
        Ok(waiting)
    }

    /// Says which connections would be cut.
    ///
    /// # Errors
    /// Why a real reload would change nothing, as far as that can be known.
    pub fn foretell(&self, spec: Spec, report: &mut ReloadReport) -> Result<(), ReloadFailure> {
        let before = self.view.shared.published.load_full();
        let (after, ..) = self.compile(&before.policy, spec)?;
        let condemned = self.condemned(&Ways::of(&before.policy), &after).map_err(refused)?;
        report.cut = condemned.into_iter().map(Condemned::told).collect();
        Ok(())
    }

    /// The policy with its marks, without the rules that have to wait for one; and those.
    fn compile(&self, before: &Policy, mut spec: Spec) -> Result<(Policy, SlotTable, Vec<RuleId>), ReloadFailure> {
        let mut slots = self.slots.clone();
        let waiting = slots.assign_but(&spec, &going(before, &spec)).map_err(refused)?;
        spec.rules.retain(|rule| !waiting.contains(&rule.id));
        let policy = Policy::compile(spec, &slots, before.epoch().next()).map_err(refused)?;
        Ok((policy, slots, waiting))
    }

    /// Kernel first, then the workers: what they decide by the new policy finds its way there. Ends when nothing is decided
    /// by the old one any more.
    async fn enforce(&self, before: &Policy, after: Policy) -> Result<(), ReloadFailure> {
        let view = &self.view;
        let options = &view.options;
        let ruleset = Ruleset::plan(&after, &options.queues(), view.features, options.log_group, &self.local);
        let mut firewall = self.firewall.lock().await;
        let refused_before = tokio::task::block_in_place(refusal_counters).unwrap_or_default();
        let replaced = firewall.change(before, &after, &ruleset).await.map_err(refused)?;
        if replaced {
            view.carry_over(refused_before);
        } else if before.spec().fast_path && !after.spec().fast_path {
            // Its counter goes with the rest of it.
            view.carry_over(refused_before.into_iter().filter(|(name, _)| name == FAST_COUNTER).collect());
        }
        let readiness = Readiness::none_of(after.routes().len());
        let envoy = view.envoy.borrow().clone();
        after.routes().iter().for_each(|route| readiness.set(route, envoy.is_ready(route)));
        view.shared.published.store(std::sync::Arc::new(Published { policy: after, readiness }));
        // Its routing repairs go by what is published.
        drop(firewall);
        view.changed.notify_one();
        if !view.workers.all_before_are_done().await {
            tracing::error!("a worker stands still: what it has in hand may still be decided by the old policy");
        }
        Ok(())
    }

    /// Waits until Envoy has the listeners of these routes in use, or it is clear that it will not soon.
    async fn wait_for_envoy(&self, policy: &Policy, deadline: Instant, wanted: impl Fn(&Route) -> bool) {
        let mut state = self.view.envoy.clone();
        let wanted: Vec<&Route> = policy.routes().iter().filter(|route| wanted(route)).collect();
        // One that is silent may only be busy; one that is down is started with the files that there are now.
        let is_down = |state: &EnvoyState| state.phase == Phase::Down;
        let ready = state.wait_for(|state| is_down(state) || wanted.iter().all(|route| state.is_ready(route)));
        // Those that are missing are named in the report.
        let _ = timeout_at(deadline, ready).await;
    }

    fn take_back(&self) {
        if let Err(error) = self.steering.take_back() {
            tracing::warn!(%error, "listeners of a policy that came to nothing stay in Envoy");
        }
        if let Err(error) = self.state.save_slots(&self.slots) {
            tracing::warn!(%error, "marks of a policy that came to nothing stay saved");
        }
    }

    fn judge_knowledge_anew(&self) {
        let shared = &self.view.shared;
        let published = shared.published.load_full();
        let policy = &published.policy;
        let now = clock::now();
        for mut part in shared.knowledge.parts() {
            part.judge_anew(
                limits(&policy.spec().dns),
                |name| policy.mentions(name),
                |address| shared.belief(address),
                now,
            );
        }
    }
}

/// Slots of rules that are on their way out: something of them is alive until the new policy is in force.
fn going(before: &Policy, after: &Spec) -> HashSet<Slot> {
    let stay: HashSet<&RuleId> = after.rules.iter().map(|rule| &rule.id).collect();
    before.routes().iter().filter(|route| !stay.contains(&route.rule.id)).map(|route| route.slot).collect()
}

/// Whether a listener has to lead some port of this route elsewhere than before: then it cannot serve both.
fn leads_elsewhere(before: &Policy, route: &Route) -> bool {
    before.marked(route.mark).is_some_and(|old| {
        let same = old.rule.name == route.rule.name && old.rule.upstream == route.rule.upstream;
        !same && old.rule.ports.iter().any(|port| route.rule.ports.contains(port))
    })
}

fn refused(error: impl std::error::Error) -> ReloadFailure {
    ReloadFailure { kind: FailureKind::System, message: format!("{error}: nothing was changed") }
}
