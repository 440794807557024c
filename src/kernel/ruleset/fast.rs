//! The way of what the kernel decides alone: SYNs like one that a queue has let through.
//!
//! decider puts elements into the maps, and a lease into a set; without the lease, which is short, the maps count for nothing.
//! Where the kernel has tables that end with a process, neither do they without that.

use crate::fast::CAPACITY;
use crate::model::Reason;
use crate::policy::Spec;

use super::super::names::{FAST_CHAIN, FAST_COUNTER, FAST_LEASE, FAST_MAPS};
use super::attendance::Attendance;
use super::marks;
use super::refusals::SNAPLEN;
use super::table::{Object, Table};

/// Adds the maps and the chain.
pub fn add(table: &mut Table, spec: &Spec, log_group: u16) {
    if !spec.has_fast_path() {
        return;
    }
    let [v4, v6] = FAST_MAPS;
    table.objects.push(timed("set", FAST_LEASE, "mark", 16));
    // What has run out counts until the kernel has cleared it away.
    table.objects.push(timed("map", v4, "ipv4_addr . ipv4_addr . inet_service : mark", CAPACITY * 2));
    table.objects.push(timed("map", v6, "ipv6_addr . ipv6_addr . inet_service : mark", CAPACITY * 2));
    table.objects.push(Object { kind: "counter", name: FAST_COUNTER.to_owned(), body: vec![], elements: None });
    let told = Reason::Allowed;
    table.chain(
        FAST_CHAIN,
        None,
        vec![
            format!("meta mark set ip saddr . ip daddr . tcp dport map @{v4}"),
            format!("meta mark set ip6 saddr . ip6 daddr . tcp dport map @{v6}"),
            format!("{} return", marks::packet_has_none(spec.marks)),
            format!("counter name {FAST_COUNTER} log prefix \"{told}\" group {log_group} snaplen {SNAPLEN} accept"),
        ],
    );
}

/// The chain of what waits to be decided.
pub const WAITING: &str = "waiting";

/// How the ruleset of a policy can come to know that decider is there, if it has to.
pub fn attendance(spec: &Spec) -> Option<Attendance> {
    if spec.has_fast_path() { Attendance::of(spec.marks) } else { None }
}

/// What becomes of a clean SYN before it is queued. It waits to be seen by the table that ends with decider; where there can be
/// none, the maps are asked at once, and the lease alone says whether they count.
pub fn rules(spec: &Spec, attendance: Option<Attendance>) -> Vec<String> {
    match attendance {
        Some(Attendance { waiting, .. }) => vec![format!("tcp dport @ports {} accept", marks::add(waiting))],
        None if spec.has_fast_path() => vec![format!("meta mark @{FAST_LEASE} tcp dport @ports jump {FAST_CHAIN}")],
        None => vec![],
    }
}

/// Adds the chains that decide what waits: with decider there the maps are asked, and else the queue.
///
/// The lease's only element is the mark 0, and a map gives a packet its whole mark: what has a mark of others goes to the queue.
pub fn add_decide(table: &mut Table, spec: &Spec, attendance: Attendance) {
    let mask = spec.marks;
    let Attendance { waiting, attended } = attendance;
    let asked =
        vec![marks::clear(mask), format!("meta mark @{FAST_LEASE} jump {FAST_CHAIN}"), "goto ask_syn".to_owned()];
    table.chain("attended", None, asked);
    table.chain("unattended", None, vec![marks::clear(mask), "goto ask_syn".to_owned()]);
    let rules = vec![
        format!("{} goto attended", marks::packet_is(mask, attended)),
        format!("{} goto unattended", marks::packet_is(mask, waiting)),
    ];
    table.chain(WAITING, None, rules);
}

fn timed(kind: &'static str, name: &str, datatype: &str, size: usize) -> Object {
    let body = vec![format!("type {datatype}"), format!("size {size}"), "flags timeout".to_owned()];
    Object { kind, name: name.to_owned(), body, elements: None }
}
