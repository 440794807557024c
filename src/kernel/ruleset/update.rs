use std::collections::HashSet;
use std::fmt::Write;

use super::super::names::TABLE;
use super::table::{Chain, Object, Table};

/// The transaction that makes one table of another and leaves alone what both have: counters, what packets have added to
/// sets, and rules that were added by other means. None if only a new table will do.
#[must_use]
pub fn update(before: &Table, after: &Table) -> Option<String> {
    let objects = Changes::new(&before.objects, &after.objects, |object| &object.name);
    let chains = Changes::new(&before.chains, &after.chains, |chain| &chain.name);
    if !objects.both.iter().all(|(old, new)| can_become(old, new)) || chains.both.iter().any(|(o, n)| o.base != n.base)
    {
        return None;
    }
    let changed: Vec<&Chain> =
        chains.both.iter().filter(|(old, new)| old.rules != new.rules).map(|(_, new)| *new).collect();
    let mut text = String::new();
    // Rules that lead to what goes come first: what is in use cannot be deleted.
    for chain in changed.iter().chain(&chains.gone) {
        line(&mut text, format_args!("flush chain inet {TABLE} {}", chain.name));
    }
    for chain in chains.gone.iter().rev() {
        line(&mut text, format_args!("delete chain inet {TABLE} {}", chain.name));
    }
    for object in &objects.gone {
        line(&mut text, format_args!("delete {} inet {TABLE} {}", object.kind, object.name));
    }
    for (old, new) in &objects.both {
        elements(&mut text, "delete", new, &missing(old, new));
        elements(&mut text, "add", new, &missing(new, old));
    }
    let new = Table {
        objects: objects.new.into_iter().cloned().collect(),
        chains: after
            .chains
            .iter()
            .filter(|chain| chains.new.contains(chain) || changed.contains(chain))
            .cloned()
            .collect(),
    };
    if !(new.objects.is_empty() && new.chains.is_empty()) {
        // A String takes everything.
        let _ = new.write_content(&mut text);
    }
    Some(text)
}

/// Whether the kernel lets one become the other by a change of its elements.
fn can_become(old: &Object, new: &Object) -> bool {
    let head = |object: &Object| object.body.iter().filter(|line| !is_elements(line)).cloned().collect::<Vec<_>>();
    old.kind == new.kind && head(old) == head(new) && old.elements.is_some() == new.elements.is_some()
}

/// Elements of `one` that `other` has not.
fn missing<'o>(one: &'o Object, other: &Object) -> Vec<&'o str> {
    let there: HashSet<&str> = list(other).collect();
    list(one).filter(|element| !there.contains(element)).collect()
}

fn list(object: &Object) -> impl Iterator<Item = &str> {
    let text = object.body.iter().find_map(|line| line.strip_prefix(ELEMENTS)?.strip_suffix(" }"));
    text.into_iter().flat_map(|text| text.split(", "))
}

/// How [`Table::fixed`] writes them.
const ELEMENTS: &str = "elements = { ";

fn is_elements(line: &str) -> bool {
    line.starts_with(ELEMENTS)
}

fn elements(text: &mut String, verb: &str, object: &Object, elements: &[&str]) {
    if !elements.is_empty() {
        line(text, format_args!("{verb} element inet {TABLE} {} {{ {} }}", object.name, elements.join(", ")));
    }
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = writeln!(text, "{content}");
}

/// What of two lists is only in the one, only in the other, and in both.
struct Changes<'t, T> {
    gone: Vec<&'t T>,
    new: Vec<&'t T>,
    both: Vec<(&'t T, &'t T)>,
}

impl<'t, T> Changes<'t, T> {
    fn new(before: &'t [T], after: &'t [T], name: fn(&T) -> &String) -> Self {
        let in_after = |item: &&T| after.iter().find(|other| name(other) == name(item));
        let in_before = |item: &&T| before.iter().any(|other| name(other) == name(item));
        Self {
            gone: before.iter().filter(|item| in_after(item).is_none()).collect(),
            new: after.iter().filter(|item| !in_before(item)).collect(),
            both: before.iter().filter_map(|item| Some((item, in_after(&item)?))).collect(),
        }
    }
}
