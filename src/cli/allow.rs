use std::io::{self, Write};
use std::process::ExitCode;

use jiff::tz::TimeZone;

use crate::control::{Client, FailureKind, Request, TemporaryReport, TemporaryView};
use crate::model::RuleId;
use crate::policy::{parse_duration, written_duration};

use super::args::{Allow, Place};
use super::failure::Failure;
use super::reload::cut;
use super::{output, style, table};

pub fn run(args: &Allow, place: &Place) -> Result<ExitCode, Failure> {
    if args.list {
        return list(args, place);
    }
    let request = request(args)?;
    let report: TemporaryReport = Client::connect(&place.socket)?.call(&request)?;
    if args.output.json {
        output::json(&report)?;
    } else {
        match &report.failure {
            Some(failure) => Failure::no(&failure.message).with_help_if(failure.help.as_deref()).print(),
            None => output::write(|out| print(out, args, &report))?,
        }
    }
    Ok(match report.failure.map(|failure| failure.kind) {
        None => ExitCode::SUCCESS,
        Some(FailureKind::Policy | FailureKind::Restart) => ExitCode::from(1),
        Some(FailureKind::System) => ExitCode::from(4),
    })
}

fn request(args: &Allow) -> Result<Request, Failure> {
    if let Some(which) = &args.revoke {
        return Ok(Request::Revoke { which: which.clone() });
    }
    let (Some(target), Some(time)) = (&args.target, &args.time) else {
        return Err(Failure::usage("say what is to be allowed, and how long: `decider allow github.com:22 --for 10m`"));
    };
    let lasts = parse_duration(time).filter(|lasts| lasts.subsec_nanos() == 0);
    let lasts = lasts.ok_or_else(|| {
        Failure::usage(format!("{time:?} is no time of whole seconds"))
            .with_help("write it as in `90s`, `10m`, `1h30m` or `2d`")
    })?;
    Ok(Request::Allow { target: target.clone(), for_s: lasts.as_secs(), client: args.client, dry_run: args.dry_run })
}

fn list(args: &Allow, place: &Place) -> Result<ExitCode, Failure> {
    let rules: Vec<TemporaryView> = Client::connect(&place.socket)?.call(&Request::Temporary {})?;
    if args.output.json {
        output::json(&rules)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rules.is_empty() {
        output::line("there are no temporary rules")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown = table::table(&["rule", "domain", "port", "proto", "client", "left", "ends", "asked by"]);
    for rule in &rules {
        shown.add_row([
            rule.id.to_string(),
            rule.domain.to_string(),
            rule.port.to_string(),
            rule.proto.to_string(),
            rule.client.map_or("everybody".to_owned(), |client| client.to_string()),
            seconds(rule.left_s),
            ends(rule),
            format!("user {}", rule.by),
        ]);
    }
    table::print(&shown)?;
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut impl Write, args: &Allow, report: &TemporaryReport) -> io::Result<()> {
    let good = style::GOOD;
    for rule in &report.rules {
        if args.revoke.is_some() {
            writeln!(out, "{good}revoked{good:#}: {}", rule.id)?;
            continue;
        }
        let verb = match (report.dry_run, report.renewed) {
            (true, _) => "would be allowed",
            (false, true) => "allowed anew",
            (false, false) => "allowed",
        };
        writeln!(out, "{good}{verb}{good:#}: {}", sentence(rule))?;
        writeln!(out, "  rule {}", rule.id)?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "  note: {note}"))?;
    for flow in &report.cut {
        writeln!(out, "  {}", cut(flow, report.dry_run))?;
    }
    let ids: Vec<&str> = report.not_ready.iter().map(RuleId::as_str).collect();
    if ids.is_empty() { Ok(()) } else { writeln!(out, "  not up yet, so its SYNs are refused: {}", ids.join(", ")) }
}

/// What exactly is allowed, to whom and until when.
fn sentence(rule: &TemporaryView) -> String {
    let client = rule.client.map_or("everybody".to_owned(), |client| format!("{client} only"));
    let (name, port, proto) = (&rule.domain, rule.port, rule.proto);
    format!("{name} on port {port} ({proto}), for {client}, for {}, until {}", seconds(rule.for_s), ends(rule))
}

fn seconds(seconds: u64) -> String {
    written_duration(std::time::Duration::from_secs(seconds))
}

fn ends(rule: &TemporaryView) -> String {
    let local = |ends: jiff::Timestamp| ends.to_zoned_datetime(TimeZone::system());
    rule.ends.map_or("?".to_owned(), |ends| local(ends).strftime("%Y-%m-%d %H:%M:%S").to_string())
}
