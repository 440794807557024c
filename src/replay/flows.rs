use std::net::SocketAddr;
use std::time::Duration;

use lru::LruCache;

use crate::model::{Moment, Transport};

/// Connections that are remembered: some 40 MB.
const MOST: usize = 262_144;
/// How long something without connections of its own may be silent and still go on (`nf_conntrack_udp_timeout_stream`).
const SILENCE: Duration = Duration::from_secs(120);

/// The connections of a capture, whatever becomes of them.
pub struct Flows {
    flows: LruCache<Ends, State>,
}

/// What goes from one end to the other, and back; the port is 0 where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ends {
    /// What carries it.
    pub transport: Transport,
    /// Who sent the first packet.
    pub src: SocketAddr,
    /// Where to.
    pub dst: SocketAddr,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From who began it.
    Forth,
    /// To who began it.
    Back,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// That of the SYN.
    seq: Option<u32>,
    seen: Moment,
    /// Which ways have been closed.
    closed: [bool; 2],
}

impl Flows {
    pub fn new() -> Self {
        Self { flows: LruCache::unbounded() }
    }

    /// Notes one that begins, with the sequence number of its SYN if it has one.
    pub fn begin(&mut self, ends: Ends, seq: Option<u32>, now: Moment) {
        self.flows.put(ends, State { seq, seen: now, closed: [false; 2] });
        if self.flows.len() > MOST {
            self.flows.pop_lru();
        }
    }

    /// Whether this very SYN has begun one.
    pub fn has_begun(&mut self, ends: &Ends, seq: u32) -> bool {
        self.flows.get(ends).is_some_and(|state| state.seq == Some(seq))
    }

    /// Which one a packet between these ends is of, and which way it goes.
    pub fn find(&mut self, ends: Ends, now: Moment) -> Option<(Ends, Way)> {
        for (ends, way) in [(ends, Way::Forth), (ends.turned(), Way::Back)] {
            if let Some(state) = self.flows.get_mut(&ends) {
                if ends.transport != Transport::Tcp && now.since(state.seen) > SILENCE {
                    return None;
                }
                state.seen = now;
                return Some((ends, way));
            }
        }
        None
    }

    /// One way is closed. Whether the connection is over by that.
    pub fn close(&mut self, ends: &Ends, way: Way) -> bool {
        let Some(state) = self.flows.get_mut(ends) else { return false };
        match (way, &mut state.closed) {
            (Way::Forth, [forth, _]) => *forth = true,
            (Way::Back, [_, back]) => *back = true,
        }
        state.closed == [true; 2]
    }
}

impl Ends {
    fn turned(self) -> Self {
        Self { src: self.dst, dst: self.src, ..self }
    }
}
