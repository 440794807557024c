//! What is left to the kernel against what the queue would decide at that moment, whatever happens.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::bounded;
use decider::decide::{Decision, decide};
use decider::dns::{Held, Limits};
use decider::fast::Key;
use decider::model::{ClientId, Epoch, Mark, Transport, Verdict};
use decider::policy::{Mode, Policy, SlotTable, Term};
use decider::queue::{DnsGuard, Ends, Knowledge, Passage, Published, Readiness, Shared};
use proptest::prelude::*;

use crate::asked::Question;
use crate::compared::{GRACE, MIN_TTL, PORTS, client, compile, name, reference};
use crate::kernel_map::KernelMap;
use crate::messages;
use crate::real::RESOLVER;
use crate::reference::Reference;

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    /// A client asks, and is answered with these addresses.
    Answer {
        client: u8,
        name: u8,
        addresses: Vec<u8>,
        ttl: u64,
    },
    /// A client connects, which the queue decides.
    Connect {
        client: u8,
        address: u8,
        port: usize,
    },
    /// The thread that fills the map gets to it, and the kernel takes so many milliseconds.
    Fill(u64),
    /// It looks after the lease.
    Tend,
    /// Milliseconds pass.
    Wait(u64),
    /// The machine sleeps for seconds.
    Sleep(u64),
    /// A flow holds what let it through, or one of them ends.
    Hold {
        client: u8,
        address: u8,
    },
    Release(usize),
    /// Another policy, in which every third rule from this one on ends after so many seconds.
    Reload {
        which: usize,
        first: usize,
        ends: u64,
    },
    /// A listener comes or goes.
    Listener {
        which: usize,
        up: bool,
    },
    /// The kernel refuses the next operations.
    Fail(u32),
}

const ADDRESSES: [&str; 6] = ["192.0.2.10", "2001:db8::11", "192.0.2.12", "2001:db8::13", "10.9.9.9", "fd99::1"];

fn address(n: u8) -> IpAddr {
    ADDRESSES.get(usize::from(n)).unwrap().parse().unwrap()
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_u8, 0..6_u8, proptest::collection::vec(0..6_u8, 1..3), 0..20_u64)
            .prop_map(|(client, name, addresses, ttl)| Step::Answer { client, name, addresses, ttl }),
        8 => (0..3_u8, 0..6_u8, 0..PORTS.len())
            .prop_map(|(client, address, port)| Step::Connect { client, address, port }),
        6 => prop_oneof![5 => 0..400_u64, 1 => 0..3_000_u64].prop_map(Step::Fill),
        3 => Just(Step::Tend),
        3 => (0..4_000_u64).prop_map(Step::Wait),
        1 => (0..30_u64).prop_map(Step::Sleep),
        1 => (0..3_u8, 0..6_u8).prop_map(|(client, address)| Step::Hold { client, address }),
        1 => any::<usize>().prop_map(Step::Release),
        1 => (any::<usize>(), 0..3_usize, 1..20_u64).prop_map(|(which, first, ends)| Step::Reload { which, first, ends }),
        2 => (any::<usize>(), prop::bool::weighted(0.7)).prop_map(|(which, up)| Step::Listener { which, up }),
        1 => (1..3_u32).prop_map(Step::Fail),
    ]
}

/// decider's part and the kernel's.
struct Side {
    shared: Arc<Shared>,
    guard: DnsGuard,
    kernel: KernelMap,
    policies: Vec<Reference>,
    limits: Limits,
    held: Vec<Held>,
}

