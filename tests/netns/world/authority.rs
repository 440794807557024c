use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard};

use super::{Answers, Family, Message, Question};

/// What the owners of names say, for the real resolvers to ask: it may change with every answer.
pub struct Authority(Mutex<Names>);

struct Names {
    fixed: HashMap<String, Vec<IpAddr>>,
    rotating: HashSet<String>,
    /// How many answers of the pool there have been.
    turn: u32,
    ttls: RangeInclusive<u32>,
    /// Whether the question is repeated in lower case.
    lower_case: bool,
    silent: bool,
    asked: HashMap<(String, u16), usize>,
}

/// Addresses that go from name to name.
const POOL: u32 = 32;

impl Default for Authority {
    fn default() -> Self {
        Self(Mutex::new(Names {
            fixed: HashMap::new(),
            rotating: HashSet::new(),
            turn: 0,
            ttls: 600..=600,
            lower_case: false,
            silent: false,
            asked: HashMap::new(),
        }))
    }
}

impl Authority {
    fn names(&self) -> MutexGuard<'_, Names> {
        self.0.lock().unwrap()
    }

    /// A name has these addresses.
    pub fn put(&self, name: &str, addresses: &[IpAddr]) {
        let mut names = self.names();
        names.rotating.remove(name);
        names.fixed.insert(name.to_owned(), addresses.to_vec());
    }

    /// A name has two other addresses with every answer, from a pool that all such names share: the second of one
    /// answer is the first of the next, whoever asks for what.
    pub fn rotate(&self, name: &str) {
        self.names().rotating.insert(name.to_owned());
    }

    /// The answers say these in turn, in seconds.
    pub fn set_ttls(&self, ttls: RangeInclusive<u32>) {
        self.names().ttls = ttls;
    }

    /// Answers repeat the question in lower case, as a server without care does.
    pub fn answer_in_lower_case(&self) {
        self.names().lower_case = true;
    }

    /// No question is answered any more, or all are again.
    pub fn be_silent(&self, silent: bool) {
        self.names().silent = silent;
    }

    /// How often it was asked for addresses of that family.
    pub fn asked(&self, name: &str, family: Family) -> usize {
        self.names().asked.get(&(name.to_owned(), family.record_type())).copied().unwrap_or_default()
    }
}

impl Answers for Authority {
    fn answer(&self, query: Message, _from: IpAddr) -> Option<Message> {
        let mut names = self.names();
        let name = query.question.name.to_ascii_lowercase();
        *names.asked.entry((name.clone(), query.question.record_type)).or_default() += 1;
        if names.silent {
            return None;
        }
        let addresses = names.addresses(&name, query.question.record_type);
        let span = names.ttls.end() - names.ttls.start() + 1;
        let ttl = names.ttls.start() + names.turn % span;
        let asked = if names.lower_case { Question { name, ..query.question } } else { query.question };
        Some(Message::answer(query.id, asked, &addresses, ttl))
    }
}

impl Names {
    fn addresses(&mut self, name: &str, record_type: u16) -> Vec<IpAddr> {
        let all = if self.rotating.contains(name) {
            self.turn += 1;
            let turns = [self.turn, self.turn + 1].map(|turn| turn % POOL);
            turns.into_iter().flat_map(pooled).collect()
        } else {
            self.fixed.get(name).cloned().unwrap_or_default()
        };
        all.into_iter().filter(|address| Family::of(*address).record_type() == record_type).collect()
    }
}

/// An address of the pool, in both families.
fn pooled(turn: u32) -> [IpAddr; 2] {
    let v4 = Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 9, 1)) + turn);
    let v6 = Ipv6Addr::from(u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0x18, 9, 0, 0, 0, 1)) + u128::from(turn));
    [v4.into(), v6.into()]
}
