use std::net::IpAddr;

use crate::policy::InterfacePattern;

use super::seen::Seen;

/// Resolvers of a policy.
const RESOLVERS: usize = 16;

/// What a policy says beside its rules, where there is no policy to take it from.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// By which interfaces clients come in.
    interfaces: Vec<InterfacePattern>,
    /// Whether this host is covered.
    host: bool,
    /// Whose answers were believed.
    resolvers: Vec<IpAddr>,
}

impl Settings {
    /// With these resolvers, as far as a policy takes as many.
    #[must_use]
    pub fn new(seen: &Seen, resolvers: &[IpAddr]) -> Self {
        let interfaces = seen.interfaces.kept().filter(|name| !name.contains('*'));
        let interfaces = interfaces.filter_map(|name| InterfacePattern::parse(name).ok());
        Self {
            interfaces: interfaces.filter(|interface| !interface.matches("lo")).collect(),
            host: seen.host,
            resolvers: resolvers.iter().copied().take(RESOLVERS).collect(),
        }
    }

    /// A policy with them, and without rules.
    #[must_use]
    pub fn yaml(&self) -> String {
        let Self { interfaces, host, resolvers } = self;
        let mut lines = vec!["version: 1".to_owned(), "intercept:".to_owned()];
        if !interfaces.is_empty() {
            let names: Vec<String> = interfaces.iter().map(|name| format!("\"{}\"", name.as_str())).collect();
            lines.push(format!("  gateway: {{ interfaces: [{}] }}", names.join(", ")));
        } else if !host {
            lines.push("  # What was seen does not say where the clients are: name their interfaces.".to_owned());
            lines.push("  gateway: { interfaces: [docker0] }".to_owned());
        }
        if *host {
            lines.push("  host: true".to_owned());
        }
        lines.push("dns:".to_owned());
        if resolvers.is_empty() {
            lines.push("  # Nobody's address: put those in its place that your clients ask.".to_owned());
            lines.push("  resolvers: [192.0.2.53]".to_owned());
        } else {
            let resolvers: Vec<String> = resolvers.iter().map(|address| format!("\"{address}\"")).collect();
            lines.push("  # Those that answered: keep the ones that you trust.".to_owned());
            lines.push(format!("  resolvers: [{}]", resolvers.join(", ")));
        }
        let user = if *host { ", user: decider-envoy" } else { "" };
        lines.extend([format!("envoy: {{ manage: true{user} }}"), "rules: []".to_owned()]);
        lines.join("\n") + "\n"
    }
}
