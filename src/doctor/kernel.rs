use super::{Finding, Unseen};

/// Something that the kernel must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Tables in the `inet` family.
    NfTables,
    /// Handing packets to userspace.
    Queue,
    /// Handing IPv4 connections to a listener.
    Tproxy4,
    /// The same for IPv6.
    Tproxy6,
    /// Marks of connections.
    ConntrackMarks,
    /// Events of connections.
    ConntrackEvents,
    /// Routing rules by mark.
    PolicyRouting,
    /// Reports of refused packets.
    Nflog,
    /// Packets made by hand.
    RawSockets,
    /// Tables that end with the process that made them.
    OwnedTables,
    /// The whole ruleset.
    Ruleset,
}

/// What came of trying a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It works, in this way if there are several.
    Works(Option<String>),
    /// The kernel said no.
    Refused(String),
    /// It could not be tried.
    NotTried(Unseen),
}

/// A feature that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Which.
    pub feature: Feature,
    /// What came of it.
    pub outcome: Outcome,
}

/// The kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelFacts {
    /// Its release (`uname -r`).
    pub release: String,
    /// What was tried.
    pub trials: Vec<Trial>,
    /// Modules that are installed for this release and not loaded, of those that features name.
    pub loadable: Vec<String>,
}

impl Feature {
    /// All of them.
    pub const EACH: [Self; 11] = [
        Self::NfTables,
        Self::Queue,
        Self::Tproxy4,
        Self::Tproxy6,
        Self::ConntrackMarks,
        Self::ConntrackEvents,
        Self::PolicyRouting,
        Self::Nflog,
        Self::RawSockets,
        Self::OwnedTables,
        Self::Ruleset,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::NfTables => "kernel.nf_tables",
            Self::Queue => "kernel.queue",
            Self::Tproxy4 => "kernel.tproxy4",
            Self::Tproxy6 => "kernel.tproxy6",
            Self::ConntrackMarks => "kernel.ct_mark",
            Self::ConntrackEvents => "kernel.ct_events",
            Self::PolicyRouting => "kernel.policy_routing",
            Self::Nflog => "kernel.nflog",
            Self::RawSockets => "kernel.raw_sockets",
            Self::OwnedTables => "kernel.owned_tables",
            Self::Ruleset => "kernel.ruleset",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::NfTables => "nf_tables",
            Self::Queue => "handing packets to userspace (NFQUEUE)",
            Self::Tproxy4 => "TPROXY for IPv4",
            Self::Tproxy6 => "TPROXY for IPv6",
            Self::ConntrackMarks => "marks of connections",
            Self::ConntrackEvents => "events of connections",
            Self::PolicyRouting => "routing by marks",
            Self::Nflog => "reports of refused packets (NFLOG)",
            Self::RawSockets => "raw sockets",
            Self::OwnedTables => "tables that end with their process, for the fast path",
            Self::Ruleset => "the ruleset of this policy",
        }
    }

    /// The modules that it may be in.
    #[must_use]
    pub const fn modules(self) -> &'static [&'static str] {
        match self {
            Self::NfTables => &["nf_tables"],
            Self::Queue => &["nft_queue", "xt_NFQUEUE", "nft_compat", "nfnetlink_queue"],
            Self::Tproxy4 => &["nft_tproxy", "nf_tproxy_ipv4"],
            Self::Tproxy6 => &["nft_tproxy", "nf_tproxy_ipv6"],
            Self::ConntrackMarks => &["nft_ct", "nf_conntrack"],
            Self::ConntrackEvents => &["nf_conntrack_netlink"],
            Self::Nflog => &["nft_log", "nfnetlink_log"],
            Self::Ruleset => &["nft_fib_inet", "nft_reject_inet", "nft_limit"],
            Self::PolicyRouting | Self::RawSockets | Self::OwnedTables => &[],
        }
    }

    /// What there is not without one that is not needed; without the others decider does not start.
    const fn loss(self) -> Option<&'static str> {
        match self {
            Self::ConntrackEvents => Some("a name does not live as long as the connections through it"),
            Self::OwnedTables => {
                Some("the kernel lets through what it knows for up to three seconds after a crash of decider")
            }
            Self::NfTables
            | Self::Queue
            | Self::Tproxy4
            | Self::Tproxy6
            | Self::ConntrackMarks
            | Self::PolicyRouting
            | Self::Nflog
            | Self::RawSockets
            | Self::Ruleset => None,
        }
    }
}

pub fn examine(facts: &KernelFacts) -> Vec<Finding> {
    facts.trials.iter().map(|trial| of_trial(trial, facts)).collect()
}

fn of_trial(trial: &Trial, facts: &KernelFacts) -> Finding {
    let (name, words) = (trial.feature.name(), trial.feature.words());
    match &trial.outcome {
        Outcome::Works(None) => Finding::ok(name, format!("{words}: works")),
        Outcome::Works(Some(how)) => Finding::ok(name, format!("{words}: works ({how})")),
        Outcome::NotTried(why) => Finding::unseen(name, words, why),
        Outcome::Refused(why) => match trial.feature.loss() {
            None => Finding::wrong(name, format!("{words}: the kernel says no ({why})"), mend(trial.feature, facts)),
            Some(loss) => {
                Finding::warn(name, format!("{words}: none ({why}), so that {loss}"), mend(trial.feature, facts))
            }
        },
    }
}

fn mend(feature: Feature, facts: &KernelFacts) -> String {
    let of_feature = |module: &&str| facts.loadable.iter().any(|loadable| loadable == module);
    let loadable: Vec<&str> = feature.modules().iter().copied().filter(of_feature).collect();
    if !loadable.is_empty() {
        return format!("modprobe -a {}", loadable.join(" "));
    }
    let release = &facts.release;
    match feature {
        Feature::PolicyRouting => {
            format!("boot a kernel with CONFIG_IP_MULTIPLE_TABLES and CONFIG_IPV6_MULTIPLE_TABLES instead of {release}")
        }
        Feature::RawSockets => "start it with CAP_NET_RAW".to_owned(),
        Feature::OwnedTables => format!("boot Linux 5.12 or later instead of {release}, or set `fast_path: false`"),
        Feature::NfTables
        | Feature::Queue
        | Feature::Tproxy4
        | Feature::Tproxy6
        | Feature::ConntrackMarks
        | Feature::ConntrackEvents
        | Feature::Nflog
        | Feature::Ruleset => {
            format!("install the modules of kernel {release}, or boot one that has {}", feature.modules().join(", "))
        }
    }
}
