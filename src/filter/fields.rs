use std::net::IpAddr;

use crate::model::{DomainName, Reason, Verdict, Who, words};
use crate::record::{Event, PathTaken};

words! {
    /// What a filter can ask for.
    pub enum Field {
        Verdict = "verdict", "allow, deny or audit";
        Reason = "reason", "why, such as no-observation";
        Name = "name", "the name that the client meant, or another in question; * stands for anything";
        Rule = "rule", "the rule's id; * stands for anything";
        Client = "client", "source address, or a network such as 10.0.0.0/8";
        Dst = "dst", "destination address, or a network";
        Port = "port", "destination port, or a range such as 9000-9010";
        Proto = "proto", "transport protocol: tcp, udp, icmp, ip-N";
        Iface = "iface", "interface that it came in on; * stands for anything";
        Path = "path", "who decided: queue or fast";
        Exe = "exe", "program: its path or its file's name; * stands for anything";
        Uid = "uid", "user, by number";
        Pid = "pid", "process";
        Cgroup = "cgroup", "control group: its path or a part of it; * stands for anything";
    }
}

impl Field {
    /// The one with this name; `domain` is `name` too, as events call it.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        if word == "domain" { Some(Self::Name) } else { Self::from_word(word) }
    }
}

/// What a filter looks at: of an event, or of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    /// What was decided.
    pub verdict: Verdict,
    /// Why, if that is known.
    pub reason: Option<Reason>,
    /// The rule that decided.
    pub rule: Option<&'a str>,
    /// The name that the client meant.
    pub domain: Option<&'a DomainName>,
    /// Other names in question.
    pub also: &'a [DomainName],
    /// Source address.
    pub client: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Destination port.
    pub port: u16,
    /// Transport protocol.
    pub proto: &'a str,
    /// Interface that it came in on.
    pub iface: Option<&'a str>,
    /// Who decided.
    pub path: Option<PathTaken>,
    /// Who of this host began it.
    pub who: &'a Who,
}

impl<'a> From<&'a Event> for Fields<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            verdict: event.verdict,
            reason: Some(event.reason),
            rule: event.rule.as_ref().map(crate::model::RuleId::as_str),
            domain: event.domain.as_ref(),
            also: &event.also,
            client: event.client,
            dst: event.dst,
            port: event.dst_port,
            proto: &event.proto,
            iface: event.iface.as_deref(),
            path: Some(event.path),
            who: &event.who,
        }
    }
}

impl<'a> Fields<'a> {
    /// The texts of a field, to be compared with a pattern; none if there is nothing.
    pub(super) fn texts(&self, field: Field) -> Vec<&'a str> {
        match field {
            Field::Verdict => vec![self.verdict.as_str()],
            Field::Reason => self.reason.map(Reason::as_str).into_iter().collect(),
            Field::Name => self.domain.into_iter().chain(self.also).map(DomainName::as_str).collect(),
            Field::Rule => self.rule.into_iter().collect(),
            Field::Proto => vec![self.proto],
            Field::Iface => self.iface.into_iter().collect(),
            Field::Path => self.path.map(PathTaken::as_str).into_iter().collect(),
            Field::Exe => with_parts(self.who.exe.as_deref(), |path| path.rsplit('/').take(1)),
            Field::Cgroup => with_parts(self.who.cgroup.as_deref(), |path| path.split('/')),
            Field::Client | Field::Dst | Field::Port | Field::Uid | Field::Pid => vec![],
        }
    }

    /// Numbers and addresses, as they are written.
    pub(super) fn written(&self) -> impl Iterator<Item = String> {
        let addresses = [self.client, self.dst].map(|address| address.to_string());
        let numbers = [Some(u32::from(self.port)), self.who.uid, self.who.pid];
        addresses.into_iter().chain(numbers.into_iter().flatten().map(|number| number.to_string()))
    }
}

fn with_parts<'a, P: Iterator<Item = &'a str>>(path: Option<&'a str>, parts: impl Fn(&'a str) -> P) -> Vec<&'a str> {
    let parts = path.into_iter().flat_map(parts).filter(|part| !part.is_empty());
    path.into_iter().chain(parts).collect()
}
