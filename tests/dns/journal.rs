use std::net::IpAddr;
use std::time::Duration;

use decider::dns::journal::{Header, MAX_LINE, Saved, encode, encode_header, read};
use decider::dns::{Belief, Limits, Observations, Record};
use decider::model::{ClientId, DomainName, Moment, Scope};
use proptest::prelude::*;

/// The wall clock at the boot of the run that writes, and two boots.
const WALL: Duration = Duration::from_secs(1_700_000_000);
const BEFORE: &str = "2f9c0c52-76f5-4d0a-9a3c-1d3f7f6c5c01";
const AFTER: &str = "9d8f1c3e-0f3b-4e4c-8f55-6a1f0c8b7a02";

fn record(addr: &str, client: &str, name: &str, learned: u64, expires: u64) -> Record {
    Record {
        addr: addr.parse().unwrap(),
        client: ClientId(client.parse().unwrap()),
        name: DomainName::parse(name).unwrap(),
        learned: Moment::from_secs(learned),
        expires: Moment::from_secs(expires),
        ttl: Duration::from_secs(expires - learned),
        belief: Belief::Private,
        flows: 0,
    }
}

fn two() -> [Record; 2] {
    [
        record("192.0.2.10", "10.77.1.2", "github.com", 100, 400),
        record("2001:db8::10", "fd77:1::2", "gitlab.com", 200, 500),
    ]
}

/// The clocks of a boot that began `booted` seconds after [`WALL`] by the wall clock.
fn clocks(boot: &str, booted: u64) -> Header {
    Header::new(boot, WALL + Duration::from_secs(booted), Moment::ZERO)
}

fn journal(header: &Header, records: &[Record]) -> Vec<u8> {
    let lines: Vec<String> =
        std::iter::once(encode_header(header)).chain(records.iter().map(encode)).map(|line| line + "\n").collect();
    lines.concat().into_bytes()
}

fn sound(records: Vec<Record>) -> Saved {
    Saved { records, ..Saved::default() }
}

fn sound_but_expired(records: Vec<Record>, expired: Vec<Record>) -> Saved {
    Saved { expired, ..sound(records) }
}

#[test]
fn the_same_boot_reads_back_what_was_written_and_has_not_expired() {
    let bytes = journal(&clocks(BEFORE, 0), &two());
    let at = |second| read(&bytes, &clocks(BEFORE, 0), Moment::from_secs(second));
    assert_eq!(at(300), sound(two().to_vec()));
    let [first, second] = two();
    assert_eq!(at(400), sound_but_expired(vec![second], vec![first]));
    assert_eq!(at(500), sound_but_expired(vec![], two().to_vec()));
}

#[test]
fn the_same_boot_does_not_ask_the_wall_clock() {
    let bytes = journal(&clocks(BEFORE, 0), &two());
    for jumped in [1, 86_400, 1_000_000_000] {
        assert_eq!(read(&bytes, &clocks(BEFORE, jumped), Moment::from_secs(300)), sound(two().to_vec()));
    }
}

#[test]
fn another_boot_carries_times_over_by_the_wall_clock() {
    let bytes = journal(&clocks(BEFORE, 0), &two());
    // Booted at 300 by the wall clock, so 20 s later it is 320 there.
    let saved = read(&bytes, &clocks(AFTER, 300), Moment::from_secs(20));
    let [first, second] = two();
    let carried =
        |record: Record, expires| Record { learned: Moment::ZERO, expires: Moment::from_secs(expires), ..record };
    assert_eq!(saved, sound(vec![carried(first, 100), carried(second, 200)]));
}

#[test]
fn names_from_before_the_boot_keep_their_order() {
    let [mut older, mut newer] = two();
    (older.addr, newer.addr) = ("192.0.2.10".parse().unwrap(), "192.0.2.10".parse().unwrap());
    newer.client = older.client;
    let bytes = journal(&clocks(BEFORE, 0), &[newer.clone(), older.clone()]);
    let now = Moment::from_secs(20);
    let mut observations = Observations::new(limits());
    for record in read(&bytes, &clocks(AFTER, 300), now).records {
        observations.restore(record, Belief::Believed, now);
    }
    let known = observations.about(older.addr, older.client, Scope::Client, now);
    assert_eq!(known.live().collect::<Vec<_>>(), [&newer.name, &older.name]);
}

