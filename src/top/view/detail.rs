use std::net::SocketAddr;

use ratatui::text::{Line, Span};

use super::human;
use super::look::Look;
use crate::say;
use crate::say::Said;
use crate::top::row::Row;
use crate::top::state::{Detail, State};

/// All that is known about one row, and why it is decided so.
pub fn lines(detail: &Detail, state: &State, look: Look) -> Vec<Line<'static>> {
    let mut lines = facts(&detail.row, state);
    lines.push(Line::default());
    match &detail.said {
        Some(Ok(said)) => lines.extend(explained(said, look)),
        Some(Err(why)) => lines.push(Line::styled(why.clone(), look.bad())),
        None if state.replayed => {
            lines.push(Line::styled("a file cannot be asked what would be decided now", look.faint()));
        }
        None if detail.row.dst_port == 0 => lines.push(Line::raw(detail.row.reason.meaning())),
        None => lines.push(Line::styled("asking decider ...", look.faint())),
    }
    if let Some(allow) = detail.row.allow_line() {
        lines.push(Line::default());
        lines.push(Line::from(vec![Span::styled("  to allow it for a while: ", look.strong()), Span::raw(allow)]));
    }
    lines
}

fn facts(row: &Row, state: &State) -> Vec<Line<'static>> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let also: Vec<String> = row.also.iter().map(ToString::to_string).collect();
    let ago = |moment: jiff::Timestamp| {
        u64::try_from(state.now.duration_since(moment).as_secs())
            .map_or("now".to_owned(), |age| format!("{} ago", human::seconds(age)))
    };
    let facts = [
        ("decided", format!("{}, {} ({})", row.verdict, row.reason.meaning(), row.reason)),
        ("name", or_none(row.domain.as_ref().map(ToString::to_string))),
        ("in question", also.join(", ")),
        ("client", row.client.to_string()),
        ("begun by", say::who(&row.who).unwrap_or_default()),
        ("destination", format!("{}/{}", SocketAddr::new(row.dst, row.dst_port), row.proto)),
        ("rule", or_none(row.rule.as_ref().map(ToString::to_string))),
        (
            "route",
            row.listener_port
                .map_or(format!("mark {}", row.mark), |port| format!("listener {port}, mark {}", row.mark)),
        ),
        (
            "temporary",
            row.temporary_left_s.map_or(String::new(), |left| format!("{} left of its rule", human::seconds(left))),
        ),
        ("interface", row.iface.clone().unwrap_or_default()),
        ("decisions", format!("{}, first {}, last {}", row.count, ago(row.first), ago(row.last))),
        (
            "open",
            format!(
                "{}{}",
                row.open,
                row.bytes.map_or(String::new(), |bytes| format!(", {} bytes", human::bytes(bytes)))
            ),
        ),
    ];
    let facts = facts.into_iter().filter(|(_, text)| !text.is_empty());
    facts.map(|(label, text)| Line::raw(format!("  {label:<12} {text}"))).collect()
}

fn explained(said: &Said, look: Look) -> Vec<Line<'static>> {
    let verdict = Span::styled(said.verdict.to_string(), look.of_verdict(said.verdict));
    let mut lines = vec![
        Line::styled("as it would be decided now:", look.faint()),
        Line::from(vec![verdict, Span::raw(format!(" {}", said.headline))]),
    ];
    lines.extend(said.lines.iter().map(|line| Line::raw(line.clone())));
    if let Some(advice) = &said.advice {
        lines.push(Line::from(vec![Span::styled("  what to do", look.strong()), Span::raw(format!(": {advice}"))]));
    }
    lines
}
