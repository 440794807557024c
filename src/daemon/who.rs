use std::net::{IpAddr, SocketAddr};

use crate::clock;
use crate::model::Who;
use crate::record::Record;
use crate::who::{Connection, Owners};

/// Finds out who began what records tell of: only for packets of which the kernel itself said whose they are, so that nobody
/// else's connection is taken for one of this host.
pub fn identify() -> Box<dyn FnMut(&Record) -> Who + Send> {
    let mut owners = Owners::open(clock::now())
        .inspect_err(|error| tracing::warn!(%error, "sockets cannot be asked for: processes are not named"))
        .ok();
    Box::new(move |record| {
        let Some(uid) = record.uid else { return Who::default() };
        let connection = Connection { transport: record.transport, local: record.client, remote: record.dst };
        match &mut owners {
            Some(owners) => owners.of(&connection, Some(uid), clock::now()),
            None => Who { uid: Some(uid), ..Who::default() },
        }
    })
}

/// Who has a connection from an address of this host to there now, each with its port here.
pub fn connected(from: IpAddr, to: SocketAddr) -> Vec<(u16, Who)> {
    let now = clock::now();
    let found = Owners::open(now).and_then(|mut owners| owners.connected(from, to, now));
    found.inspect_err(|error| tracing::warn!(%error, "sockets cannot be asked for")).unwrap_or_default()
}
