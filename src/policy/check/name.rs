use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{DomainName, NameError, NamePattern, NamePatternError};
use crate::policy::code::Code;
use crate::policy::fields::not_yet;
use crate::policy::node::{Scalar, Style};
use crate::policy::problems::{Fault, shown};
use crate::policy::public_suffix::has_one_owner;

use super::public_suffix;

/// The name that a rule is about, or all names below one.
pub fn domain(scalar: &Scalar<'_>) -> Result<NamePattern, Fault> {
    let text = &*scalar.text;
    if text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok() {
        return Err(not_yet(
            "rules by address",
            "a rule needs the name that clients look up, as in `domain: db.example.com`",
        ));
    }
    let name = NamePattern::parse(text).map_err(|error| refusal(text, &error))?;
    // Resolvers take such a text for an IPv4 address and never ask for it (inet_aton(3)).
    if last_label(&name).bytes().all(|byte| byte.is_ascii_digit()) {
        let fault = Fault::new(Code::BadName, format!("{} ends with a number, as only addresses do", shown(text)));
        return Err(fault.help("write the name that clients look up, as in `db.example.com`"));
    }
    match name.base().and_then(public_suffix::check) {
        Some(fault) => Err(fault),
        None => Ok(name),
    }
}

/// Whether a rule can be about these names.
#[must_use]
pub fn is_for_rules(name: &NamePattern) -> bool {
    domain(&Scalar { text: name.as_str().into(), style: Style::Quoted }).is_ok()
}

/// What a name without a dot probably is not.
pub fn single_label(name: &NamePattern) -> Option<Fault> {
    let fault = || {
        Fault::new(
            Code::SingleLabel,
            format!("{} has no dot: only a question for exactly this name counts", shown(name.as_str())),
        )
        .help("write the whole name, as in `git.corp.example`: clients mostly ask for that")
    };
    (!name.as_str().contains('.')).then(fault)
}

/// What a wildcard means that is above a public suffix: names of strangers, too.
pub fn strangers_below(name: &NamePattern) -> Option<Fault> {
    let base = name.base().filter(|base| !has_one_owner(base))?;
    let message = format!("somewhere below {} anybody can have a name", shown(base));
    Some(Fault::new(Code::StrangersBelow, message).help("name what is yours, as in `*.mine.example.com`, if you can"))
}

fn last_label(name: &NamePattern) -> &str {
    name.as_str().rsplit('.').next().unwrap_or_default()
}

fn refusal(text: &str, error: &NamePatternError) -> Fault {
    if let NamePatternError::Name(error @ NameError::Address) = error {
        return bad_name(text, error);
    }
    let star = |help: String| Fault::new(Code::BadWildcard, format!("{}: {error}", shown(text))).help(help);
    if let Some(whole) = within(text, |host| NamePattern::parse(host).ok().filter(NamePattern::is_wild)) {
        return star(format!("write the name alone: `{whole}`"));
    }
    match error {
        NamePatternError::Everything => star("write a rule for each name, or for each `*.example.com`".into()),
        NamePatternError::Star => star(match below_the_star(text) {
            Some(meant) => format!("write `{meant}`, which means names of one or more labels below"),
            None => "write it in front, as in `*.example.com`, which means one or more labels below".into(),
        }),
        NamePatternError::Name(error) => bad_name(text, error),
    }
}

/// The wildcard that `**.example.com`, `*example.com` or `a.*.example.com` most probably means.
fn below_the_star(text: &str) -> Option<NamePattern> {
    let (_, behind) = text.rsplit_once('*')?;
    NamePattern::parse(&format!("*.{}", behind.trim_matches('.'))).ok()
}

fn bad_name(text: &str, error: &NameError) -> Fault {
    let fault = Fault::new(Code::BadName, format!("{} is not a host name: {error}", shown(text)));
    match within(text, |host| DomainName::parse(host).ok()) {
        Some(name) if text.trim().strip_prefix('.').is_some_and(|rest| rest == name.as_str()) => {
            fault.help(format!("write `{name}` for this name, \"*.{name}\" for all below it"))
        }
        Some(name) => fault.help(format!("write the name alone: `{name}`")),
        None => fault.help("write the name that clients look up, as in `github.com`"),
    }
}

/// The name in what is more than one: a URL, `name:port`, `user@name`, `name/path`.
fn within<T: ToString>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    let trimmed = text.trim();
    let rest = trimmed.split_once("://").map_or(trimmed, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let host = rest.split(':').next().unwrap_or_default();
    parse(host.trim_matches('.')).filter(|name| name.to_string() != trimmed)
}
