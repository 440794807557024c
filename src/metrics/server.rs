use std::io;
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::Gid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::timeout;

use crate::clock;
use crate::model::Moment;
use crate::policy::Listen;
use crate::record::{Throttle, Told};

use super::listener::{ListenError, Listener};
use super::request::{self, Asked, MAX_HEAD, Refusal};

/// Connections served at a time; more are closed at once.
const MAX_CONNECTIONS: usize = 32;
/// How long a scraper may take to send its request.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to take the answer, which has some megabytes where there are thousands of rules.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How long what it sends beyond its request is read, so that no reset takes the answer away from it.
const LINGER: Duration = Duration::from_secs(1);
/// How long it is from one page to the next: whoever asks all the time makes decider work no more than that.
const PACE: Duration = Duration::from_millis(200);
/// How long nothing is accepted after the system had no connection to give, for lack of files or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// What makes pages.
pub trait Source: Send + Sync + 'static {
    /// The page as it is now; none if it cannot be written.
    fn page(&self) -> Option<String>;
}

/// The listening server; a UNIX socket's file goes when this is dropped.
pub struct Server {
    listener: Listener,
}

impl Server {
    /// Listens; at a UNIX socket for a group, too, if there is one. Must be called in a tokio runtime.
    ///
    /// # Errors
    /// If another program has the place, or the system refuses.
    pub fn bind(listen: &Listen, group: Option<Gid>) -> Result<Self, ListenError> {
        Ok(Self { listener: Listener::bind(listen, group)? })
    }

    /// Serves until the task is dropped.
    pub async fn serve<S: Source>(&self, source: Arc<S>) {
        let desk = Arc::new(Desk { source, last: Mutex::default() });
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut failures = Throttle::default();
        loop {
            let accepted = match &self.listener {
                Listener::Tcp(listener) => listener.accept().await.map(|(stream, _)| Stream::Tcp(stream)),
                Listener::Unix(socket) => socket.listener().accept().await.map(|(stream, _)| Stream::Unix(stream)),
            };
            let stream = match accepted {
                Ok(stream) => stream,
                Err(error) => {
                    if let Some(Told { left_out }) = failures.fails(&error.to_string(), clock::now()) {
                        tracing::warn!(%error, left_out, "a connection for metrics could not be accepted");
                    }
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            failures.works();
            // Whoever finds no place asks again: scrapers do.
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
            let desk = Arc::clone(&desk);
            tokio::spawn(async move {
                // Whatever goes wrong with one connection ends that connection only.
                let ended = match stream {
                    Stream::Tcp(stream) => desk.converse(stream).await,
                    Stream::Unix(stream) => desk.converse(stream).await,
                };
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection for metrics ended");
                }
                drop(place);
            });
        }
    }
}

enum Stream {
    Tcp(tokio::net::TcpStream),
    Unix(tokio::net::UnixStream),
}

/// Where pages are given out, one made at a time.
struct Desk<S> {
    source: Arc<S>,
    last: Mutex<Option<(Moment, Arc<str>)>>,
}

impl<S: Source> Desk<S> {
    async fn converse(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let asked = match timeout(PATIENCE, hear(&mut stream)).await {
            Ok(heard) => heard?,
            Err(_) => Err(Refusal::Late),
        };
        let answer = match asked {
            Ok(asked) => self.page().await.map_or_else(|| Refusal::Failed.answer(), |text| request::page(asked, &text)),
            Err(refusal) => refusal.answer(),
        };
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        timeout(TAKEN_WITHIN, stream.write_all(answer.as_bytes())).await.map_err(late)??;
        stream.shutdown().await?;
        let mut rest = stream.take(u64::try_from(MAX_HEAD).unwrap_or(u64::MAX));
        // It may well keep its side open.
        let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
        Ok(())
    }

    /// A page that is no older than the question. Those that wait for it together get the same one.
    async fn page(&self) -> Option<Arc<str>> {
        let asked = clock::now();
        let mut last = self.last.lock().await;
        if let Some((made, text)) = &*last {
            if *made >= asked {
                return Some(Arc::clone(text));
            }
            tokio::time::sleep(PACE.saturating_sub(clock::now().since(*made))).await;
        }
        let made = clock::now();
        let text: Arc<str> = self.source.page()?.into();
        *last = Some((made, Arc::clone(&text)));
        Some(text)
    }
}

/// Reads a request; what comes behind its head is let be.
async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Result<Asked, Refusal>> {
    let mut head = Vec::with_capacity(1024);
    loop {
        let room = u64::try_from(MAX_HEAD.saturating_sub(head.len())).unwrap_or(0);
        if (&mut *stream).take(room).read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match request::read(&head) {
            Ok(None) => {}
            Ok(Some(asked)) => return Ok(Ok(asked)),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
}
