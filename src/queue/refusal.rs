use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::model::{ClientId, DomainName, Mark, Moment, OtherNames, Reason, Scope, Transport};
use crate::packet;
use crate::record::{PathTaken, Record};

use super::shared::Shared;

/// A packet that the ruleset refuses by itself.
#[derive(Clone, Copy, Debug)]
pub struct RefusedPacket<'a> {
    /// Why.
    pub reason: Reason,
    /// Its beginning, from the IP header on.
    pub bytes: &'a [u8],
    /// Index of the interface it came in by; 0 if it was made here.
    pub in_interface: u32,
    /// The user whose process sent it, if one of this host did.
    pub uid: Option<u32>,
}

/// What there is to record of a packet that the ruleset refused at this moment.
#[must_use]
pub fn refusal(refused: &RefusedPacket<'_>, shared: &Shared, now: Moment) -> Record {
    let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
    let (transport, client, dst) =
        packet::summary(refused.bytes).map_or((Transport::Other(255), nobody, nobody), |summary| {
            let (client, dst) = summary.ends();
            (summary.transport, client, dst)
        });
    let published = shared.published.load();
    let spec = published.policy.spec();
    Record {
        at: now,
        verdict: spec.mode.refusal(),
        reason: refused.reason,
        rule: None,
        domain: name_behind(dst.ip(), shared.client(client.ip()), spec.dns.scope, shared, now),
        also: OtherNames::new(),
        client,
        dst,
        transport,
        mark: Mark(0),
        in_interface: refused.in_interface,
        uid: refused.uid,
        path: PathTaken::Fast,
        waited: Duration::ZERO,
    }
}

/// The name that the client most likely meant, for whoever reads of the refusal: it was not asked for to decide.
fn name_behind(dst: IpAddr, client: ClientId, scope: Scope, shared: &Shared, now: Moment) -> Option<DomainName> {
    shared.knowledge.about(dst).about(dst, client, scope, now).live().next().cloned()
}
