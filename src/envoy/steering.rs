use std::sync::Arc;

use tokio::sync::watch;

use super::connected::Connected;
use super::directory::Directory;
use super::error::EnvoyError;
use super::files::Files;
use super::host::Host;
use super::offer::Offer;
use super::state::EnvoyState;
use super::transition::serving_both;
use crate::policy::Policy;

/// Changes what Envoy does, while it runs: by its files. Whether it does so is seen in its state.
#[derive(Debug)]
pub struct Steering {
    pub(super) host: Host,
    /// What was written last, for one policy.
    pub(super) files: Files,
    pub(super) directory: Arc<Directory>,
    pub(super) offer: watch::Sender<Offer>,
    pub(super) state: watch::Sender<EnvoyState>,
}

impl Steering {
    /// Has Envoy serve the policy of before and this one: nothing is taken from it, and what does not stand in the way of
    /// the one before is added. Returns what this policy alone comes to, to [`settle`](Self::settle) on.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn add(&self, policy: &Policy) -> Result<Files, EnvoyError> {
        let new = self.files.next(policy, self.host);
        let lds = serving_both(&self.files.lds, &new.lds);
        let merged = new.with(lds, serving_both(&self.files.cds, &new.cds));
        self.write(&merged)?;
        Ok(new)
    }

    /// Has Envoy serve one policy and no other. What it serves beside is drained and ended.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn settle(&mut self, files: Files) -> Result<(), EnvoyError> {
        self.write(&files)?;
        self.files = files;
        Ok(())
    }

    /// Has Envoy serve what it served before [`add`](Self::add).
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn take_back(&self) -> Result<(), EnvoyError> {
        self.write(&self.files)
    }

    /// Which of Envoy's own connections belongs to which of its clients', as far as its log says it by now.
    #[must_use]
    pub fn connected(&self) -> Connected {
        Connected::read(&self.directory.layout)
    }

    /// In this order: from the moment that a file may be read, what is not in it counts as gone; and what is found in use
    /// counts only from the moment that the file is there.
    fn write(&self, files: &Files) -> Result<(), EnvoyError> {
        let offer = Offer::of(&files.lds);
        self.offer.send_replace(offer.clone());
        self.state.send_if_modified(|state| {
            let mut in_use = (*state.listeners).clone();
            offer.keep(&mut in_use);
            let changes = in_use != *state.listeners;
            if changes {
                state.listeners = Arc::new(in_use);
            }
            changes
        });
        let written = self.directory.write_resources(files);
        self.offer.send_replace(offer.written());
        written
    }
}
