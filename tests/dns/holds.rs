use std::net::IpAddr;
use std::time::Duration;

use decider::dns::{Belief, Held, Limits, Observations, State};
use decider::model::{ClientId, DomainName, Moment, Scope};

/// Nothing but the TTL counts.
fn limits() -> Limits {
    Limits::new(1_000, Duration::ZERO, Duration::from_secs(86_400), Duration::ZERO)
}

/// Long after all that is learned here has expired.
const LATE: u64 = 1_000;

fn client(n: u8) -> ClientId {
    ClientId(IpAddr::from([10, 77, 1, n]))
}

struct Scene {
    observations: Observations,
    addr: IpAddr,
    scope: Scope,
}

/// Each test for both families.
fn both(test: impl Fn(Scene)) {
    for addr in ["192.0.2.1", "2001:db8::1"] {
        test(Scene::new(Observations::new(limits()), addr));
    }
}

impl Scene {
    fn new(observations: Observations, addr: &str) -> Self {
        Self { observations, addr: addr.parse().unwrap(), scope: Scope::Shared }
    }

    /// A client is told of a name for ten seconds.
    fn told(&mut self, second: u64, who: u8, name: &str) {
        let name = DomainName::parse(name).unwrap();
        let (now, ttl) = (Moment::from_secs(second), Duration::from_secs(10));
        self.observations.learn(now, client(who), self.addr, name, ttl, Belief::Believed);
    }

    /// A client's flow that one of these names let through lives.
    fn flow(&mut self, who: u8, names: &[&str]) -> Option<Held> {
        self.observations.hold(client(who), self.addr, self.scope, |name| names.contains(&name.as_str()))
    }

    fn ends(&mut self, held: &Held) {
        self.observations.release(held);
    }

    fn live(&self, who: u8, second: u64) -> Vec<&str> {
        let known = self.observations.about(self.addr, client(who), self.scope, Moment::from_secs(second));
        known.live().map(DomainName::as_str).collect()
    }

    fn is_own(&self, who: u8, second: u64) -> bool {
        self.observations.about(self.addr, client(who), self.scope, Moment::from_secs(second)).is_own()
    }
}

#[test]
fn an_observation_lives_as_long_as_a_flow_through_it_for_its_client_only() {
    both(|mut scene| {
        scene.told(1, 1, "github.com");
        scene.told(1, 2, "github.com");
        let held = scene.flow(1, &["github.com"]).unwrap();
        assert_eq!(scene.live(1, LATE), ["github.com"]);
        assert!(scene.is_own(1, LATE));
        for other in [2, 3] {
            assert!(scene.live(other, LATE).is_empty());
            let at = Moment::from_secs(LATE);
            let known = scene.observations.about(scene.addr, client(other), Scope::Shared, at);
            assert_eq!(known.expired().map(DomainName::as_str), Some("github.com"));
        }
        scene.ends(&held);
        assert!(scene.live(1, LATE).is_empty());
    });
}

#[test]
fn the_last_of_several_flows_counts_and_then_its_own_time() {
    both(|mut scene| {
        scene.told(1, 1, "github.com");
        let [first, second] = [(); 2].map(|()| scene.flow(1, &["github.com"]).unwrap());
        scene.ends(&first);
        assert_eq!(scene.live(1, LATE), ["github.com"]);
        scene.ends(&second);
        assert_eq!((scene.live(1, 10).len(), scene.live(1, 11).len()), (1, 0));
    });
}

#[test]
fn of_several_names_the_newest_that_leads_where_the_flow_went_is_held() {
    both(|mut scene| {
        scene.told(1, 1, "a.example");
        scene.told(2, 1, "b.example");
        scene.told(3, 1, "c.example");
        let held = scene.flow(1, &["a.example", "b.example"]).unwrap();
        assert_eq!((held.name.as_str(), held.borrowed), ("b.example", false));
        assert_eq!(scene.live(1, LATE), ["b.example"]);
        assert_eq!(scene.flow(1, &["d.example"]), None);
    });
}

#[test]
fn what_is_held_is_said_and_asking_again_changes_nothing_of_it() {
    both(|mut scene| {
        scene.told(1, 1, "github.com");
        let held = scene.flow(1, &["github.com"]).unwrap();
        let state = |scene: &Scene, second| {
            scene
                .observations
                .iter()
                .map(|record| (record.state(Moment::from_secs(second)), record.flows))
                .next()
                .unwrap()
        };
        assert_eq!((state(&scene, 5), state(&scene, LATE)), ((State::Live, 1), (State::Held, 1)));
        scene.told(LATE, 1, "github.com");
        assert_eq!((state(&scene, LATE), state(&scene, LATE + 10)), ((State::Live, 1), (State::Held, 1)));
        scene.ends(&held);
        assert_eq!(state(&scene, LATE + 10), (State::Expired, 0));
    });
}

