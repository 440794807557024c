use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::host::Families;
use super::http::{self, Response};
use super::meaning::Listener;
use super::pattern;

/// An Envoy that does not answer for this long does not serve. On a busy machine it may well be a second, in which its sockets
/// take connections: refused, they would have been lost. One that has ended is noticed at once.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest answer, in bytes: 12,000 listeners with what was wrong with each.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The admin socket.
#[derive(Debug)]
pub struct Admin(PathBuf);

/// What Envoy says of itself.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// It serves.
    Live,
    /// It does not serve yet, or not any more: the word for it.
    NotLive(String),
}

impl Admin {
    /// Nothing is opened yet.
    pub fn new(socket: PathBuf) -> Self {
        Self(socket)
    }

    /// Whether anybody listens there.
    pub async fn is_open(&self) -> bool {
        timeout(PATIENCE, UnixStream::connect(&self.0)).await.is_ok_and(|connected| connected.is_ok())
    }

    /// How Envoy is.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn ready(&self) -> io::Result<Answer> {
        let response = self.ask("GET", "/ready").await?;
        Ok(match response.status {
            200 => Answer::Live,
            _ => Answer::NotLive(String::from_utf8_lossy(&response.body).trim().to_lowercase()),
        })
    }

    /// The listeners that have their sockets in each family, with their ports.
    ///
    /// # Errors
    /// If it does not answer, or not with what is expected.
    pub async fn listeners(&self, families: Families) -> io::Result<BTreeMap<String, u16>> {
        let response = self.ask("GET", "/listeners?format=json").await?;
        listeners(&response.body, families).map_err(io::Error::from)
    }

    /// Which of these listeners it uses, and where each leads: only chains whose cluster is in use too.
    ///
    /// # Errors
    /// If it does not answer, or not with what is expected.
    pub async fn in_use(&self, names: &[&str]) -> io::Result<BTreeMap<String, Listener>> {
        let mut found = BTreeMap::new();
        for part in pattern::parts(names) {
            let active = self.dump("dynamic_listeners", &part, "/active_state/listener").await?;
            let listeners: Vec<(String, Listener)> = active.iter().filter_map(Listener::read).collect();
            let wanted: BTreeSet<&str> = listeners.iter().flat_map(|(_, listener)| listener.clusters()).collect();
            let clusters = self.clusters(&wanted.into_iter().collect::<Vec<_>>()).await?;
            found.extend(listeners.into_iter().map(|(name, it)| (name, it.led_to(|name| clusters.contains(name)))));
        }
        Ok(found)
    }

    /// Which of these clusters are in use: not those that are about to be.
    async fn clusters(&self, names: &[&str]) -> io::Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for part in pattern::parts(names) {
            let active = self.dump("dynamic_active_clusters", &part, "/cluster/name").await?;
            found.extend(active.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        Ok(found)
    }

    /// What is found by a pointer in each item of a dump of what has these names.
    async fn dump(&self, resource: &str, names: &[&str], pointer: &str) -> io::Result<Vec<Value>> {
        let pattern = http::escaped(&pattern::any_of(names));
        let response = self.ask("GET", &format!("/config_dump?resource={resource}&name_regex={pattern}")).await?;
        match response.status {
            200 => items(&response.body, pointer),
            // Its way to say that there is none.
            404 => Ok(vec![]),
            status => {
                Err(io::Error::other(format!("it answers {status}: {}", String::from_utf8_lossy(&response.body))))
            }
        }
    }

    /// Why listeners or clusters were not taken, one line each.
    ///
    /// # Errors
    /// If it does not answer, or not with what is expected.
    pub async fn refused(&self) -> io::Result<Vec<String>> {
        let response = self.ask("GET", "/config_dump?resource=dynamic_listeners&mask=error_state").await?;
        refused(&response.body).map_err(io::Error::from)
    }

    /// Makes it open its log files anew, after they were renamed.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn reopen_logs(&self) -> io::Result<()> {
        self.ask("POST", "/reopen_logs").await.map(drop)
    }

    async fn ask(&self, method: &str, target: &str) -> io::Result<Response> {
        let exchange = async {
            let mut stream = UnixStream::connect(&self.0).await?;
            stream.write_all(http::request(method, target).as_bytes()).await?;
            let mut answer = Vec::new();
            stream.take(LONGEST).read_to_end(&mut answer).await?;
            http::parse(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer is cut short"))
        };
        timeout(PATIENCE, exchange).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }
}

/// `admin.v3.Listeners`.
#[derive(Deserialize)]
struct Listeners {
    #[serde(default)]
    listener_statuses: Vec<ListenerStatus>,
}

#[derive(Deserialize)]
struct ListenerStatus {
    name: String,
    local_address: Address,
    #[serde(default)]
    additional_local_addresses: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    socket_address: Option<SocketAddress>,
}

#[derive(Deserialize)]
struct SocketAddress {
    port_value: u16,
}

fn listeners(body: &[u8], families: Families) -> serde_json::Result<BTreeMap<String, u16>> {
    let more = match families {
        Families::Both => 1,
        Families::V4Only => 0,
    };
    let answer: Listeners = serde_json::from_slice(body)?;
    let complete = answer.listener_statuses.into_iter().filter_map(|status| {
        let port = status.local_address.socket_address?.port_value;
        let others = status.additional_local_addresses.iter().filter_map(|address| address.socket_address.as_ref());
        (others.filter(|other| other.port_value == port).count() == more).then_some((status.name, port))
    });
    Ok(complete.collect())
}

/// The part of `admin.v3.ListenersConfigDump` that the mask lets through.
#[derive(Deserialize)]
struct Dump {
    #[serde(default)]
    configs: Vec<Dumped>,
}

#[derive(Deserialize)]
struct Dumped {
    error_state: Option<ErrorState>,
}

#[derive(Deserialize)]
struct ErrorState {
    #[serde(default)]
    details: String,
}

/// What is found by a pointer in each item of a dump.
fn items(body: &[u8], pointer: &str) -> io::Result<Vec<Value>> {
    let mut dump: Value = serde_json::from_slice(body)?;
    // Without any item there is no such field.
    let items = dump.get_mut("configs").and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default();
    Ok(items.into_iter().filter_map(|mut item| item.pointer_mut(pointer).map(Value::take)).collect())
}

fn refused(body: &[u8]) -> serde_json::Result<Vec<String>> {
    let dump: Dump = serde_json::from_slice(body)?;
    Ok(dump.configs.into_iter().filter_map(|dumped| dumped.error_state).map(|error| error.details).collect())
}
