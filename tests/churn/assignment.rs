//! Which addresses each name has at the moment: what the resolver answers.

use std::net::IpAddr;
use std::sync::RwLock;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::town::{NAMES, home, name_of_domain, pool, quarter};
use crate::truth::Name;
use crate::world::{Answers, Family, GATEWAY, Message};

/// The longest TTL of an answer, in seconds; the shortest is 0.
const TTL: u32 = 6;
/// What Envoy is told, which need not ask again.
const HOME_TTL: u32 = 3_600;

pub struct Assignment(RwLock<Vec<Place>>);

#[derive(Clone, Debug)]
struct Place {
    /// Numbers in the pool, of IPv4 and IPv6.
    numbers: [Vec<u16>; 2],
    ttl: u32,
}

impl Assignment {
    pub fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        Self(RwLock::new((0..NAMES).map(|name| Place::random(name, &mut rng)).collect()))
    }

    /// Gives a name other addresses, which other names may have too.
    pub fn move_house(&self, name: Name, rng: &mut StdRng) {
        self.0.write().unwrap()[usize::from(name)] = Place::random(name, rng);
    }

    /// What is answered about a name now.
    pub fn of(&self, name: Name, family: Family) -> (Vec<IpAddr>, Duration) {
        let places = self.0.read().unwrap();
        let place = &places[usize::from(name)];
        let numbers = &place.numbers[usize::from(family == Family::V6)];
        (numbers.iter().map(|&number| pool(family, number)).collect(), Duration::from_secs(place.ttl.into()))
    }
}

impl Place {
    /// One to three addresses of each family.
    fn random(name: Name, rng: &mut StdRng) -> Self {
        let mut some = || (0..rng.random_range(1..=3)).map(|_| rng.random_range(quarter(name))).collect();
        let numbers = [some(), some()];
        Self { numbers, ttl: rng.random_range(0..=TTL) }
    }
}

impl Answers for Assignment {
    fn answer(&self, query: Message, from: IpAddr) -> Option<Message> {
        let name = name_of_domain(&query.question.name)?;
        let family = Family::BOTH.into_iter().find(|family| family.record_type() == query.question.record_type)?;
        if GATEWAY.both().contains(&from) {
            return Some(Message::answer(query.id, query.question, &[home(family, name)], HOME_TTL));
        }
        let (addresses, ttl) = self.of(name, family);
        Some(Message::answer(query.id, query.question, &addresses, ttl.as_secs().try_into().unwrap()))
    }
}
