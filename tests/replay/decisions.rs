use std::net::{IpAddr, SocketAddr};

use decider::model::Moment;
use decider::replay::{Captured, Clients, Resolvers};

use crate::packets::{ACK, BOTH, FIN, Family, RST, SYN, answer, ip, question, refused, tcp, udp};
use crate::played::{POLICY, connect, end, look_up, play, play_for};
use crate::written::RAW;

type Packets = Vec<(u64, Vec<u8>)>;

/// A client that knows where github.com is.
fn knowing(family: Family) -> Packets {
    look_up(0, family.client(), family, "github.com", family.github()).to_vec()
}

fn from(family: Family, port: u16) -> SocketAddr {
    end(family.client(), port)
}

#[test]
fn a_name_that_was_looked_up_is_allowed_and_a_stranger_is_not() {
    for family in BOTH {
        let mut packets = knowing(family);
        packets.push(connect(10, from(family, 40_000), end(family.github(), 22)));
        packets.push(connect(20, from(family, 40_001), end(family.stranger(), 22)));
        packets.push(connect(30, from(family, 40_002), end(family.github(), 8022)));
        let played = play(POLICY, &packets);
        let wanted = [
            "allow allowed github.com tcp 22",
            "deny no-observation - tcp 22",
            "deny port-not-allowed github.com tcp 8022",
        ];
        assert_eq!(played.decisions(), wanted, "{family:?}");
        assert_eq!(played.records[0].rule.as_ref().unwrap().as_str(), "github.com:22/ssh");
        assert_eq!((played.totals.allowed, played.totals.refused, played.totals.packets), (1, 2, 5));
    }
}

#[test]
fn a_retransmission_is_one_decision_wherever_it_is_made() {
    for family in BOTH {
        let mut packets = knowing(family);
        for (port, to) in [(40_000, end(family.github(), 22)), (40_001, end(family.stranger(), 9999))] {
            packets.extend([10, 1010, 3010].map(|millis| connect(millis, from(family, port), to)));
        }
        assert_eq!(play(POLICY, &packets).records.len(), 2);
        // Another sequence number is another try.
        packets.push((9000, tcp(from(family, 40_000), end(family.github(), 22), SYN, 1, b"")));
        packets.push((9000, tcp(from(family, 40_001), end(family.stranger(), 9999), SYN, 1, b"")));
        assert_eq!(play(POLICY, &packets).records.len(), 4);
    }
}

#[test]
fn the_clock_is_the_captures() {
    for family in BOTH {
        let mut packets = knowing(family);
        // A minute, and half a minute of grace.
        packets.push(connect(80_000, from(family, 40_000), end(family.github(), 22)));
        packets.push((80_500, tcp(from(family, 40_000), end(family.github(), 22), RST, 1, b"")));
        packets.push(connect(100_000, from(family, 40_001), end(family.github(), 22)));
        let wanted = ["allow allowed github.com tcp 22", "deny observation-expired github.com tcp 22"];
        assert_eq!(play(POLICY, &packets).decisions(), wanted);
    }
}

#[test]
fn a_connection_keeps_its_name_alive_until_both_sides_have_closed() {
    for family in BOTH {
        let (client, github) = (from(family, 40_000), end(family.github(), 22));
        let mut packets = knowing(family);
        packets.push(connect(1000, client, github));
        packets.push((2000, tcp(client, github, FIN | ACK, 1, b"")));
        packets.push(connect(200_000, from(family, 40_001), github));
        packets.push((200_100, tcp(from(family, 40_001), github, RST, 1, b"")));
        packets.push((201_000, tcp(github, client, FIN | ACK, 1, b"")));
        packets.push(connect(300_000, from(family, 40_002), github));
        let decisions = play(POLICY, &packets).decisions();
        let allowed = "allow allowed github.com tcp 22";
        assert_eq!(decisions, [allowed, allowed, "deny observation-expired github.com tcp 22"]);
    }
}

#[test]
fn answers_teach_only_who_asked_and_what_was_asked() {
    for family in BOTH {
        let (client, resolver) = (from(family, 5000), end(family.resolver(), 53));
        let told = answer("github.com", family, &[family.github()]);
        let packets = [
            (0, udp(resolver, client, &told)),
            (1, udp(client, end(family.stranger(), 53), &question("github.com", family))),
            (2, udp(end(family.stranger(), 53), client, &told)),
            connect(10, from(family, 40_000), end(family.github(), 22)),
        ];
        let wanted = [
            "deny unasked-answer github.com udp 53",
            "deny resolver-not-trusted - udp 53",
            "deny no-observation - tcp 22",
        ];
        assert_eq!(play(POLICY, &packets).decisions(), wanted);
    }
}

