use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use jiff::SignedDuration;

use crate::control::{Client, EventFileStatus, QueueStatus, Request, SandboxStatus, Status, TemporaryView};
use crate::policy::written_duration;

use super::args::{Json, Place};
use super::failure::Failure;
use super::{output, style};

pub fn run(json: Json, place: &Place) -> Result<ExitCode, Failure> {
    let status: Status = Client::connect(&place.socket)?.call(&Request::Status {})?;
    if json.json {
        output::json(&status)?;
    } else {
        output::write(|out| print(out, &status))?;
    }
    Ok(if is_ok(&status) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn is_ok(status: &Status) -> bool {
    status.state == "ok"
}

fn print(out: &mut impl Write, status: &Status) -> io::Result<()> {
    let state = if is_ok(status) { style::GOOD } else { style::BAD };
    writeln!(out, "{state}{}{state:#}: {}", status.state, headline(status))?;
    for problem in &status.problems {
        let bad = style::BAD;
        writeln!(out, "  {bad}{}{bad:#}: {}", problem.what, problem.message)?;
    }
    let rows = [
        ("connections", connections(status)),
        ("refused in kernel", nonzero(status.refused_in_kernel.iter().map(|(reason, count)| (*count, &**reason)))),
        ("fast path", fast_path(status)),
        ("dns messages", nonzero(status.dns.messages.iter().map(|(outcome, count)| (*count, &**outcome)))),
        ("dns over tcp", dns_over_tcp(status)),
        ("names", Some(format!("{} of {} observations", status.dns.observations, status.dns.capacity))),
        ("envoy", Some(envoy(status))),
        ("queues", Some(queues(status))),
        ("repairs", repairs(status)),
        ("sandbox", Some(sandbox(status))),
        ("temporary rules", temporary(status)),
        ("last reload", last_reload(status)),
        ("event file", status.event_file.as_ref().map(event_file)),
        ("lost", nonzero([(status.lost_records, "events"), (status.lost_journal, "saved observations")].into_iter())),
        ("running", Some(running(status))),
    ];
    for (label, text) in rows {
        if let Some(text) = text {
            let faint = style::FAINT;
            writeln!(out, "  {faint}{label:<18}{faint:#}{text}")?;
        }
    }
    Ok(())
}

fn headline(status: &Status) -> String {
    let force = match (is_ok(status), status.mode.as_str()) {
        (true, "audit") => "is in audit mode: nothing is refused",
        (true, _) => "is in force",
        (false, "audit") => "is in audit mode, and not all of it works",
        (false, _) => "is not wholly in force",
    };
    let listeners = match (status.listeners_ready, status.listeners) {
        (ready, all) if ready == all => output::count(all, "listener"),
        (ready, all) => format!("{ready} of {all} listeners ready"),
    };
    format!("{} {force} ({}, {listeners})", status.policy, output::count(status.rules, "rule"))
}

fn connections(status: &Status) -> Option<String> {
    let counters = &status.counters;
    let allowed = match counters.fast {
        0 => "allowed".to_owned(),
        fast => format!("allowed ({fast} by the kernel alone)"),
    };
    let sum = [
        (counters.allowed, &*allowed),
        (counters.denied, "denied"),
        (counters.audited, "audited"),
        (counters.malformed, "malformed"),
        (counters.dropped_by_kernel, "dropped by the kernel"),
        (counters.waiting, "waiting"),
    ];
    let terms: Vec<String> = terms(sum.into_iter()).collect();
    (counters.queued > 0).then(|| format!("{} queued = {}", counters.queued, terms.join(" + ")))
}

fn fast_path(status: &Status) -> Option<String> {
    let fast = &status.fast_path;
    let in_kernel = format!("{} of {} connections left to the kernel", fast.elements, fast.capacity);
    let counts = nonzero([(fast.allowed, "allowed by it"), (fast.repeated, "sent again")].into_iter());
    let counts = counts.map_or(String::new(), |counts| format!(", {counts}"));
    let crash = if fast.ends_with == "lease" { ", for up to 3 s after a crash" } else { "" };
    ["on", "shut"].contains(&&*fast.state).then(|| format!("{}, {in_kernel}{crash}{counts}", fast.state))
}

fn dns_over_tcp(status: &Status) -> Option<String> {
    let tcp = &status.dns.tcp;
    let counts = [
        (tcp.connections, "connections"),
        (u64::try_from(tcp.open).unwrap_or(u64::MAX), "open"),
        (tcp.overload, "too many"),
        (tcp.refused, "refused for a message"),
        (tcp.resolver_failed, "failed by the resolver"),
        (tcp.client_failed, "broken off by the client"),
        (tcp.strangers, "not meant for a resolver"),
    ];
    nonzero(counts.into_iter())
}

/// What is not zero, with its number; none if all is.
fn nonzero<'a>(counts: impl Iterator<Item = (u64, &'a str)>) -> Option<String> {
    let terms: Vec<String> = terms(counts).collect();
    (!terms.is_empty()).then(|| terms.join(", "))
}

