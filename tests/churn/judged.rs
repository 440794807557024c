//! What became of a SYN, against what had to become of it.

use std::fmt::{self, Display};

use decider::model::{Reason, Verdict};

use crate::town::name_of_rule;
use crate::truth::{Expected, Name};
use crate::world::flag;

/// What was seen of one SYN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The flags of the first segment that came back.
    pub flags: Option<u8>,
    /// What decider says of it: nothing, or verdict, reason and rule.
    pub told: Option<(Verdict, Reason, Option<String>)>,
    /// The name whose server was reached through Envoy, if that was tried and worked.
    pub reached: Option<Result<Name, String>>,
}

/// What is wrong with an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// It was let through, and nothing allows it.
    Let,
    /// It was refused, and a rule allows it.
    FalseRefusal,
    /// It went by the rule of another name.
    Listener,
    /// It was refused for a reason that is not so.
    Reason,
    /// Nothing came back.
    Unanswered,
    /// decider says nothing of it.
    Untold,
    /// decider says something else than what came back.
    Contradicted,
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Let => "wrong lets",
            Self::FalseRefusal => "false refusals",
            Self::Listener => "wrong listeners",
            Self::Reason => "wrong reasons",
            Self::Unanswered => "unanswered",
            Self::Untold => "without an event",
            Self::Contradicted => "not as the event says",
        })
    }
}

impl Wrong {
    pub const ALL: [Self; 7] = [
        Self::Let,
        Self::FalseRefusal,
        Self::Listener,
        Self::Reason,
        Self::Unanswered,
        Self::Untold,
        Self::Contradicted,
    ];
}

impl Outcome {
    /// Compares it with what is right.
    pub fn judge(&self, expected: &Expected) -> Result<(), Wrong> {
        let is_let = match self.flags {
            None => return Err(Wrong::Unanswered),
            Some(flags) if flags == flag::SYN | flag::ACK => true,
            Some(flags) if flags & flag::RST != 0 => false,
            Some(_) => return Err(Wrong::Contradicted),
        };
        match (is_let, expected.allowed.is_empty(), expected.refused.is_empty()) {
            (true, true, _) => return Err(Wrong::Let),
            (false, _, true) => return Err(Wrong::FalseRefusal),
            (true, false, _) | (false, _, false) => {}
        }
        let (verdict, reason, rule) = self.told.as_ref().ok_or(Wrong::Untold)?;
        if (*verdict == Verdict::Allow) != is_let {
            return Err(Wrong::Contradicted);
        }
        if !is_let {
            return if expected.refused.contains(reason) { Ok(()) } else { Err(Wrong::Reason) };
        }
        let name = rule.as_deref().and_then(name_of_rule).ok_or(Wrong::Listener)?;
        let is_reached = self.reached.as_ref().is_none_or(|reached| *reached == Ok(name));
        if expected.allowed.contains(&name) && is_reached { Ok(()) } else { Err(Wrong::Listener) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::town::{SSH, rule_id};

    fn let_by(name: Name) -> Outcome {
        let told = Some((Verdict::Allow, Reason::Allowed, Some(rule_id(name, SSH))));
        Outcome { flags: Some(flag::SYN | flag::ACK), told, reached: None }
    }

    fn refused_for(reason: Reason) -> Outcome {
        Outcome { flags: Some(flag::RST | flag::ACK), told: Some((Verdict::Deny, reason, None)), reached: None }
    }

    fn allowed() -> Expected {
        Expected { allowed: [7].into(), refused: [].into() }
    }

    fn refused() -> Expected {
        Expected { allowed: [].into(), refused: [Reason::NoObservation].into() }
    }

    #[test]
    fn what_is_right_is_right() {
        assert_eq!(let_by(7).judge(&allowed()), Ok(()));
        assert_eq!(refused_for(Reason::NoObservation).judge(&refused()), Ok(()));
        let reached = Outcome { reached: Some(Ok(7)), ..let_by(7) };
        assert_eq!(reached.judge(&allowed()), Ok(()));
        let open = Expected { refused: [Reason::ObservationExpired].into(), ..allowed() };
        assert_eq!(let_by(7).judge(&open), Ok(()));
        assert_eq!(refused_for(Reason::ObservationExpired).judge(&open), Ok(()));
    }

    #[test]
    fn each_wrong_is_found() {
        assert_eq!(let_by(7).judge(&refused()), Err(Wrong::Let));
        assert_eq!(refused_for(Reason::NoObservation).judge(&allowed()), Err(Wrong::FalseRefusal));
        assert_eq!(let_by(8).judge(&allowed()), Err(Wrong::Listener));
        for reached in [Ok(8), Err("nobody".to_owned())] {
            let elsewhere = Outcome { reached: Some(reached), ..let_by(7) };
            assert_eq!(elsewhere.judge(&allowed()), Err(Wrong::Listener));
        }
        assert_eq!(refused_for(Reason::PortNotAllowed).judge(&refused()), Err(Wrong::Reason));
        assert_eq!(Outcome { flags: None, ..let_by(7) }.judge(&allowed()), Err(Wrong::Unanswered));
        assert_eq!(Outcome { told: None, ..let_by(7) }.judge(&allowed()), Err(Wrong::Untold));
        assert_eq!(Outcome { flags: Some(flag::RST), ..let_by(7) }.judge(&refused()), Err(Wrong::Contradicted));
        assert_eq!(Outcome { flags: Some(flag::FIN), ..let_by(7) }.judge(&allowed()), Err(Wrong::Contradicted));
    }
}
