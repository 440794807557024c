use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use decider::dns::{Belief, Limits};
use decider::model::{ClientId, DomainName, Epoch, Moment};
use decider::policy::{Policy, SlotTable, load};
use decider::queue::Knowledge;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// How long it takes and how much there is.
#[derive(Clone, Copy)]
pub struct Size {
    pub rounds: usize,
    pub round: Duration,
    /// Numbers of rules, and of observations.
    pub rules: &'static [usize],
    pub observations: &'static [usize],
}

impl Size {
    pub const FULL: Self = Self {
        rounds: 15,
        round: Duration::from_millis(40),
        rules: &[10, 1_000, 10_000],
        observations: &[1_000, 1_000_000],
    };
    pub const QUICK: Self =
        Self { rounds: 5, round: Duration::from_millis(5), rules: &[10, 10_000], observations: &[1_000, 100_000] };

    pub fn most_observations(&self) -> usize {
        self.observations.iter().copied().max().unwrap()
    }

    pub fn most_rules(&self) -> usize {
        self.rules.iter().copied().max().unwrap()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

pub const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

/// Clients that share what is known.
pub const CLIENTS: usize = 100;
pub const NOW: Moment = Moment::from_secs(1_000);
pub const HOUR: Duration = Duration::from_secs(3_600);
pub const PORT: u16 = 22;

impl Family {
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    pub fn client(self, n: usize) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from_bits(0x0a00_0000 + bits(n)).into(),
            Self::V6 => wide(0xfd77, n),
        }
    }

    pub fn server(self, n: usize) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from_bits(0xc612_0000_u32.wrapping_add(bits(n))).into(),
            Self::V6 => wide(0x2001, n),
        }
    }
}

fn wide(first: u16, n: usize) -> IpAddr {
    let (high, low) = (u16::try_from(n >> 16).unwrap(), u16::try_from(n & 0xffff).unwrap());
    Ipv6Addr::new(first, 0xdb8, 0, 0, 0, 0, high, low).into()
}

fn bits(n: usize) -> u32 {
    u32::try_from(n).unwrap()
}

/// The name that a rule is about: some 20 characters.
pub fn name(rule: usize) -> DomainName {
    DomainName::parse(&format!("n{rule:07}.example.com")).unwrap()
}

pub fn policy_text(rules: usize) -> String {
    let mut text = "version: 1\nintercept: { gateway: { interfaces: [lan0] } }\n\
                    dns: { resolvers: [192.0.2.53] }\nenvoy: { first_port: 20000 }\nrules:\n"
        .to_owned();
    for rule in 0..rules {
        writeln!(text, "  - {{ domain: {}, proto: ssh }}", name(rule)).unwrap();
    }
    text
}

pub fn policy(rules: usize) -> Policy {
    let spec = load(&policy_text(rules)).unwrap().spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch(1)).unwrap()
}

/// Room for somewhat more than that: addresses are spread over the parts by chance.
pub fn room_for(observations: usize) -> Limits {
    Limits::new(observations + observations / 5, HOUR, HOUR, HOUR)
}

/// Who is told what: each observation has an address of its own, clients and names take turns.
pub struct Told {
    pub family: Family,
    pub rules: usize,
}

impl Told {
    pub fn pair(&self, n: usize) -> (ClientId, IpAddr) {
        (ClientId(self.family.client(n % CLIENTS)), self.family.server(n))
    }

    pub fn name(&self, n: usize) -> DomainName {
        name((n / CLIENTS) % self.rules)
    }

    /// All of it in a cache, and beside that a sixteenth more of names that no rule mentions.
    pub fn knowledge(&self, observations: usize) -> Knowledge {
        let knowledge = Knowledge::new(room_for(observations));
        for n in 0..observations {
            let (client, addr) = self.pair(n);
            knowledge.about(addr).learn(NOW, client, addr, self.name(n), HOUR, Belief::Believed);
        }
        for n in observations..observations + observations / 16 {
            let (client, addr) = self.pair(n);
            knowledge.about(addr).note(NOW, client, addr, other_name(n), HOUR, Belief::Believed);
        }
        let known: usize = knowledge.parts().map(|part| part.len()).sum();
        assert_eq!(known, observations);
        knowledge
    }

    /// That many of the pairs, in an order that no cache of a processor foresees; the same at each run.
    pub fn random(&self, observations: usize, count: usize) -> Vec<(ClientId, IpAddr)> {
        let mut random = StdRng::seed_from_u64(1);
        let mut all: Vec<usize> = (0..count).map(|_| random.random_range(0..observations)).collect();
        all.shuffle(&mut random);
        all.into_iter().map(|n| self.pair(n)).collect()
    }
}

fn other_name(n: usize) -> DomainName {
    DomainName::parse(&format!("n{n:07}.example.net")).unwrap()
}