#[test]
fn a_wall_clock_set_forward_ages_everything() {
    let bytes = journal(&clocks(BEFORE, 0), &two());
    let saved = read(&bytes, &clocks(AFTER, 86_400), Moment::from_secs(20));
    assert_eq!((saved.records.len(), saved.expired.len(), saved.damaged, saved.undated), (0, 2, 0, 0));
}

#[test]
fn what_seems_to_come_from_the_future_is_not_taken() {
    let bytes = journal(&clocks(BEFORE, 0), &two());
    // By this wall clock the second line was written 30 s from now.
    let saved = read(&bytes, &clocks(AFTER, 100), Moment::from_secs(70));
    assert_eq!((saved.records.len(), saved.damaged, saved.undated), (1, 0, 1));
    assert_eq!(saved.records[0].name, two()[0].name);
    // In the same boot only a forged line can.
    let saved = read(&bytes, &clocks(BEFORE, 0), Moment::from_secs(150));
    assert_eq!((saved.records.len(), saved.undated), (1, 1));
}

#[test]
fn a_wall_clock_that_was_set_while_decider_ran_counts_as_it_was_last() {
    let mut bytes = journal(&clocks(BEFORE, 0), &two()[..1]);
    bytes.extend(journal(&clocks(BEFORE, 7_200), &two()[1..]));
    let saved = read(&bytes, &clocks(AFTER, 7_200 + 300), Moment::from_secs(20));
    assert_eq!(saved.records.len(), 2);
}

#[test]
fn without_its_header_nothing_is_taken() {
    let bytes = journal(&clocks(BEFORE, 0), &two());
    let first_line = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    let saved = read(&bytes[first_line..], &clocks(BEFORE, 0), Moment::from_secs(300));
    assert_eq!(saved, Saved { damaged: 2, ..Saved::default() });
}

#[test]
fn another_format_is_not_guessed_at() {
    let text = String::from_utf8(journal(&clocks(BEFORE, 0), &two())).unwrap();
    let header = text.lines().next().unwrap().split_once(' ').unwrap().1.replace("observations 1 ", "observations 2 ");
    let forged = format!("{:08x} {header}\n{}", crc32fast::hash(header.as_bytes()), text.split_once('\n').unwrap().1);
    let saved = read(forged.as_bytes(), &clocks(BEFORE, 0), Moment::from_secs(300));
    assert_eq!(saved, Saved { damaged: 3, ..Saved::default() });
}

#[test]
fn a_damaged_byte_costs_no_more_than_its_line() {
    let (header, now) = (clocks(BEFORE, 0), Moment::from_secs(300));
    let whole = journal(&header, &two());
    let [first, second] = two();
    let ends: Vec<usize> = whole.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at).collect();
    for at in 0..whole.len() {
        for damage in [0x01, 0x20, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= damage;
            let saved = read(&bytes, &header, now);
            assert!(saved.damaged > 0, "byte {at} of the journal");
            // A line's end belongs to the line before it and to the one behind it.
            let lost = |line: usize| at <= ends[line] && at + 1 >= line.checked_sub(1).map_or(0, |before| ends[before]);
            for (line, record) in [(1, &first), (2, &second)] {
                let kept = saved.records.contains(record);
                assert!(kept || lost(line) || lost(0), "byte {at} cost line {line}");
            }
            assert!(saved.records.iter().all(|record| two().contains(record)), "byte {at} made something up");
        }
    }
}

#[test]
fn a_journal_that_ends_early_keeps_its_whole_lines() {
    let (header, now) = (clocks(BEFORE, 0), Moment::from_secs(300));
    let whole = journal(&header, &two());
    for end in 0..whole.len() {
        let saved = read(&whole[..end], &header, now);
        let lines = whole[..=end].split(|&byte| byte == b'\n').count() - 1;
        assert_eq!(saved.records.len(), lines.saturating_sub(1), "cut at {end}");
        assert!(saved.damaged <= 1);
    }
}

