use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::model::Reason;
use crate::policy::{InterfacePattern, Mode, Policy, Spec};

use super::super::Features;
use super::super::names::{DNS_QUEUE_CHAIN, SYN_QUEUE_CHAIN};
use super::attendance::Attendance;
use super::host::{self, Local};
use super::refusals::{UNANSWERED, UNDECIDED, chain_of, silently};
use super::table::{Base, Kind, Table};
use super::update::update;
use super::{bridged, fast, marks, private, refusals, upkeep};

/// The numbers of the queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueNumbers {
    /// For SYNs.
    pub syn: RangeInclusive<u16>,
    /// For DNS questions and answers.
    pub dns: RangeInclusive<u16>,
}

/// How a rule hands a packet to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueStatement {
    /// nft's own `queue`; the kernel needs `nft_queue`.
    Native,
    /// The `NFQUEUE` target of xtables, by `nft_compat`: its rule is added by netlink, since nft has no words for it.
    Target,
}

/// The ruleset of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruleset {
    /// The table.
    pub table: Table,
    /// The queues, where their rules are added by netlink.
    pub targets: Option<QueueNumbers>,
    /// How it comes to know that decider is there, where it has to.
    pub attendance: Option<Attendance>,
}

/// Before address translation and routing (`NF_IP_PRI_MANGLE`): packets are decided here.
const DECIDE: Base = Base { kind: Kind::Filter, hook: "prerouting", priority: -150 };
/// Behind the table that says that decider is there: what needs that to be decided is decided here.
const DECIDE_WAITING: Base = Base { kind: Kind::Filter, hook: "prerouting", priority: Attendance::PRIORITY + 1 };
/// Right behind: a verdict of a queue ends its base chain, so what is made of it stands in the next.
const DELIVER: Base = Base { kind: Kind::Filter, hook: "prerouting", priority: Attendance::PRIORITY + 2 };
/// `NF_IP_PRI_FILTER`.
const FORWARD: Base = Base { kind: Kind::Filter, hook: "forward", priority: 0 };
/// `NF_IP_PRI_FILTER`.
const OUTPUT: Base = Base { kind: Kind::Filter, hook: "output", priority: 0 };
/// In front of conntrack (`NF_IP_PRI_RAW`).
const UNTRACKED: Base = Base { kind: Kind::Filter, hook: "output", priority: -300 };
/// Behind source translation (`NF_IP_PRI_NAT_SRC`, 100): answers are seen with the addresses that the client sees.
const ANSWERS: Base = Base { kind: Kind::Filter, hook: "postrouting", priority: 110 };

impl Ruleset {
    /// The ruleset that enforces a policy: what refuses first, then the ways of a packet in the order it takes them.
    #[must_use]
    pub fn plan(policy: &Policy, queues: &QueueNumbers, features: Features, log_group: u16, local: &Local) -> Self {
        let spec = policy.spec();
        let Features { queueing, owned_tables } = features;
        let attendance = fast::attendance(spec).filter(|_| owned_tables);
        let mut table = Table::default();
        add_sets(&mut table, policy);
        refusals::add(&mut table, spec, log_group);
        table.chain(SYN_QUEUE_CHAIN, None, queue_rules(queueing, &queues.syn));
        table.chain(DNS_QUEUE_CHAIN, None, queue_rules(queueing, &queues.dns));
        table.chain("link_upkeep", None, upkeep::of_a_client());
        fast::add(&mut table, spec, log_group);
        add_decide(&mut table, spec, attendance);
        add_deliver(&mut table, spec);
        if spec.mode == Mode::Enforce {
            add_forward(&mut table, spec);
        }
        add_upstream(&mut table, spec);
        add_answers(&mut table, spec);
        if spec.host {
            host::add(&mut table, policy, local);
        }
        let targets = match queueing {
            QueueStatement::Native => None,
            QueueStatement::Target => Some(queues.clone()),
        };
        Self { table, targets, attendance }
    }

