use std::io;
use std::path::{Path, PathBuf};

/// Why Envoy, or its directory, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EnvoyError {
    /// There is no program to start.
    #[error("Envoy is not installed: {}", missing(.0.as_deref()))]
    NoBinary(Option<PathBuf>),
    /// The program does not say that it is Envoy.
    #[error("{binary} does not work as Envoy: {reason}")]
    NotEnvoy {
        /// The program.
        binary: PathBuf,
        /// What it did instead.
        reason: String,
    },
    /// The program is an Envoy of before.
    #[error("{binary} is Envoy {found}, and {least} or newer is needed")]
    TooOld {
        /// The program.
        binary: PathBuf,
        /// Its version.
        found: String,
        /// The oldest that knows all that is in the files.
        least: String,
    },
    /// Envoy's user cannot be had.
    #[error("envoy.user {user} cannot be had: {why}")]
    User {
        /// As the policy names it.
        user: String,
        /// What is wrong with it.
        why: String,
    },
    /// What starts a program as another user is missing.
    #[error("Envoy cannot be started as another user: there is no program `setpriv` in PATH")]
    NoSetpriv,
    /// Others could change Envoy's files.
    #[error("envoy.config_dir {path} {what}")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Another decider uses the directory.
    #[error("another decider holds envoy.config_dir {0}")]
    Held(PathBuf),
    /// An Envoy of ours runs where this decider cannot use it.
    #[error("the Envoy of envoy.config_dir {path} (process {pid}) runs in another network namespace")]
    Elsewhere {
        /// The directory.
        path: PathBuf,
        /// The process.
        pid: u32,
    },
    /// It does not end.
    #[error("Envoy (process {0}) does not end")]
    Undying(u32),
    /// The system refused.
    #[error("cannot {operation} {path}: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

impl EnvoyError {
    /// What to do about it, where that is known.
    #[must_use]
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoBinary(_) => Some(
                "install Envoy, say where it is with `envoy.binary`, or start it yourself and write `manage: false`",
            ),
            Self::NotEnvoy { .. } => Some("let `envoy.binary` name the Envoy program itself"),
            Self::TooOld { .. } => Some("install a newer Envoy, or name one with `envoy.binary`"),
            Self::User { .. } => {
                Some("make one with `useradd --system --user-group NAME`, and let it into the directory's folders")
            }
            Self::NoSetpriv => Some("install util-linux"),
            Self::Directory { .. } => {
                Some("name a directory in `envoy.config_dir` that is this user's alone, or one that does not exist yet")
            }
            Self::Held(_) => Some("stop the other decider, or use another `envoy.config_dir`"),
            Self::Elsewhere { .. } => Some("use another `envoy.config_dir`, or stop that decider with `decider down`"),
            Self::Undying(_) => Some("look at it with `ps`; a debugger may hold it"),
            Self::System { .. } => None,
        }
    }

    /// Makes an error of the system's answer.
    pub(super) fn system(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::System { operation, path, source }
    }
}

fn missing(binary: Option<&Path>) -> String {
    match binary {
        Some(path) => format!("there is no program {}", path.display()),
        None => "there is no program `envoy` in PATH".to_owned(),
    }
}
