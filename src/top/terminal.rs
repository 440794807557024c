use std::io;
use std::path::Path;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, never, select, tick};
use nix::sys::signal::{SigSet, Signal};
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;

use super::keys::{Action, Key, on_key};
use super::live::{self, Live};
use super::state::State;
use super::update::{Input, settle, update};
use super::view::{Look, draw};
use crate::control::Request;

/// Signals that end it, with the terminal as it was.
const ENDING: [Signal; 3] = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT];
/// Inputs that are taken before the screen is drawn anew.
const AT_ONCE: usize = 256;

/// How a Rust program ends that has panicked.
const PANICKED: i32 = 101;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By a key.
    Quit,
    /// By a signal.
    Signal(i32),
}

/// What comes from the terminal.
enum Press {
    Key(Key),
    Resized,
}

/// Shows it until told to end. What was on the terminal before comes back, also after a panic.
///
/// # Errors
/// If the terminal refuses.
pub fn run(
    state: &mut State,
    live: Option<&Live>,
    signals: &Receiver<i32>,
    socket: &Path,
    look: Look,
    interval: Duration,
) -> io::Result<End> {
    let mut terminal = ratatui::try_init()?;
    end_on_panic();
    let presses = presses();
    let ended = go_on(state, live, socket, interval, signals, &presses, |state| {
        terminal.draw(|frame| draw(frame, state, look)).map(|_| ())
    });
    let restored = ratatui::try_restore();
    let ended = ended?;
    restored.map(|()| ended)
}

/// One thread that is gone ends all: without it the screen would be half true. The hook that is there already, the
/// library's, gives the terminal back, but for its cursor.
fn end_on_panic() {
    let restore = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore(panic);
        let _ = execute!(io::stdout(), Show);
        std::process::exit(PANICKED);
    }));
}

fn go_on(
    state: &mut State,
    live: Option<&Live>,
    socket: &Path,
    interval: Duration,
    signals: &Receiver<i32>,
    presses: &Receiver<Press>,
    mut show: impl FnMut(&State) -> io::Result<()>,
) -> io::Result<End> {
    let nothing = never();
    let inputs = live.map_or(&nothing, |live| &live.inputs);
    let (answer, answers) = bounded(16);
    let ticks = tick(interval);
    loop {
        settle(state);
        show(state)?;
        select! {
            recv(signals) -> signal => return Ok(End::Signal(signal.unwrap_or(0))),
            recv(presses) -> press => match press {
                Ok(Press::Key(key)) => if ends(state, key, socket, &answer) { return Ok(End::Quit) },
                Ok(Press::Resized) => {}
                Err(_) => return Ok(End::Quit),
            },
            recv(answers) -> said => if let Ok(said) = said { update(state, said) },
            recv(inputs) -> input => {
                let first = input.map_err(|_| io::Error::other("what follows decider has ended by itself"))?;
                let more = inputs.try_iter().take(AT_ONCE);
                std::iter::once(first).chain(more).for_each(|input| update(state, input));
            }
            recv(ticks) -> _ => if live.is_some() { update(state, Input::Tick(live::now())) },
        }
    }
}

fn ends(state: &mut State, key: Key, socket: &Path, answer: &Sender<Input>) -> bool {
    match on_key(state, key) {
        Some(Action::Quit) => return true,
        Some(Action::Explain { client, dst }) => live::explain(socket.to_owned(), client, dst, answer.clone()),
        Some(Action::Allow { number, target, for_s, client, dry_run }) => {
            let request = Request::Allow { target, for_s, client, dry_run };
            live::allow(socket.to_owned(), number, request, answer.clone());
        }
        None => {}
    }
    false
}

/// The signals that end it, instead of what they do by themselves: taken by one thread, held back in all others.
///
/// Call it before any other thread is there: one that does not hold a signal back is ended by it, and all with it.
///
/// # Errors
/// If the system refuses.
pub fn signals() -> io::Result<Receiver<i32>> {
    let set: SigSet = ENDING.into_iter().collect();
    set.thread_block()?;
    let (sender, receiver) = bounded(1);
    std::thread::spawn(move || {
        if let Ok(signal) = set.wait() {
            let _ = sender.send(signal as i32);
        }
    });
    Ok(receiver)
}

fn presses() -> Receiver<Press> {
    let (sender, receiver) = bounded(64);
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            let press = match event {
                event::Event::Key(key) if key.kind != KeyEventKind::Release => key_of(key).map(Press::Key),
                event::Event::Resize(..) => Some(Press::Resized),
                _ => None,
            };
            if press.is_some_and(|press| sender.send(press).is_err()) {
                return;
            }
        }
    });
    receiver
}

fn key_of(key: KeyEvent) -> Option<Key> {
    Some(match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Key::Interrupt,
        KeyCode::Char(letter) => Key::Char(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return None,
    })
}
