use std::collections::HashMap;

use ipnet::IpNet;
use serde::Serialize;

use crate::model::RuleId;

use super::check::{written_client, written_ports};
use super::spec::{Dns, EnvoySpec, Expiry, Gateway, Rule, Spec};

/// What one policy says otherwise than another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Rules that only the new one has, in its order.
    pub added: Vec<RuleId>,
    /// Rules that only the old one has, in its order.
    pub removed: Vec<RuleId>,
    /// Rules that both have, with what is different about each.
    pub changed: Vec<RuleChange>,
    /// Keys beside the rules that have another value, as in `dns.resolvers`.
    pub settings: Vec<&'static str>,
}

/// A rule that says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// Its id.
    pub id: RuleId,
    /// What is different, as in `port: 22 -> 2222`.
    pub what: Vec<String>,
}

/// Keys that count for a whole run.
const FOR_A_RUN: &[&str] = &[
    "marks.mask",
    "intercept.host",
    "envoy.manage",
    "envoy.binary",
    "envoy.user",
    "envoy.config_dir",
    "envoy.listen",
    "envoy.first_port",
];
/// Keys that count from the next start on, without harm until then.
const FROM_THE_NEXT_START: &[&str] = &["dns.capacity", "metrics.listen", "events"];

impl Difference {
    /// Compares two policies.
    #[must_use]
    pub fn between(before: &Spec, after: &Spec) -> Self {
        let (old, new) = (by_id(before), by_id(after));
        let ids = |rules: &[Rule], others: &HashMap<&RuleId, &Rule>| {
            rules.iter().map(|rule| &rule.id).filter(|id| !others.contains_key(id)).cloned().collect()
        };
        let both = after.rules.iter().filter_map(|rule| Some((*old.get(&rule.id)?, rule)));
        Self {
            added: ids(&after.rules, &old),
            removed: ids(&before.rules, &new),
            changed: both.filter_map(|(old, new)| RuleChange::between(old, new)).collect(),
            settings: settings(before, after),
        }
    }

    /// Whether both say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Keys that have another value and can only be changed by a restart.
    pub fn for_a_run(&self) -> impl Iterator<Item = &'static str> {
        self.settings.iter().copied().filter(|key| FOR_A_RUN.contains(key))
    }

    /// Keys that have another value, which counts from the next start on.
    pub fn from_the_next_start(&self) -> impl Iterator<Item = &'static str> {
        self.settings.iter().copied().filter(|key| FROM_THE_NEXT_START.contains(key))
    }
}

impl RuleChange {
    fn between(old: &Rule, new: &Rule) -> Option<Self> {
        // Where it stands in the file is no part of what it says.
        let Rule { id, name, proto, ports, action, upstream, clients, expires, line: _, term } = new;
        let mut what = Vec::new();
        let mut compare = |key: &str, old: String, new: String| {
            if old != new {
                what.push(format!("{key}: {old} -> {new}"));
            }
        };
        compare("domain", old.name.to_string(), name.to_string());
        compare("proto", old.proto.to_string(), proto.to_string());
        compare("port", written_ports(&old.ports), written_ports(ports));
        compare("action", old.action.as_str().to_owned(), action.as_str().to_owned());
        compare("upstream", old.upstream.to_string(), upstream.to_string());
        compare("clients", whom(&old.clients), whom(clients));
        let when = |expires: Option<Expiry>| expires.map_or("never".to_owned(), |expiry| expiry.at.to_string());
        compare("expires", when(old.expires), when(*expires));
        compare("temporary", yes_or_no(old.term.is_some()), yes_or_no(term.is_some()));
        (!what.is_empty()).then(|| Self { id: id.clone(), what })
    }
}

fn by_id(spec: &Spec) -> HashMap<&RuleId, &Rule> {
    spec.rules.iter().map(|rule| (&rule.id, rule)).collect()
}

fn yes_or_no(whether: bool) -> String {
    if whether { "yes" } else { "no" }.to_owned()
}

fn whom(clients: &[IpNet]) -> String {
    if clients.is_empty() { "all".to_owned() } else { clients.iter().map(written_client).collect::<Vec<_>>().join(",") }
}

