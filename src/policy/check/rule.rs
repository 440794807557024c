use ipnet::IpNet;

use crate::model::{NamePattern, Proto, RuleId, Upstream};
use crate::policy::code::Code;
use crate::policy::fields::{Fields, not_yet};
use crate::policy::keys;
use crate::policy::node::{Node, Scalar};
use crate::policy::problems::{Fault, Problems, shown};
use crate::policy::source::{Located, Span};
use crate::policy::spec::{Action, Gateway, Rule};
use crate::policy::value::{unknown_word, word};

use super::{limits, name, ports, upstream};

/// Longest id, in characters: it stands in nftables comments, which have 128 bytes at most (`NFTNL_UDATA_COMMENT_MAXLEN`, libnftnl).
pub const MAX_ID: usize = 128;

const ACTIONS: &[(&str, Action)] = &[("allow", Action::Allow), ("deny", Action::Deny)];
const PROTOS: [Proto; 2] = [Proto::Ssh, Proto::Tcp];
/// What later versions decide.
const LATER_PROTOS: [&str; 5] = ["tls", "https", "http", "udp", "icmp"];

/// A rule with the places that are shown when it does not go with another.
#[derive(Debug)]
pub struct Placed {
    pub rule: Rule,
    /// Its name in the file.
    pub domain: Span,
    /// Its id, if one is written.
    pub id: Option<Span>,
}

/// What the rest of a policy says that its rules hang on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'p> {
    /// Where Envoy connects to, by rules that do not say.
    pub upstream: Option<&'p Located<Upstream>>,
    /// Which clients there are, if there are no others.
    pub gateway: Option<&'p Gateway>,
}

/// Reads one rule.
pub fn check<'t>(node: &Node<'t>, around: Around<'_>, problems: &Problems<'t>) -> Option<Placed> {
    let fields = Fields::open(&keys::RULE, node, node.span, problems)?;
    if !fields.has("network") {
        fields.require("domain", "name the host, as in `domain: github.com`");
    }
    let domain = fields.scalar("domain", name::domain);
    fields.require("proto", "write `proto: ssh` (port 22), or `proto: tcp` with a `port`");
    let proto = fields.scalar("proto", proto);
    let action = fields.or("action", Action::Allow, word(ACTIONS));
    let given = fields.or("id", None, |scalar| id(scalar).map(Some));
    let ports = ports::check(&fields, proto);
    let clients = limits::clients(&fields, around.gateway);
    let expires = fields.or("expires", None, |scalar| limits::expires(scalar).map(Some));
    let name = domain?;
    let span = fields.value_span("domain");
    if let Some(fault) = name::single_label(&name) {
        problems.warning(span, fault);
    }
    let (proto, ports, action) = (proto?, ports?, action?);
    if let Some(fault) = name::strangers_below(&name).filter(|_| action == Action::Allow) {
        problems.warning(span, fault);
    }
    let upstream = upstream::of_rule(&fields, &name, action, around.upstream);
    let (clients, expires) = (clients?, expires?);
    let id = given?.or_else(|| made_id(&name, &ports, proto, &clients, &fields))?;
    let line = problems.line(fields.span());
    let rule = Rule { id, name, proto, ports, action, upstream: upstream?, clients, expires, line, term: None };
    Some(Placed { rule, domain: span, id: fields.has("id").then(|| fields.value_span("id")) })
}

fn proto(scalar: &Scalar<'_>) -> Result<Proto, Fault> {
    let text = &*scalar.text;
    if let Some(proto) = PROTOS.into_iter().find(|proto| proto.as_str() == text) {
        return Ok(proto);
    }
    if LATER_PROTOS.contains(&text) {
        return Err(not_yet(
            &format!("rules with {}", shown(&format!("proto: {text}"))),
            "this version decides `ssh` and `tcp`",
        ));
    }
    Err(unknown_word(text, &PROTOS.map(Proto::as_str)))
}

/// An id: it stands in logs, nftables comments and Envoy's names, so that it must need no quotes anywhere.
fn id(scalar: &Scalar<'_>) -> Result<RuleId, Fault> {
    let text = &*scalar.text;
    let odd = text.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '"' | '\'' | '`' | '\\'));
    let problem = match odd {
        _ if text.is_empty() => "is empty".into(),
        _ if text.len() > MAX_ID => format!("is longer than {MAX_ID} characters"),
        Some(odd) => format!("has the character {odd:?}"),
        None => return Ok(RuleId::new(text)),
    };
    let fault = Fault::new(Code::BadId, format!("the id {} {problem}", shown(text)));
    Err(fault.help(
        "write an id of ASCII letters, digits and signs, without blanks, quotes and backslashes, as in `vpn-git`",
    ))
}

/// The id of a rule that has none: `<domain>:<port>/<proto>`, and `@<client>` behind it if it is for some clients only.
fn made_id(
    name: &NamePattern,
    ports: &[u16],
    proto: Proto,
    clients: &[IpNet],
    fields: &Fields<'_, '_>,
) -> Option<RuleId> {
    let ports = ports::written(ports);
    let clients: Vec<String> = clients.iter().map(limits::written).collect();
    let clients = if clients.is_empty() { String::new() } else { format!("@{}", clients.join(",")) };
    let made = format!("{name}:{ports}/{proto}{clients}");
    if made.len() <= MAX_ID {
        return Some(RuleId::new(made));
    }
    let message = format!("the id made from what this rule says would be longer than {MAX_ID} characters");
    fields
        .problems()
        .error(fields.span(), Fault::new(Code::IdNeeded, message).help("give the rule an `id`, as in `id: my-hosts`"));
    None
}
