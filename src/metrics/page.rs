use std::fmt;

use crate::control::{Degraded, EnvoyStatus, FastPathStatus, QueueStatus, Status};
use crate::record::{Tally, Waits};

use super::families::Families;
use super::figures::Figures;

/// The modes of a policy.
const MODES: [&str; 2] = ["enforce", "audit"];

/// Writes all families, each whether or not there is a sample of it.
pub fn write(page: &mut Families<'_>, Figures { status, tally }: &Figures) -> fmt::Result {
    decided(page, tally)?;
    syns(page, status)?;
    queues(page, &status.queues)?;
    dns(page, status)?;
    envoy(page, status)?;
    policy(page, status)?;
    health(page, status)?;
    events(page, status)?;
    page.single("uptime_seconds", "Seconds since decider started", status.uptime_s)?;
    page.gauge("build_info", "Always 1; the version of decider is its label", [([("version", &*status.version)], 1)])
}

fn decided(page: &mut Families<'_>, tally: &Tally) -> fmt::Result {
    let decisions = tally.decisions();
    let samples = decisions.iter().map(|(kind, count)| {
        let rule = kind.rule.as_ref().map_or("", |rule| rule.as_str());
        let [verdict, reason, path] = [kind.verdict.as_str(), kind.reason.as_str(), kind.path.as_str()];
        ([("verdict", verdict), ("reason", reason), ("rule", rule), ("path", path)], *count)
    });
    page.counter("decisions", "Decisions as events tell them, by the rule that made them", samples)?;
    let waits = tally.waits();
    let seconds = |micros: u32| f64::from(micros) / 1e6;
    let buckets: Vec<(f64, u64)> = waits.buckets().map(|(bound, count)| (seconds(bound), count)).collect();
    let help = "Seconds from a SYN's arrival at decider to its verdict";
    debug_assert_eq!(buckets.len(), Waits::BOUNDS.len());
    page.histogram("decision_wait_seconds", help, (&buckets, waits.total(), waits.sum().as_secs_f64()))
}

fn syns(page: &mut Families<'_>, status: &Status) -> fmt::Result {
    let counters = &status.counters;
    let FastPathStatus { elements, allowed, told, repeated, .. } = &status.fast_path;
    let by_queue = |both: u64, fast: u64| both.saturating_sub(fast);
    let outcomes = [
        ("allowed", "queue", by_queue(counters.allowed, counters.fast)),
        ("allowed", "fast", counters.fast),
        ("denied", "queue", counters.denied),
        ("audited", "queue", counters.audited),
        ("malformed", "queue", counters.malformed),
    ];
    let samples = outcomes.map(|(outcome, path, count)| ([("outcome", outcome), ("path", path)], count));
    page.counter("syns", "SYNs by what became of them and who decided, those sent again among them", samples)?;
    let queued = by_queue(counters.queued, counters.fast);
    page.count("syns_queued", "SYNs that the kernel put into the queues", queued)?;
    page.count("syns_dropped", "SYNs that the kernel dropped from the queues", counters.dropped_by_kernel)?;
    let again = by_queue(counters.repeated_syns, *repeated);
    page.count("syns_repeated", "SYNs from the queues sent again, which were not decided again", again)?;
    page.single("syns_waiting", "SYNs that wait for a verdict", counters.waiting)?;
    let number = |count: &usize| u64::try_from(*count).unwrap_or(u64::MAX);
    page.single("fast_elements", "Connections that the kernel lets through by itself now", number(elements))?;
    page.count("fast_syns", "SYNs that the kernel let through by itself, those sent again among them", *allowed)?;
    page.count("fast_syns_told", "Of those, SYNs that the kernel told of", *told)?;
    page.count("fast_syns_repeated", "Of those, SYNs sent again, which are no events", *repeated)?;
    let refused = status.refused_in_kernel.iter().map(|(reason, count)| ([("reason", &**reason)], *count));
    page.counter("refused_in_kernel", "Packets that the kernel's ruleset refused alone", refused)
}

fn queues(page: &mut Families<'_>, queues: &[QueueStatus]) -> fmt::Result {
    let numbered: Vec<(String, &QueueStatus)> = queues.iter().map(|queue| (queue.number.to_string(), queue)).collect();
    let labelled =
        || numbered.iter().map(|(number, queue)| ([("queue", &**number), ("purpose", &*queue.purpose)], *queue));
    let each = |value: fn(&QueueStatus) -> u64| labelled().map(move |(labels, queue)| (labels, value(queue)));
    page.gauge("queue_up", "Whether the queue's worker runs", each(|queue| u64::from(queue.up)))?;
    page.gauge("queue_waiting", "Packets that wait in the queue", each(|queue| queue.waiting))?;
    let dropped = labelled().flat_map(|([number, purpose], queue)| {
        let causes = [("full", queue.dropped_full), ("socket", queue.dropped_socket)];
        causes.map(|(cause, count)| ([number, purpose, ("cause", cause)], count))
    });
    let help = "Packets that the kernel dropped: the queue was full, or its socket; from 0 with each worker";
    page.counter("queue_dropped", help, dropped)?;
    let errors = labelled().flat_map(|([number, purpose], queue)| {
        let kinds = [("receive", queue.receive_errors), ("verdict", queue.verdict_errors)];
        kinds.map(|(kind, count)| ([number, purpose, ("kind", kind)], count))
    });
    page.counter("queue_errors", "Calls of the queue's worker that failed, late news of verdicts among them", errors)?;
    page.counter("queue_panics", "How often the queue's worker panicked", each(|queue| queue.panics))
}

