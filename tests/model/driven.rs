//! Random sequences of questions, answers, lies, connections, time and restarts: the real thing decides as the model does.

use std::net::{IpAddr, SocketAddr};

use decider::dns::Belief;
use decider::model::{Moment, Verdict};
use decider::policy::Mode;
use decider::queue::Passage;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::asked::{Asked, Question};
use crate::compared::{GRACE, MIN_TTL, PORTS, client, name, reference};
use crate::real::{LIAR, RESOLVER, Real};
use crate::reference::{Observed, Reference};

/// What can happen.
#[derive(Clone, Debug)]
pub enum Step {
    /// A client asks.
    Ask { client: u8, name: u8, v6: bool, id: u16 },
    /// One of the questions so far is answered, answered already or not.
    Answer { which: usize, lie: Option<Lie>, addresses: Vec<u8>, ttl: u64 },
    /// Seconds pass.
    Wait(u64),
    /// A client connects; the connection lives if it is let through.
    Connect { client: u8, address: u8, port: usize },
    /// One of the connections ends.
    End(usize),
    /// decider is killed and started again.
    Restart,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug)]
pub enum Lie {
    Id,
    Port,
    Client,
    Resolver,
    Name,
    Type,
}

/// Two of the internet and a private one of each family.
const ADDRESSES: [[&str; 3]; 2] =
    [["192.0.2.10", "192.0.2.12", "10.9.9.9"], ["2001:db8::11", "2001:db8::13", "fd99::1"]];

fn address(v6: bool, n: u8) -> IpAddr {
    ADDRESSES.get(usize::from(v6)).and_then(|family| family.get(usize::from(n % 3))).unwrap().parse().unwrap()
}

fn is_private(address: IpAddr) -> bool {
    address == self::address(false, 2) || address == self::address(true, 2)
}

fn lie() -> impl Strategy<Value = Option<Lie>> {
    const LIES: [Lie; 6] = [Lie::Id, Lie::Port, Lie::Client, Lie::Resolver, Lie::Name, Lie::Type];
    prop_oneof![3 => Just(None), 1 => proptest::sample::select(&LIES[..]).prop_map(Some)]
}

fn step() -> impl Strategy<Value = Step> {
    let answer = (any::<usize>(), lie(), proptest::collection::vec(0..3_u8, 0..4), 0..20_u64);
    prop_oneof![
        3 => (0..4_u8, 0..6_u8, any::<bool>(), 0..2_u16)
            .prop_map(|(client, name, v6, id)| Step::Ask { client, name, v6, id }),
        4 => answer.prop_map(|(which, lie, addresses, ttl)| Step::Answer { which, lie, addresses, ttl }),
        1 => (0..14_u64).prop_map(Step::Wait),
        5 => (0..4_u8, 0..6_u8, 0..PORTS.len())
            .prop_map(|(client, address, port)| Step::Connect { client, address, port }),
        2 => any::<usize>().prop_map(Step::End),
        1 => Just(Step::Restart),
    ]
}

/// The real thing and the model, side by side.
struct Both {
    real: Real,
    reference: Reference,
    asked: Asked,
    /// Every question that was ever asked.
    questions: Vec<Question>,
    learned: usize,
    /// Milliseconds. Each step takes one, so that no two are at once.
    now: u64,
}

impl Both {
    fn new(reference: Reference) -> Self {
        let real = Real::new(&reference);
        Self { real, reference, asked: Asked::default(), questions: vec![], learned: 0, now: 100_000 }
    }

