//! A queue in the real kernel, by each backend: the same packets, the same verdicts, and what is lost is counted.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

use decider::queue::{Answer, BoundQueue, HeldPacket, Hook, NetlinkQueue, NfqQueue, PacketQueue, QueueOptions};
use nix::sys::socket::{setsockopt, sockopt};

use crate::{in_namespace, sh};

const OPTIONS: QueueOptions = QueueOptions { number: 7, copy_range: u16::MAX, max_length: 200 };
/// The mark of all that is sent.
const MARK: u32 = 0x4000_0042;
/// One that a packet may get. None that has it arrives.
const OTHER_MARK: u32 = 0x11;

const RULES: &str = "
    for table in iptables-nft ip6tables-nft; do
        $table -A OUTPUT -p udp --dport 9 -j NFQUEUE --queue-num 7
        $table -A INPUT -p udp --dport 9 -m mark --mark 0x11 -j DROP
    done";

/// Two ends of a queue: what is sent here waits there.
struct Way {
    sender: UdpSocket,
    receiver: UdpSocket,
}

impl Way {
    fn v4() -> Self {
        Self::on(Ipv4Addr::LOCALHOST)
    }

    fn v6() -> Self {
        Self::on(Ipv6Addr::LOCALHOST)
    }

    fn on(host: impl Into<std::net::IpAddr>) -> Self {
        let host = host.into();
        let receiver = UdpSocket::bind((host, 9)).unwrap();
        receiver.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let sender = UdpSocket::bind((host, 0)).unwrap();
        sender.connect((host, 9)).unwrap();
        setsockopt(&sender, sockopt::Mark, &MARK).unwrap();
        // What waits in the queue counts as unsent.
        setsockopt(&sender, sockopt::SndBufForce, &(64 << 20)).unwrap();
        setsockopt(&receiver, sockopt::RcvBufForce, &(64 << 20)).unwrap();
        Self { sender, receiver }
    }

    /// What arrives, until nothing more does.
    fn arrived(&self) -> Vec<Vec<u8>> {
        let mut buffer = vec![0; 0x1_0000];
        std::iter::from_fn(|| match self.receiver.recv(&mut buffer) {
            Ok(length) => Some(buffer.iter().take(length).copied().collect()),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                None
            }
        })
        .collect()
    }
}

/// The verdict that a packet asks for by its last word.
fn wanted(packet: &impl HeldPacket) -> Answer {
    match packet.bytes() {
        bytes if bytes.ends_with(b"drop") => Answer::Drop,
        bytes if bytes.ends_with(b"other") => Answer::Accept { mark: OTHER_MARK },
        bytes if bytes.ends_with(b"same") => Answer::Accept { mark: packet.mark() },
        _ => Answer::Pass,
    }
}

/// Serves until so many packets have come; how many came by each call, and the errors.
fn serve(queue: &mut impl PacketQueue, packets: usize) -> (Vec<usize>, usize) {
    let (mut by_call, mut errors) = (Vec::new(), 0);
    while by_call.iter().sum::<usize>() < packets {
        let mut came = 0;
        let received = queue.receive(|held| {
            assert_eq!((held.hook(), held.mark(), held.in_interface()), (Hook::Output, MARK, 0));
            assert_eq!(held.uid(), Some(0));
            came += 1;
            wanted(held)
        });
        errors += usize::from(received.is_err());
        queue.answer().unwrap();
        by_call.push(came);
    }
    (by_call, errors)
}

fn netlink() -> NetlinkQueue {
    NetlinkQueue::new(BoundQueue::bind(OPTIONS).unwrap())
}

fn nfq() -> NfqQueue {
    NfqQueue::open(OPTIONS).unwrap()
}

fn each_gets_its_own_verdict(mut queue: impl PacketQueue) {
    sh(RULES);
    for way in [Way::v4(), Way::v6()] {
        let texts: Vec<String> =
            (0..25).flat_map(|n| ["drop", "pass", "other", "same"].map(|w| format!("{n} {w}"))).collect();
        for text in &texts {
            way.sender.send(text.as_bytes()).unwrap();
        }
        let (_, errors) = serve(&mut queue, texts.len());
        assert_eq!(errors, 0);
        let expected = texts.iter().filter(|text| text.ends_with("pass") || text.ends_with("same"));
        assert_eq!(way.arrived(), expected.map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>());
    }
}

#[test]
fn each_gets_its_own_verdict_by_netlink() {
    in_namespace(|| each_gets_its_own_verdict(netlink()));
}

#[test]
fn each_gets_its_own_verdict_by_nfq() {
    in_namespace(|| each_gets_its_own_verdict(nfq()));
}

