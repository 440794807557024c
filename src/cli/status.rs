use std::io::Write;
use std::process::ExitCode;

use crate::control::{Client, Request, Status};

use super::args::{Json, Place};
use super::failure::Failure;
use super::{style, table};

pub fn run(output: Json, place: &Place) -> Result<ExitCode, Failure> {
    let status: Status = Client::connect(&place.socket)?.call(&Request::Status {})?;
    if output.json {
        table::print_json(&status)?;
    } else {
        print(&status)?;
    }
    Ok(if status.state == "ok" { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn print(status: &Status) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let (state, strong) = (if status.state == "ok" { style::GOOD } else { style::BAD }, style::STRONG);
    writeln!(
        out,
        "{state}{}{state:#}  {strong}{}{strong:#}, {} of policy {} (epoch {}), {} rules",
        status.state, status.mode, "in force", status.policy, status.epoch, status.rules
    )?;
    for problem in &status.problems {
        let bad = style::BAD;
        writeln!(out, "  {bad}{}{bad:#}: {}", problem.what, problem.message)?;
    }
    let envoy = &status.envoy;
    let pid = envoy.pid.map_or(String::new(), |pid| format!(", process {pid}"));
    let rows = [
        ("envoy", format!("{}{pid}, {} restarts", envoy.state, envoy.restarts)),
        ("listeners", format!("{} of {} ready", status.listeners_ready, status.listeners)),
        ("syns", syns(status)),
        ("refused in kernel", in_kernel(status)),
        ("dns", dns(status)),
        ("names", format!("{} of {} observations", status.dns.observations, status.dns.capacity)),
        ("queues", queues(status)),
        ("repairs", repairs(status)),
        ("up", format!("{} s, process {}, version {}", status.uptime_s, status.pid, status.version)),
    ];
    for (label, text) in rows {
        let faint = style::FAINT;
        writeln!(out, "  {faint}{label:<18}{faint:#}{text}")?;
    }
    Ok(())
}

fn syns(status: &Status) -> String {
    let counters = &status.counters;
    format!(
        "{} queued = {} allowed + {} denied + {} audited + {} malformed + {} dropped by the kernel (+ {} waiting)",
        counters.queued,
        counters.allowed,
        counters.denied,
        counters.audited,
        counters.malformed,
        counters.dropped_by_kernel,
        counters.waiting
    )
}

fn in_kernel(status: &Status) -> String {
    let seen: Vec<String> = status
        .refused_in_kernel
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    if seen.is_empty() { "none".to_owned() } else { seen.join(", ") }
}

fn dns(status: &Status) -> String {
    let seen: Vec<String> =
        status.dns.messages.iter().map(|(outcome, count)| format!("{count} {}", outcome.replace('_', " "))).collect();
    seen.join(", ")
}

fn queues(status: &Status) -> String {
    let numbers: Vec<String> = status
        .queues
        .iter()
        .map(|queue| format!("{} {}{}", queue.number, queue.purpose, if queue.up { "" } else { " DOWN" }))
        .collect();
    format!("{} ({} statement)", numbers.join(", "), status.queue_statement)
}

fn repairs(status: &Status) -> String {
    let heal = &status.heal;
    let last = heal.last.as_ref().map_or(String::new(), |last| format!(", last: {last}"));
    format!("{} of the ruleset, {} of routing{last}", heal.ruleset, heal.routes)
}
