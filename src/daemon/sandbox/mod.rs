//! What the process gives up, since it needs it no more: capabilities, files, system calls. A hole in what reads packets
//! is then worth less to whoever finds it.
//!
//! Capabilities and files belong to a thread and to those that it starts, so they are given up before there is a second
//! one, but for the thread that looks for other processes (`who.rs`), which keeps its files; calls are given up by all
//! threads at once, when all is in force. nft and Envoy, started later, inherit all of it.

mod calls;
mod files;
pub mod probe;
mod rights;

use crate::control::SandboxStatus;
use crate::policy::Spec;

use super::options::Options;
use files::Made;

/// What was given up so far, in the words of `status`.
#[derive(Clone, Debug)]
pub struct Sandbox {
    is_wanted: bool,
    status: SandboxStatus,
}

impl Sandbox {
    /// Gives up capabilities, if the options want that. To be called before there is another thread.
    #[must_use]
    pub fn enter(spec: &Spec, options: &Options) -> Self {
        if !options.sandbox {
            let off = || "off".to_owned();
            let status = SandboxStatus { files: off(), calls: off(), capabilities: rights::held() };
            return Self { is_wanted: false, status };
        }
        rights::give_up(spec.host);
        let not_yet = || "not restricted yet".to_owned();
        let status = SandboxStatus { files: not_yet(), calls: not_yet(), capabilities: rights::held() };
        Self { is_wanted: true, status }
    }

    /// Gives up files, for this thread and those that it starts from now on, and says which folders were made for it.
    #[must_use]
    pub fn without_files(mut self, spec: &Spec, options: &Options) -> (Self, Made) {
        if !self.is_wanted {
            return (self, Made::default());
        }
        let made = Made::new(spec, options);
        self.status.files =
            files::give_up(spec, options, &made).unwrap_or_else(|error| format!("not restricted: {error}"));
        (self, made)
    }

    /// Gives up system calls, in all threads. What is needed for the start only is over then.
    #[must_use]
    pub fn shut(mut self) -> SandboxStatus {
        if self.is_wanted {
            self.status.calls =
                calls::give_up().map_or_else(|error| format!("not restricted: {error}"), |()| "restricted".to_owned());
        }
        self.status
    }
}
