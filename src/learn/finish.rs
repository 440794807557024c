use std::collections::{BTreeSet, HashSet};

use crate::model::{DomainName, NamePattern};
use crate::policy::MAX_ID;

use super::left_out::Places;
use super::proposal::Base;
use super::rule::Learned;
use super::seen::Seen;

/// Other names that are told of an ambiguous one.
const COMPANIONS: usize = 4;

/// Whether anything that a wildcard means is denied on a port: by a rule, or as it was seen.
pub fn denies_below(places: &Places, base: Option<&Base<'_>>, pattern: &NamePattern, port: u16) -> bool {
    let mut seen = places.denied();
    let by_rule = base.into_iter().flat_map(|base| base.policy.denials()).any(|rule| {
        let name = DomainName::parse(rule.name.base().unwrap_or(rule.name.as_str()));
        let is_below = name.is_ok_and(|name| pattern.matches(&name) || pattern.base() == Some(name.as_str()));
        is_below && rule.ports.contains(&port)
    });
    by_rule || seen.any(|(name, denied)| denied == port && pattern.matches(name))
}

/// Says of names that were never alone at an address which others were there.
pub fn tell_ambiguous(rules: &mut [Learned], seen: &Seen) {
    let companions = seen.neighbours.companions();
    for rule in rules.iter_mut().filter(|rule| !rule.domain.is_wild()) {
        let Some((name, named)) = seen.named.get_key_value(rule.domain.as_str()) else { continue };
        let kept = companions.get(name);
        if named.unwatched || kept.is_some_and(BTreeSet::is_empty) {
            continue;
        }
        let others: BTreeSet<&DomainName> = kept.into_iter().flatten().copied().chain(&named.crowded).collect();
        rule.ambiguous_with = others.into_iter().take(COMPANIONS).cloned().collect();
    }
}

/// Gives ids to rules that cannot do without, and says what the policy's own words make necessary.
pub fn settle(rules: &mut [Learned], base: Option<&Base<'_>>) {
    let kept = base.filter(|base| base.keeps_rules).map(|base| &base.policy.spec().rules);
    let mut taken: HashSet<String> = kept.into_iter().flatten().map(|rule| rule.id.to_string()).collect();
    let mut number = 0;
    for rule in rules {
        rule.upstream_original = rule.domain.is_wild() && base.is_some_and(|base| base.says_upstream);
        let made = rule.made_id();
        if made.len() <= MAX_ID && taken.insert(made) {
            continue;
        }
        let id = std::iter::repeat_with(|| {
            number += 1;
            format!("learned-{number}")
        });
        rule.id = { id }.find(|id| taken.insert(id.clone()));
    }
}
