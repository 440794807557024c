//! Other programs' rulesets: what of theirs decider's traffic meets.

mod listing;
mod mark;

pub use listing::{BaseChain, ChainId, Listing, Rule};

use crate::model::MarkMask;

use self::mark::marks;
use super::{Finding, Seen};

/// Other programs' rulesets.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherFacts {
    /// What nft lists.
    pub nftables: Seen<Listing>,
    /// Tables of the old iptables, which nft does not see.
    pub legacy: Vec<String>,
    /// Whether clients' questions are forwarded: a trusted resolver is beyond this host.
    pub asks_beyond: bool,
}

/// A program, and how its tables or chains begin.
const PROGRAMS: [(&str, &[&str]); 9] = [
    ("Docker", &["DOCKER", "docker-bridges"]),
    ("ufw", &["ufw-", "ufw6-"]),
    ("firewalld", &["firewalld"]),
    ("Tailscale", &["ts-input", "ts-forward", "ts-postrouting"]),
    ("kube-proxy", &["KUBE-", "kube-proxy"]),
    ("libvirt", &["LIBVIRT_", "libvirt_network"]),
    ("Podman", &["NETAVARK", "netavark"]),
    ("WireGuard", &["wg-quick-"]),
    ("fail2ban", &["f2b-"]),
];

pub fn examine(facts: &OtherFacts, mask: MarkMask, gateway: bool) -> Vec<Finding> {
    const NAMES: [&str; 6] =
        ["others.programs", "others.input", "others.forward", "others.output", "others.marks", "others.rpfilter"];
    let listing = match &facts.nftables {
        Ok(listing) => listing,
        Err(unseen) => return vec![Finding::unseen(NAMES[0], "rulesets of others", unseen)],
    };
    let mut findings = vec![programs(NAMES[0], listing), legacy(facts)];
    if gateway {
        findings.push(input(NAMES[1], listing, mask));
        findings.push(forward(NAMES[2], listing, mask, facts.asks_beyond));
        findings.push(rpfilter(NAMES[5], listing));
    }
    findings.extend([output(NAMES[3], listing, mask), mark_use(NAMES[4], listing, mask)]);
    findings
}

fn programs(name: &'static str, listing: &Listing) -> Finding {
    let is_here = |beginnings: &[&str]| {
        listing.names.iter().any(|name| beginnings.iter().any(|beginning| name.starts_with(beginning)))
    };
    let here: Vec<&str> =
        PROGRAMS.iter().filter(|(_, beginnings)| is_here(beginnings)).map(|(program, _)| *program).collect();
    match (here.as_slice(), listing.rules.len()) {
        ([], 0) => Finding::ok(name, "nobody else has rules here"),
        ([], rules) => Finding::ok(name, format!("{rules} rules of others, of no program that is known by its chains")),
        ([..], rules) => Finding::ok(name, format!("{rules} rules of others, among them {}'s", here.join("'s, "))),
    }
}

fn legacy(facts: &OtherFacts) -> Finding {
    const NAME: &str = "others.legacy";
    match facts.legacy.as_slice() {
        [] => Finding::ok(NAME, "no rules of the old iptables"),
        tables => Finding::warn(
            NAME,
            format!("the old iptables has tables here ({}), whose rules nft does not show", tables.join(", ")),
            "iptables-legacy-save; ip6tables-legacy-save",
        ),
    }
}

/// What decider hands to Envoy or its relay comes by the input hook, marked, for an address that is not this host's.
fn input(name: &'static str, listing: &Listing, mask: MarkMask) -> Finding {
    let [(first, first_bits), (second, second_bits)] = mask.listener_classes();
    let mend = |base: &BaseChain| {
        [(first.0, first_bits), (second.0, second_bits)].map(|(value, bits)| accept(base, value, bits)).join("; ")
    };
    let why = "connections that decider hands to Envoy come by there";
    closed(name, listing, "input", mask, why, mend)
}

/// Questions to a resolver beyond this host, marked as let through, and the answers.
fn forward(name: &'static str, listing: &Listing, mask: MarkMask, asks_beyond: bool) -> Finding {
    if !asks_beyond {
        return Finding::ok(name, "nothing of clients is forwarded");
    }
    let mend = |base: &BaseChain| accept(base, mask.direct().0, mask.bits());
    closed(name, listing, "forward", mask, "clients' questions to resolvers come by there", mend)
}

