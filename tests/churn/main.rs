//! A crowd of clients, a thousand names, and addresses that are handed from name to name with short TTLs, against the real
//! decider and a real Envoy: each decision is compared with a model of the truth.
//!
//! `make churn N=1000000` runs it for longer; by itself it takes seconds. Needs what `tests/netns` needs.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]
#![expect(clippy::disallowed_methods, reason = "tests measure time themselves")]

mod assignment;
mod crowd;
mod events;
mod figures;
mod judged;
mod round;
mod town;
mod truth;
#[expect(dead_code, unused_imports, reason = "more than this needs: it belongs to tests/netns")]
#[path = "../netns/world/mod.rs"]
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use assignment::Assignment;
use crowd::Crowd;
use events::EventStream;
use figures::Figures;
use rand::SeedableRng;
use rand::rngs::StdRng;
use round::Churn;
use truth::{Lifetimes, Truth};
use world::{BannerServer, Internet, RESOLVER, Resolver, Setup, World};

/// Decisions, if `DECIDER_CHURN_N` does not say how many.
const DECISIONS: u64 = 4_000;
/// A short run is made to last this long: names have to expire in it.
const AT_LEAST: Duration = Duration::from_secs(8);
/// The decisions of a round, about.
const OF_A_ROUND: u64 = 240;
/// How often a long run says how far it is.
const PROGRESS: Duration = Duration::from_secs(5);
/// As in the policy below. The cache has room for more than what lives at a time: which of a name's observations an
/// eviction takes is not part of the model.
const LIFETIMES: Lifetimes =
    Lifetimes { min: Duration::from_secs(1), max: Duration::from_secs(4), grace: Duration::from_secs(1) };
const DNS: &str = ", min_ttl: 1s, max_ttl: 4s, grace: 1s, capacity: 100000";
/// What decider's memory may grow by: a full cache (docs/policy.md), channels, rings.
const GROWTH: u64 = 256 << 20;

#[test]
fn every_decision_of_a_crowd_is_the_truths() {
    let goal = number("DECIDER_CHURN_N").unwrap_or(DECISIONS);
    let seed = number("DECIDER_CHURN_SEED").unwrap_or_else(rand::random);
    println!("{goal} decisions, seed {seed}");
    let mut world =
        Setup { internet: Internet::bare, dns: DNS, rules: town::policy_rules().leak(), ..Setup::default() }.build();
    let assignment = Arc::new(Assignment::new(seed));
    let internet = &world.internet.namespace;
    let _resolver = Resolver::start(internet, &RESOLVER.both(), &assignment);
    let _servers = [town::SSH, town::DATABASE].map(|port| BannerServer::start(internet, port));
    world.gateway.start();
    let memory = resident(&world);
    let mut churn = Churn {
        crowd: Crowd::gather(&world.clients[0].namespace),
        assignment,
        truth: Truth::new(LIFETIMES, town::rules()),
        events: EventStream::follow(&world.gateway),
        figures: Figures::default(),
        rng: StdRng::seed_from_u64(seed),
    };
    let took = run(&mut churn, goal);
    world.gateway.adds_up();
    let status = world.gateway.status();
    let memory = [memory, resident(&world)];
    println!("{}", churn.figures.table(took, memory, &status));
    is_right(&churn.figures, memory, &world);
}

/// Rounds until there are as many decisions; how long they took.
fn run(churn: &mut Churn, goal: u64) -> Duration {
    let pause = AT_LEAST / u32::try_from((goal / OF_A_ROUND).max(1)).unwrap_or(u32::MAX);
    let began = Instant::now();
    let mut told = began;
    while churn.figures.decisions < goal {
        churn.round();
        std::thread::sleep(pause.min(Duration::from_millis(500)));
        if told.elapsed() > PROGRESS {
            told = Instant::now();
            println!("{:>6.0} s  {}", began.elapsed().as_secs_f64(), churn.figures);
        }
    }
    began.elapsed()
}

fn is_right(figures: &Figures, memory: [u64; 2], world: &World) {
    assert!(figures.wrong.is_empty(), "{}", figures.examples.join("\n"));
    assert_eq!(figures.strange_events, 0, "events of no SYN that was sent");
    assert_eq!(figures.disagreements(&world.gateway.status()), [""; 0]);
    assert_eq!(world.internet.wire.leaked(), []);
    // Otherwise it would not have tried anything.
    assert!(figures.open + figures.ambiguous < figures.decisions / 10, "too much is right");
    assert!(figures.allowed > figures.decisions / 5 && figures.refused.len() >= 5, "{figures}");
    assert!(figures.reached > 0, "nothing went through Envoy");
    assert!(memory[1] < memory[0] + GROWTH, "{} bytes became {}", memory[0], memory[1]);
}

fn resident(world: &World) -> u64 {
    world.gateway.process.as_ref().unwrap().resident()
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|error| panic!("{variable}={text}: {error}")))
}
