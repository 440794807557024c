use std::net::IpAddr;

use ipnet::IpNet;

use crate::model::{DomainName, NameError};
use crate::policy::code::Code;
use crate::policy::fields::not_yet;
use crate::policy::node::Scalar;
use crate::policy::problems::{Fault, shown};

/// The name that a rule is about.
pub fn domain(scalar: &Scalar<'_>) -> Result<DomainName, Fault> {
    let text = &*scalar.text;
    if text.contains('*') {
        return Err(not_yet("names with `*`", "write a rule for each name"));
    }
    if text.parse::<IpAddr>().is_ok() || text.parse::<IpNet>().is_ok() {
        return Err(not_yet(
            "rules by address",
            "a rule needs the name that clients look up, as in `domain: db.example.com`",
        ));
    }
    let name = DomainName::parse(text).map_err(|error| bad_name(text, &error))?;
    // Resolvers take such a text for an IPv4 address and never ask for it (inet_aton(3)).
    if last_label(&name).bytes().all(|byte| byte.is_ascii_digit()) {
        let fault = Fault::new(Code::BadName, format!("{} ends with a number, as only addresses do", shown(text)));
        return Err(fault.help("write the name that clients look up, as in `db.example.com`"));
    }
    Ok(name)
}

/// What a name without a dot probably is not.
pub fn single_label(name: &DomainName) -> Option<Fault> {
    let fault = || {
        Fault::new(
            Code::SingleLabel,
            format!("{} has no dot: only a question for exactly this name counts", shown(name.as_str())),
        )
        .help("write the whole name, as in `git.corp.example`: clients mostly ask for that")
    };
    (!name.as_str().contains('.')).then(fault)
}

fn last_label(name: &DomainName) -> &str {
    name.as_str().rsplit('.').next().unwrap_or_default()
}

fn bad_name(text: &str, error: &NameError) -> Fault {
    let fault = Fault::new(Code::BadName, format!("{} is not a host name: {error}", shown(text)));
    match host_within(text) {
        Some(name) => fault.help(format!("write the name alone: `{name}`")),
        None => fault.help("write the name that clients look up, as in `github.com`"),
    }
}

/// The name in what is more than one: a URL, `name:port`, `user@name`, `name/path`.
fn host_within(text: &str) -> Option<DomainName> {
    let text = text.trim();
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let host = rest.split(':').next().unwrap_or_default();
    DomainName::parse(host.trim_matches('.')).ok().filter(|name| name.as_str() != text)
}
