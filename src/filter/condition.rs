use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;

use super::fields::{Field, Fields};
use super::glob::Glob;
use crate::model::{DomainName, NamePattern, Reason, Verdict};
use crate::record::PathTaken;

/// What one value of a word asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Whether a field's text is like this.
    Text(Field, Glob),
    /// Whether there is nothing in a field.
    Nothing(Field),
    /// Whether the source address is in a network.
    Client(IpNet),
    /// Whether the destination address is in a network.
    Dst(IpNet),
    /// Whether the destination port is one of these.
    Port(RangeInclusive<u16>),
    /// Whether it is this user.
    Uid(u32),
    /// Whether it is this process.
    Pid(u32),
    /// Whether a text, in lower case, is in any field.
    Anywhere(String),
}

impl Condition {
    /// A text that may be in any field.
    pub fn anywhere(text: &str) -> Self {
        Self::Anywhere(text.to_lowercase())
    }

    /// Reads a field's value; the error says what to write.
    pub fn parse(field: Field, value: &str) -> Result<Self, String> {
        if value.is_empty() {
            return Err(format!("{field} wants a value: {}", field.meaning()));
        }
        Ok(match field {
            Field::Verdict => {
                let known = [Verdict::Allow, Verdict::Deny, Verdict::Audit].map(Verdict::as_str);
                Self::Text(field, one_of(field, value, &known)?)
            }
            Field::Reason => {
                let known: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
                Self::Text(field, one_of(field, value, &known)?)
            }
            Field::Path => {
                let known = [PathTaken::Queue, PathTaken::Fast].map(PathTaken::as_str);
                Self::Text(field, one_of(field, value, &known)?)
            }
            Field::Name | Field::Rule | Field::Iface | Field::Exe | Field::Cgroup if value == "-" => {
                Self::Nothing(field)
            }
            Field::Name => Self::Text(field, name(value)?),
            Field::Proto => Self::Text(field, proto(value)?),
            Field::Rule | Field::Iface | Field::Exe | Field::Cgroup => Self::Text(field, Glob::new(value)),
            Field::Client => Self::Client(network(value)?),
            Field::Dst => Self::Dst(network(value)?),
            Field::Port => Self::Port(ports(value)?),
            Field::Uid | Field::Pid if value == "-" => Self::Nothing(field),
            Field::Uid => Self::Uid(number(value)?),
            Field::Pid => Self::Pid(number(value)?),
        })
    }

    pub fn matches(&self, fields: &Fields<'_>) -> bool {
        match self {
            Self::Text(field, glob) => fields.texts(*field).into_iter().any(|text| glob.matches(text)),
            Self::Nothing(Field::Uid) => fields.who.uid.is_none(),
            Self::Nothing(Field::Pid) => fields.who.pid.is_none(),
            Self::Nothing(field) => fields.texts(*field).is_empty(),
            Self::Client(network) => network.contains(&fields.client),
            Self::Dst(network) => network.contains(&fields.dst),
            Self::Port(ports) => ports.contains(&fields.port),
            Self::Uid(wanted) => fields.who.uid == Some(*wanted),
            Self::Pid(wanted) => fields.who.pid == Some(*wanted),
            Self::Anywhere(part) => is_anywhere(part, fields),
        }
    }
}

fn is_anywhere(part: &str, fields: &Fields<'_>) -> bool {
    let mut texts = Field::ALL.iter().flat_map(|field| fields.texts(*field));
    texts.any(|text| text.to_lowercase().contains(part)) || fields.written().any(|text| text.contains(part))
}

fn one_of(field: Field, value: &str, known: &[&str]) -> Result<Glob, String> {
    if known.contains(&value) {
        return Ok(Glob::new(value));
    }
    let near = crate::model::nearest(value, known.iter().copied());
    let near = near.map_or(String::new(), |near| format!("did you mean {near}? "));
    Err(format!("{value:?} is no {field}: {near}There are {}", known.join(", ")))
}

/// International names are compared as DNS has them.
fn name(value: &str) -> Result<Glob, String> {
    let encoded = NamePattern::parse(value).map(|pattern| Glob::new(pattern.as_str()));
    if value.contains('*') {
        return Ok(encoded.unwrap_or_else(|_| Glob::new(value)));
    }
    encoded.map_err(|_| match DomainName::parse(value) {
        Err(error) => format!("{value:?} is no name: {error}"),
        Ok(_) => format!("{value:?} is no name"),
    })
}

fn proto(value: &str) -> Result<Glob, String> {
    let other = value.strip_prefix("ip-").is_some_and(|number| u8::from_str(number).is_ok());
    if other || ["tcp", "udp", "icmp"].contains(&value) {
        return Ok(Glob::new(value));
    }
    let ssh = if value == "ssh" { ": for ssh write port:22" } else { "" };
    Err(format!("{value:?} is no transport protocol: use tcp, udp, icmp or ip-N{ssh}"))
}

fn network(value: &str) -> Result<IpNet, String> {
    let address = IpAddr::from_str(value).map(IpNet::from);
    address.or_else(|_| IpNet::from_str(value)).map_err(|_| {
        format!("{value:?} is neither an address nor a network: write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32")
    })
}

fn ports(value: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = value.split_once('-').unwrap_or((value, value));
    match (u16::from_str(first), u16::from_str(last)) {
        (Ok(first), Ok(last)) if first <= last => Ok(first..=last),
        (Ok(first), Ok(last)) => Err(format!("the range {value} is empty: write {last}-{first}")),
        (Ok(_) | Err(_), _) => {
            Err(format!("{value:?} is no port: write a number up to 65535, or a range such as 9000-9010"))
        }
    }
}

fn number(value: &str) -> Result<u32, String> {
    u32::from_str(value).map_err(|_| format!("{value:?} is no number"))
}
