//! What is right and wrong with a host, for decider: facts in, findings out.
//!
//! Each topic has a file with its facts and what is to be said of them. [`examine`] asks them all. Who gathers the facts is
//! `survey`; nothing here looks at anything by itself.

mod daemon;
mod envoy;
mod files;
mod finding;
mod kernel;
mod marks;
mod others;
mod policy;
mod queues;
mod resolver;
mod rights;
mod routing;
mod settings;
mod time;
mod tools;

pub use daemon::{Answer, DaemonFacts};
pub use envoy::EnvoyFacts;
pub use files::{Found, PathFact, Purpose};
pub use finding::{Finding, Level, Seen, Unseen};
pub use kernel::{Feature, KernelFacts, Outcome, Trial};
pub use others::{BaseChain, ChainId, Listing, OtherFacts, Rule};
pub use policy::{PolicyFacts, PolicyState};
pub use queues::{QueueFacts, Taken};
pub use resolver::{Cache, ResolverFacts};
pub use rights::Rights;
pub use routing::ForeignRule;
pub use settings::{Beyond, SettingFacts};
pub use time::TimeFacts;
pub use tools::NftVersion;

use crate::model::MarkMask;
use crate::policy::Spec;

/// All that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The policy.
    pub policy: PolicyFacts,
    /// This process's rights.
    pub rights: Rights,
    /// The kernel.
    pub kernel: KernelFacts,
    /// `nft`.
    pub nft: NftVersion,
    /// Envoy; none without a policy.
    pub envoy: Option<EnvoyFacts>,
    /// Routing rules of others.
    pub routing: Seen<Vec<ForeignRule>>,
    /// Rulesets of others.
    pub others: OtherFacts,
    /// Settings of the kernel.
    pub settings: SettingFacts,
    /// Resolvers; none without a policy.
    pub resolver: Option<ResolverFacts>,
    /// Numbers of queues.
    pub queues: QueueFacts,
    /// Files and directories.
    pub files: Vec<PathFact>,
    /// The clock.
    pub time: TimeFacts,
    /// The decider that runs.
    pub daemon: DaemonFacts,
}

/// What is to be said of them, topic by topic.
#[must_use]
pub fn examine(facts: &Facts) -> Vec<Finding> {
    let spec = facts.policy.spec();
    let marks = spec.map_or_else(MarkMask::default, |spec| spec.marks);
    let gateway = spec.is_none_or(has_clients);
    let mut findings = vec![policy::examine(&facts.policy)];
    findings.extend(daemon::examine(&facts.daemon, &facts.policy.path.to_string_lossy()));
    findings.push(rights::examine(&facts.rights));
    findings.extend(kernel::examine(&facts.kernel));
    findings.push(tools::examine(&facts.nft));
    findings.extend(facts.envoy.iter().flat_map(envoy::examine));
    findings.extend(queues::examine(&facts.queues));
    findings.extend(routing::examine(&facts.routing, marks, &facts.settings.clients));
    findings.extend(others::examine(&facts.others, marks, gateway));
    findings.extend(settings::examine(&facts.settings, gateway));
    findings.extend(facts.resolver.iter().flat_map(resolver::examine));
    findings.extend(files::examine(&facts.files));
    findings.push(time::examine(&facts.time));
    findings
}

/// Whether a policy is about clients behind this host.
#[must_use]
pub fn has_clients(spec: &Spec) -> bool {
    !spec.gateway.interfaces.is_empty()
}
