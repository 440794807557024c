//! The policy: text to a checked [`Spec`], and a spec to a compiled [`Policy`].
//!
//! [`load`] collects every problem of a file, each with its place and what to write instead: `source` (is it text?),
//! `parse` (is it YAML? a tree with places), `check` (does it mean something? one file a section). [`SlotTable`] keeps
//! a rule's number, from which its mark and port follow, across reloads and restarts.

mod amend;
mod check;
mod code;
mod compile;
mod diagnostic;
mod difference;
mod duration;
mod expiry;
mod fields;
mod keys;
mod limits;
mod name_table;
mod node;
mod offsets;
mod parse;
mod pattern;
mod problems;
mod public_suffix;
mod render;
mod size;
mod slots;
mod source;
mod spec;
mod syntax;
pub mod temporary;
mod value;

pub use amend::{Entry, has_key, with_rules, without_rules};
pub use check::{MAX_ID, is_for_rules, written_client, written_ports};
pub use code::Code;
pub use compile::{CompileError, NameMatch, Policy, Route};
pub use diagnostic::{Diagnostic, Place, Related, Severity};
pub use difference::{Difference, RuleChange};
pub use duration::{parse as parse_duration, written as written_duration};
pub use expiry::InForce;
pub use keys::{SECTIONS, Section};
pub use pattern::{InterfacePattern, PatternError};
pub use public_suffix::has_one_owner;
pub use render::{Colour, render_diagnostics};
pub use slots::{SlotError, SlotTable};
pub use source::MAX_BYTES;
pub use spec::{
    Action, Asker, Dns, EnvoySpec, EventFile, Expiry, Gateway, Listen, Mode, OnAmbiguous, Queries, Refusal, Rule, Spec,
    Term, User,
};

/// A policy that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it says.
    pub spec: Spec,
    /// What is probably not meant, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

/// Reads and checks a policy.
///
/// # Errors
/// All its problems, in the order of the file; never none. Warnings are among them.
pub fn load(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    let problems = problems::Problems::new(text);
    let spec = source::check(text, &problems)
        .and_then(|()| parse::parse(text, &problems))
        .and_then(|root| check::policy(&root, &problems));
    problems.conclude(spec).map(|(spec, warnings)| Loaded { spec, warnings })
}

/// Reads and checks a policy file's content.
///
/// # Errors
/// As [`load`]; also if it is not UTF-8, or larger than [`MAX_BYTES`].
pub fn load_bytes(bytes: &[u8]) -> Result<Loaded, Vec<Diagnostic>> {
    load(source::decode(bytes)?)
}
