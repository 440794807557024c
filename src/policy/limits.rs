use ipnet::IpNet;

use crate::model::Moment;

use super::spec::{Asker, Rule};

/// For whom a rule counts and until when, where that is not for everybody and ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Empty: everybody.
    clients: Box<[IpNet]>,
    ends: Option<Moment>,
    is_temporary: bool,
}

impl Limits {
    /// Those of a rule, if it has any.
    #[must_use]
    pub fn of(rule: &Rule) -> Option<Self> {
        let only = rule.term.and_then(|term| term.client).map(IpNet::from);
        let clients: Box<[IpNet]> = rule.clients.iter().copied().chain(only).collect();
        let limits = Self { clients, ends: rule.ends(), is_temporary: rule.term.is_some() };
        let is_limited = limits.is_temporary || limits.ends.is_some() || !limits.clients.is_empty();
        is_limited.then_some(limits)
    }

    /// Whether a rule with them counts for somebody; if none is named: for everybody that nothing is known of.
    #[must_use]
    pub fn count_for(&self, asker: Option<Asker>) -> bool {
        match asker {
            None => !self.is_temporary && self.clients.is_empty(),
            Some(asker) => self.ends.is_none_or(|ends| asker.now < ends) && self.closeness(asker).is_some(),
        }
    }

    /// How narrow the network is that means somebody: the more, the narrower, 0 for everybody; none if they do not.
    #[must_use]
    pub fn closeness(&self, asker: Asker) -> Option<u8> {
        if self.clients.is_empty() {
            return Some(0);
        }
        let meant = self.clients.iter().filter(|network| network.contains(&asker.client));
        // A network of all addresses is still narrower than to say nothing.
        meant.map(|network| network.prefix_len().saturating_add(1)).max()
    }
}
