use std::path::{Path, PathBuf};

use crate::daemon::offline;
use crate::learn;
use crate::policy::{self, Policy, Spec};

use crate::cli::check;
use crate::cli::failure::Failure;

/// A policy file that something is proposed for.
pub struct Base {
    pub file: PathBuf,
    pub text: String,
    pub policy: Policy,
    /// Whether its rules stay.
    pub keeps_rules: bool,
}

impl Base {
    /// Reads a policy that somebody named; its problems are that one's to mend.
    pub fn read(file: &Path, keeps_rules: bool) -> Result<Self, Failure> {
        let bytes = offline::read_policy(file).map_err(|error| Failure::file("read the policy", file, &error))?;
        // Not yet having rules is no reason for a warning here, so that problems are told only if there are any.
        let (Ok(loaded), Ok(text)) = (policy::load_bytes(&bytes), String::from_utf8(bytes)) else {
            check::load(file)?;
            return Err(Failure::no(format!("{} was changed in this moment", file.display())));
        };
        let policy = compile(loaded.spec)?;
        Ok(Self { file: file.to_owned(), text, policy, keeps_rules })
    }

    /// A policy without rules of this text.
    pub fn made(text: String) -> Result<Self, Failure> {
        let loaded = policy::load(&text).map_err(|_| Failure::no("no policy can be made of what was seen"))?;
        Ok(Self { file: PathBuf::new(), text, policy: compile(loaded.spec)?, keeps_rules: false })
    }

    /// What a proposal has to know of it.
    pub fn known(&self) -> learn::Base<'_> {
        learn::Base {
            policy: &self.policy,
            keeps_rules: self.keeps_rules,
            says_upstream: policy::has_key(&self.text, "upstream"),
        }
    }
}

pub fn compile(spec: Spec) -> Result<Policy, Failure> {
    offline::compile_anew(spec).map_err(|error| Failure::from_start(&error))
}
