//! The way of what this host's own processes send, where the policy covers them.
//!
//! A connection that is let through gets its listener's mark; that changes its route, so the packet goes around by `lo` and
//! meets TPROXY there as a client's packet does. Its far end is Envoy, whose own connection leaves with a source address
//! that the routing chooses for it.

use crate::model::{Mark, Reason};
use crate::policy::{Mode, Policy, Spec};

use super::plan::{answers_are_asked_about, queued_or_refused, restore, to_trusted_resolvers};
use super::refusals::{UNANSWERED, UNDECIDED, chain_of, silently};
use super::table::{Base, Kind, Table};
use super::{marks, upkeep};

/// Who on this host is what, as far as its rules depend on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Local {
    /// Whom decider runs as.
    pub own_uid: u32,
    /// Whom Envoy runs as. None: nobody is let out as Envoy.
    pub envoy_uid: Option<u32>,
    /// TCP ports on which this host served when decider started. Connections to them that are older than connection
    /// tracking may look as if they had been opened here.
    pub served: Vec<u16>,
}

/// What a process sends is decided here. A mark that is changed leads to another route (`type route`).
const DECIDE: Base = Base { kind: Kind::Route, hook: "output", priority: -150 };
/// Right behind: a verdict of a queue ends its base chain, so what is made of it stands in the next.
const REFUSE: Base = Base { kind: Kind::Filter, hook: "output", priority: -149 };
/// Where a marked packet comes in by `lo`.
const DELIVER: Base = Base { kind: Kind::Filter, hook: "prerouting", priority: -149 };
/// Behind destination translation, in front of the process (`NF_IP_PRI_SECURITY`).
const ANSWERS: Base = Base { kind: Kind::Filter, hook: "input", priority: 50 };

/// Adds the sets and chains.
pub fn add(table: &mut Table, policy: &Policy, local: &Local) {
    let spec = policy.spec();
    let served: Vec<String> = local.served.iter().map(u16::to_string).collect();
    table.fixed("set", "served", "inet_service", &served);
    table.chain("host_upkeep", None, upkeep());
    table.chain("host_questions", None, questions(spec, local));
    table.chain("host_known", None, known(spec));
    table.chain("from_host", None, from_host(spec, local));
    table.chain("host", Some(DECIDE), vec!["goto from_host".to_owned()]);
    table.chain("refuse_host", Some(REFUSE), refuse(spec, local));
    table.chain("deliver_host", Some(DELIVER), deliver(spec));
    table.chain("answers_host", Some(ANSWERS), answers(spec));
}

/// What a process sends, top to bottom.
fn from_host(spec: &Spec, local: &Local) -> Vec<String> {
    let mask = spec.marks;
    let mut rules = exempt(spec, local);
    // Whoever else puts one of our marks on a socket has nothing of it.
    rules.push(marks::clear(mask));
    rules.push("jump host_upkeep".to_owned());
    // What stays here is nobody's business, but questions to a trusted resolver that is here.
    rules.push("meta l4proto != { tcp, udp } fib daddr type local accept".to_owned());
    rules.push("meta l4proto { tcp, udp } th dport != 53 fib daddr type local accept".to_owned());
    // Whoever came in is answered.
    rules.push(format!("ct direction reply {} accept", marks::add(mask.direct())));
    rules.push(format!("fib saddr type != local goto {UNANSWERED}"));
    rules.push("meta l4proto { tcp, udp } th dport 53 goto host_questions".to_owned());
    rules.push("ct state established,related goto host_known".to_owned());
    rules.push(format!("ct state invalid counter name {} {}", Reason::NotASyn, silently(spec)));
    rules.extend(queued_or_refused(vec![]));
    rules
}

/// Decider's own sockets and Envoy's, which both set a mark, and are known by whose they are.
fn exempt(spec: &Spec, local: &Local) -> Vec<String> {
    let mask = spec.marks;
    let decider = format!("meta skuid {}", local.own_uid);
    let relayed = format!("{decider} {} tcp dport 53", marks::packet_is(mask, mask.direct()));
    let mut rules = vec![
        format!("{relayed} ip daddr @resolvers4 jump save"),
        format!("{relayed} ip daddr @resolvers4 accept"),
        format!("{relayed} ip6 daddr @resolvers6 jump save"),
        format!("{relayed} ip6 daddr @resolvers6 accept"),
    ];
    rules.extend(own_answers(spec, local));
    if let Some(envoy) = local.envoy_uid {
        let upstream = format!("meta skuid {envoy} {}", marks::packet_is(mask, mask.upstream()));
        rules.push(format!("{upstream} jump save"));
        rules.push(format!("{upstream} accept"));
    }
    rules
}

