use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::EnvoyError;
use crate::policy::EnvoySpec;

/// The first with the DNS cluster extension (`envoy.clusters.dns`).
const LEAST: Version = Version { major: 1, minor: 34 };

/// Envoy's version, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
}

/// Finds the program of a policy: the one named, else `envoy` in `PATH`.
///
/// # Errors
/// If there is none.
pub fn find(spec: &EnvoySpec) -> Result<PathBuf, EnvoyError> {
    let named = spec.binary.as_deref();
    let found = match named {
        Some(path) => is_program(path).then(|| path.to_owned()),
        None => in_path("envoy"),
    };
    found.ok_or_else(|| EnvoyError::NoBinary(named.map(Path::to_owned)))
}

/// Finds a program in `PATH`.
pub fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Sees that what the command starts says that it is an Envoy, and new enough.
///
/// # Errors
/// If it says something else, or cannot be started.
pub fn check(binary: &Path, mut command: Command) -> Result<(), EnvoyError> {
    let not_envoy = |reason: String| EnvoyError::NotEnvoy { binary: binary.to_owned(), reason };
    let output = command
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_envoy(format!("it cannot be started: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(version) = Version::read(&text) else {
        // Whoever cannot start it complains instead.
        let complaint = String::from_utf8_lossy(&output.stderr);
        let mut said = text.lines().chain(complaint.lines()).map(str::trim).filter(|line| !line.is_empty());
        let first: String = said.next().unwrap_or_default().chars().take(200).collect();
        return Err(not_envoy(format!("asked for its version it says {first:?} ({})", output.status)));
    };
    if version < LEAST {
        let (found, least) = (version.to_string(), LEAST.to_string());
        return Err(EnvoyError::TooOld { binary: binary.to_owned(), found, least });
    }
    Ok(())
}

impl Version {
    /// From `envoy --version`: `/path/envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`.
    fn read(text: &str) -> Option<Self> {
        let (_, version) = text.split_once("version: ")?;
        let mut numbers = version.split('/').nth(1)?.split('.');
        Some(Self { major: numbers.next()?.parse().ok()?, minor: numbers.next()?.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        let text = "\n/usr/bin/envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL\n\n";
        let found = Version::read(text).unwrap();
        assert_eq!(found.to_string(), "1.40");
        assert!(found > LEAST && Version { major: 1, minor: 9 } < LEAST);
        for other in ["", "envoy 1.40", "version: 1.40", "version: x/1/Clean", "version: x/a.b/Clean"] {
            assert_eq!(Version::read(other), None, "{other}");
        }
    }
}
