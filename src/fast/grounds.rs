use crate::decide::decide;
use crate::dns::Known;
use crate::model::{Mark, Moment, Verdict};
use crate::policy::{Mode, Policy, Route, Rule};

use super::Key;

/// What a decision that the kernel may make comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// The mark.
    pub mark: Mark,
    /// As long as nothing else changes and no rule ends, the decision is the same before this moment.
    pub until: Moment,
}

/// Why a connection like this one may be let through by the kernel alone; none if each has to be seen.
///
/// Only what rests on a single observation of the client's own: whatever else is learned of that address then makes it
/// another case, and nothing that others are told does.
#[must_use]
pub fn grounds(policy: &Policy, known: &Known<'_>, key: &Key, ready: impl Fn(&Route) -> bool) -> Option<Grounds> {
    if policy.spec().mode == Mode::Audit {
        return None;
    }
    let observation = known.sole()?;
    let decision = decide(policy, known, key.client, key.port, ready);
    if decision.verdict != Verdict::Allow {
        return None;
    }
    let mark = decision.route?.mark;
    Some(Grounds { mark, until: observation.expires })
}

/// When the next rule ends, if there is one: what that one has to do with a decision need not be known.
#[must_use]
pub fn next_end(policy: &Policy, now: Moment) -> Option<Moment> {
    policy.spec().rules.iter().filter_map(Rule::ends).filter(|&ends| now < ends).min()
}