/// Envoy's connections, and the answers that decider gives in the place of a resolver.
fn output(name: &'static str, listing: &Listing, mask: MarkMask) -> Finding {
    let mend =
        |base: &BaseChain| [mask.upstream(), mask.deny()].map(|mark| accept(base, mark.0, mask.bits())).join("; ");
    closed(name, listing, "output", mask, "Envoy's own connections come by there", mend)
}

/// The way back is looked up with the mark of the packet, which leads to this host itself: so it is not by the interface that
/// the client is behind.
fn rpfilter(name: &'static str, listing: &Listing) -> Finding {
    let filters = |rule: &&Rule| rule.refuses() && rule.statements.iter().any(asks_back_by_mark);
    let Some(rule) = listing.rules.iter().find(filters) else {
        return Finding::ok(name, "no other program looks for the way back by decider's marks");
    };
    let ChainId { family, table, chain } = &rule.id;
    let mend = if table == "firewalld" {
        "set IPv6_rpfilter=no in /etc/firewalld/firewalld.conf; firewall-cmd --reload".to_owned()
    } else {
        format!("nft flush chain {family} {table} {chain}, or have it look without the mark")
    };
    let what = format!(
        "chain {chain} of table {family} {table} looks for the way back by the mark, and drops what is decider's"
    );
    Finding::wrong(name, what, mend)
}

/// `fib saddr . mark . iif oif`.
fn asks_back_by_mark(statement: &serde_json::Value) -> bool {
    let flags = statement.pointer("/match/left/fib/flags").and_then(serde_json::Value::as_array);
    let has = |word: &str| flags.is_some_and(|flags| flags.iter().any(|flag| flag == word));
    has("saddr") && has("mark")
}

fn closed(
    name: &'static str,
    listing: &Listing,
    hook: &str,
    mask: MarkMask,
    why: &str,
    mend: impl Fn(&BaseChain) -> String,
) -> Finding {
    let is_closed = |base: &&BaseChain| {
        let last = listing.of(&base.id).next_back();
        base.hook == hook && (base.drops || last.is_some_and(|rule| rule.refuses() && rule.is_for_all()))
    };
    // A rule that lets decider's marks in says that somebody has thought of it.
    let knows_us = |base: &&BaseChain| {
        let of_ours = |rule: &&Rule| marks(rule).any(|mark| !mark.is_set && mark.value & mask.bits() != 0);
        listing.reachable(&base.id).iter().any(|rule| rule.has("accept") && of_ours(rule))
    };
    match listing.bases.iter().filter(is_closed).find(|base| !knows_us(base)) {
        None => Finding::ok(name, format!("no other program closes the {hook} hook to decider's packets")),
        Some(base) => {
            let ChainId { family, table, chain } = &base.id;
            Finding::warn(
                name,
                format!("chain {chain} of table {family} {table} refuses what it does not know, and {why}"),
                mend(base),
            )
        }
    }
}

/// The command that has a chain let a mark through.
fn accept(base: &BaseChain, value: u32, bits: u32) -> String {
    let ChainId { family, table, chain } = &base.id;
    format!("nft insert rule {family} {table} {chain} meta mark and 0x{bits:08x} == 0x{value:08x} accept")
}

fn mark_use(name: &'static str, listing: &Listing, mask: MarkMask) -> Finding {
    let uses = || listing.rules.iter().flat_map(|rule| marks(rule).map(move |mark| (rule, mark)));
    // Who lets decider's marks through knows of them.
    let is_taken = |rule: &Rule, mark: &mark::MarkUse| {
        let clears_ours = mark.is_set && mark.bits & mask.bits() != 0;
        let means_ours = mark.value & mark.bits & mask.bits() != 0;
        clears_ours || (means_ours && !rule.has("accept"))
    };
    match uses().find(|(rule, mark)| is_taken(rule, mark)) {
        None => Finding::ok(name, format!("no other program uses the mark's bits {mask}")),
        Some((rule, mark)) => {
            let ChainId { family, table, chain } = &rule.id;
            let does = if mark.is_set { "sets" } else { "compares" };
            let taken = uses().filter(|(_, mark)| !mark.is_set || mark.value != 0);
            let taken = taken.fold(0, |all, (_, mark)| all | (mark.value & mark.bits));
            Finding::warn(
                name,
                format!("a rule of chain {chain} in table {family} {table} {does} bits of the mark that are decider's"),
                super::marks::another(mask, taken),
            )
        }
    }
}
