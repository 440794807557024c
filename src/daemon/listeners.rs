use tokio::task::block_in_place;

use crate::envoy::{EnvoyState, Phase};
use crate::policy::Route;

use super::backend::View;
use super::notify;

impl View {
    /// Takes over from Envoy's state which listeners are up: SYNs go to those, and to no others.
    pub fn follow_envoy(&self) {
        let state = self.envoy.borrow().clone();
        let published = self.shared.published.load();
        let goes_down = |route: &Route| published.readiness.is_ready(route) && !state.is_ready(route);
        let is_worse = published.policy.routes().iter().any(goes_down);
        // The kernel may not go on with what is down, so it is told first.
        let _pause = is_worse.then(|| block_in_place(|| self.shared.pause_fast()));
        for route in published.policy.routes() {
            published.readiness.set(route, state.is_ready(route));
        }
        let (ready, all) = (published.readiness.count(), published.policy.routes().len());
        notify::status(&format!("{ready} of {all} listeners ready"));
        self.tell_log_of_envoy(&state, ready, all);
    }

    /// A line whenever it is otherwise than it was.
    fn tell_log_of_envoy(&self, state: &EnvoyState, ready: usize, all: usize) {
        let told = Some((state.phase, ready, all));
        let before = self.with_health(|health| std::mem::replace(&mut health.told_of_envoy, told));
        if before == told {
            return;
        }
        let envoy = state.word();
        let is_worse = match state.phase {
            Phase::Silent | Phase::Down => true,
            Phase::Starting | Phase::Live => before.is_some_and(|(_, before, _)| ready < before),
        };
        if state.is_well() && ready == all {
            tracing::info!(envoy, ready, of = all, "all listeners are ready");
        } else if is_worse {
            tracing::warn!(envoy, ready, of = all, "not all listeners are ready: SYNs of the others are refused");
        } else {
            tracing::info!(envoy, ready, of = all, "listeners are getting ready");
        }
    }
}