#[test]
fn odd_lines_are_counted_and_nothing_else() {
    let seal = |body: &str| format!("{:08x} {body}\n", crc32fast::hash(body.as_bytes()));
    let odd = [
        seal(""),
        seal("192.0.2.1"),
        seal("192.0.2.1 10.0.0.1 a.example 1 2"),
        seal("192.0.2.1 10.0.0.1 a.example 1 2 3 4"),
        seal("192.0.2.1 10.0.0.1 a..example 1 2 3"),
        seal("192.0.2.1 10.0.0.1 192.0.2.1 1 2 3"),
        seal("192.0.2 10.0.0.1 a.example 1 2 3"),
        seal("192.0.2.1 10.0.0.1 a.example -1 2 3"),
        seal("192.0.2.1 10.0.0.1 a.example 1 18446744073709551616 3"),
        seal("192.0.2.1 10.0.0.1 a.example 1 2 4294967296"),
        seal(&"a".repeat(MAX_LINE)),
        "nonsense\n".to_owned(),
        "\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}\n".to_owned(),
        "0000000\n".to_owned(),
        "+0000000 \n".to_owned(),
    ];
    let mut bytes = journal(&clocks(BEFORE, 0), &two());
    bytes.extend(odd.concat().into_bytes());
    let saved = read(&bytes, &clocks(BEFORE, 0), Moment::from_secs(300));
    assert_eq!(saved, Saved { damaged: odd.len(), ..sound(two().to_vec()) });
}

#[test]
fn what_is_restored_keeps_within_the_present_limits() {
    let now = Moment::from_secs(1_000);
    let (addr, client): (IpAddr, _) = ("192.0.2.1".parse().unwrap(), ClientId("10.0.0.1".parse().unwrap()));
    let mut observations = Observations::new(limits());
    let mut eternal = record("192.0.2.1", "10.0.0.1", "a.example", 990, 995);
    (eternal.expires, eternal.learned) = (Moment::from_nanos(u64::MAX), Moment::from_secs(2_000));
    observations.restore(eternal, Belief::Believed, now);
    let lives = |second| observations.about(addr, client, Scope::Client, Moment::from_secs(second)).live().count() == 1;
    // No TTL is longer than a day, and 30 s are the grace.
    assert!(lives(1_000 + 86_429) && !lives(1_000 + 86_430));
}

fn limits() -> Limits {
    Limits::new(1_000, Duration::from_secs(60), Duration::from_secs(86_400), Duration::from_secs(30))
}

fn any_name() -> impl Strategy<Value = DomainName> {
    proptest::collection::vec("[a-z0-9_-]{1,63}", 1..5)
        .prop_map(|labels| labels.join("."))
        .prop_filter_map("no host name", |name| DomainName::parse(&name).ok())
}

fn any_record() -> impl Strategy<Value = Record> {
    (any::<IpAddr>(), any::<IpAddr>(), any_name(), 0..=1_000_000_u64, 1..=u64::from(u32::MAX)).prop_map(
        |(addr, client, name, learned, lives)| Record {
            addr,
            client: ClientId(client),
            name,
            learned: Moment::from_nanos(learned),
            expires: Moment::from_nanos(2_000_000 + lives),
            ttl: Duration::from_secs(lives),
            belief: Belief::Private,
            flows: 0,
        },
    )
}

#[test]
fn what_this_host_itself_asked_for_reads_back() {
    let (header, own) = (clocks(BEFORE, 0), ClientId::HOST.0.to_string());
    let asked = record("192.0.2.1", &own, "github.com", 1, 100);
    assert_eq!(
        read(&journal(&header, std::slice::from_ref(&asked)), &header, Moment::from_secs(2)),
        sound(vec![asked])
    );
}

proptest! {
    #[test]
    fn every_observation_reads_back(mut records in proptest::collection::vec(any_record(), 0..20)) {
        let header = clocks(BEFORE, 0);
        let bytes = journal(&header, &records);
        prop_assert!(bytes.split(|&byte| byte == b'\n').all(|line| line.len() <= MAX_LINE));
        records.sort_by_key(|record| record.learned);
        prop_assert_eq!(read(&bytes, &header, Moment::from_nanos(1_000_000)), sound(records));
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let saved = read(&bytes, &clocks(BEFORE, 0), Moment::from_secs(1));
        prop_assert_eq!(saved.records, vec![]);
    }

    #[test]
    fn whatever_the_clocks_nothing_is_from_the_future_or_expired(
        records in proptest::collection::vec(any_record(), 0..20),
        booted in any::<u32>(),
        now in any::<u64>(),
        same in any::<bool>(),
    ) {
        let bytes = journal(&clocks(BEFORE, 1_000_000), &records);
        let now = Moment::from_nanos(now);
        let saved = read(&bytes, &clocks(if same { BEFORE } else { AFTER }, booted.into()), now);
        prop_assert!(saved.records.iter().all(|record| record.learned <= now && record.is_live(now)));
        prop_assert!(saved.expired.iter().all(|record| record.learned <= now && !record.is_live(now)));
        prop_assert_eq!(saved.records.len() + saved.expired.len() + saved.undated, records.len());
    }
}
