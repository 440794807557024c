use std::collections::{BTreeMap, BTreeSet};

use crate::model::{DomainName, NamePattern};
use crate::policy::has_one_owner;

/// What of the names that were seen on one port becomes a wildcard.
#[derive(Clone, Copy, Debug)]
pub struct Generalise {
    /// Names right below another that it takes; 0: never.
    pub siblings: usize,
}

impl Generalise {
    /// The wildcards in place of names, none within another. Names that are `denied` are in none of them.
    pub fn wildcards<'n>(
        self,
        names: impl Iterator<Item = &'n DomainName>,
        is_denied_below: impl Fn(&NamePattern) -> bool,
    ) -> BTreeSet<NamePattern> {
        if self.siblings == 0 {
            return BTreeSet::new();
        }
        let mut siblings: BTreeMap<&str, usize> = BTreeMap::new();
        for name in names {
            if let Some((_, parent)) = name.as_str().split_once('.') {
                *siblings.entry(parent).or_default() += 1;
            }
        }
        let several = siblings.into_iter().filter(|(parent, count)| *count >= self.siblings && has_one_owner(parent));
        let wild = several.filter_map(|(parent, _)| NamePattern::parse(&format!("*.{parent}")).ok());
        let wild: BTreeSet<NamePattern> = wild.filter(|pattern| !is_denied_below(pattern)).collect();
        wild.iter()
            .filter(|pattern| !wild.iter().any(|other| other != *pattern && other.covers(pattern)))
            .cloned()
            .collect()
    }
}
