use std::collections::HashSet;
use std::net::SocketAddr;

use crate::model::{ClientId, Mark, Moment};

use super::fair::{Bounds, Entry, FairStore};
use super::holds::Held;

/// A connection of a client, as the client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Who connected.
    pub client: SocketAddr,
    /// Where to.
    pub dst: SocketAddr,
}

/// The connections that live, and what each of them holds.
///
/// There is room for 131,072, and for 16,384 of one client: some 40 MB. A client that has more loses the hold of its own
/// oldest connection, which goes on but keeps nothing alive any more.
pub struct Flows {
    held: FairStore<ClientId, Flow, Hold>,
}

#[derive(Default)]
struct Hold(Option<(Mark, Held)>);

impl Flows {
    /// None lives yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(131_072, 16_384)
    }

    /// The same with room for so many, and so many of one client.
    #[must_use]
    pub fn with_room(capacity: usize, share: usize) -> Self {
        Self { held: FairStore::new(Bounds { capacity, share }) }
    }

    /// A flow lives, and its mark says where it went. If that is news, `hold` says what it holds. Returns what is to be
    /// released for it: that of an earlier flow between the same ends, and what there is no room for.
    pub fn begin(&mut self, flow: Flow, mark: Mark, hold: impl FnOnce() -> Option<Held>) -> Vec<Held> {
        let owner = ClientId(flow.client.ip());
        let known = self.held.peek(&owner, &flow).and_then(|hold| hold.0.as_ref());
        if known.is_some_and(|(known, _)| *known == mark) {
            return Vec::new();
        }
        let mut released: Vec<Held> = self.end(flow).into_iter().collect();
        if let Some(held) = hold() {
            let ((), evicted) = self.held.change(owner, flow, Moment::ZERO, |hold| hold.0 = Some((mark, held)));
            released.extend(evicted.into_iter().filter_map(Hold::held));
        }
        released
    }

    /// A flow has ended: what it held, to be released.
    pub fn end(&mut self, flow: Flow) -> Option<Held> {
        self.held.remove(ClientId(flow.client.ip()), &flow)?.held()
    }

    /// Only these live, whatever was heard before: what all others held, to be released.
    pub fn end_all_but(&mut self, living: &HashSet<Flow>) -> Vec<Held> {
        let ended: Vec<Flow> =
            self.held.iter().map(|(_, flow, _)| *flow).filter(|flow| !living.contains(flow)).collect();
        ended.into_iter().filter_map(|flow| self.end(flow)).collect()
    }

    /// How many of them hold something.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.weight()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Flows {
    fn default() -> Self {
        Self::new()
    }
}

impl Hold {
    fn held(self) -> Option<Held> {
        self.0.map(|(_, held)| held)
    }
}

impl Entry for Hold {
    fn weight(&self) -> usize {
        usize::from(self.0.is_some())
    }

    fn is_stale(&self, _: Moment) -> bool {
        false
    }
}