#[test]
fn a_question_that_would_not_have_gone_on_has_no_answer() {
    let policy = POLICY.replace("dns: {", "dns: { queries: policy,");
    for family in BOTH {
        let (client, resolver) = (from(family, 5000), end(family.resolver(), 53));
        for told in [answer("evil.example", family, &[family.stranger()]), refused("evil.example", family)] {
            let packets = [
                (0, udp(client, resolver, &question("evil.example", family))),
                (1, udp(resolver, client, &told)),
                connect(10, from(family, 40_000), end(family.stranger(), 22)),
            ];
            let wanted = ["deny query-not-allowed evil.example udp 53", "deny no-observation - tcp 22"];
            assert_eq!(play(&policy, &packets).decisions(), wanted);
        }
    }
}

#[test]
fn what_the_ruleset_refuses_is_told_once_a_flow() {
    for family in BOTH {
        let stranger = |port| end(family.stranger(), port);
        let echo = match family {
            Family::V4 => ip(family.client(), family.stranger(), 1, &[8, 0, 0, 0, 0, 7, 0, 1]),
            Family::V6 => ip(family.client(), family.stranger(), 58, &[128, 0, 0, 0, 0, 7, 0, 1]),
        };
        let packets = [
            (0, udp(from(family, 5000), stranger(123), b"time?")),
            (1, udp(stranger(123), from(family, 5000), b"late")),
            (2, udp(from(family, 5000), stranger(123), b"time?")),
            (3, udp(from(family, 5001), stranger(853), b"quic")),
            (4, udp(from(family, 5353), stranger(5353), b"mdns")),
            connect(5, from(family, 40_000), stranger(853)),
            connect(6, from(family, 40_001), end(family.stranger(), 53)),
            (7, echo.clone()),
            (8, echo),
            (9, tcp(from(family, 40_002), stranger(22), SYN | FIN, 1, b"")),
        ];
        let wanted = [
            "deny proto-not-allowed - udp 123",
            "deny encrypted-dns - udp 853",
            "deny resolver-not-trusted - udp 5353",
            "deny encrypted-dns - tcp 853",
            "deny resolver-not-trusted - tcp 53",
            "deny proto-not-allowed - icmp 0",
            "deny not-a-syn - tcp 22",
        ];
        assert_eq!(play(POLICY, &packets).decisions(), wanted, "{family:?}");
        assert_eq!(play(&format!("{POLICY}mode: audit\n"), &packets).totals.audited, 7);
    }
}

#[test]
fn what_keeps_links_up_is_let_be() {
    let v6: IpAddr = "fe80::1".parse().unwrap();
    let all: IpAddr = "ff02::1:2".parse().unwrap();
    let (v4, broadcast): (IpAddr, IpAddr) = ("0.0.0.0".parse().unwrap(), "255.255.255.255".parse().unwrap());
    let packets = [
        (0, ip(v6, Family::V6.client(), 58, &[135, 0, 0, 0, 0, 0, 0, 0])),
        (1, udp(end(v6, 546), end(all, 547), b"lease")),
        (2, udp(end(v4, 68), end(broadcast, 67), b"lease")),
        // Port unreachable.
        (3, ip(Family::V4.client(), Family::V4.stranger(), 1, &[3, 3, 0, 0, 0, 0, 0, 0])),
        (4, ip(Family::V6.client(), Family::V6.stranger(), 58, &[1, 4, 0, 0, 0, 0, 0, 0])),
    ];
    assert!(play(POLICY, &packets).decisions().is_empty());
}

#[test]
fn clients_are_who_is_private_or_asks_or_is_named() {
    for family in BOTH {
        let (private, public) = (family.client(), family.public_client());
        let stranger = end(family.stranger(), 22);
        let mut packets = vec![connect(0, end(public, 40_000), stranger), connect(1, end(private, 40_000), stranger)];
        let played = play(POLICY, &packets);
        assert_eq!((played.records.len(), played.totals.of_others), (1, 1));
        assert_eq!((played.records[0].client.ip(), played.totals.others.as_slice()), (private, &[public][..]));
        packets.splice(0..0, look_up(0, public, family, "github.com", family.github()));
        assert_eq!(play(POLICY, &packets).records.len(), 2);
        let named = Clients::new(vec![public], vec![]);
        let played = play_for(POLICY, named, &packets);
        assert_eq!((played.records.len(), played.records[0].client.ip()), (1, public));
        let networks =
            "intercept: { gateway: { interfaces: [lan0], networks: [198.51.100.0/24, \"2001:db8:100::/48\"] } }";
        let policy = POLICY.replace("intercept: { gateway: { interfaces: [lan0] } }", networks);
        let played = play(&policy, &packets);
        assert_eq!((played.records.len(), played.records[0].client.ip()), (1, public));
        // Named, but outside of the policy's networks.
        let played = play_for(&policy, Clients::new(vec![private], vec![]), &packets);
        assert_eq!(played.decisions(), ["deny client-not-covered - tcp 22"]);
    }
}

