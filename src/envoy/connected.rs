//! Which connection of Envoy's own belongs to which of its clients: only its access log says it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use serde::{Deserialize, Serialize};

use super::layout::Layout;

/// Bytes of a log that are read: far more than what logs are kept to.
const LONGEST: u64 = 64 * 1024 * 1024;
/// What the access log says of a connection that has reached its server, and of one that has ended (`%ACCESS_LOG_TYPE%`).
const CONNECTED: &str = "TcpUpstreamConnected";
const ENDED: &str = "TcpConnectionEnd";

/// A client's connection: where it comes from, and where it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Downstream {
    /// The client's end.
    pub client: SocketAddr,
    /// Where the client meant to go.
    pub dst: SocketAddr,
}

/// Envoy's own connection to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Upstream {
    /// Envoy's end.
    pub local: SocketAddr,
    /// The server's.
    pub remote: SocketAddr,
}

/// The connections that are open, by what the logs say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connected(BTreeMap<Downstream, Upstream>);

/// A line of the access log, as far as it matters here.
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    kind: Cow<'l, str>,
    client: Option<SocketAddr>,
    dst: Option<SocketAddr>,
    upstream: Option<SocketAddr>,
    upstream_local: Option<SocketAddr>,
}

impl Connected {
    /// Reads all that is kept: what was open when the last log but one was thrown away, the last one, the present one.
    #[must_use]
    pub fn read(layout: &Layout) -> Self {
        let mut connected = Self::saved(layout);
        for log in [layout.old_access_log(), layout.access_log()] {
            connected.read_log(&log);
        }
        connected
    }

    /// What was open when the last log but one was thrown away.
    #[must_use]
    pub fn saved(layout: &Layout) -> Self {
        let saved = open(&layout.open_connections()).ok().and_then(|file| serde_json::from_reader(file).ok());
        let saved: Vec<(Downstream, Upstream)> = saved.unwrap_or_default();
        Self(saved.into_iter().collect())
    }

    /// Goes on with a log. What cannot be read in it is skipped: somebody else may have written there.
    pub fn read_log(&mut self, path: &Path) {
        let Ok(file) = open(path) else { return };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while matches!(reader.read_until(b'\n', &mut line), Ok(1..)) {
            self.take(&line);
            line.clear();
        }
    }

    /// The connection of Envoy's that belongs to a client's.
    #[must_use]
    pub fn upstream(&self, downstream: &Downstream) -> Option<Upstream> {
        self.0.get(downstream).copied()
    }

    /// All of them, to be saved.
    #[must_use]
    pub fn all(&self) -> Vec<(Downstream, Upstream)> {
        self.0.iter().map(|(&downstream, &upstream)| (downstream, upstream)).collect()
    }

    fn take(&mut self, line: &[u8]) {
        let Ok(Line { kind, client: Some(client), dst: Some(dst), upstream, upstream_local }) =
            serde_json::from_slice::<Line<'_>>(line)
        else {
            return;
        };
        let downstream = Downstream { client, dst };
        match (&*kind, upstream_local, upstream) {
            (CONNECTED, Some(local), Some(remote)) => drop(self.0.insert(downstream, Upstream { local, remote })),
            (ENDED, ..) => drop(self.0.remove(&downstream)),
            _ => {}
        }
    }
}

/// Neither another's file by way of a link nor a pipe that nobody writes to: Envoy's user may have put it there.
fn open(path: &Path) -> io::Result<io::Take<File>> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file.take(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, client: &str, upstream: &str) -> String {
        format!(
            "{{\"kind\":\"{kind}\",\"client\":\"{client}\",\"dst\":\"[2001:db8::1]:22\",\"upstream\":\"{upstream}\",\
             \"upstream_local\":\"192.0.2.1:40000\",\"rule\":\"a\\\"b\"}}\n"
        )
    }

    fn downstream(client: &str) -> Downstream {
        Downstream { client: client.parse().unwrap(), dst: "[2001:db8::1]:22".parse().unwrap() }
    }

    #[test]
    fn what_is_open_is_what_was_connected_and_has_not_ended_through_all_logs() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let [one, two, three, four] = [1, 2, 3, 4].map(|port| format!("[fd77::2]:{port}"));
        let saved = vec![(
            downstream(&one),
            Upstream { local: "192.0.2.1:1".parse().unwrap(), remote: "192.0.2.9:22".parse().unwrap() },
        )];
        std::fs::write(layout.open_connections(), serde_json::to_string(&saved).unwrap()).unwrap();
        let old = [line(CONNECTED, &two, "192.0.2.8:22"), line(CONNECTED, &three, "192.0.2.8:22"), "rubbish\n".into()];
        std::fs::write(layout.old_access_log(), old.concat()).unwrap();
        let now =
            [line(ENDED, &three, "192.0.2.8:22"), line(CONNECTED, &four, "-"), line(CONNECTED, &two, "192.0.2.7:22")];
        std::fs::write(layout.access_log(), now.concat()).unwrap();
        let connected = Connected::read(&layout);
        assert_eq!(connected.upstream(&downstream(&one)).unwrap().remote.to_string(), "192.0.2.9:22");
        // A client may use a port again.
        assert_eq!(connected.upstream(&downstream(&two)).unwrap().remote.to_string(), "192.0.2.7:22");
        assert_eq!([three, four].map(|client| connected.upstream(&downstream(&client))), [None, None]);
    }

    #[test]
    fn what_is_no_file_of_its_own_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, line(CONNECTED, "[fd77::2]:1", "192.0.2.8:22")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, layout.access_log()).unwrap();
        nix::unistd::mkfifo(&layout.old_access_log(), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(Connected::read(&layout), Connected::default());
    }
}