    /// The transaction that makes this ruleset of another and touches nothing that both have; none if it has to be
    /// replaced as a whole.
    #[must_use]
    pub fn update(&self, before: &Self) -> Option<String> {
        if self.targets == before.targets { update(&before.table, &self.table) } else { None }
    }
}

impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table.fmt(f)
    }
}

impl QueueStatement {
    /// The word for it in `status`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Target => "xt",
        }
    }
}

/// What rules look up: the queued ports, the trusted resolvers, the listener of each mark.
fn add_sets(table: &mut Table, policy: &Policy) {
    let ports: Vec<String> = policy.ports().iter().map(u16::to_string).collect();
    table.fixed("set", "ports", "inet_service", &ports);
    let resolvers = &policy.spec().dns.resolvers;
    let of = |wanted: fn(&IpAddr) -> bool| -> Vec<String> {
        resolvers.iter().filter(|address| wanted(address)).map(IpAddr::to_string).collect()
    };
    table.fixed("set", "resolvers4", "ipv4_addr", &of(IpAddr::is_ipv4));
    table.fixed("set", "resolvers6", "ipv6_addr", &of(IpAddr::is_ipv6));
    let Spec { marks, envoy, .. } = policy.spec();
    let listeners = policy.routes().iter().map(|route| (route.mark, route.listener_port));
    let listeners = listeners.chain([(marks.relay(), envoy.relay_port())]);
    let listeners: Vec<String> = listeners.map(|(mark, port)| format!("{mark} : {port}")).collect();
    table.fixed("map", "listeners", "mark : inet_service", &listeners);
}

/// What comes in from clients: marked, queued or refused.
fn add_decide(table: &mut Table, spec: &Spec, attendance: Option<Attendance>) {
    let mask = spec.marks;
    table.chain("restore", None, restore(spec));
    table.chain("ask_dns", None, vec![format!("jump {DNS_QUEUE_CHAIN}"), format!("counter name {UNDECIDED} drop")]);
    table.chain("ask_syn", None, vec![format!("jump {SYN_QUEUE_CHAIN}"), format!("counter name {UNDECIDED} drop")]);
    table.chain("relay_dns", None, relay_dns(spec));
    table.chain("questions", None, questions());
    let mut rules = vec![marks::clear(mask), "jump link_upkeep".to_owned()];
    rules.extend(strange_sources());
    rules.extend(outside(&spec.gateway.networks));
    rules.extend([
        // Each question is seen, not only the first of a flow.
        "meta l4proto { tcp, udp } th dport 53 ct direction original goto questions".to_owned(),
        // Replies of flows that others opened to the client.
        format!("ct direction reply {} accept", marks::add(mask.direct())),
        "ct state established,related goto restore".to_owned(),
        // No reset for these: they may be stray packets of a flow that is alive.
        format!("ct state invalid counter name {} {}", Reason::NotASyn, silently(spec)),
        format!("fib daddr type local goto {}", chain_of(Reason::LocalService)),
    ]);
    rules.extend(queued_or_refused(fast::rules(spec, attendance)));
    table.chain("from_client", None, rules);
    table.chain("decide", Some(DECIDE), each_interface(spec, "iifname", "from_client"));
    if let Some(attendance) = attendance {
        fast::add_decide(table, spec, attendance);
        table.chain("decide_waiting", Some(DECIDE_WAITING), each_interface(spec, "iifname", fast::WAITING));
    }
}

/// What begins, last: a clean SYN to a port of the rules is queued, unless the rules for `clean_syns` say something else; all
/// other is refused.
pub fn queued_or_refused(clean_syns: Vec<String>) -> Vec<String> {
    let mut rules = vec![
        // DNS over QUIC; names asked of everybody on a link (mDNS, LLMNR).
        format!("udp dport 853 goto {}", chain_of(Reason::EncryptedDns)),
        format!("udp dport {{ 5353, 5355 }} goto {}", chain_of(Reason::ResolverNotTrusted)),
        format!("meta l4proto != tcp goto {}", chain_of(Reason::ProtoNotAllowed)),
        format!("tcp flags & (fin | syn | rst | ack) != syn goto {}", chain_of(Reason::NotASyn)),
    ];
    rules.extend(clean_syns);
    rules.extend([
        "tcp dport @ports goto ask_syn".to_owned(),
        format!("tcp dport 853 goto {}", chain_of(Reason::EncryptedDns)),
        format!("tcp dport 5355 goto {}", chain_of(Reason::ResolverNotTrusted)),
        format!("goto {}", chain_of(Reason::PortNotAllowed)),
    ]);
    rules
}

