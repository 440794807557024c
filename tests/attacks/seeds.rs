//! The tables as files: what the fuzz targets begin with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use decider::control::{Request, request_line};
use decider::dns::journal::{Header, encode, encode_header};
use decider::dns::{Belief, Record};
use decider::model::{ClientId, DomainName, Moment};

use crate::messages::{answers, chains, hints, questions};
use crate::packet_bytes::{BOTH, Family};
use crate::{syns, syns_v4, syns_v6, udp};

type Bytes = fn(Family) -> Vec<u8>;

/// Into the folder `DECIDER_SEEDS` if there is one, as tests/fuzz/run wants it.
#[test]
fn write() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("DECIDER_SEEDS").map_or(scratch.path().to_owned(), PathBuf::from);
    let packets: Vec<Bytes> =
        [syns::CASES, syns_v4::CASES, syns_v6::CASES].concat().iter().map(|case| case.bytes).collect();
    let datagrams: Vec<Bytes> = udp::CASES.iter().map(|case| case.bytes).collect();
    let answers: Vec<Bytes> =
        [&answers::ALL.concat()[..], chains::CASES, hints::CASES].concat().iter().map(|case| case.bytes).collect();
    let questions: Vec<Bytes> = questions::CASES.iter().map(|case| case.bytes).collect();
    save(&folder.join("syn"), &of_both(&packets));
    save(&folder.join("udp"), &of_both(&datagrams));
    save(&folder.join("queue_message"), &of_both(&packets).iter().map(|packet| held(packet)).collect::<Vec<_>>());
    save(&folder.join("summary"), &of_both(&[packets, datagrams].concat()));
    save(&folder.join("dns_question"), &of_both(&questions));
    save(&folder.join("dns_answer"), &of_both(&answers));
    save(&folder.join("tcp_stream"), &streams(&of_both(&questions)));
    save(&folder.join("journal"), &[journal(), unsealed(&journal())]);
    save(&folder.join("control_request"), &requests());
    let written = std::fs::read_dir(&folder).unwrap();
    assert!(written.flatten().all(|target| std::fs::read_dir(target.path()).unwrap().count() > 0));
}

fn of_both(cases: &[Bytes]) -> Vec<Vec<u8>> {
    BOTH.iter().flat_map(|&family| cases.iter().map(move |bytes| bytes(family))).collect()
}

/// As the kernel tells of a packet that it holds: its number, its mark, where it came in, and itself.
fn held(packet: &[u8]) -> Vec<u8> {
    let attribute = |kind: u16, value: &[u8]| {
        let length = u16::try_from(4 + value.len()).unwrap();
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), value, &padding].concat()
    };
    let known = [(1, &[0, 0, 0, 7, 8, 0, 0][..]), (3, &[0, 0, 0, 0x42]), (5, &[0, 0, 0, 3]), (10, packet)];
    let body: Vec<u8> = known.iter().flat_map(|(kind, value)| attribute(*kind, value)).collect();
    let length = u32::try_from(20 + body.len()).unwrap();
    [&length.to_ne_bytes()[..], &0x300u16.to_ne_bytes(), &[0; 14], &body].concat()
}

/// For the relay: each message by itself in pieces of one byte, and all together in pieces of 2, 3 and 200.
fn streams(messages: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let framed = |message: &Vec<u8>| [&u16::try_from(message.len()).unwrap().to_be_bytes(), &**message].concat();
    let each = messages.iter().map(|message| [vec![1, 1], framed(message)].concat());
    let all = [vec![3, 2, 3, 200], messages.iter().flat_map(framed).collect()].concat();
    each.chain([all]).collect()
}

fn save(folder: &Path, seeds: &[Vec<u8>]) {
    std::fs::create_dir_all(folder).unwrap();
    for (index, seed) in seeds.iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{index}")), seed).unwrap();
    }
}

fn journal() -> Vec<u8> {
    let header = Header::new("fuzz", Duration::from_secs(1_700_000_000), Moment::from_secs(1_000));
    let lines = BOTH.iter().map(|family| {
        encode(&Record {
            addr: family.address(1),
            client: ClientId(family.client().ip()),
            name: DomainName::parse("github.com").unwrap(),
            learned: Moment::from_secs(1_500),
            expires: Moment::from_secs(3_000),
            ttl: Duration::from_secs(1_500),
            belief: Belief::Private,
            flows: 0,
        })
    });
    std::iter::once(encode_header(&header)).chain(lines).map(|line| line + "\n").collect::<String>().into_bytes()
}

/// The lines without their checksums, which the fuzz target computes.
fn unsealed(journal: &[u8]) -> Vec<u8> {
    let lines = std::str::from_utf8(journal).unwrap().lines();
    lines.map(|line| line.split_once(' ').unwrap().1.to_owned() + "\n").collect::<String>().into_bytes()
}

fn requests() -> Vec<Vec<u8>> {
    let (client, dst) = (Family::V4.client().ip(), Family::V6.github().ip());
    [
        Request::Status {},
        Request::Events { last: 100, follow: true },
        Request::Explain { client, dst, port: 22 },
        Request::Cache { client: Some(client), name: Some("github.com".to_owned()), limit: 10 },
        Request::Rules {},
        Request::Down {},
    ]
    .iter()
    .map(|request| request_line(request).into_bytes())
    .collect()
}
