use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use jiff::Timestamp;

use crate::clock;
use crate::control::{CallError, Client, EventLine, FlowView, Request, Status, TemporaryReport};
use crate::decide::Explanation;
use crate::say::{self, Said};

use super::state::State;
use super::update::{Input, update};

/// Past events to begin with.
const PAST: usize = 1000;
/// What is read ahead of the screen; then the daemon is kept waiting, and tells of a gap.
const AHEAD: usize = 1024;
/// When a decider that has ended is looked for again.
const AGAIN: Duration = Duration::from_millis(500);

/// What comes from a running decider.
pub struct Live {
    /// Where it comes in.
    pub inputs: Receiver<Input>,
}

impl Live {
    /// Begins to listen.
    ///
    /// # Errors
    /// If there is no decider, or it does not answer.
    pub fn start(socket: &Path, interval: Duration) -> Result<Self, CallError> {
        let status: Status = Client::connect(socket)?.call(&Request::Status {})?;
        let (sender, inputs) = bounded(AHEAD);
        let _ = sender.send(Input::Status(Box::new(status)));
        let followed = (socket.to_owned(), sender.clone());
        std::thread::spawn(move || follow(&followed.0, &followed.1));
        let asked = socket.to_owned();
        std::thread::spawn(move || ask_again_and_again(&asked, &sender, interval));
        Ok(Self { inputs })
    }
}

/// Follows the events until nobody looks any more. A decider that has ended may be started again.
fn follow(socket: &Path, sender: &Sender<Input>) {
    let mut latest = None;
    loop {
        let shown = latest;
        let ended = Client::connect(socket).and_then(|client| {
            client.events(&Request::Events { last: PAST, follow: true }, |line| {
                if let EventLine::Event(event) = &line {
                    if shown.is_some_and(|shown| event.ts <= shown) {
                        return Ok(());
                    }
                    latest = latest.max(Some(event.ts));
                }
                sender.send(line.into()).map_err(|_| CallError::Silent)
            })
        });
        let why = ended.err().map_or("decider has ended".to_owned(), |error| error.to_string());
        if sender.send(Input::Lost(why)).is_err() {
            return;
        }
        std::thread::sleep(AGAIN);
    }
}

/// Ends with the screen, whose end of the channel is gone then.
fn ask_again_and_again(socket: &Path, sender: &Sender<Input>, interval: Duration) {
    loop {
        let status: Result<Status, CallError> =
            Client::connect(socket).and_then(|client| client.call(&Request::Status {}));
        // Without one the events have ended, too, and tell of it.
        if let Ok(status) = status {
            let flows = flows(socket);
            let sent = sender
                .send(Input::Status(Box::new(status)))
                .and_then(|()| flows.map_or(Ok(()), |flows| sender.send(Input::Flows(flows))));
            if sent.is_err() {
                return;
            }
        }
        std::thread::sleep(interval);
    }
}

/// The connections; none if the kernel would not list them, which is no reason to show nothing.
fn flows(socket: &Path) -> Option<Vec<FlowView>> {
    Client::connect(socket).and_then(|client| client.call(&Request::Flows {})).ok()
}

/// All that there is at this moment.
///
/// # Errors
/// If there is no decider, or it does not answer.
pub fn snapshot(socket: &Path, state: &mut State) -> Result<(), CallError> {
    let status: Status = Client::connect(socket)?.call(&Request::Status {})?;
    update(state, Input::Status(Box::new(status)));
    let past = Request::Events { last: usize::MAX, follow: false };
    Client::connect(socket)?.events(&past, |line| {
        update(state, line.into());
        Ok::<_, CallError>(())
    })?;
    if let Some(flows) = flows(socket) {
        update(state, Input::Flows(flows));
    }
    Ok(())
}

/// Asks why, in a thread of its own; the answer comes by the channel.
pub fn explain(socket: PathBuf, client: IpAddr, dst: SocketAddr, answer: Sender<Input>) {
    std::thread::spawn(move || {
        let request = Request::Explain { client, dst: dst.ip(), port: dst.port() };
        let told: Result<Explanation, CallError> = Client::connect(&socket).and_then(|asked| asked.call(&request));
        let said: Result<Said, String> =
            told.map(|told| say::explanation(&told, client, dst)).map_err(|error| error.to_string());
        let _ = answer.send(Input::Said(Box::new(said)));
    });
}

/// Asks for something to be let through, likewise.
pub fn allow(socket: PathBuf, number: u64, request: Request, answer: Sender<Input>) {
    std::thread::spawn(move || {
        let told: Result<TemporaryReport, CallError> =
            Client::connect(&socket).and_then(|client| client.call(&request));
        let _ = answer.send(Input::Allowed(number, Box::new(told.map_err(|error| error.to_string()))));
    });
}

/// The wall clock.
pub fn now() -> Timestamp {
    Timestamp::try_from(clock::wall()).unwrap_or_default()
}
