use std::collections::HashSet;
use std::net::IpAddr;

use crate::model::ClientId;

/// A client, and an address that it knows names of.
pub type Pair = (ClientId, IpAddr);

/// What others decide by without asking each time: pairs for which all that is known must stay as it was, or they are told.
///
/// There are no more of them than there are pairs with observations.
#[derive(Default)]
pub(super) struct Loans {
    lent: HashSet<Pair>,
    called_in: Vec<Pair>,
}

impl Loans {
    /// Somebody decides by what is known now.
    pub fn lend(&mut self, pair: Pair) {
        self.lent.insert(pair);
    }

    /// What is known is another thing from now on.
    pub fn call_in(&mut self, pair: Pair) {
        if !self.lent.is_empty() && self.lent.remove(&pair) {
            self.called_in.push(pair);
        }
    }

    /// Those that were called in since the last time.
    pub fn take_called_in(&mut self) -> Vec<Pair> {
        std::mem::take(&mut self.called_in)
    }
}