/// What decider itself tells in a resolver's stead.
fn own_answers(spec: &Spec, local: &Local) -> [String; 2] {
    let deny = marks::packet_is(spec.marks, spec.marks.deny());
    ["ip saddr @resolvers4", "ip6 saddr @resolvers6"]
        .map(|source| format!("meta skuid {} {deny} {source} udp sport 53 accept", local.own_uid))
}

/// DNS goes to a trusted resolver, as a client's does. Envoy's own questions teach nothing: nobody is going to connect to
/// what they are answered.
fn questions(spec: &Spec, local: &Local) -> Vec<String> {
    let mask = spec.marks;
    let mut rules = Vec::new();
    if let Some(envoy) = local.envoy_uid {
        for daddr in ["ip daddr @resolvers4", "ip6 daddr @resolvers6"] {
            rules.push(format!("meta skuid {envoy} {daddr} {} jump save", marks::add(mask.direct())));
            rules.push(format!("meta skuid {envoy} {daddr} accept"));
        }
        // What is left of a connection when its process has closed it belongs to nobody.
        rules.push(format!("ct mark & {mask} == {} {} accept", mask.direct(), marks::add(mask.direct())));
    }
    rules.extend(to_trusted_resolvers());
    rules.extend([
        // A resolver of this host's own: what it asks in its turn is looked at.
        "fib daddr type local accept".to_owned(),
        format!("goto {}", chain_of(Reason::ResolverNotTrusted)),
    ]);
    rules
}

/// Connections that are known. One that is older than connection tracking, to a port that is served here, was opened by
/// whoever is at its other end.
fn known(spec: &Spec) -> Vec<String> {
    let unknown = marks::flow_has_none(spec.marks);
    let mut rules = vec![format!(
        "{unknown} tcp sport @served tcp flags & (fin | syn | rst | ack) != syn {} accept",
        marks::add(spec.marks.direct())
    )];
    rules.extend(restore(spec));
    rules
}

/// What becomes of a mark: reset, or out by its way. Nothing leaves without one but what keeps the links up.
fn refuse(spec: &Spec, local: &Local) -> Vec<String> {
    let mask = spec.marks;
    let deny = marks::packet_is(mask, mask.deny());
    let mut rules = own_answers(spec, local).to_vec();
    rules.extend([
        format!("{deny} goto refuse"),
        format!("{} accept", marks::packet_is(mask, mask.direct())),
        format!("{} accept", marks::packet_is(mask, mask.upstream())),
    ]);
    let unmarked = marks::packet_has_none(mask);
    match spec.mode {
        Mode::Audit => rules.push(format!("{unmarked} accept")),
        Mode::Enforce => rules.extend([
            format!("{unmarked} fib daddr type local accept"),
            format!("{unmarked} jump host_upkeep"),
            format!("{unmarked} counter name {UNDECIDED} drop"),
        ]),
    }
    rules.push(format!("{} jump save", marks::flow_has_none(mask)));
    rules
}

/// To the listener that the mark stands for; what else comes in by `lo` has no mark of a listener.
fn deliver(spec: &Spec) -> Vec<String> {
    let is_led = |(value, bits): (Mark, u32)| {
        let here = format!("iif lo meta l4proto tcp meta mark & {} == {value}", Mark(bits));
        // No listener took it.
        let refused = format!("{here} goto {}", chain_of(Reason::ListenerNotReady));
        marks::to_listener(spec, &here).into_iter().chain([refused])
    };
    spec.marks.listener_classes().into_iter().flat_map(is_led).collect()
}

/// Answers for a process, of a resolver elsewhere or here; decider's own and Envoy's are not looked at.
fn answers(spec: &Spec) -> Vec<String> {
    let mask = spec.marks;
    let mut rules = vec![
        format!("{} accept", marks::packet_is(mask, mask.deny())),
        format!("ct mark & {mask} == {} accept", mask.direct()),
    ];
    rules.extend(answers_are_asked_about());
    rules
}

/// As of any host ([`upkeep::of_a_host`]), with multicast groups, other routers, and leases that are renewed with the server itself:
/// a process needs rights for each of them.
fn upkeep() -> Vec<String> {
    let more = [
        "icmpv6 type nd-redirect ip6 hoplimit 255 accept",
        "ip protocol igmp accept",
        "udp sport { 546, 547 } udp dport { 546, 547 } accept",
    ];
    [upkeep::of_a_host().as_slice(), &more.map(str::to_owned)].concat()
}