fn terms<'a>(counts: impl Iterator<Item = (u64, &'a str)>) -> impl Iterator<Item = String> {
    counts.filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {}", what.replace('_', " ")))
}

fn envoy(status: &Status) -> String {
    let envoy = &status.envoy;
    let parts = [
        Some(envoy.state.clone()),
        envoy.pid.map(|pid| format!("process {pid}")),
        envoy.adopted.then(|| "from an earlier run".to_owned()),
        (envoy.restarts > 0).then(|| format!("started again {} times", envoy.restarts)),
        envoy.last_error.as_ref().map(|error| format!("last error: {error}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn queues(status: &Status) -> String {
    let queues: Vec<String> = status.queues.iter().map(queue).collect();
    format!("{} ({})", queues.join(", "), status.queue_statement)
}

fn queue(queue: &QueueStatus) -> String {
    let down = if queue.up { "" } else { " DOWN" };
    let troubles = [
        (queue.dropped_full, "dropped: full"),
        (queue.dropped_socket, "dropped: socket full"),
        (queue.receive_errors, "receive errors"),
        (queue.verdict_errors, "verdict errors"),
        (queue.panics, "panics"),
    ];
    let troubles = nonzero(troubles.into_iter()).map_or(String::new(), |troubles| format!(" [{troubles}]"));
    format!("{} {}{down}{troubles}", queue.number, queue.purpose)
}

fn sandbox(status: &Status) -> String {
    let SandboxStatus { files, calls, capabilities } = &status.sandbox;
    if files == calls && files == "off" {
        return "off".to_owned();
    }
    format!("files {files}, system calls {calls}, {} capabilities", capabilities.len())
}

fn repairs(status: &Status) -> Option<String> {
    let heal = &status.heal;
    let counts = nonzero(
        [(heal.ruleset, "of the ruleset"), (heal.routes, "of routing"), (heal.backstop, "of the backstop")].into_iter(),
    )?;
    let last = heal.last.as_ref().map_or(String::new(), |last| format!(", last: {last}"));
    Some(format!("{counts}{last}"))
}

fn event_file(file: &EventFileStatus) -> String {
    let counts = nonzero([(file.written, "written"), (file.lost, "lost")].into_iter());
    format!("{}, {}", file.path, counts.as_deref().unwrap_or("nothing written yet"))
}

fn last_reload(status: &Status) -> Option<String> {
    let reload = status.reload.as_ref()?;
    let at = reload.at.map_or(String::new(), |at| format!("{at:.0}, "));
    let failed = if reload.ok { "" } else { "failed: " };
    Some(format!("{at}{failed}{} ({} in all)", reload.message, reload.count))
}

/// The temporary rules, the one that ends first in front.
fn temporary(status: &Status) -> Option<String> {
    let mut rules: Vec<&TemporaryView> = status.temporary.iter().collect();
    rules.sort_by_key(|rule| rule.left_s);
    let left = |rule: &TemporaryView| written_duration(Duration::from_secs(rule.left_s));
    match rules.as_slice() {
        [] => None,
        [only] => Some(format!("{}, {} left", only.id, left(only))),
        [first, more @ ..] => Some(format!("{}, {} left, and {} more", first.id, left(first), more.len())),
    }
}

fn running(status: &Status) -> String {
    let seconds = i64::try_from(status.uptime_s).unwrap_or(i64::MAX);
    let time = SignedDuration::from_secs(seconds);
    format!("for {time:#}, process {}, version {}, policy epoch {}", status.pid, status.version, status.epoch)
}
