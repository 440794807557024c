use super::code::Code;
use super::keys::Section;
use super::node::{Entry, Kind, Node, Scalar};
use super::problems::{Fault, Problems, listed, shown};
use super::source::{Located, Span};
use crate::model::nearest;

/// A mapping of the file, read by its keys. Each reader takes one key and tells what is wrong with its value; what is
/// wrong reads as none, so that nothing is told twice.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'n, 't> {
    section: &'static Section,
    span: Span,
    entries: &'n [Entry<'t>],
    problems: &'n Problems<'t>,
}

impl<'n, 't> Fields<'n, 't> {
    /// Opens a mapping, and tells the keys in it that do not belong there. `span` is where missing keys are told.
    pub fn open(section: &'static Section, node: &'n Node<'t>, span: Span, problems: &'n Problems<'t>) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else {
            let help = format!("write its keys below it, each on a line: {}", listed(section.keys));
            wrong_shape(node, &section.name(), "a mapping of keys to values", help, problems);
            return None;
        };
        for entry in entries.iter().filter(|entry| !section.keys.contains(&&*entry.key.value)) {
            problems.error(entry.key.span, stranger(section, &entry.key.value));
        }
        Some(Self { section, span, entries, problems })
    }

    /// Where problems are told.
    pub fn problems(&self) -> &'n Problems<'t> {
        self.problems
    }

    /// Where the mapping as a whole is shown.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether a key is there, whatever its value.
    pub fn has(&self, key: &str) -> bool {
        self.entry(key).is_some()
    }

    /// Where a key's value is; where the mapping is, if there is none.
    pub fn value_span(&self, key: &str) -> Span {
        self.entry(key).map_or(self.span, |entry| entry.value.span)
    }

    /// Tells that a key is missing, if it is.
    pub fn require(&self, key: &str, help: &str) {
        if !self.has(key) {
            let message = format!("{} needs {}", self.section.name(), shown(key));
            self.problems.error(self.span, Fault::new(Code::MissingKey, message).help(help));
        }
    }

    /// A key's value as it is.
    pub fn node(&self, key: &str) -> Option<&'n Node<'t>> {
        let entry = self.entry(key)?;
        if !entry.value.is_null() {
            return Some(&entry.value);
        }
        let fault = Fault::new(Code::MissingValue, format!("{} has no value", shown(key)));
        self.problems.error(entry.key.span, fault.help("write one behind the `:`, or take the key out"));
        None
    }

    /// The mapping below a key.
    pub fn section(&self, section: &'static Section, key: &str) -> Option<Self> {
        let span = self.entry(key)?.key.span;
        Fields::open(section, self.node(key)?, span, self.problems)
    }

    /// A single value.
    pub fn scalar<T>(&self, key: &str, parse: impl Fn(&Scalar<'_>) -> Result<T, Fault>) -> Option<T> {
        read(self.node(key)?, &shown(key), &parse, self.problems).map(|found| found.value)
    }

    /// A single value, or the default if nothing is written.
    pub fn or<T>(&self, key: &str, default: T, parse: impl Fn(&Scalar<'_>) -> Result<T, Fault>) -> Option<T> {
        if self.has(key) { self.scalar(key, parse) } else { Some(default) }
    }

    /// A list of single values, of one to `most` entries. Entries that are wrong are left out.
    pub fn list<T>(
        &self,
        key: &str,
        most: usize,
        parse: impl Fn(&Scalar<'_>) -> Result<T, Fault>,
    ) -> Option<Vec<Located<T>>> {
        let node = self.node(key)?;
        let Kind::List(items) = &node.kind else {
            wrong_shape(node, &shown(key), "a list", format!("write `{key}: [ONE, ANOTHER]`"), self.problems);
            return None;
        };
        if let Some(fault) = wrong_length(key, items.len(), most) {
            self.problems.error(node.span, fault);
            return None;
        }
        Some(items.iter().filter_map(|item| read(item, "an entry", &parse, self.problems)).collect())
    }

    /// A single value, or a list of them as [`list`](Self::list) reads it.
    pub fn one_or_more<T>(
        &self,
        key: &str,
        most: usize,
        parse: impl Fn(&Scalar<'_>) -> Result<T, Fault>,
    ) -> Option<Vec<Located<T>>> {
        let node = self.node(key)?;
        if matches!(node.kind, Kind::List(_)) {
            return self.list(key, most, parse);
        }
        read(node, &shown(key), &parse, self.problems).map(|found| vec![found])
    }

    fn entry(&self, key: &str) -> Option<&'n Entry<'t>> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }
}

/// Reads one scalar.
fn read<T>(
    node: &Node<'_>,
    what: &str,
    parse: &impl Fn(&Scalar<'_>) -> Result<T, Fault>,
    problems: &Problems<'_>,
) -> Option<Located<T>> {
    let Kind::Scalar(scalar) = &node.kind else {
        wrong_shape(node, what, "one value", "write a single value", problems);
        return None;
    };
    match parse(scalar) {
        Ok(value) => Some(Located { value, span: node.span }),
        Err(fault) => {
            problems.error(node.span, fault);
            None
        }
    }
}

/// Tells that a node is something else than it should be; silent about what was refused before.
pub fn wrong_shape(node: &Node<'_>, what: &str, wanted: &str, help: impl Into<String>, problems: &Problems<'_>) {
    let found = match &node.kind {
        Kind::Scalar(scalar) => shown(&scalar.text),
        Kind::List(_) => "a list".into(),
        Kind::Mapping(_) => "a mapping".into(),
        Kind::Refused => return,
    };
    let fault = Fault::new(Code::WrongShape, format!("{what} is {wanted}, and this is {found}"));
    problems.error(node.span, fault.help(help));
}

fn wrong_length(key: &str, length: usize, most: usize) -> Option<Fault> {
    if length == 0 {
        let fault = Fault::new(Code::EmptyList, format!("{} has no entries", shown(key)));
        return Some(fault.help("write at least one, or take the key out"));
    }
    let too_many = || Fault::new(Code::TooMany, format!("{} has {length} entries, and {most} is the most", shown(key)));
    (length > most).then(too_many)
}

/// A key that this version does not take.
fn stranger(section: &Section, key: &str) -> Fault {
    if let Some((_, what)) = section.later.iter().find(|(later, _)| *later == key) {
        return not_yet(what, "take it out");
    }
    let fault = Fault::new(Code::UnknownKey, format!("{} has no key {}", section.name(), shown(key)));
    match nearest(key, section.keys.iter().copied()) {
        Some(meant) => fault.help(format!("did you mean `{meant}`?")),
        None => fault.help(format!("its keys are {}", listed(section.keys))),
    }
}

/// Something that the format has, and this version not.
pub fn not_yet(what: &str, help: impl Into<String>) -> Fault {
    Fault::new(Code::NotSupportedYet, format!("{what}: not supported yet")).help(help)
}
