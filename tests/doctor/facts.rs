use std::collections::BTreeMap;

use decider::doctor::{
    Answer, Beyond, DaemonFacts, EnvoyFacts, Facts, Feature, Found, KernelFacts, Listing, OtherFacts, Outcome,
    PathFact, PolicyFacts, PolicyState, Purpose, QueueFacts, ResolverFacts, Rights, SettingFacts, TimeFacts, Trial,
};
use decider::policy::{self, Spec};

const POLICY: &str = "
version: 1
intercept: { gateway: { interfaces: [\"br-*\"] } }
dns: { resolvers: [192.0.2.53, \"2001:db8::53\"] }
rules:
  - { domain: github.com, proto: ssh }
";

pub fn spec() -> Spec {
    policy::load(POLICY).unwrap().spec
}

/// The policy in force says something else.
pub fn with_spec(facts: &mut Facts, change: impl FnOnce(&mut Spec)) {
    let mut spec = spec();
    change(&mut spec);
    facts.policy.state = PolicyState::Good(Box::new(spec));
}

/// A gateway with a running decider, of which there is nothing to be said.
pub fn well() -> Facts {
    let trusted: Vec<_> = spec().dns.resolvers;
    Facts {
        policy: PolicyFacts { path: "/etc/decider/policy.yaml".into(), state: PolicyState::Good(Box::new(spec())) },
        rights: Rights { uid: 0, missing: vec![] },
        kernel: KernelFacts {
            release: "6.1.0".to_owned(),
            trials: Feature::EACH.map(|feature| Trial { feature, outcome: Outcome::Works(None) }).into(),
            loadable: vec![],
        },
        nft: Some("nftables v1.0.6 (Lester Gooch #5)".to_owned()),
        envoy: Some(EnvoyFacts {
            program: Some(Ok("Envoy 1.40.0 at /usr/bin/envoy".to_owned())),
            taken: vec![],
            listeners: None,
        }),
        routing: Ok(vec![]),
        others: OtherFacts { nftables: Ok(Listing::default()), legacy: vec![], asks_beyond: true },
        settings: SettingFacts {
            values: settings(),
            clients: vec!["br-1".to_owned()],
            others: vec!["eth0".to_owned()],
            bridges: true,
            beyond: Beyond { v4: true, v6: true },
        },
        resolver: Some(ResolverFacts {
            configured: trusted.clone(),
            trusted,
            gateway: true,
            ..ResolverFacts::default()
        }),
        queues: QueueFacts { queues: Ok(vec![]), groups: Ok(vec![]), wanted: 5300..=5303, group: 5300, own: None },
        files: [Purpose::Policy, Purpose::State, Purpose::Runtime, Purpose::Envoy]
            .map(|purpose| PathFact { path: "/somewhere".into(), purpose, found: thing(0, 0o755) })
            .into(),
        time: TimeFacts {
            now: "2026-11-27T00:00:00Z".parse().unwrap(),
            newest_saved: Some(("/var/lib/decider/slots.json".into(), "2026-11-26T23:59:00Z".parse().unwrap())),
            synchronized: Some(true),
        },
        daemon: DaemonFacts::Running(answer()),
    }
}

pub fn answer() -> Answer {
    Answer { pid: 77, version: "0.1.0".to_owned(), problems: vec![], queues: vec![5300, 5301] }
}

pub fn thing(owner: u32, mode: u32) -> Found {
    Found::Thing { owner, mode, right_kind: true }
}

fn settings() -> BTreeMap<String, String> {
    let names = SettingFacts::names(&["br-1".to_owned(), "eth0".to_owned()]);
    let on = |name: &str| name.ends_with("forward") || name.ends_with("forwarding") || name.ends_with("tcp_loose");
    names.into_iter().map(|name| (name.clone(), u8::from(on(&name)).to_string())).collect()
}

/// Sets one of the kernel's settings.
pub fn set(facts: &mut Facts, name: &str, value: &str) {
    facts.settings.values.insert(name.to_owned(), value.to_owned());
}
