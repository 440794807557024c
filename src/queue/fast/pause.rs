use std::sync::Arc;

use crate::queue::Shared;

/// As long as there is one, the map is empty and stays so.
pub struct Pause(Arc<Shared>);

impl Shared {
    /// Empties the map, and keeps it empty as long as the pause lasts: for whoever changes what everything rests on.
    #[must_use]
    pub fn pause_fast(self: &Arc<Self>) -> Pause {
        self.close_fast();
        Pause(Arc::clone(self))
    }

    /// Empties the map for good.
    pub fn close_fast(&self) {
        self.fast.change(super::state::State::pause);
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let Self(shared) = self;
        shared.fast.change(|state| {
            state.resume();
            state.follow(&shared.published.load().policy);
        });
    }
}
