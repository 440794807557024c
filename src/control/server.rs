use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::net::UnixStream;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout};

use super::access::{Access, Groups};
use super::flow::FlowView;
use super::listed::{CacheEntry, RuleView};
use super::peer::{PATIENCE, Peer, Place, Places, access};
use super::protocol::{Failure, Line, Request, parse_request, server_line};
use super::rate::{A_SECOND, Rates};
use super::reload::ReloadReport;
use super::socket::{SocketError, SocketFile};
use super::status::Status;
use super::temporary::{Allow, TemporaryReport, TemporaryView};
use crate::decide::Explanation;
use crate::model::Moment;
use crate::record::{Event, Follower, Throttle, Told};

/// Longest request line, in bytes.
const MAX_REQUEST: u64 = 64 * 1024;
/// Observations in one reply at most, which bounds its size to some 20 MB.
const MAX_CACHE: usize = 100_000;
/// What is said to one more.
const TOO_MANY: &str =
    "as many commands as there are places for are being answered already: try again when one has ended";

/// What the daemon answers.
pub trait Backend: Send + Sync + 'static {
    /// For `status`.
    fn status(&self) -> Status;
    /// For `rules`.
    fn rules(&self) -> Vec<RuleView>;
    /// For `flows`.
    ///
    /// # Errors
    /// What the kernel says.
    fn flows(&self) -> Result<Vec<FlowView>, String>;
    /// For `explain`.
    fn explain(&self, client: std::net::IpAddr, dst: std::net::IpAddr, port: u16) -> Explanation;
    /// For `cache`; never more than `limit`.
    fn cache(&self, client: Option<std::net::IpAddr>, name: Option<&str>, limit: usize) -> Vec<CacheEntry>;
    /// For `events`: the last `count`, and those after them.
    fn events(&self, count: usize) -> (Vec<Arc<Event>>, Follower);
    /// For `reload`: what came of it, whatever that is; an error if there is nobody any more who could do it.
    fn reload(&self, dry_run: bool) -> impl Future<Output = Result<ReloadReport, String>> + Send;
    /// For `temporary`.
    fn temporary(&self) -> Vec<TemporaryView>;
    /// For `allow`: what came of it; an error as for `reload`.
    fn allow(&self, asked: Allow) -> impl Future<Output = Result<TemporaryReport, String>> + Send;
    /// For `revoke`, which a user asks for: what came of it; an error as for `reload`.
    fn revoke(&self, which: String, by: u32) -> impl Future<Output = Result<TemporaryReport, String>> + Send;
    /// For `down`: returns when every trace is removed; the process ends right after.
    fn down(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Another decider has it.
    #[error("another decider runs already and answers at {0}: stop it with `decider down`, or use another --socket")]
    Running(PathBuf),
    /// There is a file that is no socket.
    #[error("{0} exists and is not a socket: remove it or use another --socket")]
    InTheWay(PathBuf),
    /// The system refused.
    #[error(transparent)]
    System(SocketError),
}

impl From<SocketError> for ServerError {
    fn from(error: SocketError) -> Self {
        match error {
            SocketError::Answered(path) => Self::Running(path),
            SocketError::InTheWay(path) => Self::InTheWay(path),
            error @ SocketError::System { .. } => Self::System(error),
        }
    }
}

/// The listening control socket; the file goes when this is dropped.
pub struct Server {
    socket: SocketFile,
    groups: Groups,
}

impl Server {
    /// Makes the socket as [`SocketFile::bind`] does.
    ///
    /// # Errors
    /// If another decider answers there, or the system refuses.
    pub fn bind(path: &Path, groups: Groups) -> Result<Self, ServerError> {
        Ok(Self { socket: SocketFile::bind(path, groups.of_the_socket())?, groups })
    }

