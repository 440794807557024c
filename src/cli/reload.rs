use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::control::{Client, CutFlow, FailureKind, ReloadReport, Request};
use crate::model::RuleId;

use super::args::{Place, Reload};
use super::failure::Failure;
use super::{output, style};

pub fn run(args: &Reload, place: &Place) -> Result<ExitCode, Failure> {
    let report: ReloadReport = Client::connect(&place.socket)?.call(&Request::Reload { dry_run: args.dry_run })?;
    if args.output.json {
        output::json(&report)?;
    } else {
        if !report.rendered.is_empty() {
            output::note(format_args!("{}\n", report.rendered));
        }
        match &report.failure {
            Some(failure) => {
                let bad = style::BAD;
                output::note(format_args!("{bad}not reloaded{bad:#}: {}", failure.message));
            }
            None => output::write(|out| print(out, &report))?,
        }
    }
    Ok(match report.failure.map(|failure| failure.kind) {
        None => ExitCode::SUCCESS,
        Some(FailureKind::Policy | FailureKind::Restart) => ExitCode::from(1),
        Some(FailureKind::System) => ExitCode::from(4),
    })
}

fn print(out: &mut impl Write, report: &ReloadReport) -> io::Result<()> {
    let good = style::GOOD;
    if report.dry_run {
        writeln!(out, "{good}would be reloaded{good:#}: {}", report.policy)?;
    } else {
        let (policy, epoch, took) = (&report.policy, report.epoch, report.took_ms);
        writeln!(out, "{good}reloaded{good:#}: {policy} (epoch {epoch}, {took} ms)")?;
    }
    each(out, "+", &report.added)?;
    each(out, "-", &report.removed)?;
    for rule in &report.changed {
        writeln!(out, "  ~ {} ({})", rule.id, rule.what.join("; "))?;
    }
    each(out, "~", &report.settings)?;
    if is_unchanged(report) {
        writeln!(out, "  nothing is different")?;
    }
    for flow in &report.cut {
        writeln!(out, "  {}", cut(flow, report.dry_run))?;
    }
    if !report.not_ready.is_empty() {
        let ids: Vec<&str> = report.not_ready.iter().map(RuleId::as_str).collect();
        writeln!(out, "  not up yet, so their SYNs are refused: {}", ids.join(", "))?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "  note: {note}"))
}

fn each(out: &mut impl Write, sign: &str, items: &[impl Display]) -> io::Result<()> {
    items.iter().try_for_each(|item| writeln!(out, "  {sign} {item}"))
}

fn is_unchanged(report: &ReloadReport) -> bool {
    report.added.is_empty() && report.removed.is_empty() && report.changed.is_empty() && report.settings.is_empty()
}

/// A connection that was cut, or would be.
pub fn cut(flow: &CutFlow, dry_run: bool) -> String {
    let verb = if dry_run { "would cut" } else { "cut" };
    let from = std::net::SocketAddr::new(flow.client, flow.client_port);
    let to = std::net::SocketAddr::new(flow.dst, flow.dst_port);
    let name = flow.domain.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{verb} {from} -> {to}{name}: {}", flow.why)
}
