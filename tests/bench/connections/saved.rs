//! Observations as an earlier run would have saved them.

use std::fs::{DirBuilder, File};
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use decider::clock;
use decider::dns::journal::{Header, encode, encode_header};
use decider::dns::{Belief, Record};
use decider::model::{ClientId, DomainName};

/// Addresses of one client: fewer than any client may have.
const OF_A_CLIENT: u32 = 40_000;

/// Writes so many into a state directory, of clients that the load does not use.
pub fn write(state: &Path, count: u32) {
    DirBuilder::new().mode(0o700).create(state).unwrap();
    let file = File::options().create_new(true).write(true).mode(0o600).open(state.join("observations.journal"));
    let mut file = BufWriter::new(file.unwrap());
    let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let now = clock::now();
    let header = Header::new(boot_id.trim(), clock::wall().duration_since(UNIX_EPOCH).unwrap(), now);
    writeln!(file, "{}", encode_header(&header)).unwrap();
    let ttl = Duration::from_secs(86_400);
    // Only IPv6 has so many addresses for documentation.
    let base = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0x5a, 0, 0, 0, 0, 0));
    for index in 0..count {
        let record = Record {
            addr: Ipv6Addr::from(base + u128::from(index)).into(),
            client: ClientId(Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 77, 3, 1)) + index / OF_A_CLIENT).into()),
            name: DomainName::parse(&format!("saved-{index}.names.example")).unwrap(),
            learned: now,
            expires: now.after(ttl),
            ttl,
            belief: Belief::Believed,
            flows: 0,
        };
        writeln!(file, "{}", encode(&record)).unwrap();
    }
    file.flush().unwrap();
}
