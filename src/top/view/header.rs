use ratatui::text::{Line, Span};

use super::look::Look;
use super::{human, spark::spark};
use crate::control::Status;
use crate::top::state::State;

/// Seconds over which the rates are.
const RATES: usize = 10;
/// Problems that have room.
const PROBLEMS: usize = 3;
/// Columns in front of the bars.
const LABEL: usize = 18;

/// What stands above the table.
pub fn lines(state: &State, look: Look, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![first(state, look, width), numbers(state, look, width)];
    lines.extend(sparks(state, look, width));
    lines.extend(temporary(state, look, width));
    lines.extend(problems(state, look, width));
    lines
}

fn first(state: &State, look: Look, width: usize) -> Line<'static> {
    let name = Span::styled("decider top  ", look.strong());
    let paused = if state.frozen.is_some() { "  PAUSED" } else { "" };
    let (word, style, rest) = match (&state.lost, &state.status) {
        (Some(why), _) => ("no news: ", look.bad(), why.clone()),
        (None, Some(status)) => state_of(status, look),
        (None, None) if state.replayed => ("replay", look.strong(), format!("  up to {:.0}", state.now)),
        (None, None) => ("waiting for decider", look.faint(), String::new()),
    };
    let room = width.saturating_sub(13 + word.len() + paused.len());
    let rest = look.clip(&rest, room);
    Line::from(vec![name, Span::styled(word, style), Span::raw(rest), Span::styled(paused, look.key())])
}

fn state_of(status: &Status, look: Look) -> (&'static str, ratatui::style::Style, String) {
    let (word, style) = if status.state == "ok" { ("ok", look.good()) } else { ("degraded", look.bad()) };
    let rest = format!(
        "  {}, epoch {}, {} rules, listeners {}/{}, envoy {}, {}",
        status.mode,
        status.epoch,
        status.rules,
        status.listeners_ready,
        status.listeners,
        status.envoy.state,
        status.policy
    );
    (word, style, rest)
}

fn numbers(state: &State, look: Look, width: usize) -> Line<'static> {
    let mut parts = vec![];
    if let Some(status) = &state.status {
        let waiting: u64 = status.queues.iter().map(|queue| queue.waiting).sum();
        parts.push(format!("queue {waiting}, dropped {}", status.counters.dropped_by_kernel));
        parts.push(format!("names {}/{}", status.dns.observations, status.dns.capacity));
    }
    if let (Some(p50), Some(p99)) = (state.wait(50), state.wait(99)) {
        parts.push(format!("wait p50 {} p99 {}", human::wait(p50), human::wait(p99)));
    }
    parts.extend(state.fast_share().map(|share| format!("kernel alone {share}%")));
    if state.missed > 0 {
        parts.push(format!("missed {}", state.missed));
    }
    Line::styled(look.clip(&parts.join("  "), width), look.faint())
}

fn sparks(state: &State, look: Look, width: usize) -> [Line<'static>; 2] {
    let (allowed, refused) = state.history.last(width.saturating_sub(LABEL));
    let greatest = allowed.iter().chain(&refused).max().copied().unwrap_or(0);
    let (allows, refuses) = state.history.rates(RATES);
    let line = |label: &str, rate: f64, numbers: &[u64], style| {
        let label = format!("{:<LABEL$}", format!("{label} {rate:.1}/s"));
        Line::from(vec![Span::raw(label), Span::styled(spark(numbers, greatest, look.unicode), style)])
    };
    [line("allowed", allows, &allowed, look.good()), line("refused", refuses, &refused, look.bad())]
}

/// The temporary rules: the one that ends first, and how many there are beside.
fn temporary(state: &State, look: Look, width: usize) -> Option<Line<'static>> {
    let rules = &state.status.as_ref()?.temporary;
    let first = rules.iter().min_by_key(|rule| rule.left_s)?;
    let more = if rules.len() > 1 { format!(", and {} more", rules.len() - 1) } else { String::new() };
    let text = format!("temporary: {}, {} left{more}", first.id, human::seconds(first.left_s));
    Some(Line::styled(look.clip(&text, width), look.key()))
}

fn problems(state: &State, look: Look, width: usize) -> Vec<Line<'static>> {
    let problems = state.status.iter().flat_map(|status| &status.problems);
    let lines = problems.map(|problem| format!("{}: {}", problem.what, problem.message));
    lines.take(PROBLEMS).map(|line| Line::styled(look.clip(&line, width), look.bad())).collect()
}
