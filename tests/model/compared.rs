use std::net::IpAddr;
use std::time::Duration;

use decider::decide::decide;
use decider::dns::{Belief, Limits, Observations};
use decider::model::{ClientId, DomainName, Epoch, Moment, Scope};
use decider::policy::{Mode, OnAmbiguous, Policy, Route, SlotTable, load};
use proptest::prelude::*;

use crate::reference::{Decided, Line, Observed, Reference};

pub const PORTS: [u16; 3] = [22, 443, 5432];
/// Seconds: the least that an observation lives, and the grace.
pub const MIN_TTL: u64 = 5;
pub const GRACE: u64 = 2;

/// What can happen.
#[derive(Clone, Debug)]
enum Step {
    /// A client is told that a name is at an address.
    Learn { client: u8, addr: u8, name: u8, ttl: u64, belief: Belief },
    /// Time passes.
    Wait(u64),
    /// A client connects.
    Connect { client: u8, addr: u8, port: usize },
}

pub fn client(n: u8) -> IpAddr {
    if n.is_multiple_of(2) { IpAddr::from([10, 77, 1, n]) } else { format!("fd77:1::{n}").parse().unwrap() }
}

fn addr(n: u8) -> IpAddr {
    if n.is_multiple_of(2) { IpAddr::from([192, 0, 2, n]) } else { format!("2001:db8::{n}").parse().unwrap() }
}

/// What clients ask for: some below others, and the last two in no rule of their own.
const NAMES: [&str; 6] = [
    "one.example.org",
    "two.example.org",
    "a.two.example.org",
    "b.a.two.example.org",
    "x.example.org",
    "x.example.net",
];
/// What rules are about.
const PATTERNS: [&str; 6] = [
    "one.example.org",
    "two.example.org",
    "a.two.example.org",
    "*.example.org",
    "*.two.example.org",
    "*.a.two.example.org",
];

pub fn name(n: u8) -> DomainName {
    DomainName::parse(NAMES.get(usize::from(n)).unwrap()).unwrap()
}

fn step() -> impl Strategy<Value = Step> {
    let belief = prop_oneof![4 => Just(Belief::Believed), 1 => Just(Belief::Private)];
    prop_oneof![
        3 => (0..4_u8, 0..3_u8, 0..6_u8, 0..20_u64, belief)
            .prop_map(|(client, addr, name, ttl, belief)| Step::Learn { client, addr, name, ttl, belief }),
        1 => (0..12_u64).prop_map(Step::Wait),
        3 => (0..4_u8, 0..3_u8, 0..PORTS.len()).prop_map(|(client, addr, port)| Step::Connect { client, addr, port }),
    ]
}

/// For each pattern and each port: no rule, deny, allow, or allow with a listener that is down.
fn rules() -> impl Strategy<Value = Vec<Line>> {
    proptest::collection::vec(0..8_u8, PATTERNS.len() * PORTS.len()).prop_map(|choices| {
        choices
            .into_iter()
            .enumerate()
            .filter(|&(_, choice)| choice > 3)
            .map(|(index, choice)| Line {
                about: (*PATTERNS.get(index / PORTS.len()).unwrap()).to_owned(),
                port: PORTS.get(index % PORTS.len()).copied().unwrap(),
                allow: choice > 4,
                ready: choice > 5,
            })
            .collect()
    })
}

pub fn reference() -> impl Strategy<Value = Reference> {
    (
        rules(),
        prop_oneof![Just(Mode::Enforce), Just(Mode::Audit)],
        prop_oneof![Just(Scope::Shared), Just(Scope::Client)],
        prop_oneof![Just(OnAmbiguous::Latest), Just(OnAmbiguous::Deny)],
    )
        .prop_map(|(lines, mode, scope, on_ambiguous)| Reference {
            lines,
            mode,
            scope,
            on_ambiguous,
            observed: vec![],
            living: vec![],
            borrowed: vec![],
        })
}

/// The model's policy as a file, read and compiled.
pub fn compile(reference: &Reference) -> Policy {
    let mode = if reference.mode == Mode::Audit { "audit" } else { "enforce" };
    let scope = if reference.scope == Scope::Client { "client" } else { "shared" };
    let on_ambiguous = if reference.on_ambiguous == OnAmbiguous::Deny { "deny" } else { "latest" };
    let rules: Vec<String> = reference
        .lines
        .iter()
        .map(|line| {
            let action = if line.allow { "allow" } else { "deny" };
            let (id, Line { about, port, .. }) = (line.id(), line);
            format!("  - {{ id: \"{id}\", domain: \"{about}\", proto: tcp, port: {port}, action: {action} }}\n")
        })
        .collect();
    let text = format!(
        "version: 1\nmode: {mode}\nintercept: {{ gateway: {{ interfaces: [lan0] }} }}\n\
         dns: {{ resolvers: [192.0.2.53], scope: {scope}, on_ambiguous: {on_ambiguous} }}\n\
         rules:\n  - {{ domain: unrelated.example.org, proto: tcp, port: 9 }}\n{}",
        rules.concat()
    );
    let spec = load(&text).unwrap().spec;
    let mut slots = SlotTable::default();
    slots.assign(&spec).unwrap();
    Policy::compile(spec, &slots, Epoch(1)).unwrap()
}