    fn moment(&self) -> Moment {
        Moment::from_nanos(self.now * 1_000_000)
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now += 1;
        match *step {
            Step::Ask { client: who, name: what, v6, id } => {
                let client = SocketAddr::new(client(who), 50_000);
                self.ask(Question { client, resolver: RESOLVER, id, name: name(what), v6 })?;
            }
            Step::Answer { which, lie, ref addresses, ttl } if !self.questions.is_empty() => {
                let question = twisted(self.questions.get(which % self.questions.len()).unwrap().clone(), lie);
                self.answer(&question, addresses, ttl)?;
            }
            Step::Wait(seconds) => self.now += seconds * 1_000,
            Step::Connect { client: who, address: to, port } => {
                self.connect(client(who), address(to > 2, to), *PORTS.get(port).unwrap())?;
            }
            Step::End(which) if !self.reference.living.is_empty() => {
                let index = which % self.reference.living.len();
                self.real.end(index);
                self.reference.ends(index);
            }
            Step::Restart => {
                self.real.restart(&self.reference, self.moment());
                self.reference.restarts(self.now);
                self.asked = Asked::default();
            }
            Step::Answer { .. } | Step::End(_) => {}
        }
        Ok(())
    }

    fn ask(&mut self, question: Question) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.real.ask(&question, self.moment()), Passage::Forward);
        self.asked.ask(&question, self.now);
        self.questions.push(question);
        Ok(())
    }

    fn answer(&mut self, question: &Question, addresses: &[u8], ttl: u64) -> Result<(), TestCaseError> {
        let mut addresses: Vec<IpAddr> = addresses.iter().map(|&n| address(question.v6, n)).collect();
        addresses.sort();
        addresses.dedup();
        let passage = self.real.answer(question, &addresses, ttl, self.moment());
        let goes_on = if self.asked.answer(question, self.now) {
            let allows = |&port: &u16| self.reference.line(&question.name, port).is_some_and(|line| line.allow);
            let allowed = PORTS.iter().any(allows);
            let is_private = allowed && addresses.iter().any(|&address| is_private(address));
            let kept = |&&address: &&IpAddr| !is_private || self::is_private(address);
            for &address in addresses.iter().filter(kept) {
                self.learn(question, address, ttl);
            }
            !is_private
        } else {
            false
        };
        let expected = goes_on || self.reference.mode == Mode::Audit;
        prop_assert_eq!(passage == Passage::Forward, expected, "{:?}", passage);
        Ok(())
    }

    fn learn(&mut self, question: &Question, addr: IpAddr, ttl: u64) {
        self.learned += 1;
        self.reference.observed.push(Observed {
            client: question.client.ip(),
            addr,
            name: question.name.clone(),
            number: self.learned,
            expires: self.now + (ttl.max(MIN_TTL) + GRACE) * 1_000,
            belief: if is_private(addr) { Belief::Private } else { Belief::Believed },
        });
    }

    fn connect(&mut self, client: IpAddr, addr: IpAddr, port: u16) -> Result<(), TestCaseError> {
        let expected = self.reference.decide(client, addr, port, self.now);
        let decided = self.real.connect(client, addr, port, self.moment());
        prop_assert_eq!(&decided, &expected);
        if let (Verdict::Allow, Some(rule)) = (decided.verdict, decided.rule) {
            self.reference.begins(client, addr, port, rule);
        }
        Ok(())
    }
}

/// The question that a false answer pretends to answer.
fn twisted(question: Question, lie: Option<Lie>) -> Question {
    let Question { mut client, .. } = question;
    match lie {
        None => question,
        Some(Lie::Id) => Question { id: question.id + 1, ..question },
        Some(Lie::Port) => {
            client.set_port(50_001);
            Question { client, ..question }
        }
        Some(Lie::Client) => {
            client.set_ip(self::client(3));
            Question { client, ..question }
        }
        Some(Lie::Resolver) => Question { resolver: LIAR, ..question },
        Some(Lie::Name) => Question { name: name(u8::from(question.name == name(0))), ..question },
        Some(Lie::Type) => Question { v6: !question.v6, ..question },
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/model/saved_cases.txt"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_each_decision_is_the_models(
        reference in reference(),
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let mut both = Both::new(reference);
        for step in &steps {
            both.take(step)?;
        }
    }
}