impl Side {
    fn new(policies: Vec<Reference>, capacity: usize) -> Self {
        let seconds = Duration::from_secs;
        let limits = Limits::new(capacity, seconds(MIN_TTL), seconds(86_400), seconds(GRACE));
        let (records, _) = bounded(1);
        let (journal, _) = bounded(1);
        let published = published(policy(policies.first().unwrap(), &[]));
        let shared = Arc::new(Shared::new(published, Knowledge::new(limits), records, journal));
        let kernel = KernelMap::default();
        kernel.state().awake = 100_000;
        shared.start_fast(Box::new(kernel.clone()));
        Self { guard: DnsGuard::new(Arc::clone(&shared)), shared, kernel, policies, limits, held: vec![] }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Answer { client: who, name: what, ref addresses, ttl } => self.answer(who, what, addresses, ttl),
            Step::Connect { client: who, address: to, port } => self.connect(who, to, port),
            Step::Fill(delay) => {
                self.kernel.state().delay = delay;
                let keys: Vec<Key> = self.shared.fast.asked().try_iter().collect();
                self.shared.fill_fast(&keys, || self.kernel.now());
                self.kernel.state().delay = 0;
            }
            Step::Tend => self.shared.fast.tend(self.kernel.now()),
            Step::Wait(time) => self.kernel.state().awake += time,
            Step::Sleep(seconds) => {
                self.kernel.state().asleep += seconds * 1_000;
                // What the thread does first when it wakes up.
                drop(self.shared.pause_fast());
            }
            Step::Hold { client: who, address: to } => {
                let scope = self.shared.published.load().policy.spec().dns.scope;
                let mut known = self.shared.knowledge.about(address(to));
                self.held.extend(known.hold(ClientId(client(who)), address(to), scope, |_| true));
            }
            Step::Release(which) if !self.held.is_empty() => {
                let held = self.held.remove(which % self.held.len());
                self.shared.knowledge.about(held.addr).release(&held);
            }
            Step::Reload { which, first, ends } => self.reload(which, first, ends),
            Step::Listener { which, up } => self.listener(which, up),
            Step::Fail(failures) => self.kernel.state().failures = failures,
            Step::Release(_) => {}
        }
    }

    fn answer(&self, who: u8, what: u8, addresses: &[u8], ttl: u64) {
        for v6 in [false, true] {
            let mut addresses: Vec<IpAddr> =
                addresses.iter().map(|&n| address(n)).filter(|address| address.is_ipv6() == v6).collect();
            addresses.sort();
            addresses.dedup();
            let client = SocketAddr::new(client(who), 50_000);
            let question = Question { client, resolver: RESOLVER, id: 1, name: name(what), v6 };
            let (ends, now) = (ends(&question), self.kernel.now());
            let pending = &self.shared.pending;
            assert_eq!(self.guard.question(pending, &ends, &messages::question(&question), now), Passage::Forward);
            self.guard.answer(pending, &ends, &messages::answer(&question, &addresses, ttl), now);
        }
    }

    fn connect(&self, who: u8, to: u8, port: usize) {
        let key = Key { client: client(who), dst: address(to), port: *PORTS.get(port).unwrap() };
        if self.decision(&key).0 == Verdict::Allow {
            self.shared.fast.ask(key);
        }
    }

    /// As the daemon does it.
    fn reload(&self, which: usize, first: usize, ends: u64) {
        let pause = self.shared.pause_fast();
        let now = self.kernel.now();
        let term = Term {
            client: ends.is_multiple_of(2).then(|| client(0)),
            ends: now.after(Duration::from_secs(ends)),
            lasts: Duration::from_secs(ends),
            by: 0,
        };
        let terms = [(first, term)];
        let new = policy(self.policies.get(which % self.policies.len()).unwrap(), &terms);
        self.shared.published.store(Arc::new(published(new)));
        let published = self.shared.published.load_full();
        for mut part in self.shared.knowledge.parts() {
            let mentions = |name: &_| published.policy.mentions(name);
            part.judge_anew(self.limits, mentions, |address| self.shared.belief(address), now);
        }
        drop(pause);
    }

    fn listener(&self, which: usize, up: bool) {
        let published = self.shared.published.load_full();
        let routes = published.policy.routes();
        // One of them, or Envoy as a whole.
        let one = which % routes.len();
        let range = if which.is_multiple_of(2) { 0..routes.len() } else { one..one + 1 };
        let those = routes.get(range).unwrap();
        let is_worse = !up && those.iter().any(|route| published.readiness.is_ready(route));
        let _pause = is_worse.then(|| self.shared.pause_fast());
        for route in those {
            published.readiness.set(route, up);
        }
    }

    /// What the queue says now.
    fn decision(&self, key: &Key) -> (Verdict, Mark) {
        let published = self.shared.published.load_full();
        let (policy, now) = (&published.policy, self.kernel.now());
        let known = self.shared.knowledge.about(key.dst);
        let known = known.about(key.dst, ClientId(key.client), policy.spec().dns.scope, now);
        let decision: Decision<'_> =
            decide(policy, &known, key.client, key.port, |route| published.readiness.is_ready(route));
        (decision.verdict, decision.mark(policy.spec().marks))
    }

    fn agrees(&self) -> Result<(), TestCaseError> {
        for (key, mark) in self.kernel.decides() {
            prop_assert_eq!(self.decision(&key), (Verdict::Allow, mark), "{:?}", key);
        }
        Ok(())
    }
}

fn policy(reference: &Reference, terms: &[(usize, Term)]) -> Policy {
    let mut spec = compile(reference).spec().clone();
    spec.fast_path = true;
    for (first, term) in terms {
        spec.rules.iter_mut().skip(*first).step_by(3).for_each(|rule| rule.term = Some(*term));
    }
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch(1)).unwrap()
}

fn published(policy: Policy) -> Published {
    let readiness = Readiness::none_of(policy.routes().len());
    for route in policy.routes() {
        readiness.set(route, true);
    }
    Published { policy, readiness }
}

