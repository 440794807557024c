use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::Gid;
use tokio::net::UnixListener;

/// A UNIX socket that is listened at; the file goes when this is dropped.
pub struct SocketFile {
    listener: UnixListener,
    path: PathBuf,
}

/// Why a socket cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody else listens there.
    #[error("another program answers at {0}")]
    Answered(PathBuf),
    /// There is a file that is no socket.
    #[error("{0} exists and is not a socket")]
    InTheWay(PathBuf),
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

/// Makes the directory that a socket is to be in.
///
/// # Errors
/// If it is not there and cannot be made.
pub fn make_directory(socket: &Path) -> io::Result<()> {
    socket.parent().map_or(Ok(()), std::fs::create_dir_all)
}

impl SocketFile {
    /// Makes the socket (mode 0600, or 0660 where it is a group's) and its directory; takes over a socket that nobody
    /// answers at. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If another program answers there, or the system refuses.
    pub fn bind(path: &Path, group: Option<Gid>) -> Result<Self, SocketError> {
        let failed = |operation| move |source| SocketError::System { operation, path: path.to_owned(), source };
        make_directory(path).map_err(failed("make the directory of"))?;
        match std::fs::symlink_metadata(path) {
            Err(_) => {}
            Ok(found) if !found.file_type().is_socket() => return Err(SocketError::InTheWay(path.to_owned())),
            Ok(_) if is_left_over(path) => std::fs::remove_file(path).map_err(failed("replace"))?,
            Ok(_) => return Err(SocketError::Answered(path.to_owned())),
        }
        let listener = UnixListener::bind(path).map_err(failed("listen at"))?;
        let socket = Self { listener, path: path.to_owned() };
        socket.open_to(group).map_err(failed("set owner and mode of"))?;
        Ok(socket)
    }

    /// Where it is listened.
    #[must_use]
    pub const fn listener(&self) -> &UnixListener {
        &self.listener
    }

    fn open_to(&self, group: Option<Gid>) -> io::Result<()> {
        if let Some(group) = group {
            std::os::unix::fs::chown(&self.path, None, Some(group.as_raw()))?;
        }
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(mode))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether nobody listens at a socket any more. A program that is stopped or busy only answers late.
fn is_left_over(path: &Path) -> bool {
    let answer = std::os::unix::net::UnixStream::connect(path);
    answer.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}
