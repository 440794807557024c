use std::net::SocketAddr;
use std::time::Duration;

use decider::dns::{Miss, Pending, PendingLimits, Question, question};
use decider::model::Moment;

const START: Moment = Moment::from_secs(1_000);

fn github() -> Question {
    let header = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    question(&[&header[..], b"\x06github\x03com\0\0\x01\0\x01"].concat()).unwrap()
}

#[test]
fn an_answer_counts_within_its_window_and_not_after() {
    let ends: [(SocketAddr, SocketAddr); 2] = [
        ("10.77.1.2:40000".parse().unwrap(), "192.0.2.53:53".parse().unwrap()),
        ("[fd77:1::2]:40000".parse().unwrap(), "[2001:db8::53]:53".parse().unwrap()),
    ];
    for (client, resolver) in ends {
        for (limits, seconds) in [
            (PendingLimits::default(), 10),
            (PendingLimits { window: Duration::from_secs(60), ..PendingLimits::default() }, 60),
        ] {
            let mut pending = Pending::new(limits);
            let mut answered_after = |nanos| {
                pending.insert(START, client, resolver, &github());
                pending.take(START.after(Duration::from_nanos(nanos)), client, resolver, &github())
            };
            assert_eq!(answered_after(seconds * 1_000_000_000), Ok(()));
            assert_eq!(answered_after(seconds * 1_000_000_000 + 1), Err(Miss::Late));
        }
    }
}
