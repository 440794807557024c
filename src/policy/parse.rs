use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::code::Code;
use super::node::{Entry, Kind, Node, Scalar, Style};
use super::offsets::Offsets;
use super::problems::{Fault, Problems, shown};
use super::source::{HEAD, Located, Span};
use super::syntax;

/// Deepest nesting; a policy needs four.
const MAX_DEPTH: usize = 16;
/// Most keys in one mapping; no part of a policy has as many.
const MAX_KEYS: usize = 64;
/// Most values, which bounds memory.
const MAX_NODES: usize = 1_000_000;

/// Reads YAML into a tree. Of YAML, only what a policy needs: one document of mappings, lists and single values, all
/// bounded; whatever else there is, is a problem. None after a problem that hides the rest of the file.
///
/// The parser's events are taken one by one: its own loader calls itself for every level of nesting.
pub fn parse<'t>(text: &'t str, problems: &Problems<'_>) -> Option<Node<'t>> {
    let mut tree = Tree { text, offsets: Offsets::new(text), open: Vec::new(), root: None, nodes: 0 };
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let problem = match next {
            Ok((event, marks)) => {
                let span = Span { start: tree.byte(marks.start), end: tree.byte(marks.end) };
                tree.event(event, span, problems).err()
            }
            Err(error) => Some(tree.broken(&error)),
        };
        if let Some((span, fault)) = problem {
            problems.error(span, fault);
            return None;
        }
    }
    let root = tree.root.filter(|root| !root.is_null());
    if root.is_none() {
        let fault = Fault::new(Code::Empty, "the file holds no policy");
        problems.error(HEAD, fault.help("a policy begins with `version: 1`; policy/examples has some to begin with"));
    }
    root
}

/// The tree as far as it is built.
struct Tree<'t> {
    text: &'t str,
    offsets: Offsets<'t>,
    open: Vec<Open<'t>>,
    root: Option<Node<'t>>,
    nodes: usize,
}

/// A list or mapping whose end has not come.
struct Open<'t> {
    span: Span,
    content: Content<'t>,
}

enum Content<'t> {
    List(Vec<Node<'t>>),
    Mapping { entries: Vec<Entry<'t>>, key: Option<PendingKey<'t>> },
}

/// A key whose value has not come.
enum PendingKey<'t> {
    Good(Located<Cow<'t, str>>),
    /// It was refused, and its value goes with it.
    Refused,
}

/// A problem that hides the rest of the file.
type Fatal = (Span, Fault);

impl<'t> Tree<'t> {
    fn event(&mut self, event: Event<'t>, span: Span, problems: &Problems<'_>) -> Result<(), Fatal> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => Err((span, second_document())),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
            Event::Alias(_) => {
                problems.error(span, no_aliases("an alias (`*name`)"));
                self.complete(Node { span, kind: Kind::Refused }, problems)
            }
            Event::Scalar(text, style, anchor, tag) => {
                refuse_extras(span, anchor, tag.is_some(), problems);
                let style = if style == ScalarStyle::Plain { Style::Plain } else { Style::Quoted };
                let span = self.without_blanks(span);
                self.complete(Node { span, kind: Kind::Scalar(Scalar { text, style }) }, problems)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_extras(span, anchor, tag.is_some(), problems);
                self.begin(span, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse_extras(span, anchor, tag.is_some(), problems);
                self.begin(span, Content::Mapping { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.complete(open.close(span.end), problems),
                None => Ok(()),
            },
        }
    }

    fn begin(&mut self, span: Span, content: Content<'t>) -> Result<(), Fatal> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} lists and mappings are open here, one within the other");
            return Err((span, Fault::new(Code::TooDeep, message).help("a policy needs no more than four")));
        }
        self.open.push(Open { span, content });
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn complete(&mut self, node: Node<'t>, problems: &Problems<'_>) -> Result<(), Fatal> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values, which no policy has");
            return Err((node.span, Fault::new(Code::TooLarge, message).help("is this the file that you meant?")));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => items.push(node),
            Content::Mapping { entries, key } => match key.take() {
                None => *key = Some(as_key(node, entries, problems)),
                Some(PendingKey::Good(key)) => entries.push(Entry { key, value: node }),
                Some(PendingKey::Refused) => {}
            },
        }
        Ok(())
    }

    fn broken(&self, error: &ScanError) -> Fatal {
        let at = self.byte(*error.marker());
        let fault = syntax::explain(error.info(), self.text.get(at..).unwrap_or_default());
        let unclosed = self.open.last().filter(|open| open.is_bracketed(self.text));
        let fault = match unclosed {
            Some(open) => fault.related(open.span, "this bracket is still open"),
            None => fault,
        };
        (Span { start: at, end: at + 1 }, fault)
    }

    /// Of quoted texts, the parser counts the blanks behind them in.
    fn without_blanks(&self, span: Span) -> Span {
        let written = self.text.get(span.start..span.end).map_or(0, |written| written.trim_end().len());
        Span { end: span.start + written, ..span }
    }

    fn byte(&self, mark: saphyr_parser::Marker) -> usize {
        self.offsets.byte(mark.index())
    }
}

