use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anstyle::Style;
use serde::Serialize;

use crate::doctor::{Finding, Level, examine};
use crate::survey;

use super::args::{Doctor, Place};
use super::failure::Failure;
use super::{output, style};

/// Where a policy is looked for if none is named.
const POLICY: &str = "/etc/decider/policy.yaml";

/// The answer of `doctor --json`.
#[derive(Serialize)]
struct Report<'a> {
    policy: &'a str,
    ok: bool,
    findings: &'a [Finding],
}

pub fn run(args: &Doctor, place: &Place) -> Result<ExitCode, Failure> {
    let file = args.file.as_deref().unwrap_or(Path::new(POLICY));
    let unreadable = |error: &io::Error| Failure::file("read", file, error);
    if args.file.is_some() {
        std::fs::metadata(file).map_err(|error| unreadable(&error))?;
    }
    let policy = survey::read_policy(file).map_err(|error| unreadable(&error))?;
    let place = survey::Place { socket: place.socket.clone(), state_dir: place.state_dir.clone() };
    let findings = examine(&survey::survey(policy, &place));
    let ok = findings.iter().all(|finding| finding.level < Level::Wrong);
    if args.output.json {
        output::json(&Report { policy: &file.to_string_lossy(), ok, findings: &findings })?;
    } else {
        output::write(|out| print(out, &findings))?;
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// A line each: how bad, which check, what. What mends it stands below.
fn print(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    let width = findings.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    for Finding { name, level, what, fix } in findings {
        let (colour, faint, strong) = (of_level(*level), style::FAINT, style::STRONG);
        writeln!(out, "{colour}{:<5}{colour:#}  {faint}{name:<width$}{faint:#}  {what}", level.as_str())?;
        if let Some(fix) = fix {
            writeln!(out, "{:<5}  {:<width$}  {strong}->{strong:#} {fix}", "", "")?;
        }
    }
    writeln!(out, "\n{}", summary(findings))
}

const fn of_level(level: Level) -> Style {
    match level {
        Level::Ok => style::GOOD,
        Level::Warn => style::WARN,
        Level::Wrong => style::BAD,
    }
}

fn summary(findings: &[Finding]) -> String {
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let levels = [Level::Wrong, Level::Warn, Level::Ok].map(|level| format!("{} {}", count(level), level.as_str()));
    levels.join(", ")
}
