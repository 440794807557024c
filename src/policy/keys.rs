/// The keys of one mapping of a policy.
#[derive(Debug)]
pub struct Section {
    /// Its path in the file; empty for the whole.
    pub path: &'static str,
    /// What it may hold, in the order of the documentation.
    pub keys: &'static [&'static str],
    /// What a later version will take here, and what it is.
    pub later: &'static [(&'static str, &'static str)],
}

/// The whole file.
pub const TOP: Section = Section {
    path: "",
    keys: &[
        "version",
        "mode",
        "deny",
        "intercept",
        "dns",
        "envoy",
        "marks",
        "metrics",
        "events",
        "upstream",
        "fast_path",
        "rules",
    ],
    later: &[("include", "rules from other files"), ("sets", "named lists")],
};

/// Whose traffic is covered.
pub const INTERCEPT: Section = Section { path: "intercept", keys: &["gateway", "host"], later: &[] };

/// Clients behind this host.
pub const GATEWAY: Section = Section { path: "intercept.gateway", keys: &["interfaces", "networks"], later: &[] };

/// How names are learned.
pub const DNS: Section = Section {
    path: "dns",
    keys: &[
        "resolvers",
        "queries",
        "min_ttl",
        "grace",
        "max_ttl",
        "capacity",
        "scope",
        "on_ambiguous",
        "allow_private",
    ],
    later: &[],
};

/// Where allowed traffic goes.
pub const ENVOY: Section =
    Section { path: "envoy", keys: &["manage", "binary", "user", "config_dir", "listen", "first_port"], later: &[] };

/// The mark bits that are decider's.
pub const MARKS: Section = Section { path: "marks", keys: &["mask"], later: &[] };

/// Where metrics are given.
pub const METRICS: Section = Section { path: "metrics", keys: &["listen"], later: &[] };

/// Where events are written.
pub const EVENTS: Section = Section { path: "events", keys: &["file", "rotate"], later: &[] };

/// How much of them is kept.
pub const ROTATE: Section = Section { path: "events.rotate", keys: &["size", "keep"], later: &[] };

/// One rule.
pub const RULE: Section = Section {
    path: "rules[]",
    keys: &["id", "domain", "proto", "port", "action", "upstream", "clients", "expires"],
    later: &[("network", "rules by network"), ("deliver", "delivery by anything but the rule's own Envoy listener")],
};

/// All of them: every key that this version accepts, and no other.
pub const SECTIONS: [&Section; 10] =
    [&TOP, &INTERCEPT, &GATEWAY, &DNS, &ENVOY, &MARKS, &METRICS, &EVENTS, &ROTATE, &RULE];

impl Section {
    /// How messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        match self.path {
            "" => "a policy".into(),
            "rules[]" => "a rule".into(),
            path => format!("`{path}`"),
        }
    }
}
