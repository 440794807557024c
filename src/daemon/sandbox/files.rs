use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, BitFlags, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus, path_beneath_rules,
};

use crate::control;
use crate::envoy;
use crate::policy::{EventFile, Listen, Spec};

use super::super::options::Options;
use super::super::state_dir;

/// The newest kinds of access that are known here; a kernel that knows fewer restricts fewer.
const KNOWN: ABI = ABI::V5;

/// Where programs and their libraries are: nft, setpriv, Envoy.
const PROGRAMS: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store"];

/// What these programs, and decider, look up. No other file of `/etc`: there are secrets among them.
const SETTINGS: [&str; 19] = [
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/resolv.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/iproute2",
    "/etc/xtables",
    "/etc/ssl/openssl.cnf",
    "/proc",
    "/sys",
];

/// Devices that are no devices.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Folders that were made ahead of the start, since only what is there can be named.
#[derive(Debug, Default)]
pub struct Made(Vec<PathBuf>);

impl Made {
    /// Makes the folders that decider writes in, as far as they are missing. What cannot be made is for the start to complain
    /// of.
    pub fn new(spec: &Spec, options: &Options) -> Self {
        let folders = [&*options.state_dir, &*spec.envoy.config_dir].into_iter();
        let folders = folders.chain(event_folder(spec)).chain(metrics_socket(spec).and_then(Path::parent));
        let missing = folders.filter(|folder| !folder.exists()).map(Path::to_owned).collect();
        let results = [
            event_folder(spec).map_or(Ok(()), std::fs::create_dir_all).map_err(|error| error.to_string()),
            metrics_socket(spec).map_or(Ok(()), control::make_directory).map_err(|error| error.to_string()),
            state_dir::make(&options.state_dir).map_err(|error| error.to_string()),
            control::make_directory(&options.socket).map_err(|error| error.to_string()),
            envoy::make_directory(&spec.envoy).map_err(|error| error.to_string()),
        ];
        for error in results.into_iter().filter_map(Result::err) {
            tracing::debug!(error, "a folder of decider's could not be made ahead of the start");
        }
        Self(missing)
    }

    /// A start that has come to nothing leaves nothing: what is still empty goes.
    pub fn remove(&self) {
        for folder in &self.0 {
            // With files in it, it stays, and that is no error.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Gives up all files but those that the policy and the options make needed, for this thread and those that it starts; in
/// the words of `status`, how far the kernel goes along.
///
/// # Errors
/// If the kernel refuses.
pub fn give_up(spec: &Spec, options: &Options, made: &Made) -> Result<String, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let all = AccessFs::from_all(KNOWN);
    let own = all & !AccessFs::Execute;
    let socket = AccessFs::ReadDir | AccessFs::MakeSock | AccessFs::RemoveFile;
    let device = read | AccessFs::WriteFile | AccessFs::Truncate;
    let restricted = landlock::Ruleset::default()
        .handle_access(all)?
        .create()?
        .add_rules(beneath(programs(spec), read | AccessFs::Execute))?
        .add_rules(beneath(SETTINGS, read))?
        .add_rules(beneath(DEVICES, device))?
        .add_rules(beneath(folders_of(&options.policy_file), read))?
        .add_rules(beneath([&options.state_dir, &spec.envoy.config_dir], own))?
        .add_rules(beneath(event_folder(spec), own))?
        .add_rules(beneath(options.socket.parent(), socket))?
        .add_rules(beneath(metrics_socket(spec).and_then(Path::parent), socket))?
        .add_rules(beneath(made.0.iter().filter_map(|folder| folder.parent()), AccessFs::RemoveDir.into()))?
        .restrict_self()?;
    Ok(match restricted.ruleset {
        RulesetStatus::FullyEnforced => "restricted",
        RulesetStatus::PartiallyEnforced => "restricted as far as this kernel can",
        RulesetStatus::NotEnforced => "not restricted: Landlock cannot be had here",
    }
    .to_owned())
}

/// The folder that events are written in, if they are.
fn event_folder(spec: &Spec) -> Option<&Path> {
    spec.events.as_ref().and_then(|EventFile { path, .. }| path.parent())
}

/// The socket by which metrics are given, if it is one of files.
fn metrics_socket(spec: &Spec) -> Option<&Path> {
    match spec.metrics.as_ref()? {
        Listen::Unix(path) => Some(path),
        Listen::Tcp(_) => None,
    }
}

/// Paths that are not there have no rule.
fn beneath<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    access: BitFlags<AccessFs>,
) -> impl Iterator<Item = Result<landlock::PathBeneath<landlock::PathFd>, RulesetError>> {
    path_beneath_rules(paths, access)
}

fn programs(spec: &Spec) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = PROGRAMS.iter().map(PathBuf::from).collect();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path).filter(|folder| folder.is_absolute() && folder.parent().is_some()));
    if let Ok(binary) = envoy::find_binary(&spec.envoy) {
        found.extend(folders_of(&binary));
    }
    found
}

/// The folder in which a file is named, and the one in which it is.
fn folders_of(file: &Path) -> Vec<PathBuf> {
    let named = file.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let real = file.canonicalize().ok().and_then(|file| file.parent().map(Path::to_owned));
    named.map(Path::to_owned).into_iter().chain(real).collect()
}