/// What becomes of a mark: reset, way out, or the listener that it stands for.
fn add_deliver(table: &mut Table, spec: &Spec) {
    let mask = spec.marks;
    table.chain("save", None, marks::save(mask));
    let unmarked = match spec.mode {
        Mode::Enforce => vec!["jump link_upkeep".to_owned(), format!("counter name {UNDECIDED} drop")],
        Mode::Audit => vec!["accept".to_owned()],
    };
    table.chain("unmarked", None, unmarked);
    let mut rules = vec![
        format!("{} goto refuse", marks::packet_is(mask, mask.deny())),
        format!("{} accept", marks::packet_is(mask, mask.direct())),
        format!("{} goto unmarked", marks::packet_has_none(mask)),
        format!("{} jump save", marks::flow_has_none(mask)),
    ];
    rules.extend(marks::to_listener(spec, "meta l4proto tcp"));
    // Errors about a flow that Envoy has, such as "fragmentation needed".
    rules.push("meta l4proto { icmp, icmpv6 } accept".to_owned());
    // No listener took it.
    if spec.mode == Mode::Audit {
        // With the mark it would be led to the local stack, which knows nothing of it.
        rules.extend([marks::clear(mask), marks::clear_flow(mask)]);
    }
    rules.push(format!("goto {}", chain_of(Reason::ListenerNotReady)));
    table.chain("deliver_client", None, rules);
    table.chain("deliver", Some(DELIVER), each_interface(spec, "iifname", "deliver_client"));
    bridged::add(table, spec, each_interface(spec, "iifname", bridged::DELIVER));
}

/// Nothing of a client is forwarded but what may pass without a proxy.
fn add_forward(table: &mut Table, spec: &Spec) {
    let mask = spec.marks;
    let rules =
        vec![format!("{} accept", marks::packet_is(mask, mask.direct())), format!("counter name {UNDECIDED} drop")];
    table.chain("forward_client", None, rules);
    table.chain("forward", Some(FORWARD), each_interface(spec, "iifname", "forward_client"));
}

/// Envoy's own connections: a name may resolve otherwise for it than it did for the client.
fn add_upstream(table: &mut Table, spec: &Spec) {
    let refuse = chain_of(Reason::PrivateAddress);
    let private::Networks { v4, v6 } = if spec.dns.allow_private { private::NEVER } else { private::PRIVATE };
    let rules = vec![
        format!("ip daddr {v4} goto {refuse}"),
        format!("ip6 daddr {v6} goto {refuse}"),
        format!("fib daddr type local goto {refuse}"),
    ];
    table.chain("upstream", None, rules);
    let mask = spec.marks;
    table.chain("output", Some(OUTPUT), vec![format!("{} goto upstream", marks::packet_is(mask, mask.upstream()))]);
}

/// Answers on their way to clients, forwarded ones and those of a resolver on this host. Decider's own have the deny
/// mark, which nothing else has that gets this far. Conntrack must not take them for the beginning of a flow: the
/// client's next question would be a reply in it.
fn add_answers(table: &mut Table, spec: &Spec) {
    let is_ours = marks::packet_is(spec.marks, spec.marks.deny());
    table.chain("own_answers", Some(UNTRACKED), vec![format!("{is_ours} notrack")]);
    let mut rules = vec![format!("{is_ours} accept")];
    rules.extend(answers_are_asked_about());
    table.chain("to_client", None, rules);
    table.chain("answers", Some(ANSWERS), each_interface(spec, "oifname", "to_client"));
}

