use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use crate::world::{Client, Family, RawSender, Segment};

/// SYNs in a second.
pub const RATE: u32 = 10_000;
/// SYNs that are sent at once, between two looks at the clock.
const BURST: u32 = 20;

/// A client that connects to one address after the other, of both families in turn: so each refusal is an event of its own, and
/// none stands for others like it.
pub struct Load {
    client: Client,
    sender: RawSender,
    next: u32,
}

impl Load {
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone(), sender: RawSender::new(&client.namespace), next: 0 }
    }

    /// Sends at that rate for so long, or below it where the machine cannot. How many were sent, and how long it took.
    pub fn run(&mut self, time: Duration) -> (u32, Duration) {
        let began = Instant::now();
        let mut sent = 0;
        while began.elapsed() < time {
            for _ in 0..BURST {
                self.sender.send(&self.syn());
                self.next += 1;
            }
            sent += BURST;
            let due = Duration::from_secs(1) * sent / RATE;
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
        (sent, began.elapsed())
    }

    fn syn(&self) -> Vec<u8> {
        let family = Family::BOTH[usize::from(self.next % 2 == 1)];
        let number = self.next / 2 % 0x1_0000;
        let to: IpAddr = match family {
            Family::V4 => Ipv4Addr::from_bits(0xc612_0000 | number).into(),
            Family::V6 => Ipv6Addr::from_bits(0x2001_0db8_0018_u128 << 80 | u128::from(number)).into(),
        };
        // Another port after each time around, or it would be the same SYN sent again.
        let port = 1_024 + u16::try_from(self.next / 0x2_0000 % 60_000).unwrap();
        let from = SocketAddr::new(self.client.address(family), port);
        Segment::syn(from, SocketAddr::new(to, 22)).packet()
    }
}
