use std::path::{Path, PathBuf};

/// Where each file is in `envoy.config_dir`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout(PathBuf);

impl Layout {
    /// The files of a directory.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// What Envoy starts with.
    #[must_use]
    pub fn bootstrap(&self) -> PathBuf {
        self.0.join("bootstrap.json")
    }

    /// Its listeners.
    #[must_use]
    pub fn lds(&self) -> PathBuf {
        self.0.join("lds.json")
    }

    /// Its clusters.
    #[must_use]
    pub fn cds(&self) -> PathBuf {
        self.0.join("cds.json")
    }

    /// Where it is asked how it is.
    #[must_use]
    pub fn admin(&self) -> PathBuf {
        self.0.join("admin.sock")
    }

    /// One line a connection.
    #[must_use]
    pub fn access_log(&self) -> PathBuf {
        self.0.join("access.log")
    }

    /// Those before.
    #[must_use]
    pub fn old_access_log(&self) -> PathBuf {
        self.0.join("access.log.1")
    }

    /// The connections that were open when lines were thrown away.
    #[must_use]
    pub fn open_connections(&self) -> PathBuf {
        self.0.join("open.json")
    }

    /// What Envoy says of itself.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.0.join("envoy.log")
    }

    /// Which process it is.
    #[must_use]
    pub fn pid(&self) -> PathBuf {
        self.0.join("envoy.pid")
    }
}