impl<'t> Open<'t> {
    fn close(self, end: usize) -> Node<'t> {
        let kind = match self.content {
            Content::List(items) => Kind::List(items),
            Content::Mapping { entries, .. } => Kind::Mapping(entries),
        };
        Node { span: Span { start: self.span.start, end: end.max(self.span.end) }, kind }
    }

    fn is_bracketed(&self, text: &str) -> bool {
        text.get(self.span.start..self.span.end).is_some_and(|opening| opening.contains(['[', '{']))
    }
}

fn as_key<'t>(node: Node<'t>, entries: &[Entry<'t>], problems: &Problems<'_>) -> PendingKey<'t> {
    let span = node.span;
    let null = node.is_null();
    let fault = match node.kind {
        Kind::Scalar(key) if key.style == Style::Plain && key.text == "<<" => no_aliases("a merge key (`<<`)"),
        Kind::Scalar(_) if entries.len() == MAX_KEYS => {
            Fault::new(Code::TooMany, format!("more than {MAX_KEYS} keys stand here"))
                .help("is this the file that you meant?")
        }
        Kind::Scalar(key) if !null => match entries.iter().find(|entry| entry.key.value == key.text) {
            None => return PendingKey::Good(Located { value: key.text, span }),
            Some(first) => Fault::new(Code::DuplicateKey, format!("{} stands here twice", shown(&key.text)))
                .help("keep one of them")
                .related(first.key.span, "it stands here first"),
        },
        Kind::Scalar(_) => Fault::new(Code::BadKey, "a key is missing in front of the `:`"),
        Kind::List(_) | Kind::Mapping(_) => Fault::new(Code::BadKey, "a key is a plain word, not a list or a mapping"),
        Kind::Refused => return PendingKey::Refused,
    };
    problems.error(span, fault);
    PendingKey::Refused
}

/// Anchors and tags are told; the value that has one is read on.
fn refuse_extras(span: Span, anchor: usize, tagged: bool, problems: &Problems<'_>) {
    if anchor != 0 {
        problems.error(span, no_aliases("an anchor (`&name`)"));
    }
    if tagged {
        let fault = Fault::new(Code::Tag, "a policy has no YAML tags (`!name`)");
        problems.error(span, fault.help("take it out: every value has one meaning only"));
    }
}

fn no_aliases(what: &str) -> Fault {
    Fault::new(Code::Alias, format!("{what} has no place in a policy"))
        .help("write the values out where they are needed")
}

fn second_document() -> Fault {
    Fault::new(Code::SeveralDocuments, "a second document begins here: a policy file holds one")
        .help("take the `---` out, or give each policy a file of its own")
}
