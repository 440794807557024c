use jiff::{SignedDuration, Timestamp};

use crate::control::{EventLine, FlowView, Status, TemporaryReport};
use crate::model::Verdict;
use crate::record::{Event, PathTaken};
use crate::say::Said;

use super::row::Row;
use super::state::{Screen, State, WAITS};

/// How old a decision may be for its row's rate: the past that is told at the start is older.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(2);

/// What comes from the daemon, and the time.
#[derive(Debug)]
pub enum Input {
    /// A decision.
    Event(Box<Event>),
    /// So many were missed.
    Gap(u64),
    /// How it is.
    Status(Box<Status>),
    /// All connections that live.
    Flows(Vec<FlowView>),
    /// What was asked about the row of the detail pane.
    Said(Box<Result<Said, String>>),
    /// What came of letting something through for a while: the number of the question, and the answer.
    Allowed(u64, Box<Result<TemporaryReport, String>>),
    /// Nothing more comes until there is a status again.
    Lost(String),
    /// Time went on; once an interval.
    Tick(Timestamp),
}

impl From<EventLine> for Input {
    fn from(line: EventLine) -> Self {
        match line {
            EventLine::Event(event) => Self::Event(event),
            EventLine::Gap(missed) => Self::Gap(missed),
        }
    }
}

/// Takes one.
pub fn update(state: &mut State, input: Input) {
    match input {
        Input::Event(event) => decided(state, &event),
        Input::Gap(missed) => state.missed = state.missed.saturating_add(missed),
        Input::Status(status) => {
            state.status = Some(*status);
            state.lost = None;
            name_temporary(state);
        }
        Input::Flows(flows) => flows_live(state, &flows),
        Input::Said(said) => {
            if let Screen::Detail(detail) = &mut state.screen {
                detail.said = Some(*said);
            }
        }
        Input::Allowed(number, answer) => {
            if let Screen::Permit(permit) = &mut state.screen {
                permit.answered(number, *answer);
            }
        }
        Input::Lost(why) => state.lost = Some(why),
        Input::Tick(now) => tick(state, now),
    }
}

/// Chooses a row that is there, before it is drawn. Once for all that came since: rows are many, and counting them sorts them.
pub fn settle(state: &mut State) {
    state.selected = state.selected.min(state.lines().saturating_sub(1));
}

fn decided(state: &mut State, event: &Event) {
    let row = Row::of_event(event);
    let key = row.key();
    if state.rows.get(&key).is_none() {
        state.rows.push(key.clone(), row);
    }
    if let Some(row) = state.rows.get_mut(&key) {
        row.decided(event, state.now.duration_since(event.ts) < JUST_NOW);
    }
    if state.replayed {
        state.now = state.now.max(event.ts);
    }
    state.history.add(event.ts, event.verdict, event.weight());
    if state.waits.len() >= WAITS {
        state.waits.pop_front();
    }
    state.waits.push_back((event.waited_us, event.path == PathTaken::Fast));
}

fn flows_live(state: &mut State, flows: &[FlowView]) {
    for (_, row) in &mut state.rows {
        row.none_lives();
    }
    for flow in flows {
        let row = Row::of_flow(flow, state.now);
        let key = row.key();
        // Flows are many: they push no refusal out.
        let is_full = state.rows.len() >= state.rows.cap().get();
        if !state.rows.contains(&key) && !is_full {
            state.rows.push(key.clone(), row);
        }
        if let Some(row) = state.rows.peek_mut(&key) {
            row.lives(flow, state.now);
        }
    }
}

/// Says of each row what is left of the temporary rule that lets it through.
fn name_temporary(state: &mut State) {
    let rules = state.status.as_ref().map_or(&[][..], |status| &status.temporary);
    for (_, row) in &mut state.rows {
        let own = rules.iter().find(|rule| row.rule.as_ref() == Some(&rule.id));
        row.temporary_left_s = own.filter(|_| row.verdict == Verdict::Allow).map(|rule| rule.left_s);
    }
}

fn tick(state: &mut State, now: Timestamp) {
    let seconds = now.duration_since(state.now).as_secs_f64();
    state.now = now;
    state.history.reach(now);
    for (_, row) in &mut state.rows {
        row.measure(seconds);
    }
}
