use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::block_in_place;

use crate::clock;
use crate::control::{
    Allow, Backend, CacheEntry, Degraded, DnsStatus, EnvoyStatus, FlowView, HealStatus, ReloadReport, ReloadStatus,
    RuleView, SandboxStatus, Status, TcpStatus, TemporaryReport, TemporaryView,
};
use crate::decide::{self, Connected, Explanation, Scene, Step};
use crate::envoy::{EnvoyState, Phase};
use crate::fast::Key;
use crate::kernel::{self, Features};
use crate::model::{ClientId, Moment};
use crate::queue::{Published, Shared};
use crate::record::{DnsOutcome, Event, Follower, RecorderHandle, Totals};
use crate::relay::RelayCounters;

use super::event_file::EventWriter;
use super::fast;
use super::offline::known_names;
use super::options::Options;
use super::reload;
use super::temporary;
use super::who::Registry;
use super::workers::Workers;

/// What the control socket sees of the daemon.
pub struct View {
    /// When the daemon started.
    pub started: Moment,
    /// What it was told.
    pub options: Options,
    /// What the workers share.
    pub shared: Arc<Shared>,
    /// The queues.
    pub workers: Arc<Workers>,
    /// DNS over TCP.
    pub relay: Arc<RelayCounters>,
    /// Recent decisions.
    pub recorder: RecorderHandle,
    /// Envoy, as last heard.
    pub envoy: watch::Receiver<EnvoyState>,
    /// What the kernel has of what kernels differ in.
    pub features: Features,
    /// What the process has given up, once all is in force.
    pub sandbox: OnceLock<SandboxStatus>,
    /// Who has what connection of this host.
    pub who: Registry,
    /// Repairs, and what could not be repaired.
    pub health: Mutex<Health>,
    /// Whether observations are being saved.
    pub journal_works: Arc<AtomicBool>,
    /// Where events are written, if they are.
    pub event_file: Option<EventWriter>,
    /// Why connections are not followed, if they are not.
    pub flows_unknown: Option<String>,
    /// Where reloads are asked for.
    pub reloads: mpsc::Sender<reload::Request>,
    /// Told whenever another policy is in force.
    pub changed: Notify,
    /// Where `down` is asked for.
    pub down: mpsc::Sender<oneshot::Sender<Result<(), String>>>,
}

/// Repairs, and what could not be repaired.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// What was done so far.
    pub heal: HealStatus,
    /// Why the ruleset is not in force.
    pub ruleset: Option<String>,
    /// Why the routing is not in force.
    pub routes: Option<String>,
    /// Why the backstop of host mode is not in force.
    pub backstop: Option<String>,
    /// What the log was told last: what Envoy does, listeners that are ready, of those that are needed.
    pub told_of_envoy: Option<(Phase, usize, usize)>,
    /// What came of the last reload.
    pub reload: Option<ReloadStatus>,
    /// Refusals that the kernel counted in rulesets that were replaced since.
    pub refused_before: BTreeMap<String, u64>,
}

impl Health {
    /// Notes what has been put right.
    pub fn healed(&mut self, what: String) {
        self.heal.last = Some(what);
        self.heal.last_at = Timestamp::try_from(clock::wall()).ok();
    }
}