/// The real thing and the model, side by side.
struct Both {
    policy: Policy,
    observations: Observations,
    reference: Reference,
    now: u64,
}

impl Both {
    fn new(reference: Reference) -> Self {
        let seconds = Duration::from_secs;
        let limits = Limits::new(10_000, seconds(MIN_TTL), seconds(86_400), seconds(GRACE));
        Self { policy: compile(&reference), observations: Observations::new(limits), reference, now: 100 }
    }

    fn learn(&mut self, client: IpAddr, addr: IpAddr, name: DomainName, ttl: u64, belief: Belief) {
        let now = Moment::from_secs(self.now);
        let observed = Observed {
            client,
            addr,
            name: name.clone(),
            number: self.reference.observed.len(),
            expires: self.now + ttl.max(MIN_TTL) + GRACE,
            belief,
        };
        self.reference.observed.push(observed);
        let ttl = Duration::from_secs(ttl);
        if self.policy.mentions(&name) {
            self.observations.learn(now, ClientId(client), addr, name, ttl, belief);
        } else {
            self.observations.note(now, ClientId(client), addr, name, ttl, belief);
        }
    }

    fn decide(&self, client: IpAddr, addr: IpAddr, port: u16) -> Decided {
        let now = Moment::from_secs(self.now);
        let known = self.observations.about(addr, ClientId(client), self.policy.spec().dns.scope, now);
        let up =
            |route: &Route| self.reference.lines.iter().any(|line| line.id() == route.rule.id.as_str() && line.ready);
        let decision = decide(&self.policy, &known, client, port, up);
        Decided {
            verdict: decision.verdict,
            reason: decision.reason,
            rule: decision.rule.map(|rule| rule.as_str().to_owned()),
            name: decision.name,
            also: decision.also.to_vec(),
        }
    }

    fn expected(&self, client: IpAddr, addr: IpAddr, port: u16) -> Decided {
        self.reference.decide(client, addr, port, self.now)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_is_the_models(reference in reference(), steps in proptest::collection::vec(step(), 1..60)) {
        let mut both = Both::new(reference);
        for step in steps {
            match step {
                Step::Learn { client: who, addr: at, name: what, ttl, belief } => {
                    both.learn(client(who), addr(at), name(what), ttl, belief);
                }
                Step::Wait(seconds) => both.now += seconds,
                Step::Connect { client: who, addr: at, port } => {
                    let (who, at, port) = (client(who), addr(at), PORTS[port]);
                    prop_assert_eq!(both.decide(who, at, port), both.expected(who, at, port));
                }
            }
        }
    }

    #[test]
    fn what_others_ask_changes_nothing_for_a_client_with_its_own_observation(
        reference in reference(),
        own in proptest::collection::vec((0..6_u8, 0..20_u64), 1..4),
        others in proptest::collection::vec((1..4_u8, 0..6_u8, 0..20_u64), 1..20),
        port in 0..PORTS.len(),
    ) {
        let mut both = Both::new(reference);
        for (what, ttl) in own {
            both.learn(client(0), addr(0), name(what), ttl, Belief::Believed);
        }
        let before = both.decide(client(0), addr(0), PORTS[port]);
        for (who, what, ttl) in others {
            both.learn(client(who), addr(0), name(what), ttl, Belief::Believed);
        }
        prop_assert_eq!(both.decide(client(0), addr(0), PORTS[port]), before);
    }

    #[test]
    fn nothing_is_allowed_but_by_an_allow_rule_for_a_live_name(
        reference in reference(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut both = Both::new(reference);
        for step in steps {
            match step {
                Step::Learn { client: who, addr: at, name: what, ttl, belief } => {
                    both.learn(client(who), addr(at), name(what), ttl, belief);
                }
                Step::Wait(seconds) => both.now += seconds,
                Step::Connect { client: who, addr: at, port } => {
                    let decided = both.decide(client(who), addr(at), PORTS[port]);
                    if decided.verdict == decider::model::Verdict::Allow {
                        let name = decided.name.unwrap();
                        let rules = &both.reference.lines;
                        prop_assert!(rules.iter().any(|line| line.means(&name) && line.port == PORTS[port] && line.allow));
                        prop_assert!(!rules.iter().any(|line| line.means(&name) && line.port == PORTS[port] && !line.allow));
                        let live = both.reference.observed.iter().any(|observed| {
                            observed.name == name && observed.addr == addr(at) && observed.expires > both.now
                        });
                        prop_assert!(live);
                    }
                }
            }
        }
    }
}