fn each_interface(spec: &Spec, key: &str, chain: &str) -> Vec<String> {
    // nft reads a `*` at the end as decider does.
    let rule = |pattern: &InterfacePattern| format!("{key} \"{pattern}\" goto {chain}");
    spec.gateway.interfaces.iter().map(rule).collect()
}

fn queue_rules(statement: QueueStatement, numbers: &RangeInclusive<u16>) -> Vec<String> {
    match statement {
        QueueStatement::Native if numbers.start() == numbers.end() => vec![format!("queue num {}", numbers.start())],
        QueueStatement::Native => vec![format!("queue num {}-{}", numbers.start(), numbers.end())],
        QueueStatement::Target => vec![],
    }
}

/// Source addresses that no client of the interface can have, or that mean nothing beyond it: the kernel would send a
/// refusal to whoever has such an address on another link.
fn strange_sources() -> Vec<String> {
    vec![
        format!("fib saddr . iif oif missing goto {UNANSWERED}"),
        format!("ip6 saddr fe80::/10 ct state != {{ established, related }} goto {UNANSWERED}"),
    ]
}

/// Clients whose address is in none of the networks.
fn outside(networks: &[IpNet]) -> Vec<String> {
    if networks.is_empty() {
        return vec![];
    }
    let refuse = chain_of(Reason::ClientNotCovered);
    let family = |nfproto: &str, source: &str, wanted: fn(&&IpNet) -> bool| {
        let inside: Vec<String> = networks.iter().filter(wanted).map(IpNet::to_string).collect();
        if inside.is_empty() {
            format!("meta nfproto {nfproto} goto {refuse}")
        } else {
            format!("{source} saddr != {{ {} }} goto {refuse}", inside.join(", "))
        }
    };
    vec![family("ipv4", "ip", |net| net.addr().is_ipv4()), family("ipv6", "ip6", |net| net.addr().is_ipv6())]
}

/// DNS goes to a trusted resolver.
fn questions() -> Vec<String> {
    let mut rules = to_trusted_resolvers().to_vec();
    rules.push(format!("goto {}", chain_of(Reason::ResolverNotTrusted)));
    rules
}

/// Questions to a trusted resolver: over UDP by way of the queue, over TCP by way of the relay.
pub fn to_trusted_resolvers() -> [String; 4] {
    [
        "meta l4proto udp ip daddr @resolvers4 goto ask_dns",
        "meta l4proto udp ip6 daddr @resolvers6 goto ask_dns",
        "ip daddr @resolvers4 goto relay_dns",
        "ip6 daddr @resolvers6 goto relay_dns",
    ]
    .map(str::to_owned)
}

/// What a trusted resolver answers over UDP.
pub fn answers_are_asked_about() -> [String; 2] {
    ["udp sport 53 ip saddr @resolvers4 goto ask_dns", "udp sport 53 ip6 saddr @resolvers6 goto ask_dns"]
        .map(str::to_owned)
}

/// DNS over TCP: a new connection gets the relay's mark, which the next chain makes the same of as of a listener's.
fn relay_dns(spec: &Spec) -> Vec<String> {
    vec![
        "ct state established,related goto restore".to_owned(),
        format!("ct state invalid counter name {} {}", Reason::NotASyn, silently(spec)),
        format!("tcp flags & (fin | syn | rst | ack) != syn goto {}", chain_of(Reason::NotASyn)),
        format!("{} accept", marks::add(spec.marks.relay())),
    ]
}

/// Flows that are known: with a mark they go on, without one they are from before the start, or audit let them through.
pub fn restore(spec: &Spec) -> Vec<String> {
    let unknown = marks::flow_has_none(spec.marks);
    let mut rules = match spec.mode {
        Mode::Audit => vec![format!("{unknown} accept")],
        Mode::Enforce => vec![
            format!("{unknown} meta l4proto != tcp goto {}", chain_of(Reason::ProtoNotAllowed)),
            format!("{unknown} goto {}", chain_of(Reason::NotASyn)),
        ],
    };
    rules.extend(marks::restore(spec.marks));
    rules
}
