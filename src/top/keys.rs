use std::net::{IpAddr, SocketAddr};

use crate::filter::Filter;

use super::group::Grouping;
use super::permit::Permit;
use super::row::Row;
use super::state::{Detail, Screen, State};

/// Lines that a page key goes.
const PAGE: usize = 10;

/// A key, whatever the terminal calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A letter.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// To the first.
    Home,
    /// To the last.
    End,
    /// Ctrl-C.
    Interrupt,
}

/// What a key asks of the world outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// End.
    Quit,
    /// Have a connection explained.
    Explain {
        /// Who connects.
        client: IpAddr,
        /// Where to.
        dst: SocketAddr,
    },
    /// Have something let through for a while.
    Allow {
        /// The answer has the same.
        number: u64,
        /// `NAME:PORT`.
        target: String,
        /// For how long, in seconds.
        for_s: u64,
        /// The only client; none: everybody.
        client: Option<IpAddr>,
        /// Only say what would be allowed.
        dry_run: bool,
    },
}

/// Does what a key says; what is left to do outside.
pub fn on_key(state: &mut State, key: Key) -> Option<Action> {
    if key == Key::Interrupt {
        return Some(Action::Quit);
    }
    state.notice = None;
    if state.typing.is_some() {
        type_filter(state, key);
        return None;
    }
    match &mut state.screen {
        Screen::Help => close(state, key),
        Screen::Detail(detail) => {
            if scroll(detail, key) {
                return None;
            }
            if key == Key::Char('a') {
                let row = detail.row.clone();
                return permit(state, Some(&row));
            }
            close(state, key)
        }
        Screen::Permit(permit) => match key {
            Key::Char('y') => permit.confirm(),
            Key::Char('c') => permit.widen_or_narrow(),
            Key::Char('+' | '=') => permit.lengthen(true),
            Key::Char('-') => permit.lengthen(false),
            Key::Enter if !permit.is_done() => None,
            Key::Char('n') => close(state, Key::Escape),
            Key::Char(_)
            | Key::Enter
            | Key::Escape
            | Key::Backspace
            | Key::Up
            | Key::Down
            | Key::PageUp
            | Key::PageDown
            | Key::Home
            | Key::End
            | Key::Interrupt => close(state, key),
        },
        Screen::Table => in_table(state, key),
    }
}

fn close(state: &mut State, key: Key) -> Option<Action> {
    if matches!(key, Key::Escape | Key::Enter | Key::Char('q' | '?')) {
        state.screen = Screen::Table;
    }
    None
}

fn scroll(detail: &mut Detail, key: Key) -> bool {
    detail.skipped = match key {
        Key::Down | Key::Char('j') => detail.skipped.saturating_add(1),
        Key::Up | Key::Char('k') => detail.skipped.saturating_sub(1),
        Key::Char(_)
        | Key::Enter
        | Key::Escape
        | Key::Backspace
        | Key::PageUp
        | Key::PageDown
        | Key::Home
        | Key::End
        | Key::Interrupt => return false,
    };
    true
}

fn in_table(state: &mut State, key: Key) -> Option<Action> {
    let last = state.lines().saturating_sub(1);
    match key {
        Key::Char('q') => return Some(Action::Quit),
        Key::Char('?' | 'h') => state.screen = Screen::Help,
        Key::Char('/') => state.typing = Some(state.filter_text.clone()),
        Key::Char('g') => (state.grouping, state.selected) = (state.grouping.next(), 0),
        Key::Char('c') => (state.grouping, state.selected) = (Grouping::Client, 0),
        Key::Char('n') => (state.grouping, state.selected) = (Grouping::Name, 0),
        Key::Char('r') => (state.grouping, state.selected) = (Grouping::Rule, 0),
        Key::Char('u') => (state.grouping, state.selected) = (Grouping::None, 0),
        Key::Char('s') => state.sort = state.sort.next(),
        Key::Char('p' | ' ') => pause(state),
        Key::Escape => set_filter(state, ""),
        Key::Up | Key::Char('k') => state.selected = state.selected.saturating_sub(1),
        Key::Down | Key::Char('j') => state.selected = (state.selected + 1).min(last),
        Key::PageUp => state.selected = state.selected.saturating_sub(PAGE),
        Key::PageDown => state.selected = (state.selected + PAGE).min(last),
        Key::Home => state.selected = 0,
        Key::End | Key::Char('G') => state.selected = last,
        Key::Enter => return open(state),
        Key::Char('a') => {
            let row = state.shown().get(state.selected).filter(|_| state.grouping == Grouping::None).copied().cloned();
            return permit(state, row.as_ref());
        }
        Key::Char(_) | Key::Backspace | Key::Interrupt => {}
    }
    None
}

/// Asks what it would be to let a row through for a while.
fn permit(state: &mut State, row: Option<&Row>) -> Option<Action> {
    let asked = match row {
        None => Err("choose a row first: Enter opens a group"),
        Some(_) if state.replayed => Err("this shows a file: there is nobody who could let anything through"),
        Some(row) => Permit::of(row).ok_or("no rule for a name would let this through: Enter says why it is as it is"),
    };
    match asked {
        Err(why) => {
            state.notice = Some(why);
            None
        }
        Ok(mut permit) => {
            let action = permit.ask();
            state.screen = Screen::Permit(Box::new(permit));
            Some(action)
        }
    }
}

fn pause(state: &mut State) {
    state.frozen = match state.frozen.take() {
        Some(_) => None,
        None => Some(state.rows.iter().map(|(_, row)| row.clone()).collect()),
    };
}

/// A row is explained; a group is looked into.
fn open(state: &mut State) -> Option<Action> {
    if state.grouping != Grouping::None {
        let title = state.groups().get(state.selected)?.title.clone();
        let text = format!("{} {}:{title}", state.filter_text, state.grouping.as_str());
        state.grouping = Grouping::None;
        set_filter(state, text.trim());
        return None;
    }
    let row = (*state.shown().get(state.selected)?).clone();
    let action = Action::Explain { client: row.client, dst: SocketAddr::new(row.dst, row.dst_port) };
    let can_be_asked = row.dst_port != 0 && !state.replayed;
    state.screen = Screen::Detail(Box::new(Detail { row, said: None, skipped: 0 }));
    can_be_asked.then_some(action)
}

fn type_filter(state: &mut State, key: Key) {
    let mut text = state.filter_text.clone();
    match key {
        Key::Enter => {
            // A word that cannot be read yet is still being typed.
            state.typing = state.typing.take().filter(|_| state.filter_error.is_some());
            return;
        }
        Key::Escape => text = state.typing.take().unwrap_or_default(),
        Key::Backspace => {
            text.pop();
        }
        Key::Char(letter) => text.push(letter),
        Key::Up | Key::Down | Key::PageUp | Key::PageDown | Key::Home | Key::End | Key::Interrupt => return,
    }
    set_filter(state, &text);
}

/// A filter that cannot be read yet leaves the one before in force.
fn set_filter(state: &mut State, text: &str) {
    text.clone_into(&mut state.filter_text);
    match Filter::parse(text) {
        Ok(filter) => (state.filter, state.filter_error, state.selected) = (filter, None, 0),
        Err(error) => state.filter_error = Some(error.to_string()),
    }
}
