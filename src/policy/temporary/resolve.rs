use std::net::IpAddr;
use std::time::Duration;

use crate::model::{Moment, NamePattern, Proto, RuleId, Upstream};
use crate::policy::code::Code;
use crate::policy::diagnostic::{Diagnostic, Severity};
use crate::policy::duration::written;
use crate::policy::problems::Problems;
use crate::policy::spec::{Rule, Spec, Term};
use crate::policy::{check, parse, source};

use super::conflict::conflict;
use super::target::Target;
use super::{LONGEST, SHORTEST};

/// Characters of a name that an id begins with, where both together would be too long.
const START_OF_NAME: usize = 60;

/// What somebody wants to be let through for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `NAME[:PORT][/PROTO]`.
    pub target: String,
    /// The only client; none: everybody.
    pub client: Option<IpAddr>,
    /// For how long, from [`SHORTEST`] to [`LONGEST`].
    pub lasts: Duration,
    /// The user who asks.
    pub by: u32,
}

/// What that comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The rule.
    pub rule: Rule,
    /// What was not said and is assumed; what is probably not meant.
    pub notes: Vec<String>,
}

/// Why it comes to nothing, in the words of the policy's checker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The kind.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl Refused {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// Makes a rule of what is asked for, to be in force from `now` on beside those of a policy file.
///
/// # Errors
/// Why there can be no such rule, or why it would change nothing.
pub fn resolve(asked: &Asked, spec: &Spec, now: Moment) -> Result<Resolved, Refused> {
    let Asked { ref target, lasts, by, .. } = *asked;
    if !(SHORTEST..=LONGEST).contains(&lasts) {
        let range = format!("{} to {}", written(SHORTEST), written(LONGEST));
        let message = format!("a temporary rule lasts {range}, not {}", written(lasts));
        return Err(Refused::new(Code::OutOfRange, message).help("for longer, write the rule into the policy file"));
    }
    let client = asked.client.map(|client| client.to_canonical());
    if let Some(client) = client {
        is_covered(client, spec)?;
    }
    let target = Target::parse(target)?;
    let mut notes = Vec::new();
    let proto = target.proto.map_or_else(|| assumed_proto(&target, spec, &mut notes), str::to_owned);
    if target.proto.is_some() && target.port.is_none() && proto == Proto::Ssh.as_str() {
        notes.push("port 22 is assumed, which is that of ssh".to_owned());
    }
    let term = Term { client, ends: now.after(lasts), lasts, by };
    let rule = read(target.name, target.port, &proto, term, spec.upstream, &mut notes)?;
    match conflict(&rule, &spec.rules) {
        Some(refused) => Err(refused),
        None => Ok(Resolved { rule, notes }),
    }
}

/// Reads a temporary rule as one of a policy file is read.
pub(super) fn read(
    name: &str,
    port: Option<&str>,
    proto: &str,
    term: Term,
    upstream: Option<Upstream>,
    notes: &mut Vec<String>,
) -> Result<Rule, Refused> {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let port = port.map_or(String::new(), |port| format!(", port: {port}"));
    let text = format!("{{ id: temporary, domain: {}, proto: {}{port} }}", quoted(name), quoted(proto));
    let problems = Problems::new(&text);
    let rule = source::check(&text, &problems)
        .and_then(|()| parse::parse(&text, &problems))
        .and_then(|root| check::rule(&root, &problems));
    let (rule, warnings) = problems.conclude(rule).map_err(|problems| first_error(problems, proto))?;
    notes.extend(warnings.into_iter().map(|warning| warning.message));
    let id = made_id(&rule, term.client);
    Ok(Rule { id, upstream: upstream_of(&rule.name, upstream), line: 0, term: Some(term), ..rule })
}

/// Where Envoy connects to, by what the policy says of rules that do not say.
pub(super) fn upstream_of(name: &NamePattern, policy: Option<Upstream>) -> Upstream {
    if name.is_wild() { Upstream::Original } else { policy.unwrap_or(Upstream::Resolve) }
}

fn first_error(problems: Vec<Diagnostic>, proto: &str) -> Refused {
    let error = problems.into_iter().find(|problem| problem.severity == Severity::Error);
    let Some(Diagnostic { code, message, help, .. }) = error else {
        return Refused::new(Code::Syntax, "this cannot be made a rule");
    };
    let help = match code {
        Code::PortMissing => Some(format!("name one, as in `db.example.com:5432/{proto}`")),
        _ => help,
    };
    Refused { code, message, help }
}

/// The proto of a port that is named without one.
fn assumed_proto(target: &Target<'_>, spec: &Spec, notes: &mut Vec<String>) -> String {
    let Some(text) = target.port else {
        notes.push("port 22 and ssh are assumed, since neither a port nor a proto was named".to_owned());
        return Proto::Ssh.to_string();
    };
    let port: Option<u16> = text.parse().ok();
    let mut protos = spec.rules.iter().filter(|rule| port.is_some_and(|port| rule.ports.contains(&port)));
    let first = protos.next().map(|rule| rule.proto);
    let agreed = first.filter(|&proto| protos.all(|rule| rule.proto == proto));
    let (proto, why) = match (agreed, port == Proto::Ssh.default_port()) {
        (Some(proto), _) => (proto, format!("which the policy's rules have on port {text}")),
        (None, true) => (Proto::Ssh, format!("whose port is {text}")),
        (None, false) => (Proto::Tcp, "since no proto was named".to_owned()),
    };
    notes.push(format!("{proto} is assumed, {why}"));
    proto.to_string()
}

fn is_covered(client: IpAddr, spec: &Spec) -> Result<(), Refused> {
    // Which addresses are this host's own is not known here.
    if spec.host || spec.gateway.covers(client) {
        return Ok(());
    }
    let message = format!("{client} is no client of this policy: it is in none of intercept.gateway.networks");
    Err(Refused::new(Code::NoEffect, message).help("name the address that the client's packets come from"))
}

/// `<domain>:<port>/<proto>`, as a rule of the file would be called that says the same: with that it goes on as it is. Behind it
/// the only client.
fn made_id(rule: &Rule, client: Option<IpAddr>) -> RuleId {
    let ports = check::written_ports(&rule.ports);
    let rest = format!(":{ports}/{}{}", rule.proto, client.map_or(String::new(), |c| format!("@{c}")));
    let name = rule.name.as_str();
    if name.len() + rest.len() <= check::MAX_ID {
        return RuleId::new(format!("{name}{rest}"));
    }
    let start = name.get(..START_OF_NAME).unwrap_or_default();
    RuleId::new(format!("{start}~{:08x}{rest}", crc32fast::hash(name.as_bytes())))
}