/// The keys beside the rules that have another value. Each field is named here, so that none can be forgotten.
fn settings(before: &Spec, after: &Spec) -> Vec<&'static str> {
    // `upstream` of the whole is told by each rule that it is for.
    let Spec { mode, refusal, gateway, host, dns, envoy, marks, metrics, events, upstream: _, fast_path, rules: _ } =
        after;
    let mut changed = Changed(Vec::new());
    changed.note("mode", &before.mode, mode);
    changed.note("deny", &before.refusal, refusal);
    let Gateway { interfaces, networks } = gateway;
    changed.note("intercept.gateway.interfaces", &before.gateway.interfaces, interfaces);
    changed.note("intercept.gateway.networks", &before.gateway.networks, networks);
    changed.note("intercept.host", &before.host, host);
    changed.note_dns(&before.dns, dns);
    changed.note_envoy(&before.envoy, envoy);
    changed.note("marks.mask", &before.marks, marks);
    changed.note("metrics.listen", &before.metrics, metrics);
    changed.note("events", &before.events, events);
    changed.note("fast_path", &before.fast_path, fast_path);
    changed.0
}

struct Changed(Vec<&'static str>);

impl Changed {
    fn note<T: PartialEq>(&mut self, key: &'static str, before: &T, after: &T) {
        if before != after {
            self.0.push(key);
        }
    }

    fn note_dns(&mut self, before: &Dns, after: &Dns) {
        let Dns { resolvers, queries, min_ttl, grace, max_ttl, capacity, scope, on_ambiguous, allow_private } = after;
        self.note("dns.resolvers", &before.resolvers, resolvers);
        self.note("dns.queries", &before.queries, queries);
        self.note("dns.min_ttl", &before.min_ttl, min_ttl);
        self.note("dns.grace", &before.grace, grace);
        self.note("dns.max_ttl", &before.max_ttl, max_ttl);
        self.note("dns.capacity", &before.capacity, capacity);
        self.note("dns.scope", &before.scope, scope);
        self.note("dns.on_ambiguous", &before.on_ambiguous, on_ambiguous);
        self.note("dns.allow_private", &before.allow_private, allow_private);
    }

    fn note_envoy(&mut self, before: &EnvoySpec, after: &EnvoySpec) {
        let EnvoySpec { manage, binary, user, config_dir, listen, first_port } = after;
        self.note("envoy.manage", &before.manage, manage);
        self.note("envoy.binary", &before.binary, binary);
        self.note("envoy.user", &before.user, user);
        self.note("envoy.config_dir", &before.config_dir, config_dir);
        self.note("envoy.listen", &before.listen, listen);
        self.note("envoy.first_port", &before.first_port, first_port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "\
version: 1
intercept: { gateway: { interfaces: [lan0] } }
dns: { resolvers: [192.0.2.53] }
rules:
  - { domain: a.example, proto: ssh }
  - { id: b, domain: b.example, proto: tcp, port: [5000, 5001] }
";

    fn spec(text: &str) -> Spec {
        crate::policy::load(text).unwrap().spec
    }

    fn difference(from: &str, to: &str) -> Difference {
        assert!(BASE.contains(from), "{from}");
        Difference::between(&spec(BASE), &spec(&BASE.replace(from, to)))
    }

    #[test]
    fn where_a_rule_stands_is_no_difference() {
        assert!(difference("rules:\n", "\nrules:\n\n").is_empty());
    }

    #[test]
    fn rules_come_and_go_by_their_ids_and_change() {
        let found = difference("a.example", "c.example");
        assert_eq!(
            (found.added, found.removed),
            (vec![RuleId::new("c.example:22/ssh")], vec![RuleId::new("a.example:22/ssh")])
        );
        let found =
            difference("b.example, proto: tcp, port: [5000, 5001]", "c.example, proto: tcp, port: 5001, action: deny");
        let what = ["domain: b.example -> c.example", "port: 5000,5001 -> 5001", "action: allow -> deny"];
        assert_eq!(found.changed, [RuleChange { id: RuleId::new("b"), what: what.map(str::to_owned).to_vec() }]);
    }

    #[test]
    fn settings_are_named_as_in_the_file() {
        let found = difference("dns: { resolvers: [192.0.2.53]", "dns: { capacity: 5000, resolvers: [192.0.2.54]");
        assert_eq!(found.settings, ["dns.resolvers", "dns.capacity"]);
        assert_eq!(found.from_the_next_start().collect::<Vec<_>>(), ["dns.capacity"]);
        assert_eq!(found.for_a_run().count(), 0);
        let found = difference("rules:\n", "metrics: { listen: 127.0.0.1:9533 }\nevents: { file: /a }\nrules:\n");
        assert_eq!(found.from_the_next_start().collect::<Vec<_>>(), ["metrics.listen", "events"]);
        let found = difference("rules:\n", "marks: { mask: \"0xff00\" }\nenvoy: { first_port: 20000 }\nrules:\n");
        assert_eq!(found.for_a_run().collect::<Vec<_>>(), ["envoy.first_port", "marks.mask"]);
    }
}
