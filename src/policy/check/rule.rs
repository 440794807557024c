use crate::model::{NamePattern, Proto, RuleId, Upstream};
use crate::policy::code::Code;
use crate::policy::fields::{Fields, not_yet};
use crate::policy::keys;
use crate::policy::node::{Node, Scalar};
use crate::policy::problems::{Fault, Problems, shown};
use crate::policy::source::{Located, Span};
use crate::policy::spec::{Action, Rule};
use crate::policy::value::{number, unknown_word, word};

use super::{name, upstream};

/// Longest id, in characters: it stands in nftables comments, which have 128 bytes at most (`NFTNL_UDATA_COMMENT_MAXLEN`, libnftnl).
pub const MAX_ID: usize = 128;
/// Most ports of a rule.
const MAX_PORTS: usize = 4096;
/// DNS is decided by `dns`, not by rules.
const DNS_PORT: u16 = 53;

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

/// Reads one rule of a policy whose `upstream` is this.
pub fn check<'t>(node: &Node<'t>, upstream: Option<&Located<Upstream>>, problems: &Problems<'t>) -> Option<Placed> {
    let fields = Fields::open(&keys::RULE, node, node.span, problems)?;
    if !fields.has("network") {
        fields.require("domain", "name the host, as in `domain: github.com`");
    }
    let domain = fields.scalar("domain", name::domain);
    fields.require("proto", "write `proto: ssh` (port 22), or `proto: tcp` with a `port`");
    let proto = fields.scalar("proto", proto);
    let action = fields.or("action", Action::Allow, word(ACTIONS));
    let given = fields.or("id", None, |scalar| id(scalar).map(Some));
    let ports = ports(&fields, proto);
    let name = domain?;
    let span = fields.value_span("domain");
    if let Some(fault) = name::single_label(&name) {
        problems.warning(span, fault);
    }
    let (proto, ports, action) = (proto?, ports?, action?);
    if let Some(fault) = name::strangers_below(&name).filter(|_| action == Action::Allow) {
        problems.warning(span, fault);
    }
    let upstream = upstream::of_rule(&fields, &name, action, upstream);
    let id = given?.or_else(|| made_id(&name, &ports, proto, &fields))?;
    let line = problems.line(fields.span());
    let rule = Rule { id, name, proto, ports, action, upstream: upstream?, line, term: None };
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

/// The ports that are written, else the proto's own; in order.
fn ports(fields: &Fields<'_, '_>, proto: Option<Proto>) -> Option<Vec<u16>> {
    if !fields.has("port") {
        let default = proto?.default_port();
        if default.is_none() {
            let fault = Fault::new(Code::PortMissing, format!("`proto: {}` has no port of its own", proto?));
            fields
                .problems()
                .error(fields.value_span("proto"), fault.help("add one, as in `port: 5432` or `port: [5432, 6432]`"));
        }
        return default.map(|port| vec![port]);
    }
    let mut written = fields.one_or_more("port", MAX_PORTS, port)?;
    written.sort_by_key(|port| (port.value, port.span.start));
    for pair in written.windows(2) {
        if let [first, second] = pair
            && first.value == second.value
        {
            let fault = Fault::new(Code::DuplicateEntry, format!("port {} is in the list twice", first.value));
            fields
                .problems()
                .error(second.span, fault.help("take one of them out").related(first.span, "it stands here first"));
        }
    }
    written.dedup_by_key(|port| port.value);
    Some(written.into_iter().map(|Located { value, .. }| value).collect())
}

fn port(scalar: &Scalar<'_>) -> Result<u16, Fault> {
    let text = &*scalar.text;
    if text.split_once('-').is_some_and(|(from, to)| is_number(from) && is_number(to)) {
        return Err(not_yet("ranges of ports", "write the ports one by one, as in `port: [9000, 9001]`"));
    }
    let port = number(1..=u64::from(u16::MAX), "port")(scalar)?;
    match u16::try_from(port) {
        Ok(DNS_PORT) => {
            Err(Fault::new(Code::DnsPort, "port 53 is DNS, which goes to `dns.resolvers` and nowhere else")
                .help("take it out; add a resolver to `dns.resolvers` if that is what you want"))
        }
        Ok(port) => Ok(port),
        Err(_) => Err(Fault::new(Code::OutOfRange, format!("{} is no port", shown(text)))),
    }
}

fn is_number(text: &str) -> bool {
    !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit())
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

/// The id of a rule that has none: `<domain>:<port>/<proto>`.
fn made_id(name: &NamePattern, ports: &[u16], proto: Proto, fields: &Fields<'_, '_>) -> Option<RuleId> {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let made = format!("{name}:{}/{proto}", ports.join(","));
    if made.len() <= MAX_ID {
        return Some(RuleId::new(made));
    }
    let message = format!("the id made from this rule's name and ports would be longer than {MAX_ID} characters");
    fields
        .problems()
        .error(fields.span(), Fault::new(Code::IdNeeded, message).help("give the rule an `id`, as in `id: my-hosts`"));
    None
}