fn dns(page: &mut Families<'_>, status: &Status) -> fmt::Result {
    let dns = &status.dns;
    let messages = dns.messages.iter().map(|(outcome, count)| ([("outcome", &**outcome)], *count));
    page.counter("dns_messages", "DNS messages by what became of them", messages)?;
    let tcp = &dns.tcp;
    let all = tcp.connections.saturating_add(tcp.strangers);
    page.count("dns_tcp_connections", "Connections to the relay for DNS over TCP", all)?;
    let causes = [
        ("overload", tcp.overload),
        ("refused", tcp.refused),
        ("resolver", tcp.resolver_failed),
        ("client", tcp.client_failed),
        ("stranger", tcp.strangers),
    ];
    let failed = causes.map(|(cause, count)| ([("cause", cause)], count));
    page.counter("dns_tcp_failures", "Of those, connections that came to a bad end", failed)?;
    let size = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    page.single("dns_tcp_open", "Of those, connections that are open", size(tcp.open))?;
    page.single("observations", "Names with addresses that are known", size(dns.observations))?;
    page.single("observations_capacity", "Those that can be known at a time", size(dns.capacity))
}

fn envoy(page: &mut Families<'_>, status: &Status) -> fmt::Result {
    let envoy = &status.envoy;
    let help = "What Envoy does: 1 for that";
    page.state("envoy_state", help, "state", (&EnvoyStatus::STATES, &envoy.state))?;
    page.count("envoy_restarts", "How often Envoy was started again", envoy.restarts.into())?;
    let size = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
    page.single("listeners", "Listeners that the rules need", size(status.listeners))?;
    page.single("listeners_ready", "Of those, listeners that are up", size(status.listeners_ready))
}

fn policy(page: &mut Families<'_>, status: &Status) -> fmt::Result {
    page.single("policy_epoch", "Which policy is in force, counted from the start", status.epoch.0)?;
    page.single("policy_rules", "Rules of that policy", u64::try_from(status.rules).unwrap_or(u64::MAX))?;
    page.state("policy_mode", "What that policy does: 1 for that", "mode", (&MODES, &status.mode))?;
    let (done, failed) =
        status.reload.as_ref().map_or((0, 0), |last| (last.count.saturating_sub(last.failed), last.failed));
    let results = [("done", done), ("failed", failed)].map(|(result, count)| ([("result", result)], count));
    page.counter("reloads", "Reloads by what came of them", results)?;
    let last = status.reload.as_ref();
    let worked = last.map(|last| ([], u64::from(last.ok)));
    page.gauge("last_reload_success", "Whether the last reload worked; absent before the first", worked)?;
    let at = last.and_then(|last| u64::try_from(last.at?.as_second()).ok()).map(|at| ([], at));
    page.gauge("last_reload_timestamp_seconds", "When it ended, since 1970; absent before the first", at)
}

fn health(page: &mut Families<'_>, status: &Status) -> fmt::Result {
    let is_missing = |what: &str| status.problems.iter().any(|problem| problem.what == what);
    let unknown = status.problems.iter().map(|problem| &*problem.what).filter(|what| !Degraded::WORDS.contains(what));
    let all = Degraded::WORDS.into_iter().chain(unknown);
    let samples = all.map(|what| ([("what", what)], u64::from(is_missing(what))));
    page.gauge("degraded", "What is not in force or does not work: 1 for that", samples)?;
    let heal = &status.heal;
    let repairs = [("ruleset", heal.ruleset), ("routes", heal.routes), ("backstop", heal.backstop)];
    let samples = repairs.map(|(what, count)| ([("what", what)], count));
    page.counter("heal_actions", "How often what another program had changed was put back", samples)
}

fn events(page: &mut Families<'_>, status: &Status) -> fmt::Result {
    page.count("lost_records", "Decisions that found no place on their way to be told", status.lost_records)?;
    page.count("lost_observations", "Names that found no place on their way to be saved", status.lost_journal)?;
    let file = status.event_file.as_ref();
    let written = file.map(|file| ([], file.written));
    page.counter("event_file_written", "Events written to the file of `events.file`", written)?;
    let lost = file.map(|file| ([], file.lost));
    page.counter("event_file_lost", "Events that could not be written to it", lost)
}
