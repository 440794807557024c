//! What the ruleset refuses by itself: counted, reported at a bounded rate, then refused as the policy says.

use crate::model::Reason;
use crate::policy::{Mode, Refusal, Spec};

use super::table::{Object, Table};

/// The reasons that a rule can refuse for; each has a counter of that name.
pub const REASONS: [Reason; 9] = [
    Reason::ClientNotCovered,
    Reason::LocalService,
    Reason::ProtoNotAllowed,
    Reason::PortNotAllowed,
    Reason::ResolverNotTrusted,
    Reason::EncryptedDns,
    Reason::NotASyn,
    Reason::PrivateAddress,
    Reason::ListenerNotReady,
];

/// The chain for packets that get no answer: it would carry what a client wrote to somebody that the client chose.
pub const UNANSWERED: &str = "unanswered";

/// Counts packets that reached a place where each has a decision, and had none.
pub const UNDECIDED: &str = "undecided";

/// Bytes of a refused packet that are reported: the longest headers fit.
pub const SNAPLEN: u32 = 128;
/// Reports a second for one client, protocol and port, after a burst.
const RATE: &str = "limit rate 5/second burst 20 packets";
/// Clients, protocols and ports that reports are limited for at a time; beyond that nothing is reported.
const TOLD: u32 = 65_535;

/// The chain that refuses for a reason: `goto` it.
pub fn chain_of(reason: Reason) -> String {
    format!("refuse_{}", reason.as_str().replace('-', "_"))
}

/// Adds the counters, the sets that limit the reports, and the chains.
pub fn add(table: &mut Table, spec: &Spec, log_group: u16) {
    for name in REASONS.iter().map(|reason| reason.as_str()).chain([UNDECIDED]) {
        table.objects.push(Object { kind: "counter", name: name.to_owned(), body: vec![], elements: None });
    }
    for family in FAMILIES {
        table.objects.push(told(family.told, &format!("{} . inet_proto . inet_service", family.datatype)));
        table.objects.push(told(family.told_portless, &format!("{} . inet_proto", family.datatype)));
    }
    table.chain("refuse", None, last_word(spec));
    for reason in REASONS {
        table.chain(&chain_of(reason), None, refusal(reason, log_group));
    }
    table.chain(UNANSWERED, None, unanswered(spec, log_group));
}

struct Family {
    matches: &'static str,
    datatype: &'static str,
    source: &'static str,
    told: &'static str,
    told_portless: &'static str,
}

const FAMILIES: [Family; 2] = [
    Family {
        matches: "meta nfproto ipv4",
        datatype: "ipv4_addr",
        source: "ip saddr",
        told: "told4",
        told_portless: "told4_portless",
    },
    Family {
        matches: "meta nfproto ipv6",
        datatype: "ipv6_addr",
        source: "ip6 saddr",
        told: "told6",
        told_portless: "told6_portless",
    },
];

fn told(name: &str, datatype: &str) -> Object {
    let body = vec![
        format!("type {datatype}"),
        format!("size {TOLD}"),
        "flags dynamic,timeout".to_owned(),
        "timeout 10s".to_owned(),
    ];
    Object { kind: "set", name: name.to_owned(), body, elements: None }
}

fn refusal(reason: Reason, log_group: u16) -> Vec<String> {
    let log = format!("log prefix \"{reason}\" group {log_group} snaplen {SNAPLEN}");
    let mut rules = vec![format!("counter name {reason}")];
    for family in FAMILIES {
        let Family { matches, source, told, told_portless, .. } = family;
        rules.push(format!(
            "{matches} meta l4proto {{ tcp, udp }} update @{told} {{ {source} . meta l4proto . th dport {RATE} }} {log}"
        ));
        rules.push(format!(
            "{matches} meta l4proto != {{ tcp, udp }} update @{told_portless} {{ {source} . meta l4proto {RATE} }} {log}"
        ));
    }
    rules.push("goto refuse".to_owned());
    rules
}

fn unanswered(spec: &Spec, log_group: u16) -> Vec<String> {
    let reason = Reason::ClientNotCovered;
    vec![
        format!("counter name {reason}"),
        // One limit for all: who sends these cannot be told apart.
        format!("{RATE} log prefix \"{reason}\" group {log_group} snaplen {SNAPLEN}"),
        silently(spec).to_owned(),
    ]
}

/// What becomes of a packet that gets no answer.
pub fn silently(spec: &Spec) -> &'static str {
    match spec.mode {
        Mode::Enforce => "drop",
        Mode::Audit => "accept",
    }
}

fn last_word(spec: &Spec) -> Vec<String> {
    match (spec.mode, spec.refusal) {
        (Mode::Audit, _) => vec!["accept".to_owned()],
        (Mode::Enforce, Refusal::Drop) => vec!["drop".to_owned()],
        (Mode::Enforce, Refusal::Reject) => {
            vec!["meta l4proto tcp reject with tcp reset".to_owned(), "reject with icmpx admin-prohibited".to_owned()]
        }
    }
}
