use std::net::{IpAddr, SocketAddr};

use crate::decide::{Connected, Explanation};
use crate::model::{Reason, Upstream, Verdict};

/// An explanation in words, for whoever has colours to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What would be done.
    pub verdict: Verdict,
    /// What stands behind that word.
    pub headline: String,
    /// The steps, the way to Envoy, what is known about the address.
    pub lines: Vec<String>,
    /// What to do, if it would be refused.
    pub advice: Option<String>,
}

/// Says why a connection from a client to a destination would be let through or refused.
#[must_use]
pub fn explanation(explanation: &Explanation, client: IpAddr, dst: SocketAddr) -> Said {
    let steps = explanation.steps.iter().enumerate();
    let mut lines: Vec<String> =
        steps.map(|(number, step)| format!("  {}. {:<12} {}", number + 1, step.what, step.found)).collect();
    lines.extend(way(explanation, dst));
    lines.extend(names(explanation, dst));
    lines.extend(explanation.connected.iter().map(connected));
    Said {
        verdict: explanation.verdict,
        headline: format!("{client} -> {dst}: {} ({})", explanation.meaning, explanation.reason),
        lines,
        advice: explanation.advice.clone(),
    }
}

fn way(explanation: &Explanation, dst: SocketAddr) -> Option<String> {
    let (mark, port) = (explanation.mark.as_ref()?, explanation.listener_port?);
    let to = if explanation.reason == Reason::AllowedResolver {
        format!("decider's relay on port {port}")
    } else {
        format!("Envoy's listener on port {port}, {}", upstream(explanation, dst))
    };
    Some(format!("  => mark {mark}, to {to}"))
}

/// Where Envoy goes from there.
fn upstream(explanation: &Explanation, dst: SocketAddr) -> String {
    match (explanation.upstream, &explanation.domain) {
        (Some(Upstream::Original), _) => format!("which connects to {dst}"),
        (Some(Upstream::Resolve), Some(name)) => format!("which looks {name} up"),
        (Some(Upstream::Resolve) | None, _) => "which looks the name up".to_owned(),
    }
}

fn names(explanation: &Explanation, dst: SocketAddr) -> Vec<String> {
    let heading = (!explanation.names.is_empty()).then(|| format!("  known about {}:", dst.ip()));
    let names = explanation.names.iter().map(|name| {
        let held = if name.flows > 0 { format!(", connections: {}", name.flows) } else { String::new() };
        format!(
            "    {:<32} {:<8} asked by {}, {} s ago, {} s left{held}",
            name.name, name.state, name.asked_by, name.age_s, name.left_s
        )
    });
    heading.into_iter().chain(names).collect()
}

fn connected(connected: &Connected) -> String {
    let who = super::who(&connected.who).unwrap_or_else(|| "somebody".to_owned());
    format!("  connected now from port {}: {who}", connected.client_port)
}