impl View {
    /// Changes what is known about the kernel's state.
    pub fn with_health<T>(&self, change: impl FnOnce(&mut Health) -> T) -> T {
        change(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Has the policy file read again; nobody waits for it.
    pub fn reload_unattended(&self) {
        // Where there is no place, one of those that wait will read what the file says by then.
        let _ = self.reloads.try_send(reload::Request::unattended());
    }

    /// Goes on counting where a ruleset that was replaced had got to.
    pub fn carry_over(&self, refused: BTreeMap<String, u64>) {
        self.with_health(|health| {
            for (reason, count) in refused {
                *health.refused_before.entry(reason).or_default() += count;
            }
        });
    }

    fn problems(&self, published: &Published, health: &Health) -> Vec<Degraded> {
        let mut problems = Vec::new();
        let mut add = |what: &str, message: String| problems.push(Degraded { what: what.to_owned(), message });
        let parts = [("ruleset", &health.ruleset), ("routes", &health.routes), ("backstop", &health.backstop)];
        for (what, failed) in parts {
            if let Some(message) = failed {
                add(what, message.clone());
            }
        }
        for place in self.workers.places().iter().filter(|place| !place.is_up()) {
            add("worker", format!("queue {} has no worker: its packets are dropped", place.number));
        }
        if !self.relay.is_up() {
            add("relay", "the relay has ended and is started again: DNS over TCP is refused".to_owned());
        }
        let envoy = self.envoy.borrow();
        if !envoy.is_well() {
            add("envoy", format!("{}: SYNs of its listeners are refused", envoy.describe()));
        }
        drop(envoy);
        let missing: Vec<&str> = published
            .policy
            .routes()
            .iter()
            .filter(|route| !published.readiness.is_ready(route))
            .map(|route| route.rule.id.as_str())
            .collect();
        match missing.as_slice() {
            [] => {}
            [only] => add("listener", format!("not up for {only}: its SYNs are refused")),
            [first, more @ ..] => {
                add("listener", format!("not up for {first} and {} more: their SYNs are refused", more.len()));
            }
        }
        if let Some(last) = health.reload.as_ref().filter(|last| !last.ok) {
            add(
                "reload",
                format!("the last reload changed nothing, and the policy of before goes on: {}", last.message),
            );
        }
        if !self.journal_works.load(Ordering::Relaxed) {
            add("journal", "observations are not saved: they will be missing after a restart".to_owned());
        }
        if let Some(why) = self.flows_unknown.clone().or_else(kernel::conntrack_is_silent) {
            add("flows", format!("names do not live as long as the connections through them: {why}"));
        }
        if let Some(message) = self.shared.fast.figures().trouble {
            add("fast-path", format!("every SYN goes to a queue: {message}"));
        }
        if let Some(message) = self.event_file.as_ref().and_then(EventWriter::problem) {
            add("events", message);
        }
        problems
    }
}

/// What was counted by the ruleset in force and by those that it replaced.
fn counted_in_kernel(health: &Health) -> BTreeMap<String, u64> {
    let mut sums = health.refused_before.clone();
    for (reason, count) in block_in_place(kernel::refusal_counters).unwrap_or_default() {
        *sums.entry(reason).or_default() += count;
    }
    sums
}

impl Backend for View {
    fn status(&self) -> Status {
        let published = self.shared.published.load();
        let health = self.with_health(|health| health.clone());
        let problems = self.problems(&published, &health);
        let spec = published.policy.spec();
        let stats = kernel::queue_stats().unwrap_or_default();
        let kernel_totals = self.workers.totals(&stats);
        let counters = &self.shared.counters;
        let mut in_kernel = counted_in_kernel(&health);
        let fast = in_kernel.remove(kernel::FAST_COUNTER).unwrap_or(0);
        let fast_path = fast::status(&self.shared, self.features, fast);
        let envoy = self.envoy.borrow().clone();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_s: clock::now().since(self.started).as_secs(),
            state: if problems.is_empty() { "ok" } else { "degraded" }.to_owned(),
            mode: spec.mode.as_str().to_owned(),
            policy: self.options.policy_file.display().to_string(),
            epoch: published.policy.epoch(),
            reload: health.reload.clone(),
            rules: spec.rules.len(),
            temporary: temporary::views(&published.policy),
            listeners_ready: published.readiness.count(),
            listeners: published.policy.routes().len(),
            envoy: EnvoyStatus {
                managed: spec.envoy.manage,
                state: envoy.word().to_owned(),
                pid: envoy.pid(),
                adopted: envoy.adopted(),
                restarts: envoy.restarts,
                last_error: envoy.last_error.clone(),
            },
            counters: Totals {
                queued: kernel_totals.queued + fast_path.allowed,
                allowed: counters.allowed.value() + fast_path.allowed,
                fast: fast_path.allowed,
                denied: counters.denied.value(),
                audited: counters.audited.value(),
                malformed: counters.malformed.value(),
                dropped_by_kernel: kernel_totals.dropped,
                waiting: kernel_totals.waiting,
                repeated_syns: counters.repeated_syns.value() + fast_path.repeated,
            },
            fast_path,
            refused_in_kernel: in_kernel,
            dns: self.dns_status(spec.dns.capacity),
            queues: self.workers.places().iter().map(|place| place.status(&stats)).collect(),
            queue_statement: self.features.queueing.as_str().to_owned(),
            heal: health.heal,
            sandbox: self.sandbox.get().cloned().unwrap_or_default(),
            lost_records: counters.lost_records.value(),
            lost_journal: counters.lost_journal.value(),
            event_file: self.event_file.as_ref().map(EventWriter::status),
            problems,
        }
    }

    fn rules(&self) -> Vec<RuleView> {
        let published = self.shared.published.load();
        let policy = &published.policy;
        policy
            .spec()
            .rules
            .iter()
            .map(|rule| {
                let route = policy.routes().iter().find(|route| route.rule.id == rule.id);
                RuleView {
                    id: rule.id.clone(),
                    domain: rule.name.clone(),
                    proto: rule.proto,
                    ports: rule.ports.clone(),
                    action: rule.action.as_str().to_owned(),
                    upstream: route.map(|route| route.rule.upstream),
                    mark: route.map(|route| route.mark.to_string()),
                    listener_port: route.map(|route| route.listener_port),
                    ready: route.map(|route| published.readiness.is_ready(route)),
                    clients: rule.clients.clone(),
                    expires: rule.expires.map(|expiry| expiry.at),
                    temporary: temporary::view(rule),
                }
            })
            .collect()
    }

    fn flows(&self) -> Result<Vec<FlowView>, String> {
        self.living().map_err(|error| format!("the kernel does not list the connections that live: {error}"))
    }

    fn explain(&self, client: IpAddr, dst: IpAddr, port: u16) -> Explanation {
        let published = self.shared.published.load();
        let now = clock::now();
        let knowledge = self.shared.knowledge.about(dst);
        let scene = Scene {
            client,
            dst,
            port,
            client_is_here: self.shared.client(client) == ClientId::HOST,
            dst_is_here: self.shared.whereabouts.is_here(dst),
            names: known_names(&knowledge, dst, now),
        };
        let scope = published.policy.spec().dns.scope;
        let known = knowledge.about(dst, self.shared.client(client), scope, now);
        let mut explained =
            decide::explain(&published.policy, scene, &known, |route| published.readiness.is_ready(route));
        // Looking takes a while, and packets need what is known.
        drop(knowledge);
        if let Some(until) = self.shared.fast.find(&Key { client, dst, port }, now) {
            explained.steps.push(Step {
                what: "fast path".to_owned(),
                found: format!(
                    "the kernel lets such connections through by itself for {} s",
                    until.since(now).as_secs()
                ),
            });
        }
        Explanation { connected: self.connected(client, SocketAddr::new(dst, port)), ..explained }
    }

    fn cache(&self, client: Option<IpAddr>, name: Option<&str>, limit: usize) -> Vec<CacheEntry> {
        let now = clock::now();
        let mut entries = Vec::new();
        for part in self.shared.knowledge.parts() {
            let wanted = part.iter().chain(part.trail()).filter(|observed| {
                client.is_none_or(|client| observed.client.0 == client)
                    && name.is_none_or(|name| observed.name.as_str().eq_ignore_ascii_case(name))
            });
            entries.extend(wanted.take(limit.saturating_sub(entries.len())).map(|observed| CacheEntry {
                name: observed.name.clone(),
                address: observed.addr,
                client: observed.client.0,
                ttl_s: observed.ttl.as_secs(),
                age_s: now.since(observed.learned).as_secs(),
                left_s: observed.expires.since(now).as_secs(),
                state: observed.state(now),
                flows: observed.flows,
            }));
            if entries.len() >= limit {
                break;
            }
        }
        entries.sort_by(|a, b| (&a.name, a.address, a.client).cmp(&(&b.name, b.address, b.client)));
        entries
    }

    fn events(&self, count: usize) -> (Vec<Arc<Event>>, Follower) {
        self.recorder.follow(count)
    }

    async fn reload(&self, dry_run: bool) -> Result<ReloadReport, String> {
        self.ask(|reply| reload::Request::Reload(reload::Reload { dry_run, reply: Some(reply) })).await
    }

    fn temporary(&self) -> Vec<TemporaryView> {
        temporary::views(&self.shared.published.load().policy)
    }

    async fn allow(&self, asked: Allow) -> Result<TemporaryReport, String> {
        self.ask(|reply| reload::Request::Allow(asked, reply)).await
    }

    async fn revoke(&self, which: String, by: u32) -> Result<TemporaryReport, String> {
        self.ask(|reply| reload::Request::Revoke(which, by, reply)).await
    }

    async fn down(&self) -> Result<(), String> {
        let (reply, done) = oneshot::channel();
        self.down.send(reply).await.map_err(|_| "decider is ending already".to_owned())?;
        done.await.map_err(|_| "decider ended before all was removed: run `decider down` again".to_owned())?
    }
}

impl View {
    /// Asks the task that changes the policy in force, and waits for its answer.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> reload::Request) -> Result<T, String> {
        let ending = || "decider is ending".to_owned();
        let (reply, answer) = oneshot::channel();
        self.reloads.send(request(reply)).await.map_err(|_| ending())?;
        answer.await.map_err(|_| ending())
    }

    fn connected(&self, client: IpAddr, dst: SocketAddr) -> Vec<Connected> {
        if !self.shared.whereabouts.is_here(client) {
            return vec![];
        }
        let found = block_in_place(|| self.who.connected(client, dst));
        found.into_iter().map(|(client_port, who)| Connected { client_port, who }).collect()
    }

    fn tcp_status(&self) -> TcpStatus {
        let relay = &self.relay;
        TcpStatus {
            open: relay.places.taken(),
            connections: relay.connections.value(),
            overload: relay.overload.value(),
            refused: relay.refused.value(),
            resolver_failed: relay.resolver_failed.value(),
            client_failed: relay.client_failed.value(),
            strangers: relay.strangers.value(),
        }
    }

    fn dns_status(&self, capacity: usize) -> DnsStatus {
        let messages = DnsOutcome::ALL
            .iter()
            .map(|&outcome| (outcome.as_str().to_owned(), self.shared.counters.dns(outcome).value()))
            .collect();
        let observations = self.shared.knowledge.parts().map(|part| part.len()).sum();
        DnsStatus { messages, tcp: self.tcp_status(), observations, capacity }
    }
}
