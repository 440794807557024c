use std::path::Path;

use serde_json::Value;

use crate::control::{FailureKind, ReloadFailure, ReloadReport};
use crate::daemon::offline::read_policy;
use crate::policy::{self, Colour, Diagnostic, Severity, Spec};

/// Reads a policy file. What is wrong with it, warnings included, is told to the report.
///
/// # Errors
/// Why there is no policy in it that can be used.
pub fn read(path: &Path, report: &mut ReloadReport) -> Result<Spec, ReloadFailure> {
    let bytes = read_policy(path).map_err(|error| ReloadFailure {
        kind: FailureKind::System,
        message: format!("cannot read {}: {error}", path.display()),
    })?;
    match policy::load_bytes(&bytes) {
        Ok(loaded) => {
            tell(report, path, &bytes, &loaded.warnings);
            Ok(loaded.spec)
        }
        Err(problems) => {
            tell(report, path, &bytes, &problems);
            let message = first_of(path, &problems);
            Err(ReloadFailure { kind: FailureKind::Policy, message })
        }
    }
}

fn tell(report: &mut ReloadReport, path: &Path, bytes: &[u8], diagnostics: &[Diagnostic]) {
    if diagnostics.is_empty() {
        return;
    }
    report.diagnostics =
        diagnostics.iter().map(|diagnostic| serde_json::to_value(diagnostic).unwrap_or(Value::Null)).collect();
    let text = String::from_utf8_lossy(bytes);
    report.rendered = policy::render_diagnostics(&path.to_string_lossy(), &text, diagnostics, Colour::Off);
}

/// The first problem, with its place, and how many there are.
fn first_of(path: &Path, problems: &[Diagnostic]) -> String {
    let mut errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
    let Some(first) = errors.next() else { return format!("{} cannot be used", path.display()) };
    let place = format!("{}:{}:{}", path.display(), first.place.line, first.place.column);
    match errors.count() {
        0 => format!("{place}: {}", first.message),
        more => format!("{place}: {} (and {more} more)", first.message),
    }
}
