use std::net::SocketAddr;

use crate::packets::{ACK, BOTH, FIN, Family, SYN, answer, question, tcp};
use crate::played::{POLICY, connect, end, play};

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// A connection to the resolver, with these pieces of what the client and then the resolver say, in that order.
fn conversation(client: SocketAddr, resolver: SocketAddr, said: &[u8], told: &[(u32, &[u8])]) -> Vec<(u64, Vec<u8>)> {
    let mut packets = vec![
        (0, tcp(client, resolver, SYN, 99, b"")),
        (1, tcp(resolver, client, SYN | ACK, 499, b"")),
        (2, tcp(client, resolver, ACK, 100, said)),
    ];
    packets.extend(told.iter().map(|(seq, piece)| (3, tcp(resolver, client, ACK, *seq, piece))));
    packets.push((4, tcp(client, resolver, FIN | ACK, 100, b"")));
    packets
}

fn ends(family: Family) -> (SocketAddr, SocketAddr) {
    (end(family.client(), 5000), end(family.resolver(), 53))
}

#[test]
fn an_answer_over_tcp_teaches_however_it_is_cut() {
    for family in BOTH {
        let (client, resolver) = ends(family);
        let said = framed(&question("github.com", family));
        let told = framed(&answer("github.com", family, &[family.github()]));
        let connect = connect(10, end(family.client(), 40_000), end(family.github(), 22));
        let (front, back) = told.split_at(9);
        let later = 500 + 9;
        for pieces in [vec![(500, &told[..])], vec![(500, front), (later, back)], vec![(later, back), (500, front)]] {
            let mut packets = conversation(client, resolver, &said, &pieces);
            packets.push(connect.clone());
            let played = play(POLICY, &packets);
            assert_eq!(played.decisions(), ["allow allowed github.com tcp 22"], "{family:?} {pieces:?}");
        }
        let mut packets = conversation(client, resolver, &said, &[(later, back)]);
        packets.push(connect);
        assert_eq!(play(POLICY, &packets).decisions(), ["deny no-observation - tcp 22"]);
    }
}

#[test]
fn what_nobody_asked_and_what_is_no_message_is_refused() {
    for family in BOTH {
        let (client, resolver) = ends(family);
        let told = framed(&answer("github.com", family, &[family.github()]));
        let said = framed(&question("other.example", family));
        let packets = conversation(client, resolver, &said, &[(500, &told)]);
        assert_eq!(play(POLICY, &packets).decisions(), ["deny unasked-answer github.com tcp 53"]);
        let packets = conversation(client, resolver, &framed(b"rubbish"), &[(500, &told)]);
        // The connection would have ended with the first.
        assert_eq!(play(POLICY, &packets).decisions(), ["deny malformed - tcp 53"]);
    }
}

#[test]
fn an_answer_to_a_question_that_would_not_have_gone_on_is_none() {
    let policy = POLICY.replace("dns: {", "dns: { queries: policy,");
    for family in BOTH {
        let (client, resolver) = ends(family);
        let said = framed(&question("evil.example", family));
        let told = framed(&answer("evil.example", family, &[family.stranger()]));
        let packets = conversation(client, resolver, &said, &[(500, &told)]);
        assert_eq!(play(&policy, &packets).decisions(), ["deny query-not-allowed evil.example tcp 53"]);
    }
}

#[test]
fn a_stream_with_a_hole_is_said() {
    for family in BOTH {
        let (client, resolver) = ends(family);
        let rubbish = vec![7; 1000];
        let far: Vec<(u32, &[u8])> = (0..100).map(|n| (5000 + 1000 * n, &rubbish[..])).collect();
        let packets = conversation(client, resolver, &framed(&question("github.com", family)), &far);
        let played = play(POLICY, &packets);
        assert_eq!((played.decisions().len(), played.totals.incomplete), (0, 1));
    }
}