#[test]
fn this_hosts_own_addresses_are_no_clients_unless_the_policy_says_so() {
    for family in BOTH {
        let (client, here, stranger) = (family.client(), family.public_client(), family.stranger());
        let packets =
            [connect(0, end(client, 40_000), end(here, 22)), connect(1, end(here, 40_000), end(stranger, 22))];
        let clients = || Clients::new(vec![], vec![here]);
        assert_eq!(play_for(POLICY, clients(), &packets).decisions(), ["deny local-service - tcp 22"]);
        let host = POLICY
            .replace("{ gateway: { interfaces: [lan0] } }", "{ host: true }\nenvoy: { manage: true, user: nobody }");
        assert_eq!(play_for(&host, clients(), &packets).decisions(), ["deny no-observation - tcp 22"]);
    }
}

#[test]
fn what_had_begun_before_and_what_is_not_whole_is_said_and_not_decided() {
    for family in BOTH {
        let (client, github) = (from(family, 40_000), end(family.github(), 22));
        let mut packets = vec![
            (0, tcp(client, github, ACK, 5, b"more")),
            (1, tcp(github, client, ACK, 5, b"more")),
            (2, tcp(end(family.stranger(), 22), from(family, 40_001), SYN | ACK, 5, b"")),
        ];
        let fragment = match family {
            Family::V4 => {
                let mut packet = udp(from(family, 5000), end(family.stranger(), 99), b"a piece");
                packet[6] = 0x20;
                packet
            }
            Family::V6 => ip(family.client(), family.stranger(), 44, &[17, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0]),
        };
        packets.push((3, fragment));
        let played = play(POLICY, &packets);
        assert_eq!((played.decisions().len(), played.totals.begun_before, played.totals.fragments), (0, 2, 1));
    }
}

#[test]
fn a_resolver_of_the_policy_is_no_client() {
    for family in BOTH {
        let from = end(family.resolver(), 40_000);
        let played = play(POLICY, &[connect(0, from, end(family.stranger(), 22))]);
        assert_eq!((played.decisions(), played.totals.of_others), (vec![], 1));
        assert_eq!(played.totals.others, [family.resolver()]);
    }
}

#[test]
fn an_address_of_the_link_alone_is_covered_by_nothing() {
    let from = end("fe80::7".parse().unwrap(), 40_000);
    let played = play(POLICY, &[connect(0, from, end(Family::V6.stranger(), 22))]);
    assert_eq!(played.decisions(), ["deny client-not-covered - tcp 22"]);
}

#[test]
fn datagrams_go_on_until_they_have_been_silent_for_two_minutes() {
    for family in BOTH {
        let packets = |seconds: &[u64]| -> Packets {
            let (src, dst) = (from(family, 40_000), end(family.stranger(), 123));
            seconds.iter().map(|second| (second * 1000, udp(src, dst, b"x"))).collect()
        };
        assert_eq!(play(POLICY, &packets(&[0, 100, 200, 320])).records.len(), 1);
        let twice = play(POLICY, &packets(&[0, 100, 221]));
        assert_eq!(twice.decisions(), ["deny proto-not-allowed - udp 123"; 2], "{family:?}");
    }
}

fn is_found(resolver: &str, family: Family) -> bool {
    let resolver: IpAddr = resolver.parse().unwrap();
    let message = answer("github.com", family, &[family.github()]);
    let bytes = udp(end(resolver, 53), from(family, 40_000), &message);
    let mut resolvers = Resolvers::default();
    resolvers.look_at(&Captured { at: Moment::ZERO, link: RAW, bytes: &bytes, is_cut: false });
    resolvers.found() == [resolver]
}

#[test]
fn only_who_can_be_asked_is_found_as_a_resolver() {
    assert!(is_found("192.0.2.53", Family::V4) && is_found("2001:db8::53", Family::V6));
    for resolver in ["127.0.0.53", "0.0.0.0", "224.0.0.251", "255.255.255.255"] {
        assert!(!is_found(resolver, Family::V4), "{resolver}");
    }
    for resolver in ["::1", "::", "ff02::fb", "fe80::1", "::ffff:192.0.2.53"] {
        assert!(!is_found(resolver, Family::V6), "{resolver}");
    }
}
