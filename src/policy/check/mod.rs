//! The tree of a policy file to a [`Spec`]: one file a section of the policy, each with its own defaults and limits.

mod conflicts;
mod dns;
mod envoy;
mod events;
mod intercept;
mod limits;
mod marks;
mod metrics;
mod name;
mod overruled;
mod ports;
mod public_suffix;
mod rule;
mod rules;
mod upstream;

pub use limits::written as written_client;
pub use name::is_for_rules;
pub use ports::written as written_ports;
pub use rule::MAX_ID;

use rule::Around;

use super::code::Code;
use super::fields::Fields;
use super::keys;
use super::node::{Node, Scalar};
use super::problems::{Fault, Problems, shown};
use super::source::HEAD;
use super::spec::{Mode, Refusal, Rule, Spec};
use super::value::{boolean, word};

const MODES: &[(&str, Mode)] = &[("enforce", Mode::Enforce), ("audit", Mode::Audit)];
const REFUSALS: &[(&str, Refusal)] = &[("reject", Refusal::Reject), ("drop", Refusal::Drop)];

/// Reads the whole policy. None only if a problem was told.
pub fn policy<'t>(root: &Node<'t>, problems: &Problems<'t>) -> Option<Spec> {
    let fields = Fields::open(&keys::TOP, root, HEAD, problems)?;
    fields.require("version", "write `version: 1` in the first line");
    if fields.has("version") {
        fields.scalar("version", version)?;
    }
    let mode = fields.or("mode", Mode::Enforce, word(MODES));
    let refusal = fields.or("deny", Refusal::Reject, word(REFUSALS));
    let covered = intercept::check(&fields);
    let host = covered.as_ref().is_some_and(|covered| covered.host);
    let dns = dns::check(&fields, host);
    let envoy = envoy::check(&fields, host);
    let marks = marks::check(&fields);
    let metrics = if fields.has("metrics") { metrics::check(&fields).map(Some) } else { Some(None) };
    let events = if fields.has("events") { events::check(&fields).map(Some) } else { Some(None) };
    let upstream = upstream::of_policy(&fields);
    let fast_path = fields.or("fast_path", true, boolean);
    let gateway = covered.as_ref().filter(|covered| !covered.host).map(|covered| &covered.gateway);
    let rules = rules::check(&fields, Around { upstream: upstream.as_ref(), gateway });
    let spec = Spec {
        mode: mode?,
        refusal: refusal?,
        gateway: covered?.gateway,
        host,
        dns: dns?,
        envoy: envoy?,
        marks: marks?,
        metrics: metrics?,
        events: events?,
        upstream: upstream.map(|upstream| upstream.value),
        fast_path: fast_path?,
        rules: rules?,
    };
    marks::check_room(&spec, &fields);
    Some(spec)
}

/// Reads one rule that stands alone.
pub fn rule<'t>(root: &Node<'t>, problems: &Problems<'t>) -> Option<Rule> {
    rule::check(root, Around::default(), problems).map(|placed| placed.rule)
}

/// A file of another version is not looked at any further: its keys may mean something else.
fn version(scalar: &Scalar<'_>) -> Result<(), Fault> {
    if scalar.text == "1" && scalar.style == super::node::Style::Plain {
        return Ok(());
    }
    let message = format!("this decider reads version 1 of the policy file, not {}", shown(&scalar.text));
    Err(Fault::new(Code::BadVersion, message).help("write `version: 1`"))
}
