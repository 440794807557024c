use crate::model::{Moment, RuleId};
use crate::policy::code::Code;
use crate::policy::slots::room;
use crate::policy::spec::{Action, Rule, Spec};

use super::MOST;
use super::conflict::conflict;
use super::resolve::{Refused, upstream_of};

/// The temporary rules there are, in the order in which they were asked for; [`MOST`] at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Temporaries(Vec<Rule>);

/// A policy with its temporary rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The rules of the file first.
    pub spec: Spec,
    /// The temporary rules in it.
    pub kept: Temporaries,
    /// Those that do not go with the file.
    pub dropped: Vec<Dropped>,
}

/// A temporary rule that does not go with a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its id.
    pub id: RuleId,
    /// Why.
    pub why: Refused,
}

impl Temporaries {
    /// Those that are in force in a policy.
    #[must_use]
    pub fn of(spec: &Spec) -> Self {
        spec.rules.iter().filter(|rule| rule.term.is_some()).cloned().collect()
    }

    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with another one. One that is there already gets the new end. Says whether it was there.
    ///
    /// # Errors
    /// If there are too many.
    pub fn with(&self, rule: Rule) -> Result<(Self, bool), Refused> {
        let mut rules = self.0.clone();
        if let Some(same) = rules.iter_mut().find(|same| same.id == rule.id) {
            if same.name != rule.name {
                let message = format!("another temporary rule has the id {}", rule.id);
                return Err(Refused::new(Code::DuplicateId, message).help("end that one first"));
            }
            *same = rule;
            return Ok((Self(rules), true));
        }
        if rules.len() >= MOST {
            let message = format!("there are {MOST} temporary rules already, and no more may be");
            return Err(Refused::new(Code::TooMany, message).help("end one with `decider allow --revoke ID`"));
        }
        rules.push(rule);
        Ok((Self(rules), false))
    }

    /// Parts those that are over at a moment from the others, which come first.
    #[must_use]
    pub fn split_at(&self, now: Moment) -> (Self, Self) {
        self.split(|rule| rule.term.is_none_or(|term| now < term.ends))
    }

    /// Parts those that have this id, or are about just this name, from the others, which come first.
    #[must_use]
    pub fn split_by(&self, id_or_name: &str) -> (Self, Self) {
        let name = crate::model::NamePattern::parse(id_or_name).ok();
        self.split(|rule| rule.id.as_str() != id_or_name && Some(&rule.name) != name.as_ref())
    }

    fn split(&self, stays: impl Fn(&Rule) -> bool) -> (Self, Self) {
        let (stay, go) = self.0.iter().cloned().partition(stays);
        (Self(stay), Self(go))
    }

    /// Puts them behind the rules of a policy file. One that the file denies, allows by itself, or has no mark for is left out.
    #[must_use]
    pub fn merge(&self, file: &Spec) -> Merged {
        let (mut kept, mut dropped) = (Vec::new(), Vec::new());
        let of_file = file.rules.iter().filter(|rule| rule.action == Action::Allow).count();
        for rule in &self.0 {
            let refused = conflict(rule, &file.rules).or_else(|| no_room(file, of_file + kept.len()));
            match refused {
                Some(why) => dropped.push(Dropped { id: rule.id.clone(), why }),
                None => kept.push(Rule { upstream: upstream_of(&rule.name, file.upstream), ..rule.clone() }),
            }
        }
        let mut spec = file.clone();
        spec.rules.extend(kept.iter().cloned());
        Merged { spec, kept: Self(kept), dropped }
    }
}

impl FromIterator<Rule> for Temporaries {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self(rules.into_iter().take(MOST).collect())
    }
}

fn no_room(spec: &Spec, taken: usize) -> Option<Refused> {
    let room = room(spec);
    let is_full = taken >= usize::try_from(room).unwrap_or(usize::MAX);
    is_full.then(|| {
        let message = format!("there is room for {room} allow rules, and all of it is taken");
        Refused::new(Code::NoRoom, message).help("give `marks.mask` more bits, or end another temporary rule")
    })
}
