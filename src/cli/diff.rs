use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::daemon::offline;
use crate::policy::{Difference, Policy};
use crate::review::{Change, Changes, Judgement};

use super::args::Diff;
use super::check::load;
use super::failure::Failure;
use super::{event_file, output, style};

/// The answer of `diff --json`.
#[derive(Serialize)]
struct Report<'a> {
    same: bool,
    #[serde(flatten)]
    difference: &'a Difference,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Looked<'a>>,
}

/// What the recorded decisions would be.
#[derive(Serialize)]
struct Looked<'a> {
    #[serde(flatten)]
    totals: &'a Changes,
    changes: Vec<Change<'a>>,
}

pub fn run(args: &Diff) -> Result<ExitCode, Failure> {
    let (before, after) = (compile(&args.old)?, compile(&args.new)?);
    let difference = Difference::between(before.spec(), after.spec());
    let changes = match &args.events {
        None => None,
        Some(file) => {
            let mut changes = Changes::default();
            let read = event_file::each(file, |line| {
                if let Some(event) = line.event() {
                    changes.look_at(&event, &before, &after);
                }
            });
            read.map_err(|error| error.failure(file))?;
            Some(changes)
        }
    };
    let same = difference.is_empty();
    if args.output.json {
        let looked = |changes| Looked { totals: changes, changes: changes.each().collect() };
        output::json(&Report { same, difference: &difference, events: changes.as_ref().map(looked) })?;
    } else {
        output::write(|out| print(out, &difference, changes.as_ref()))?;
    }
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn compile(file: &Path) -> Result<Policy, Failure> {
    offline::compile_anew(load(file)?).map_err(|error| Failure::from_start(&error))
}

fn print(out: &mut impl Write, difference: &Difference, changes: Option<&Changes>) -> io::Result<()> {
    let Difference { added, removed, changed, settings } = difference;
    let (good, bad, warn) = (style::GOOD, style::BAD, style::WARN);
    added.iter().try_for_each(|id| writeln!(out, "{good}+ {id}{good:#}"))?;
    removed.iter().try_for_each(|id| writeln!(out, "{bad}- {id}{bad:#}"))?;
    for rule in changed {
        writeln!(out, "{warn}~ {}{warn:#} ({})", rule.id, rule.what.join("; "))?;
    }
    settings.iter().try_for_each(|key| writeln!(out, "{warn}~ {key}{warn:#}"))?;
    if difference.is_empty() {
        writeln!(out, "nothing is different")?;
    }
    changes.map_or(Ok(()), |changes| print_changes(out, changes))
}

fn print_changes(out: &mut impl Write, changes: &Changes) -> io::Result<()> {
    let Changes { decisions, unknown, changed, .. } = changes;
    writeln!(out, "\n{changed} of {decisions} recorded decisions would be others")?;
    for Change { kind, times } in changes.each() {
        let name = kind.domain.as_ref().map(ToString::to_string);
        let to = name.or(kind.dst.map(|dst| dst.to_string())).unwrap_or_default();
        let (before, after) = (words(&kind.before), words(&kind.after));
        writeln!(
            out,
            "  {} -> {to} port {}/{}: {before} -> {after}  x{times}",
            kind.client, kind.dst_port, kind.proto
        )?;
    }
    if *unknown > 0 {
        writeln!(out, "{unknown} of them depend on more than an event says: they were not decided again")?;
    }
    Ok(())
}

fn words(judgement: &Judgement) -> String {
    let style = style::of_verdict(judgement.verdict);
    let rule = judgement.rule.as_ref().map(|rule| format!(", {rule}")).unwrap_or_default();
    format!("{style}{}{style:#} ({}{rule})", judgement.verdict, judgement.reason)
}