    /// Serves until the task is dropped.
    pub async fn serve<B: Backend>(&self, backend: Arc<B>) {
        let places = Places::new();
        let (mut rates, began) = (Rates::new(), Instant::now());
        let (mut deaf, mut full) = (Throttle::default(), Throttle::default());
        let now = || Moment::ZERO.after(began.elapsed());
        loop {
            let stream = match self.socket.listener().accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    if let Some(Told { left_out }) = deaf.fails(&error.to_string(), now()) {
                        tracing::warn!(%error, left_out, "a control connection could not be accepted");
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            deaf.works();
            let Ok(peer) = stream.peer_cred() else { continue };
            let access = self.groups.at_once(peer.uid(), peer.gid());
            // Nothing keeps an administrator out.
            let is_administrator = access == Some(Access::Command);
            if !is_administrator && !rates.take(peer.uid(), began.elapsed()) {
                turn_away(&stream, format!("a user may ask {A_SECOND} times a second: ask less often"));
                continue;
            }
            let Some(place) = places.take(is_administrator) else {
                if let Some(Told { left_out }) = full.fails(TOO_MANY, now()) {
                    tracing::warn!(left_out, "too many control connections: one more was closed");
                }
                turn_away(&stream, TOO_MANY.to_owned());
                continue;
            };
            full.works();
            let (backend, groups) = (Arc::clone(&backend), self.groups);
            let peer = Peer { user: peer.uid(), group: peer.gid(), access };
            tokio::spawn(async move {
                // Whatever goes wrong with one connection ends that connection only.
                if let Err(error) = converse(stream, peer, groups, Arc::new(place), &*backend).await {
                    tracing::debug!(%error, "a control connection ended");
                }
            });
        }
    }
}

/// Closes a connection without listening to it, with a word if the socket takes it at once.
fn turn_away(stream: &UnixStream, message: String) {
    let line = server_line(&Line::<()>::Error(Failure { message }));
    let _ = stream.try_write(line.as_bytes());
}

async fn converse<B: Backend>(
    stream: UnixStream,
    peer: Peer,
    groups: Groups,
    place: Arc<Place>,
    backend: &B,
) -> io::Result<()> {
    let user = peer.user;
    let (reader, mut writer) = stream.into_split();
    let access = match access(peer, &place, move |peer| groups.access(peer.user, peer.group)).await {
        Ok(access) => access,
        Err(message) => return send::<()>(&mut writer, &Line::Error(Failure { message })).await,
    };
    if access == Access::None {
        let message = format!("user {user} may not ask decider: run this as root, or in the group that may look");
        return send::<()>(&mut writer, &Line::Error(Failure { message })).await;
    }
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader.take(MAX_REQUEST));
    let read = timeout(PATIENCE, reader.read_until(b'\n', &mut line)).await;
    let request = match read {
        Err(_) => Err(Failure { message: "no whole request came in time".into() }),
        Ok(Err(error)) => return Err(error),
        Ok(Ok(0)) => return Ok(()),
        Ok(Ok(_)) if line.last() != Some(&b'\n') => {
            Err(Failure { message: "the request does not end in a newline or is over 64 KiB".into() })
        }
        Ok(Ok(_)) => parse_request(&line),
    };
    match request {
        Ok(request) if request.is_command() && access != Access::Command => {
            let message =
                format!("user {user} may look, but not command decider: run this as root, or in the group that may");
            send::<()>(&mut writer, &Line::Error(Failure { message })).await
        }
        Ok(request) => answer(request, user, backend, &mut reader, &mut writer).await,
        Err(failure) => send::<()>(&mut writer, &Line::Error(failure)).await,
    }
}

type Reader = BufReader<Take<tokio::net::unix::OwnedReadHalf>>;
type Writer = tokio::net::unix::OwnedWriteHalf;

async fn answer<B: Backend>(
    request: Request,
    user: u32,
    backend: &B,
    reader: &mut Reader,
    writer: &mut Writer,
) -> io::Result<()> {
    match request {
        Request::Status {} => send(writer, &Line::Reply(backend.status())).await,
        Request::Rules {} => send(writer, &Line::Reply(backend.rules())).await,
        Request::Flows {} => reply(writer, backend.flows()).await,
        Request::Explain { client, dst, port } => send(writer, &Line::Reply(backend.explain(client, dst, port))).await,
        Request::Cache { client, name, limit } => {
            let limit = limit.min(MAX_CACHE);
            send(writer, &Line::Reply(backend.cache(client, name.as_deref(), limit))).await
        }
        Request::Events { last, follow } => {
            let (past, coming) = backend.events(last);
            for event in past {
                send(writer, &Line::Event(&*event)).await?;
            }
            if follow { send_events(coming, reader, writer).await } else { Ok(()) }
        }
        Request::Reload { dry_run } => reply(writer, backend.reload(dry_run).await).await,
        Request::Temporary {} => send(writer, &Line::Reply(backend.temporary())).await,
        Request::Allow { target, for_s, client, dry_run } => {
            let asked = Allow { target, for_s, client, dry_run, by: user };
            reply(writer, backend.allow(asked).await).await
        }
        Request::Revoke { which } => reply(writer, backend.revoke(which, user).await).await,
        Request::Down {} => reply(writer, backend.down().await).await,
    }
}

/// Sends what came of a request, or why nothing did.
async fn reply<T: Serialize>(writer: &mut Writer, result: Result<T, String>) -> io::Result<()> {
    send(writer, &result.map_or_else(|message| Line::Error(Failure { message }), Line::Reply)).await
}

/// Sends events until the reader has gone: in quiet times, only its end of file tells that.
async fn send_events(mut coming: Follower, reader: &mut Reader, writer: &mut Writer) -> io::Result<()> {
    loop {
        let next = tokio::select! {
            next = coming.recv() => next,
            _ = reader.read_u8() => return Ok(()),
        };
        match next {
            Ok(event) => send(writer, &Line::Event(&*event)).await?,
            Err(RecvError::Lagged(missed)) => send::<()>(writer, &Line::Gap(missed)).await?,
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

async fn send<T: Serialize>(writer: &mut Writer, line: &Line<T>) -> io::Result<()> {
    timeout(PATIENCE, writer.write_all(server_line(line).as_bytes()))
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}
