use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Moment, RuleId};

use super::spec::{Expiry, Spec};

/// What of a policy is in force at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// The policy, without the rules that are over.
    pub spec: Spec,
    /// Those.
    pub over: Vec<RuleId>,
}

impl Spec {
    /// What is in force of a policy when the wall clock says `wall` and that of the boot `now`. It holds until the first rule
    /// ends, and for as long as nobody sets the wall clock.
    #[must_use]
    pub fn at(mut self, wall: Timestamp, now: Moment) -> InForce {
        let mut over = Vec::new();
        self.rules.retain_mut(|rule| {
            let Some(Expiry { at, .. }) = rule.expires else { return true };
            let left = left(at, wall);
            if left.is_zero() {
                over.push(rule.id.clone());
                return false;
            }
            rule.expires = Some(Expiry { at, ends: now.after(left) });
            true
        });
        InForce { spec: self, over }
    }

    /// Whether a rule ends by the wall clock.
    #[must_use]
    pub fn expires(&self) -> bool {
        self.rules.iter().any(|rule| rule.expires.is_some())
    }
}

/// What is left until a time; zero if it is over.
fn left(at: Timestamp, wall: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(wall)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Rule;

    #[test]
    fn rules_end_by_the_wall_clock_and_count_by_that_of_the_boot() {
        let text = "version: 1\nintercept: { gateway: { interfaces: [lan0] } }\ndns: { resolvers: [192.0.2.53] }\nrules:\n  \
                    - { id: a, domain: a.example, proto: ssh, expires: \"2030-01-01T00:00:00Z\" }\n  \
                    - { id: b, domain: b.example, proto: ssh, expires: \"2029-12-31T23:59:00Z\" }\n  \
                    - { id: c, domain: c.example, proto: ssh }\n";
        let spec = crate::policy::load(text).unwrap().spec;
        assert!(spec.expires());
        // Until the clocks were compared, it counts for nobody.
        assert_eq!(spec.rules.first().and_then(Rule::ends), Some(Moment::ZERO));
        let wall: Timestamp = "2029-12-31T23:59:00Z".parse().unwrap();
        let found = spec.at(wall, Moment::from_secs(500));
        assert_eq!(found.over, [RuleId::new("b")]);
        let ends: Vec<Option<Moment>> = found.spec.rules.iter().map(Rule::ends).collect();
        assert_eq!(ends, [Some(Moment::from_secs(560)), None]);
    }
}
