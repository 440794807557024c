//! The policy: text to a checked [`Spec`], and a spec to a compiled [`Policy`].
//!
//! [`load`] collects every problem of a file, each with its place and what to write instead. [`SlotTable`] keeps a
//! rule's number, from which its mark and port follow, across reloads and restarts.

mod compile;
mod pattern;
mod slots;
mod spec;

pub use compile::{CompileError, NameMatch, Policy, Route};
pub use pattern::{InterfacePattern, PatternError};
pub use slots::{SlotError, SlotTable};
pub use spec::{Action, Dns, EnvoySpec, Gateway, Mode, OnAmbiguous, Refusal, Rule, Spec};
