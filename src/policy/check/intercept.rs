use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::keys;
use crate::policy::pattern::InterfacePattern;
use crate::policy::problems::{Fault, Problems, shown};
use crate::policy::source::Located;
use crate::policy::spec::Gateway;
use crate::policy::value::{boolean, interface, network};

use ipnet::IpNet;

/// Most entries of a list; they are compared each with each.
const MOST: usize = 256;

/// Whose traffic is covered.
pub struct Covered {
    /// Clients behind this host.
    pub gateway: Gateway,
    /// This host's own processes.
    pub host: bool,
}

/// Reads `intercept`.
pub fn check(policy: &Fields<'_, '_>) -> Option<Covered> {
    policy
        .require("intercept", "say whose connections are decided: `intercept: { gateway: { interfaces: [docker0] } }`");
    let intercept = policy.section(&keys::INTERCEPT, "intercept")?;
    let host = intercept.or("host", false, boolean);
    if host == Some(true) && !intercept.has("gateway") {
        return Some(Covered { gateway: Gateway { interfaces: vec![], networks: vec![] }, host: true });
    }
    let help = "say where the clients are: `gateway: { interfaces: [docker0] }`, or cover this host: `host: true`";
    intercept.require("gateway", help);
    let gateway = gateway(&intercept)?;
    Some(Covered { gateway, host: host? })
}

fn gateway(intercept: &Fields<'_, '_>) -> Option<Gateway> {
    let gateway = intercept.section(&keys::GATEWAY, "gateway")?;
    gateway.require("interfaces", "name the interfaces that clients come in by: `interfaces: [docker0, \"br-*\"]`");
    let interfaces = gateway.list("interfaces", MOST, interface);
    let networks = if gateway.has("networks") { gateway.list("networks", MOST, network) } else { Some(Vec::new()) };
    Some(Gateway {
        interfaces: without_overlap(interfaces?, covers, ToString::to_string, intercept.problems()),
        networks: without_overlap(networks?, contains, ToString::to_string, intercept.problems()),
    })
}

/// Whether every interface that the second means is meant by the first.
fn covers(wide: &InterfacePattern, narrow: &InterfacePattern) -> bool {
    if wide.is_wild() { wide.matches(narrow.as_str().trim_end_matches('*')) } else { wide == narrow }
}

/// Whether every address of the second network is in the first.
pub fn contains(wide: &IpNet, narrow: &IpNet) -> bool {
    wide.contains(narrow)
}

/// Tells the entries that others already cover, by what is `written` for each. The kernel's sets do not take such.
pub fn without_overlap<T>(
    entries: Vec<Located<T>>,
    covers: impl Fn(&T, &T) -> bool,
    written: impl Fn(&T) -> String,
    problems: &Problems<'_>,
) -> Vec<T> {
    for (index, entry) in entries.iter().enumerate() {
        let covering = entries.iter().enumerate().find(|(other_index, other)| {
            // Of two that are alike, the later one is too many.
            let earlier_twin = *other_index < index || !covers(&entry.value, &other.value);
            *other_index != index && earlier_twin && covers(&other.value, &entry.value)
        });
        if let Some((_, other)) = covering {
            let [entry_text, other_text] = [&entry.value, &other.value].map(&written);
            let message = format!("{} is already covered by {}", shown(&entry_text), shown(&other_text));
            let fault = Fault::new(Code::DuplicateEntry, message).help("take one of them out");
            problems.error(entry.span, fault.related(other.span, "this covers it"));
        }
    }
    entries.into_iter().map(|entry| entry.value).collect()
}