#[test]
fn those_that_wait_come_together() {
    in_namespace(|| {
        let mut queue = netlink();
        sh(RULES);
        for way in [Way::v4(), Way::v6()] {
            for _ in 0..100 {
                way.sender.send(b"pass").unwrap();
            }
            assert_eq!(serve(&mut queue, 100), (vec![64, 36], 0));
            assert_eq!(way.arrived().len(), 100);
        }
    });
}

#[test]
fn packets_cost_no_allocation() {
    in_namespace(|| {
        let mut queue = netlink();
        sh(RULES);
        for way in [Way::v4(), Way::v6()] {
            for _ in 0..100 {
                way.sender.send(b"same").unwrap();
            }
            let mut came = 0;
            let used = allocation_counter::measure(|| {
                while came < 100 {
                    let received = queue.receive(|held| {
                        came += 1;
                        wanted(held)
                    });
                    received.and_then(|()| queue.answer()).unwrap();
                }
            });
            assert_eq!(used.count_total, 0);
            assert_eq!(way.arrived().len(), 100);
        }
    });
}

/// Packets whose verdict comes too late: the kernel has dropped them with their interface. So many have been received by then.
fn late_verdicts_are_told_of_one_by_one(mut queue: impl PacketQueue, received: usize) {
    sh(RULES);
    let way = Way::v4();
    for _ in 0..3 {
        way.sender.send(b"late pass").unwrap();
    }
    queue.receive(|_| Answer::Pass).unwrap();
    sh("ip link set lo down");
    queue.answer().unwrap();
    sh("ip link set lo up");
    way.sender.send(b"pass").unwrap();
    let mut errors = 0;
    let mut last_is_served = false;
    while !last_is_served {
        let received = queue.receive(|held| {
            last_is_served |= !held.bytes().ends_with(b"late pass");
            Answer::Pass
        });
        errors += usize::from(received.is_err_and(|error| error.kind() == ErrorKind::NotFound));
        queue.answer().unwrap();
    }
    assert_eq!(errors, received);
    assert_eq!(way.arrived(), [b"pass"]);
}

#[test]
fn late_verdicts_are_told_of_one_by_one_by_netlink() {
    in_namespace(|| late_verdicts_are_told_of_one_by_one(netlink(), 3));
}

#[test]
fn late_verdicts_are_told_of_one_by_one_by_nfq() {
    in_namespace(|| late_verdicts_are_told_of_one_by_one(nfq(), 1));
}

/// Packets that wait, that the kernel dropped since the queue was full, and that it dropped since the socket was.
fn counted() -> [usize; 3] {
    let line = sh("cat /proc/thread-self/net/netfilter/nfnetlink_queue");
    let fields: Vec<usize> = line.split_whitespace().map(|field| field.parse().unwrap()).collect();
    let [7, _, waiting, _, _, full, socket, ..] = fields[..] else { unreachable!("{line}") };
    [waiting, full, socket]
}

/// More than there is room for, of this length: what is not dropped and counted arrives, and nothing else.
fn what_finds_no_room_is_dropped_and_counted(mut queue: impl PacketQueue, packets: usize, length: usize) -> [usize; 2] {
    sh(RULES);
    let mut lost = [0; 2];
    for way in [Way::v4(), Way::v6()] {
        let [_, full, socket] = counted();
        for _ in 0..packets {
            // That there was no room comes back to a sender on this machine.
            let _ = way.sender.send(&vec![b'.'; length]);
        }
        let [waiting, full_now, socket_now] = counted();
        lost = [full_now - full, socket_now - socket];
        let kept = packets - lost[0] - lost[1];
        assert_eq!(waiting, kept, "some neither wait nor were dropped");
        serve(&mut queue, kept);
        assert_eq!(way.arrived().len(), kept);
    }
    lost
}

#[test]
fn a_full_queue_drops_and_counts() {
    let lost = in_namespace(|| what_finds_no_room_is_dropped_and_counted(netlink(), 300, 100));
    assert_eq!(lost, [100, 0], "the socket has room for a full queue");
    // Here it has not.
    let [_, socket] = in_namespace(|| what_finds_no_room_is_dropped_and_counted(nfq(), 300, 100));
    assert!(socket > 0);
}

#[test]
fn a_full_socket_drops_and_counts() {
    let [full, socket] = in_namespace(|| what_finds_no_room_is_dropped_and_counted(netlink(), 150, 9_000));
    assert_eq!(full, 0);
    assert!(socket > 0);
    let [_, socket] = in_namespace(|| what_finds_no_room_is_dropped_and_counted(nfq(), 150, 9_000));
    assert!(socket > 0);
}
