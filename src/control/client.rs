use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::process::Process;
use super::protocol::{Line, Request, VERSION, request_line};
use crate::record::Event;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a running decider. One request each.
pub struct Client {
    stream: BufReader<UnixStream>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens.
    #[error("no decider runs here: nothing answers at {0}")]
    NoDaemon(PathBuf),
    /// It is there, but not for this user.
    #[error("{0} may not be opened by this user: run this as root")]
    NotAllowed(PathBuf),
    /// The connection broke.
    #[error("the connection to decider broke: {0}")]
    Broken(io::Error),
    /// It is there and says nothing.
    #[error("decider did not answer within {} s: is its process stopped?", PATIENCE.as_secs())]
    Silent,
    /// It said something else than the protocol.
    #[error("decider answered something that this version does not understand: {0}")]
    Protocol(#[from] serde_json::Error),
    /// It speaks another version of the protocol.
    #[error("decider runs in another version than this command: use the same for both")]
    Version,
    /// It said no.
    #[error("{0}")]
    Refused(String),
}

/// What a stream of events brings.
#[derive(Debug)]
pub enum EventLine {
    /// One event.
    Event(Box<Event>),
    /// Events that were missed.
    Gap(u64),
}

impl EventLine {
    /// The event, if it is one.
    #[must_use]
    pub fn event(self) -> Option<Box<Event>> {
        match self {
            Self::Event(event) => Some(event),
            Self::Gap(_) => None,
        }
    }
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there, or this user may not connect.
    pub fn connect(socket: &Path) -> Result<Self, CallError> {
        let stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => CallError::NoDaemon(socket.to_owned()),
            io::ErrorKind::PermissionDenied => CallError::NotAllowed(socket.to_owned()),
            _ => error.into(),
        })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// The process that answers.
    ///
    /// # Errors
    /// If it has ended already, or cannot be seen from here.
    pub fn process(&self) -> Result<Process, CallError> {
        Ok(Process::behind(self.stream.get_ref())?)
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// If the connection breaks or decider refuses.
    pub fn call<T: DeserializeOwned>(mut self, request: &Request) -> Result<T, CallError> {
        self.send(request)?;
        match self.line::<T>()? {
            Some(Line::Reply(reply)) => Ok(reply),
            Some(Line::Error(failure)) => Err(CallError::Refused(failure.message)),
            Some(Line::Event(_) | Line::Gap(_)) | None => Err(closed().into()),
        }
    }

    /// Asks for events and hands them over until the stream ends or `take` says so.
    ///
    /// # Errors
    /// If the connection breaks or decider refuses; whatever `take` returns.
    pub fn events<E: From<CallError>>(
        mut self,
        request: &Request,
        mut take: impl FnMut(EventLine) -> Result<(), E>,
    ) -> Result<(), E> {
        self.send(request)?;
        self.stream.get_ref().set_read_timeout(None).map_err(CallError::from)?;
        while let Some(line) = self.line::<Event>()? {
            match line {
                Line::Event(event) | Line::Reply(event) => take(EventLine::Event(Box::new(event)))?,
                Line::Gap(missed) => take(EventLine::Gap(missed))?,
                Line::Error(failure) => return Err(CallError::Refused(failure.message).into()),
            }
        }
        Ok(())
    }

    fn send(&mut self, request: &Request) -> Result<(), CallError> {
        match self.stream.get_mut().write_all(request_line(request).as_bytes()) {
            // It has closed without listening; what it said before is still to be read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => Ok(sent?),
        }
    }

    /// The next line; none at the end of the stream.
    fn line<T: DeserializeOwned>(&mut self) -> Result<Option<Line<T>>, CallError> {
        let mut text = String::new();
        if self.stream.read_line(&mut text)? == 0 {
            return Ok(None);
        }
        let mut value: serde_json::Value = serde_json::from_str(&text)?;
        let version = value.as_object_mut().and_then(|object| object.remove("v"));
        if version.as_ref().and_then(serde_json::Value::as_u64) != Some(VERSION.into()) {
            return Err(CallError::Version);
        }
        Ok(Some(serde_json::from_value(value)?))
    }
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What a socket's timeout is told as (SO_RCVTIMEO, socket(7)), and a full backlog (unix(7)).
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Silent,
            _ => Self::Broken(error),
        }
    }
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it was closed before the answer came")
}
