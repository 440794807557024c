use ratatui::text::{Line, Span};

use super::human;
use super::look::Look;
use crate::control::TemporaryView;
use crate::top::permit::{Answer, Permit};

/// What exactly would be let through, or is now.
pub fn lines(permit: &Permit, look: Look) -> Vec<Line<'static>> {
    let title = |text: &'static str| Line::styled(text, look.strong());
    match &permit.answer {
        Answer::Awaited => {
            vec![title("let it through for a while?"), Line::styled("  asking decider ...", look.faint())]
        }
        Answer::Possible(rule, notes) => {
            let keys = "  y: yes    c: this client, or everybody    +, -: longer, shorter    Esc: no";
            let keys = [Line::default(), Line::styled(keys, look.key())];
            [title("let it through for a while?")].into_iter().chain(facts(rule, notes)).chain(keys).collect()
        }
        Answer::Done(rule, notes) => {
            let end = Line::raw(format!("  to end it sooner: decider allow --revoke {}", rule.id));
            let title = Line::styled("it is let through now", look.good());
            [title].into_iter().chain(facts(rule, notes)).chain([Line::default(), end]).collect()
        }
        Answer::Refused(why, help) => {
            let help = help.iter().map(|help| {
                Line::from(vec![Span::styled("  what to do", look.strong()), Span::raw(format!(": {help}"))])
            });
            let why = Line::styled(format!("  {why}"), look.bad());
            [title("it cannot be let through for a while"), why].into_iter().chain(help).collect()
        }
    }
}

fn facts(rule: &TemporaryView, notes: &[String]) -> Vec<Line<'static>> {
    let client = rule.client.map_or("everybody".to_owned(), |client| format!("{client}, and nobody else"));
    let until = rule.ends.map_or(String::new(), |ends| format!(", until {ends:.0}"));
    let facts = [
        ("name", rule.domain.to_string()),
        ("port", format!("{} ({})", rule.port, rule.proto)),
        ("for", client),
        ("how long", format!("{}{until}", human::seconds(rule.for_s))),
        ("rule", rule.id.to_string()),
    ];
    let facts = facts.map(|(label, text)| Line::raw(format!("  {label:<12} {text}")));
    let notes = notes.iter().map(|note| Line::raw(format!("  {:<12} {note}", "note")));
    facts.into_iter().chain(notes).collect()
}
