use std::ops::RangeInclusive;

use super::{Finding, Seen};

/// Who has which numbers of the kernel's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueFacts {
    /// NFQUEUE numbers that are taken.
    pub queues: Seen<Vec<Taken>>,
    /// NFLOG groups that are taken.
    pub groups: Seen<Vec<Taken>>,
    /// The queues that a decider started now would want.
    pub wanted: RangeInclusive<u16>,
    /// The group that it would want.
    pub group: u16,
    /// The process of the decider that runs, if one does.
    pub own: Option<u32>,
}

/// A number, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The number.
    pub number: u16,
    /// Process and its name, if it is known.
    pub by: Option<(u32, String)>,
}

pub fn examine(facts: &QueueFacts) -> Vec<Finding> {
    let wanted = facts.wanted.clone();
    let groups = facts.group..=facts.group;
    vec![
        of(facts, "queues.nfqueue", "queue", &facts.queues, &wanted, "--first-queue"),
        of(facts, "queues.nflog", "NFLOG group", &facts.groups, &groups, "--log-group"),
    ]
}

fn of(
    facts: &QueueFacts,
    name: &'static str,
    thing: &str,
    taken: &Seen<Vec<Taken>>,
    wanted: &RangeInclusive<u16>,
    option: &str,
) -> Finding {
    if let Some(own) = facts.own {
        return Finding::ok(name, format!("{thing}s are those of the decider that runs (process {own})"));
    }
    let taken = match taken {
        Ok(taken) => taken,
        Err(unseen) => return Finding::unseen(name, &format!("who has {thing}s"), unseen),
    };
    let in_the_way = taken.iter().find(|taken| wanted.contains(&taken.number));
    match in_the_way {
        None => Finding::ok(name, format!("{thing} {}: free", range(wanted))),
        Some(Taken { number, by }) => {
            let who = by.as_ref().map_or("another program".to_owned(), |(pid, name)| format!("{name} (process {pid})"));
            let free = next_free(taken, wanted);
            Finding::wrong(
                name,
                format!("{thing} {number} is taken by {who}"),
                format!("decider run {option} {free} FILE"),
            )
        }
    }
}

fn range(wanted: &RangeInclusive<u16>) -> String {
    if wanted.start() == wanted.end() {
        wanted.start().to_string()
    } else {
        format!("{} to {}", wanted.start(), wanted.end())
    }
}

/// Where as many numbers are free, at or above those that are wanted.
fn next_free(taken: &[Taken], wanted: &RangeInclusive<u16>) -> u16 {
    let length = wanted.end() - wanted.start();
    let is_free = |first: &u16| {
        let last = first.saturating_add(length);
        !taken.iter().any(|taken| (*first..=last).contains(&taken.number))
    };
    (*wanted.start()..=u16::MAX - length).find(is_free).unwrap_or(1)
}
