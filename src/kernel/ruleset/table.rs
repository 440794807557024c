use std::fmt;

use super::super::names::TABLE;

/// An nftables table in the `inet` family; its text replaces whatever table of that name there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Sets, maps and counters.
    pub objects: Vec<Object>,
    /// In the order in which they are written; a chain must stand behind those that it jumps to.
    pub chains: Vec<Chain>,
}

/// A set, a map or a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `set`, `map` or `counter`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What stands between its braces, a line each.
    pub body: Vec<String>,
    /// How many elements it begins with; none where the packets themselves add and remove them.
    pub elements: Option<usize>,
}

/// A chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name.
    pub name: String,
    /// Where the kernel calls it; none if only other chains do.
    pub base: Option<Base>,
    /// Its rules, in order.
    pub rules: Vec<String>,
}

/// Where the kernel calls a base chain. Its policy is always `accept`: what is refused is refused by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// What it may do.
    pub kind: Kind,
    /// The hook, as nft names it.
    pub hook: &'static str,
    /// The order among the chains of the hook, lowest first (`enum nf_ip_hook_priorities`).
    pub priority: i32,
}

/// What a base chain may do (nft calls it the type).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whatever rules do.
    Filter,
    /// A packet whose mark it changes is routed anew.
    Route,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Route => "route",
        }
    }
}

impl Table {
    /// Adds a chain.
    pub fn chain(&mut self, name: &str, base: Option<Base>, rules: Vec<String>) {
        self.chains.push(Chain { name: name.to_owned(), base, rules });
    }

    /// Adds a set or map with fixed elements; one without elements may still be looked up in.
    pub fn fixed(&mut self, kind: &'static str, name: &str, datatype: &str, elements: &[String]) {
        let mut body = vec![format!("type {datatype}")];
        if !elements.is_empty() {
            body.push(format!("elements = {{ {} }}", elements.join(", ")));
        }
        self.objects.push(Object { kind, name: name.to_owned(), body, elements: Some(elements.len()) });
    }
}

impl fmt::Display for Table {
    /// One transaction: adding first makes the deletion succeed where there is no table yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "add table inet {TABLE}")?;
        writeln!(f, "delete table inet {TABLE}")?;
        self.write_content(f)
    }
}

impl Table {
    /// What adds all that is in it to the table that there is; rules go behind those that a chain has.
    pub(super) fn write_content(&self, f: &mut impl fmt::Write) -> fmt::Result {
        writeln!(f, "table inet {TABLE} {{")?;
        for object in &self.objects {
            writeln!(f, "\t{} {} {{", object.kind, object.name)?;
            lines(f, &object.body)?;
        }
        for chain in &self.chains {
            writeln!(f, "\tchain {} {{", chain.name)?;
            if let Some(Base { kind, hook, priority }) = chain.base {
                let kind = kind.as_str();
                writeln!(f, "\t\ttype {kind} hook {hook} priority {priority}; policy accept;")?;
            }
            lines(f, &chain.rules)?;
        }
        writeln!(f, "}}")
    }
}

fn lines(f: &mut impl fmt::Write, lines: &[String]) -> fmt::Result {
    for line in lines {
        writeln!(f, "\t\t{line}")?;
    }
    writeln!(f, "\t}}")
}
