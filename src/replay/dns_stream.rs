use std::net::SocketAddr;
use std::sync::Mutex;

use lru::LruCache;

use crate::dns::{self, Pending};
use crate::model::{Moment, Transport};
use crate::packet::Segment;
use crate::queue::{DnsGuard, Ends, Passage};
use crate::relay::{self, Messages, limits};

use super::flows::{self, Way};
use super::reassembly::{Hole, Reassembly};

/// Connections for DNS over TCP that are open at a time, as many as the relay carries.
pub struct DnsStreams {
    open: LruCache<flows::Ends, DnsStream>,
}

/// One connection, as the relay would have carried it.
struct DnsStream {
    dialog: Dialog,
    forth: Direction,
    back: Option<Direction>,
}

/// Who asks whom, and what waits for an answer.
struct Dialog {
    ends: Ends,
    pending: Mutex<Pending>,
    /// Questions that would not have gone on: what the capture has as their answers would never have come.
    withheld: Pending,
}

struct Direction {
    bytes: Reassembly,
    messages: Messages,
}

impl DnsStreams {
    pub fn new() -> Self {
        Self { open: LruCache::unbounded() }
    }

    /// A client connects to a resolver by this SYN.
    pub fn begin(&mut self, ends: flows::Ends, seq: u32) {
        self.open.put(ends, DnsStream::new(ends.src, ends.dst, seq));
        if self.open.len() > limits::CONNECTIONS {
            self.open.pop_lru();
        }
    }

    /// A segment of a connection, if it is one of these. It ends with a message that would have ended it.
    ///
    /// # Errors
    /// If the rest of it cannot be read.
    pub fn put(
        &mut self,
        ends: &flows::Ends,
        way: Way,
        segment: &Segment<'_>,
        (guard, now): (&DnsGuard, Moment),
    ) -> Result<(), Hole> {
        let Some(stream) = self.open.get_mut(ends) else { return Ok(()) };
        let put = stream.put(way, segment, guard, now);
        if put != Ok(true) {
            self.open.pop(ends);
        }
        put.map(drop)
    }

    /// A connection is over.
    pub fn end(&mut self, ends: &flows::Ends) {
        self.open.pop(ends);
    }
}

impl DnsStream {
    fn new(client: SocketAddr, resolver: SocketAddr, seq: u32) -> Self {
        let ends = Ends { client, resolver, transport: Transport::Tcp, in_interface: 0, uid: None };
        let dialog = Dialog { ends, pending: Mutex::new(relay::outstanding()), withheld: relay::outstanding() };
        Self { dialog, forth: Direction::behind(seq), back: None }
    }

    /// Whether the connection would have gone on.
    fn put(&mut self, way: Way, segment: &Segment<'_>, guard: &DnsGuard, now: Moment) -> Result<bool, Hole> {
        if way == Way::Back && segment.is_syn() {
            self.back = Some(Direction::behind(segment.seq));
        }
        let direction = match way {
            Way::Forth => &mut self.forth,
            Way::Back => self.back.as_mut().ok_or(Hole)?,
        };
        direction.put(segment)?;
        while let Some(message) = direction.messages.take() {
            let goes_on = match way {
                Way::Forth => self.dialog.question(&message, guard, now),
                Way::Back => self.dialog.answer(&message, guard, now),
            };
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Dialog {
    /// Whether the connection would have outlived this question.
    fn question(&mut self, message: &[u8], guard: &DnsGuard, now: Moment) -> bool {
        match guard.question(&self.pending, &self.ends, message, now) {
            Passage::Forward => true,
            Passage::Reply(_) => {
                if let Ok(question) = dns::question(message) {
                    self.withheld.insert(now, self.ends.client, self.ends.resolver, &question);
                }
                true
            }
            Passage::Discard => false,
        }
    }

    /// Whether it would have outlived this answer.
    fn answer(&mut self, message: &[u8], guard: &DnsGuard, now: Moment) -> bool {
        let Ends { client, resolver, .. } = self.ends;
        let is_withheld = dns::answer(message)
            .is_ok_and(|answer| self.withheld.take(now, client, resolver, &answer.question).is_ok());
        is_withheld || guard.answer(&self.pending, &self.ends, message, now) != Passage::Discard
    }
}

impl Direction {
    /// Behind the SYN, which counts as one byte.
    fn behind(seq: u32) -> Self {
        Self { bytes: Reassembly::beginning_at(seq.wrapping_add(1)), messages: Messages::default() }
    }

    fn put(&mut self, segment: &Segment<'_>) -> Result<(), Hole> {
        if !segment.is_whole {
            return Err(Hole);
        }
        let seq = if segment.is_syn() { segment.seq.wrapping_add(1) } else { segment.seq };
        self.bytes.put(seq, segment.payload, |bytes| self.messages.put(bytes))
    }
}
