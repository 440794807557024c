use std::path::Path;
use std::process::ExitCode;

use crate::control::CallError;
use crate::daemon::StartError;

use super::{output, style};

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
    help: Option<String>,
}

impl Failure {
    /// Exit code 1: the answer is no.
    pub fn no(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into(), help: None }
    }

    /// Exit code 2: wrong usage.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into(), help: None }
    }

    /// Exit code 3: no daemon.
    pub fn no_daemon(message: impl Into<String>) -> Self {
        Self { code: 3, message: message.into(), help: Some("start one with `decider run FILE`".into()) }
    }

    /// Exit code 4: the system refused.
    pub fn system(message: impl Into<String>) -> Self {
        Self { code: 4, message: message.into(), help: None }
    }

    /// Exit code 4, for a file.
    pub fn file(operation: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::system(format!("cannot {operation} {}: {error}", path.display()))
    }

    /// Exit code 4: a policy could not be brought into force.
    pub fn from_start(error: &StartError) -> Self {
        Self { code: 4, message: error.to_string(), help: error.help().map(str::to_owned) }
    }

    /// The same with other words on what to do about it, or on what has been done.
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same, if there are any.
    pub fn with_help_if(self, help: Option<&str>) -> Self {
        Self { help: help.map(str::to_owned).or(self.help), ..self }
    }

    pub fn print(&self) {
        let (error, help) = (style::BAD, style::STRONG);
        output::note(format_args!("{error}error{error:#}: {}", self.message));
        if let Some(text) = &self.help {
            output::note(format_args!("  {help}help{help:#}: {text}"));
        }
    }

    pub fn code(&self) -> ExitCode {
        self.code.into()
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoDaemon(_) => Self::no_daemon(error.to_string()),
            CallError::NotAllowed(_)
            | CallError::Broken(_)
            | CallError::Silent
            | CallError::Protocol(_)
            | CallError::Version
            | CallError::Refused(_) => Self::system(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::system(format!("cannot write the output: {error}"))
    }
}