fn ends(question: &Question) -> Ends {
    let Question { client, resolver, .. } = *question;
    Ends { client, resolver, transport: Transport::Udp, in_interface: 3, uid: None }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_kernel_never_decides_otherwise_than_the_queue_would(
        policies in proptest::collection::vec(reference(), 1..4),
        capacity in 2..12_usize,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut side = Side::new(policies, capacity);
        for step in &steps {
            side.take(step);
            side.agrees()?;
        }
    }
}

/// A policy that allows one name, and refuses what is ambiguous.
fn simple(mode: Mode) -> Reference {
    let line = |about: &str| crate::reference::Line { about: about.to_owned(), port: 22, allow: true, ready: true };
    Reference {
        lines: vec![line("one.example.org"), line("two.example.org")],
        mode,
        scope: decider::model::Scope::Shared,
        on_ambiguous: decider::policy::OnAmbiguous::Deny,
        observed: vec![],
        living: vec![],
        borrowed: vec![],
    }
}

#[test]
fn what_is_known_is_left_to_the_kernel_until_something_else_is_known() {
    for to in [0, 1] {
        let mut side = Side::new(vec![simple(Mode::Enforce)], 100);
        let steps = [Step::Connect { client: 0, address: to, port: 0 }, Step::Fill(0)];
        let learn = |name| Step::Answer { client: 0, name, addresses: vec![to], ttl: 100 };
        side.take(&learn(0));
        for step in &steps {
            side.take(step);
        }
        assert_eq!(side.kernel.decides().len(), 1);
        // The same name again changes nothing.
        side.take(&learn(0));
        assert_eq!(side.kernel.decides().len(), 1);
        // Another one takes it out before the answer goes on, and what is ambiguous is not put in again.
        side.take(&learn(1));
        assert_eq!(side.kernel.decides(), []);
        for step in &steps {
            side.take(step);
        }
        assert_eq!(side.kernel.decides(), []);
    }
}

#[test]
fn an_answer_is_enough_for_the_kernel_to_know() {
    for to in [0, 1] {
        let mut side = Side::new(vec![simple(Mode::Enforce)], 100);
        let learn = |name, to| Step::Answer { client: 0, name, addresses: vec![to], ttl: 100 };
        for (step, known) in [(learn(0, to), 1), (learn(5, to + 2), 1), (learn(0, to + 2), 1), (learn(1, to), 0)] {
            side.take(&step);
            side.take(&Step::Fill(0));
            // Neither what no rule allows, nor what is ambiguous.
            assert_eq!(side.kernel.decides().len(), known, "{step:?}");
            side.agrees().unwrap();
        }
    }
}

#[test]
fn audit_leaves_nothing_to_the_kernel() {
    let mut side = Side::new(vec![simple(Mode::Audit)], 100);
    side.take(&Step::Answer { client: 0, name: 0, addresses: vec![0], ttl: 100 });
    side.take(&Step::Connect { client: 0, address: 0, port: 0 });
    side.take(&Step::Fill(0));
    assert_eq!(side.kernel.state().puts, 0);
}

/// Answers and the thread that fills the map, at once: whatever order they come in, what is ambiguous is not in it.
#[test]
fn an_answer_and_an_element_that_meet_leave_nothing_behind() {
    let side = Side::new(vec![simple(Mode::Enforce)], 10_000);
    let addresses = (0..100_000_u32).map(|n| IpAddr::from((0xc612_0000 + n).to_be_bytes()));
    let learn = |what, dst: IpAddr| {
        let client = SocketAddr::new(client(0), 50_000);
        let question = Question { client, resolver: RESOLVER, id: 1, name: name(what), v6: false };
        let (ends, now) = (ends(&question), side.kernel.now());
        side.guard.question(&side.shared.pending, &ends, &messages::question(&question), now);
        side.guard.answer(&side.shared.pending, &ends, &messages::answer(&question, &[dst], 1_000), now);
    };
    let key = |dst| Key { client: client(0), dst, port: 22 };
    let (todo, work) = bounded::<Key>(1);
    std::thread::scope(|scope| {
        scope.spawn(|| work.iter().for_each(|key| side.shared.fill_fast(&[key], || side.kernel.now())));
        for (dst, pause) in addresses.zip((0..6).cycle()) {
            learn(0, dst);
            todo.send(key(dst)).unwrap();
            // The other thread gets more or less far with it.
            (0..pause).for_each(|_| std::thread::yield_now());
            learn(1, dst);
            assert_eq!(side.kernel.decides().iter().filter(|(found, _)| found.dst == dst).count(), 0);
            if side.kernel.state().puts >= 100 {
                break;
            }
        }
        drop(todo);
    });
    assert_eq!(side.kernel.decides(), []);
    assert!(side.kernel.state().puts >= 100, "they hardly met");
}
