use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::model::{DomainName, NamePattern, Proto};

use super::evidence::Evidence;

/// A proposed rule, with what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Learned {
    /// Its name, or all names below one.
    pub domain: NamePattern,
    /// What its traffic is.
    pub proto: Proto,
    /// Its ports, in order.
    pub ports: Vec<u16>,
    /// The id that it needs, where the one made of name and ports would be too long or is another rule's.
    pub id: Option<String>,
    /// Whether it has to say where Envoy connects to, because the policy says it for all rules.
    pub upstream_original: bool,
    /// The names that a wildcard was made of; none for any other.
    pub names: Vec<DomainName>,
    /// Other names that were at each address of this one: they may have been meant.
    pub ambiguous_with: Vec<DomainName>,
    /// How often each port was seen.
    pub times_by_port: BTreeMap<u16, u64>,
    /// How often, by whom, when.
    #[serde(flatten)]
    pub evidence: Evidence,
}

impl Learned {
    /// The id that is made of it, unless it has one.
    #[must_use]
    pub fn made_id(&self) -> String {
        let ports: Vec<String> = self.ports.iter().map(u16::to_string).collect();
        format!("{}:{}/{}", self.domain, ports.join(","), self.proto)
    }

    /// As it is written in a policy.
    #[must_use]
    pub fn yaml(&self) -> String {
        let mut text = String::from("{ ");
        if let Some(id) = &self.id {
            let _ = write!(text, "id: {id}, ");
        }
        let _ = write!(text, "domain: {}, proto: {}", name(self.domain.as_str()), self.proto);
        match self.ports.as_slice() {
            [port] if self.proto.default_port() == Some(*port) => {}
            [port] => drop(write!(text, ", port: {port}")),
            ports => {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                let _ = write!(text, ", port: [{}]", ports.join(", "));
            }
        }
        if self.upstream_original {
            text.push_str(", upstream: original");
        }
        text + " }"
    }
}

/// A name in YAML: in quotes where it could be taken for anything else than a text.
fn name(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.contains('.');
    if is_plain { name.to_owned() } else { format!("\"{name}\"") }
}

/// What a port carries, as far as its number says.
pub fn proto_of(port: u16) -> Proto {
    if Proto::Ssh.default_port() == Some(port) { Proto::Ssh } else { Proto::Tcp }
}
