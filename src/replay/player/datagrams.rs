use std::net::SocketAddr;

use crate::dns;
use crate::model::{Moment, Transport};
use crate::packet::{self, Summary};
use crate::queue::{Answer, Hook};
use crate::replay::flows::Ends;
use crate::replay::gate::{DNS, Gate};
use crate::replay::held::Held;

use super::Player;

/// What is no TCP.
impl Player {
    pub(super) fn datagram(&mut self, summary: &Summary, bytes: &[u8], is_cut: bool, now: Moment) {
        let (src, dst) = summary.ends();
        let is_dns = (src.port() == DNS && self.is_resolver(src)) || (dst.port() == DNS && self.is_resolver(dst));
        if !is_dns {
            self.other(summary, bytes, now);
        } else if is_cut {
            self.totals.incomplete += 1;
        } else if src.port() == DNS && self.is_resolver(src) {
            self.answer(bytes, dst, now);
        } else {
            self.question(summary, bytes, now);
        }
    }

    /// Each question is looked at, not only the first of a flow.
    fn question(&mut self, summary: &Summary, bytes: &[u8], now: Moment) {
        let (src, dst) = summary.ends();
        match self.gate(&Ends { transport: Transport::Udp, src, dst }, None, false) {
            Some(Gate::Asks) => {
                let answer = self.dns.judge(&Held { bytes, hook: Hook::Prerouting }, now);
                let question = packet::udp(bytes).ok().and_then(|datagram| dns::question(datagram.payload).ok());
                if let (Answer::Drop, Some(question)) = (answer, question) {
                    self.withheld.insert(now, src, dst, &question);
                }
            }
            Some(Gate::Refused(reason)) => self.refuse(reason, bytes, now),
            Some(Gate::Passes | Gate::Queued) | None => {}
        }
    }

    fn answer(&mut self, bytes: &[u8], client: SocketAddr, now: Moment) {
        if self.covers(client) && !self.is_withheld(bytes, now) {
            self.dns.judge(&Held { bytes, hook: Hook::Postrouting }, now);
        }
    }

    fn is_withheld(&mut self, bytes: &[u8], now: Moment) -> bool {
        let Ok(datagram) = packet::udp(bytes) else { return false };
        dns::answer(datagram.payload)
            .is_ok_and(|answer| self.withheld.take(now, datagram.dst, datagram.src, &answer.question).is_ok())
    }

    /// What begins is decided, and what belongs to it is not.
    pub(super) fn other(&mut self, summary: &Summary, bytes: &[u8], now: Moment) {
        let (src, dst) = summary.ends();
        let ends = Ends { transport: summary.transport, src, dst };
        if self.flows.find(ends, now).is_some() {
            return;
        }
        self.flows.begin(ends, None, now);
        match self.gate(&ends, packet::icmp_type(bytes).ok(), false) {
            Some(Gate::Refused(reason)) => self.refuse(reason, bytes, now),
            Some(Gate::Passes | Gate::Asks | Gate::Queued) => {}
            None => self.totals.other(src.ip()),
        }
    }

    fn is_resolver(&self, end: SocketAddr) -> bool {
        self.shared.published.load().policy.spec().dns.resolvers.contains(&end.ip())
    }
}
