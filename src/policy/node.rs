use std::borrow::Cow;

use super::source::{Located, Span};

/// A value of a YAML file and its place.
#[derive(Debug)]
pub struct Node<'t> {
    pub span: Span,
    pub kind: Kind<'t>,
}

#[derive(Debug)]
pub enum Kind<'t> {
    Scalar(Scalar<'t>),
    List(Vec<Node<'t>>),
    Mapping(Vec<Entry<'t>>),
    /// Something that was refused; the problem is already told.
    Refused,
}

/// A key with its value.
#[derive(Debug)]
pub struct Entry<'t> {
    pub key: Located<Cow<'t, str>>,
    pub value: Node<'t>,
}

/// A single value as it was written, without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar<'t> {
    pub text: Cow<'t, str>,
    pub style: Style,
}

/// How a single value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// In quotes, or as a block: a text whatever it looks like.
    Quoted,
}

impl Node<'_> {
    /// Whether it is what YAML takes for no value (YAML 1.2.2, section 10.3.2).
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar)
            if scalar.style == Style::Plain && matches!(&*scalar.text, "" | "~" | "null" | "Null" | "NULL"))
    }
}
