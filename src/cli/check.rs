use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::daemon::offline;
use crate::policy::{self, Code, Colour, Diagnostic, Severity, Spec};

use super::args::Check;
use super::failure::Failure;
use super::{output, style};

/// The answer of `check --json`.
#[derive(Serialize)]
struct Report<'a> {
    file: &'a str,
    ok: bool,
    rules: usize,
    diagnostics: &'a [Diagnostic],
}

pub fn run(args: &Check) -> Result<ExitCode, Failure> {
    let bytes = read(&args.file)?;
    let (rules, diagnostics) = match policy::load_bytes(&bytes) {
        Ok(loaded) => (Some(loaded.spec.rules.len()), loaded.warnings),
        Err(problems) => (None, problems),
    };
    let file = &args.file.to_string_lossy();
    if args.output.json {
        output::json(&Report { file, ok: rules.is_some(), rules: rules.unwrap_or(0), diagnostics: &diagnostics })?;
    } else {
        print_diagnostics(file, &bytes, &diagnostics);
        match rules {
            Some(rules) => output::line(good(file, rules, diagnostics.len()))?,
            None => output::note(bad(file, &diagnostics)),
        }
    }
    Ok(if rules.is_some() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Loads a policy for another command: its problems are printed and are that command's failure.
pub fn load(file: &Path) -> Result<Spec, Failure> {
    let bytes = read(file)?;
    let name = file.to_string_lossy();
    match policy::load_bytes(&bytes) {
        Ok(loaded) => {
            print_diagnostics(&name, &bytes, &loaded.warnings);
            Ok(loaded.spec)
        }
        Err(problems) => {
            print_diagnostics(&name, &bytes, &problems);
            Err(Failure::no(format!("{name} cannot be used: {}", counted(&problems))))
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    offline::read_policy(file).map_err(|error| Failure::file("read the policy", file, &error))
}

fn print_diagnostics(file: &str, bytes: &[u8], diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    // anstream takes the colours out again where they are not wanted.
    let rendered = policy::render_diagnostics(file, &text, diagnostics, Colour::On);
    output::note(format_args!("{rendered}\n"));
}

fn good(file: &str, rules: usize, warnings: usize) -> String {
    let good = style::GOOD;
    let rules = output::count(rules, "rule");
    let warnings = match warnings {
        0 => String::new(),
        some => format!(", {}", output::count(some, "warning")),
    };
    format!("{good}ok{good:#}: {file} ({rules}{warnings})")
}

fn bad(file: &str, diagnostics: &[Diagnostic]) -> String {
    let bad = style::BAD;
    format!("{bad}{file}{bad:#}: {}", counted(diagnostics))
}

/// How many problems and warnings there are.
fn counted(diagnostics: &[Diagnostic]) -> String {
    let more = diagnostics.iter().any(|diagnostic| diagnostic.code == Code::TooManyProblems);
    let shown = diagnostics.iter().filter(|diagnostic| diagnostic.code != Code::TooManyProblems);
    let (errors, warnings): (Vec<_>, Vec<_>) = shown.partition(|diagnostic| diagnostic.severity == Severity::Error);
    let more = if more { "more than " } else { "" };
    let problems = output::count(errors.len(), "problem");
    match warnings.len() {
        0 => format!("{more}{problems}"),
        some => format!("{more}{problems}, {}", output::count(some, "warning")),
    }
}
