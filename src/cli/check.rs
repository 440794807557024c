use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use crate::policy::{self, Colour, Diagnostic, Spec};

use super::args::Check;
use super::failure::Failure;
use super::{style, table};

/// The answer of `check --json`.
#[derive(Serialize)]
struct Report<'a> {
    file: &'a Path,
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
    if args.output.json {
        let report =
            Report { file: &args.file, ok: rules.is_some(), rules: rules.unwrap_or(0), diagnostics: &diagnostics };
        table::print_json(&report)?;
    } else {
        print_diagnostics(&args.file, &bytes, &diagnostics);
        match rules {
            Some(rules) => {
                let good = style::GOOD;
                anstream::println!("{good}ok{good:#}: {} ({rules} rules)", args.file.display());
            }
            None => {
                let bad = style::BAD;
                anstream::eprintln!("{bad}{}{bad:#}: {} problems", args.file.display(), diagnostics.len());
            }
        }
    }
    Ok(if rules.is_some() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Loads a policy for another command: its problems are printed and are that command's failure.
pub fn load(file: &Path) -> Result<Spec, Failure> {
    let bytes = read(file)?;
    match policy::load_bytes(&bytes) {
        Ok(loaded) => {
            print_diagnostics(file, &bytes, &loaded.warnings);
            Ok(loaded.spec)
        }
        Err(problems) => {
            print_diagnostics(file, &bytes, &problems);
            Err(Failure::no(format!("{} is not a policy: {} problems", file.display(), problems.len())))
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| Failure::file("read the policy", file, &error))
}

fn print_diagnostics(file: &Path, bytes: &[u8], diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let rendered = policy::render_diagnostics(&file.to_string_lossy(), &text, diagnostics, Colour::On);
    // anstream takes the colours out again where they are not wanted.
    anstream::eprintln!("{rendered}");
}
