use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use crate::clock;
use crate::kernel::{RefusalLog, Refused};
use crate::model::{ClientId, DomainName, Mark, Moment, OtherNames, Scope, Transport};
use crate::packet;
use crate::queue::Shared;
use crate::record::{PathTaken, Record};

/// Starts the thread that turns the kernel's own refusals into records.
///
/// # Errors
/// If the system gives no thread.
pub fn follow(log: RefusalLog, shared: Arc<Shared>) -> io::Result<()> {
    thread::Builder::new().name("refusals".into()).spawn(move || {
        loop {
            match log.receive() {
                Ok(refused) => refused.iter().for_each(|refused| report(refused, &shared)),
                Err(error) => {
                    tracing::warn!(%error, "reports of refused packets were lost");
                    thread::sleep(Duration::from_millis(100));
                }
            }
        }
    })?;
    Ok(())
}

fn report(refused: &Refused, shared: &Shared) {
    let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
    let (transport, client, dst) =
        packet::summary(&refused.packet).map_or((Transport::Other(255), nobody, nobody), |summary| {
            let (client, dst) = summary.ends();
            (summary.transport, client, dst)
        });
    let now = clock::now();
    let published = shared.published.load();
    let spec = published.policy.spec();
    let record = Record {
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
    };
    shared.report(record);
}

/// The name that the client most likely meant, for whoever reads of the refusal: it was not asked for to decide.
fn name_behind(dst: IpAddr, client: ClientId, scope: Scope, shared: &Shared, now: Moment) -> Option<DomainName> {
    shared.knowledge.about(dst).about(dst, client, scope, now).live().next().cloned()
}
