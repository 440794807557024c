use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Moment, RuleId, Upstream};
use crate::policy::spec::{Rule, Term};

use super::list::Temporaries;
use super::resolve::read;
use super::{LONGEST, MOST};

/// How often the rules are to be saved anew while there are any: over a reboot, no more than this is not known of how long they
/// were in force.
pub const SAVE_EVERY: Duration = Duration::from_secs(10);

/// The clocks at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Which boot it is; empty if that is not known.
    pub boot_id: String,
    /// The wall clock, since 1970.
    pub wall: Duration,
    /// The clock of this boot.
    pub now: Moment,
}

/// Temporary rules as they outlive a restart.
///
/// In the same boot, the clock of that boot says when they end, whatever is done to the wall clock. After a reboot the wall clock
/// does; it may have been set back meanwhile, so none lasts longer than it had left when it was saved last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    boot_id: String,
    /// When it was saved, by the wall clock.
    wall_ms: u64,
    rules: Vec<SavedRule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedRule {
    domain: String,
    port: u16,
    proto: String,
    client: Option<IpAddr>,
    for_ms: u64,
    by: u32,
    /// When it ends, by the clock of the boot.
    ends_ms: u64,
    /// The same by the wall clock.
    ends_wall_ms: u64,
    /// What it had left when it was saved.
    left_ms: u64,
}

/// A rule that was saved and does not come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its id or name.
    pub id: RuleId,
    /// Why.
    pub why: String,
}

impl Saved {
    /// What is to be saved.
    #[must_use]
    pub fn of(rules: &Temporaries, clocks: &Clocks) -> Self {
        let saved = |rule: &Rule| {
            let term = rule.term?;
            let left = term.ends.since(clocks.now);
            Some(SavedRule {
                domain: rule.name.to_string(),
                port: rule.ports.first().copied()?,
                proto: rule.proto.to_string(),
                client: term.client,
                for_ms: millis(term.lasts),
                by: term.by,
                ends_ms: term.ends.nanos() / 1_000_000,
                ends_wall_ms: millis(clocks.wall.saturating_add(left)),
                left_ms: millis(left),
            })
        };
        let rules = rules.iter().filter_map(saved).collect();
        Self { boot_id: clocks.boot_id.clone(), wall_ms: millis(clocks.wall), rules }
    }

    /// What is left of it, read anew as the rules of a policy are whose `upstream` is this; and what is lost.
    #[must_use]
    pub fn carry(self, clocks: &Clocks, upstream: Option<Upstream>) -> (Temporaries, Vec<Lost>) {
        let is_same_boot = !clocks.boot_id.is_empty() && self.boot_id == clocks.boot_id;
        let (mut rules, mut lost) = (Vec::new(), Vec::new());
        for saved in self.rules.into_iter().take(MOST) {
            let left =
                if is_same_boot { Ok(saved.left_here(clocks)) } else { saved.left_elsewhere(self.wall_ms, clocks) };
            match left.and_then(|left| saved.rule(left, clocks.now, upstream)) {
                Ok(rule) => rules.push(rule),
                Err(why) => lost.push(Lost { id: RuleId::new(saved.domain), why }),
            }
        }
        (rules.into_iter().collect(), lost)
    }
}

impl SavedRule {
    fn left_here(&self, clocks: &Clocks) -> Duration {
        Moment::from_nanos(self.ends_ms.saturating_mul(1_000_000)).since(clocks.now)
    }

    fn left_elsewhere(&self, saved_ms: u64, clocks: &Clocks) -> Result<Duration, String> {
        let wall = millis(clocks.wall);
        if wall < saved_ms {
            return Err("the clock has been set back since it was saved: nobody knows how old it is".to_owned());
        }
        let by_the_wall = Duration::from_millis(self.ends_wall_ms.saturating_sub(wall));
        Ok(by_the_wall.min(Duration::from_millis(self.left_ms).saturating_sub(SAVE_EVERY)))
    }

    fn rule(&self, left: Duration, now: Moment, upstream: Option<Upstream>) -> Result<Rule, String> {
        if left.is_zero() {
            return Err("its time has run out meanwhile".to_owned());
        }
        let lasts = Duration::from_millis(self.for_ms).min(LONGEST);
        let term = Term { client: self.client, ends: now.after(left.min(lasts)), lasts, by: self.by };
        let port = self.port.to_string();
        read(&self.domain, Some(&port), &self.proto, term, upstream, &mut Vec::new()).map_err(|refused| refused.message)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
