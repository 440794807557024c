use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::clock;
use crate::model::{Moment, Transport};
use crate::packet::{self, UdpDatagram};

use super::guard::{DnsGuard, Ends, Passage};
use super::reply::Replies;
use super::shared::Shared;
use super::worker::Handler;
use super::{Answer, HeldPacket, Hook};

/// Where a packet without a readable IP header is from and goes to.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// Watches questions over UDP on their way out and answers on their way in. An answer goes on to its client only after
/// what it teaches is in the cache, so the client cannot connect before decider knows.
pub struct DnsWorker<R> {
    shared: Arc<Shared>,
    guard: DnsGuard,
    replies: R,
}

/// Which way a datagram goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Question,
    Answer,
}

impl<R: Replies> DnsWorker<R> {
    /// A worker that learns into `shared` and answers by itself through `replies`.
    #[must_use]
    pub fn new(shared: Arc<Shared>, replies: R) -> Self {
        Self { guard: DnsGuard::new(Arc::clone(&shared)), shared, replies }
    }

    fn passage(&self, packet: &impl HeldPacket, way: Way, now: Moment) -> Passage {
        let Ok(UdpDatagram { src, dst, payload }) = packet::udp(packet.bytes()) else {
            return self.unreadable(packet, way, now);
        };
        let mut ends = way.ends(src, dst, packet.in_interface());
        if way == Way::Question {
            ends.uid = packet.uid();
        }
        let passage = match way {
            Way::Question => self.guard.question(&self.shared.pending, &ends, payload, now),
            Way::Answer => self.guard.answer(&self.shared.pending, &ends, payload, now),
        };
        if let Passage::Reply(message) = &passage {
            self.reply(&ends, message);
        }
        passage
    }

    fn unreadable(&self, packet: &impl HeldPacket, way: Way, now: Moment) -> Passage {
        let (src, dst) = packet::summary(packet.bytes()).map_or((NOWHERE, NOWHERE), |summary| summary.ends());
        self.guard.unreadable(&way.ends(src, dst, packet.in_interface()), now)
    }

    /// A reply that cannot be sent is like an answer that was lost: the client asks again.
    fn reply(&self, ends: &Ends, message: &[u8]) {
        let mark = self.shared.published.load().policy.spec().marks.deny();
        if self.replies.send(ends.resolver, ends.client, message, mark).is_err() {
            self.shared.counters.lost_replies.add(1);
        }
    }

    fn verdict(&self, passage: &Passage, way: Way, packet: &impl HeldPacket) -> Answer {
        match (passage, way) {
            (Passage::Forward, Way::Question) => {
                let marks = self.shared.published.load().policy.spec().marks;
                Answer::Accept { mark: (packet.mark() & marks.others()) | marks.direct().0 }
            }
            (Passage::Forward, Way::Answer) => Answer::Pass,
            (Passage::Reply(_) | Passage::Discard, _) => Answer::Drop,
        }
    }
}

impl Way {
    fn ends(self, src: SocketAddr, dst: SocketAddr, in_interface: u32) -> Ends {
        let (client, resolver) = match self {
            Self::Question => (src, dst),
            Self::Answer => (dst, src),
        };
        Ends { client, resolver, transport: Transport::Udp, in_interface, uid: None }
    }
}

impl<R: Replies> DnsWorker<R> {
    /// What becomes of a packet that came at this moment.
    pub fn judge(&self, packet: &impl HeldPacket, now: Moment) -> Answer {
        let (way, passage) = match packet.hook() {
            Hook::Prerouting | Hook::Output => (Way::Question, self.passage(packet, Way::Question, now)),
            Hook::Postrouting | Hook::Input => (Way::Answer, self.passage(packet, Way::Answer, now)),
            Hook::Other(_) => (Way::Answer, self.unreadable(packet, Way::Answer, now)),
        };
        self.verdict(&passage, way, packet)
    }
}

impl<R: Replies> Handler for DnsWorker<R> {
    fn handle(&mut self, packet: &impl HeldPacket) -> Answer {
        self.judge(packet, clock::now())
    }

    fn settle(&mut self) {}
}
