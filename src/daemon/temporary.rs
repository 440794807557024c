//! Temporary rules between the policy in force, the state directory and whoever asks.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::control::TemporaryView;
use crate::policy::temporary::{Clocks, Merged, Saved, Temporaries};
use crate::policy::{InForce, Policy, Rule, Spec};

use super::state_dir::{StateDir, StateError};

/// The clocks as they are.
///
/// # Errors
/// If the kernel does not say which boot this is.
pub fn clocks() -> io::Result<Clocks> {
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned();
    let wall = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Clocks { boot_id, wall, now: clock::now() })
}

/// What of a policy file is in force now.
pub fn in_force(file: Spec) -> InForce {
    // A clock beyond all calendars is one by which everything is over.
    let wall = Timestamp::try_from(clock::wall()).unwrap_or(Timestamp::MAX);
    file.at(wall, clock::now())
}

/// A policy file with the temporary rules of the last run that are still in force. Each that is not is told to the log.
///
/// # Errors
/// If the state directory cannot be used.
pub fn restore(file: &Spec, state: &StateDir) -> Result<Merged, StateError> {
    let saved = match state.load_temporary() {
        // Rules that are gone close a door; they do not keep decider from starting.
        Err(error @ StateError::Damaged { .. }) => {
            tracing::error!(%error, "the temporary rules are lost: allow again what is still wanted");
            None
        }
        loaded => loaded?,
    };
    let was_saved = saved.is_some();
    let clocks =
        clocks().unwrap_or_else(|_| Clocks { boot_id: String::new(), wall: Duration::ZERO, now: clock::now() });
    let (rules, lost) = saved.unwrap_or_default().carry(&clocks, file.upstream);
    for lost in lost {
        tracing::warn!(rule = %lost.id, why = lost.why, "a temporary rule is over");
    }
    let InForce { spec, over } = in_force(file.clone());
    for rule in over {
        tracing::warn!(%rule, "a rule is over: its `expires` has passed");
    }
    let merged = rules.merge(&spec);
    tell_dropped(&merged);
    if was_saved {
        state.save_temporary(&Saved::of(&merged.kept, &clocks))?;
    }
    for rule in merged.kept.iter() {
        tracing::info!(rule = %rule.id, left = ?left(rule), "a temporary rule is still in force");
    }
    Ok(merged)
}

/// Tells the log which temporary rules do not go with the policy file.
pub fn tell_dropped(merged: &Merged) {
    for dropped in &merged.dropped {
        let (rule, why) = (&dropped.id, &dropped.why.message);
        tracing::warn!(%rule, why, "a temporary rule is dropped: it does not go with the policy file");
    }
}

/// What a temporary rule has left.
pub fn left(rule: &Rule) -> Duration {
    rule.term.map_or(Duration::ZERO, |term| term.ends.since(clock::now()))
}

/// The temporary rules of a policy, as people see them.
pub fn views(policy: &Policy) -> Vec<TemporaryView> {
    Temporaries::of(policy.spec()).iter().filter_map(view).collect()
}

/// A temporary rule as people see it; none if it is no temporary one.
pub fn view(rule: &Rule) -> Option<TemporaryView> {
    let term = rule.term?;
    let left = left(rule);
    let ends = Timestamp::try_from(clock::wall())
        .ok()
        .and_then(|now| now.checked_add(SignedDuration::try_from(left).ok()?).ok());
    Some(TemporaryView {
        id: rule.id.clone(),
        domain: rule.name.clone(),
        port: rule.ports.first().copied()?,
        proto: rule.proto,
        client: term.client,
        for_s: term.lasts.as_secs(),
        left_s: left.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX),
        ends,
        by: term.by,
    })
}
