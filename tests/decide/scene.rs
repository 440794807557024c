//! A policy, a cache, and clients that connect.

use std::net::IpAddr;
use std::time::Duration;

use decider::decide::{Decision, Explanation, KnownName, Scene, decide, explain};
use decider::dns::{Belief, Limits, Observations};
use decider::model::{ClientId, DomainName, Epoch, Moment, Reason, Verdict};
use decider::policy::{Policy, Route, SlotTable, load};

/// Rules with a deny among them, and two names that may share an address.
pub const RULES: &str = "rules:
  - { domain: github.com, proto: ssh }
  - { domain: gitlab.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: [5432, 5433] }
  - { domain: old.example.com, proto: ssh, action: deny }
  - { domain: \"*.wild.example\", proto: ssh }
  - { id: narrow, domain: \"*.narrow.wild.example\", proto: ssh }
  - { id: none, domain: \"*.no.wild.example\", proto: ssh, action: deny }
";

/// Each test once for IPv4 and once for IPv6.
pub const FAMILIES: [Family; 2] = [Family::V4, Family::V6];

#[derive(Clone, Copy, Debug)]
pub enum Family {
    V4,
    V6,
}

impl Family {
    pub fn client(self, n: u8) -> IpAddr {
        match self {
            Self::V4 => IpAddr::from([10, 77, 1, n]),
            Self::V6 => format!("fd77:1::{n}").parse().unwrap(),
        }
    }

    pub fn server(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::from([192, 0, 2, 1]),
            Self::V6 => "2001:db8::1".parse().unwrap(),
        }
    }
}

/// Time stands at 1000 s, observations live for 60 s and 30 s of grace.
pub struct Stage {
    pub family: Family,
    policy: Policy,
    observations: Observations,
    down: Vec<&'static str>,
    now: u64,
}

impl Stage {
    pub fn new(family: Family) -> Self {
        Self::with(family, "", "")
    }

    /// With more lines at the top and in `dns`.
    pub fn with(family: Family, top: &str, dns: &str) -> Self {
        Self::ruled(family, top, dns, RULES)
    }

    /// With other rules. It is 2030, to the second.
    pub fn ruled(family: Family, top: &str, dns: &str, rules: &str) -> Self {
        let text = format!(
            "version: 1\n{top}intercept: {{ gateway: {{ interfaces: [lan0], networks: [10.77.1.0/24, \"fd77:1::/64\"] }} }}\n\
             dns:\n  resolvers: [10.77.2.53]\n{dns}{rules}"
        );
        let wall = "2030-01-01T00:00:00Z".parse().unwrap();
        let spec = load(&text).unwrap().spec.at(wall, Moment::from_secs(1_000)).spec;
        let mut slots = SlotTable::default();
        slots.assign(&spec).unwrap();
        let seconds = Duration::from_secs;
        Self {
            family,
            policy: Policy::compile(spec, &slots, Epoch(1)).unwrap(),
            observations: Observations::new(Limits::new(1_000, seconds(60), seconds(86_400), seconds(30))),
            down: vec![],
            now: 1_000,
        }
    }

    /// The n-th client is told that a name is at the server.
    pub fn told(mut self, client: u8, name: &str) -> Self {
        self.tell(client, name, Belief::Believed);
        self
    }

    /// The same, but it is not believed.
    pub fn told_private(mut self, client: u8, name: &str) -> Self {
        self.tell(client, name, Belief::Private);
        self
    }

    pub fn later(mut self, seconds: u64) -> Self {
        self.now += seconds;
        self
    }

    /// The listener of a name's rule is down.
    pub fn down(mut self, name: &'static str) -> Self {
        self.down.push(name);
        self
    }

    fn tell(&mut self, client: u8, name: &str, belief: Belief) {
        let (who, name) = (ClientId(self.family.client(client)), DomainName::parse(name).unwrap());
        let (now, addr) = (Moment::from_secs(self.now), self.family.server());
        self.observations.learn(now, who, addr, name, Duration::from_secs(60), belief);
    }

    /// What becomes of the n-th client's connection to a port of the server.
    pub fn decide(&self, client: u8, port: u16) -> Outcome {
        let known = self.observations.about(
            self.family.server(),
            ClientId(self.family.client(client)),
            self.policy.spec().dns.scope,
            Moment::from_secs(self.now),
        );
        let client = self.family.client(client);
        let decision = decide(&self.policy, &known, client, port, |route| self.is_up(route));
        Outcome::new(&decision)
    }

    pub fn explain(&self, client: u8, port: u16) -> Explanation {
        self.explain_to(self.family.client(client), port, false)
    }

    pub fn explain_to(&self, client: IpAddr, port: u16, dst_is_here: bool) -> Explanation {
        let (dst, now) = (self.family.server(), Moment::from_secs(self.now));
        let known = self.observations.about(dst, ClientId(client), self.policy.spec().dns.scope, now);
        let names: Vec<KnownName> = vec![];
        let client_is_here = false;
        let scene = Scene { client, client_is_here, dst, port, dst_is_here, names };
        explain(&self.policy, scene, &known, |route| self.is_up(route))
    }

    fn is_up(&self, route: &Route) -> bool {
        !self.down.contains(&route.rule.name.as_str())
    }
}

/// A decision, in texts.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub verdict: Verdict,
    pub reason: Reason,
    pub rule: Option<String>,
    pub name: Option<String>,
    pub also: Vec<String>,
}

impl Outcome {
    fn new(decision: &Decision<'_>) -> Self {
        Self {
            verdict: decision.verdict,
            reason: decision.reason,
            rule: decision.rule.map(|rule| rule.as_str().to_owned()),
            name: decision.name.as_ref().map(|name| name.as_str().to_owned()),
            also: decision.also.iter().map(|name| name.as_str().to_owned()).collect(),
        }
    }

    /// Allowed by the rule of a name.
    pub fn allow(rule: &str, name: &str) -> Self {
        Self::of(Verdict::Allow, Reason::Allowed, Some(rule), Some(name))
    }

    /// Refused.
    pub fn deny(reason: Reason, rule: Option<&str>, name: Option<&str>) -> Self {
        Self::of(Verdict::Deny, reason, rule, name)
    }

    pub fn of(verdict: Verdict, reason: Reason, rule: Option<&str>, name: Option<&str>) -> Self {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Self { verdict, reason, rule: own(rule), name: own(name), also: vec![] }
    }

    pub fn also(self, names: &[&str]) -> Self {
        Self { also: names.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }
}