#[test]
fn an_expired_observation_is_held_too() {
    both(|mut scene| {
        scene.told(1, 1, "github.com");
        assert!(scene.live(1, LATE).is_empty());
        scene.flow(1, &["github.com"]).unwrap();
        assert_eq!(scene.live(1, LATE), ["github.com"]);
    });
}

#[test]
fn what_another_asked_is_borrowed_and_never_ones_own() {
    both(|mut scene| {
        scene.told(1, 2, "github.com");
        let held = scene.flow(1, &["github.com"]).unwrap();
        assert!(held.borrowed);
        assert_eq!(scene.live(1, LATE), ["github.com"]);
        assert!(!scene.is_own(1, LATE));
        assert!(scene.live(2, LATE).is_empty() && scene.live(3, LATE).is_empty());
        // It comes behind what others asked since, and once only.
        scene.told(LATE, 3, "gitlab.com");
        assert_eq!(scene.live(1, LATE), ["gitlab.com", "github.com"]);
        scene.told(LATE, 3, "github.com");
        scene.told(LATE + 1, 3, "gitlab.com");
        assert_eq!(scene.live(1, LATE + 1), ["gitlab.com", "github.com"]);
        // And not at all where the client asked itself.
        scene.told(LATE + 2, 1, "own.example");
        assert_eq!(scene.live(1, LATE + 2), ["own.example"]);
        scene.ends(&held);
        assert!(scene.live(1, 2 * LATE).is_empty());
    });
}

#[test]
fn a_borrowed_observation_outlives_the_one_it_came_from() {
    let room = Limits { per_client: 1, ..limits() };
    let mut scene = Scene::new(Observations::new(room), "192.0.2.1");
    scene.told(1, 2, "github.com");
    let first = scene.flow(1, &["github.com"]).unwrap();
    scene.addr = "192.0.2.2".parse().unwrap();
    scene.told(2, 2, "gitlab.com");
    scene.addr = first.addr;
    assert!(scene.live(3, 3).is_empty(), "it had to go");
    let second = scene.flow(1, &["github.com"]).unwrap();
    scene.ends(&first);
    assert_eq!(scene.live(1, LATE), ["github.com"]);
    scene.ends(&second);
    assert!(scene.live(1, LATE).is_empty());
}

#[test]
fn where_only_ones_own_questions_count_nothing_is_borrowed() {
    both(|mut scene| {
        scene.told(1, 2, "github.com");
        scene.scope = Scope::Client;
        assert_eq!(scene.flow(1, &["github.com"]), None);
        scene.told(1, 1, "github.com");
        assert!(!scene.flow(1, &["github.com"]).unwrap().borrowed);
    });
}

#[test]
fn what_is_not_believed_is_not_held() {
    both(|mut scene| {
        let name = DomainName::parse("github.com").unwrap();
        let ttl = Duration::from_secs(10);
        scene.observations.learn(Moment::from_secs(1), client(1), scene.addr, name, ttl, Belief::Private);
        assert_eq!(scene.flow(1, &["github.com"]), None);
        assert_eq!(scene.flow(2, &["github.com"]), None);
    });
}

#[test]
fn what_is_held_does_not_go_as_expired() {
    let room = Limits { per_address: 2, ..limits() };
    let mut scene = Scene::new(Observations::new(room), "2001:db8::1");
    scene.told(1, 1, "held.example");
    scene.told(2, 1, "expired.example");
    scene.flow(1, &["held.example"]).unwrap();
    scene.told(LATE, 1, "new.example");
    assert_eq!(scene.live(1, LATE), ["new.example", "held.example"]);
}

#[test]
fn what_had_to_go_is_held_again_when_it_is_learned_again() {
    let room = Limits { per_client: 1, ..limits() };
    let mut scene = Scene::new(Observations::new(room), "192.0.2.1");
    scene.told(1, 1, "github.com");
    let first = scene.flow(1, &["github.com"]).unwrap();
    let there = std::mem::replace(&mut scene.addr, "192.0.2.2".parse().unwrap());
    scene.told(2, 1, "gitlab.com");
    scene.addr = there;
    assert!(scene.live(1, 3).is_empty(), "a client over its share loses its own oldest, held or not");
    scene.told(4, 1, "github.com");
    let second = scene.flow(1, &["github.com"]).unwrap();
    scene.ends(&first);
    assert_eq!(scene.live(1, LATE), ["github.com"], "the second flow still lives");
    scene.ends(&second);
    assert!(scene.live(1, LATE).is_empty());
}
