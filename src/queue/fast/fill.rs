use std::io;
use std::time::Duration;

use crate::fast::{Element, FastMap, Key, MARGIN, Table, grounds, next_end};
use crate::model::{ClientId, Moment};
use crate::queue::Shared;

use super::state::State;

/// What has less time left is not worth an element.
const LEAST: Duration = Duration::from_secs(2);

impl Shared {
    /// Gives the fast path its map, empty as it is, to use as the policy in force says.
    pub fn start_fast(&self, map: Box<dyn FastMap>) {
        self.fast.change(|state| {
            state.map = Some(map);
            state.follow(&self.published.load().policy);
        });
    }

    /// Leaves to the kernel what may be left to it of these. The clock is asked before and after: what took longer than it may
    /// is taken out again.
    pub fn fill_fast(&self, keys: &[Key], clock: impl Fn() -> Moment) {
        self.fast.change(|state| {
            if state.is_open() {
                self.fill(state, keys, clock);
            }
        });
    }

    fn fill(&self, state: &mut State, keys: &[Key], clock: impl Fn() -> Moment) {
        let now = clock();
        let end = next_end(&self.published.load().policy, now);
        let elements: Vec<Element> =
            keys.iter().filter_map(|key| self.element(&mut state.table, *key, now, end)).collect();
        if elements.is_empty() {
            return;
        }
        let put = state.map.as_mut().map_or(Ok(()), |map| map.put(&elements, now));
        let put = put.and_then(|()| match clock().since(now) {
            took if took > MARGIN => Err(io::Error::other(format!("it took {took:?}"))),
            _ => Ok(()),
        });
        if let Err(error) = put {
            state.failed("take elements in", &error);
        }
    }

    /// The element of a connection, if it may have one and there is room; its observation is lent then.
    fn element(&self, table: &mut Table, key: Key, now: Moment, end: Option<Moment>) -> Option<Element> {
        let client = self.client(key.client);
        // What finds no place is not worth a look: a client with more than its share asks each time.
        if client == ClientId::HOST || table.find(&key, now).is_some() || !table.has_room(key.client) {
            return None;
        }
        let published = self.published.load();
        let mut knowledge = self.knowledge.about(key.dst);
        let known = knowledge.about(key.dst, client, published.policy.spec().dns.scope, now);
        let grounds = grounds(&published.policy, &known, &key, |route| published.readiness.is_ready(route))?;
        let until = end.map_or(grounds.until, |end| end.min(grounds.until));
        let element = Element { key, mark: grounds.mark, until };
        let is_worth_it = until.since(now) >= LEAST && table.put(&element);
        is_worth_it.then(|| {
            knowledge.lend(client, key.dst);
            element
        })
    }
}
