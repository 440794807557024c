use std::ops::RangeInclusive;

use crate::model::Proto;
use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::node::{Scalar, Style};
use crate::policy::problems::{Fault, shown};
use crate::policy::value::number;

/// Most ports of a rule.
const MAX_PORTS: usize = 4096;
/// DNS is decided by `dns`, not by rules.
const DNS_PORT: u16 = 53;

/// The ports that are written, else the proto's own; in order.
pub fn check(fields: &Fields<'_, '_>, proto: Option<Proto>) -> Option<Vec<u16>> {
    if !fields.has("port") {
        let default = proto?.default_port();
        if default.is_none() {
            let fault = Fault::new(Code::PortMissing, format!("`proto: {}` has no port of its own", proto?));
            let help = "add one, as in `port: 5432`, `port: [5432, 6432]` or `port: 9000-9010`";
            fields.problems().error(fields.value_span("proto"), fault.help(help));
        }
        return default.map(|port| vec![port]);
    }
    let mut written = fields.one_or_more("port", MAX_PORTS, range)?;
    written.sort_by_key(|range| (*range.value.start(), range.span.start));
    for pair in written.windows(2) {
        if let [first, second] = pair
            && second.value.start() <= first.value.end()
        {
            let message = format!("port {} is in the list twice", second.value.start());
            let fault = Fault::new(Code::DuplicateEntry, message);
            fields
                .problems()
                .error(second.span, fault.help("take one of them out").related(first.span, "it stands here first"));
        }
    }
    let count: usize = written.iter().map(|range| range.value.len()).sum();
    if count > MAX_PORTS {
        let message = format!("these are {count} ports, and {MAX_PORTS} is the most of one rule");
        let fault = Fault::new(Code::TooMany, message).help("name those that are used, or make several rules");
        fields.problems().error(fields.value_span("port"), fault);
        return None;
    }
    let mut ports: Vec<u16> = written.into_iter().flat_map(|range| range.value).collect();
    ports.sort_unstable();
    ports.dedup();
    Some(ports)
}

/// Ports in order as a policy has them: those in a row as a range.
#[must_use]
pub fn written(ports: &[u16]) -> String {
    let in_a_row = |a: &u16, b: &u16| a.checked_add(1) == Some(*b);
    let runs = ports.chunk_by(in_a_row).flat_map(|run| match run {
        [first, .., last] if run.len() > 2 => vec![format!("{first}-{last}")],
        few => few.iter().map(u16::to_string).collect(),
    });
    runs.collect::<Vec<_>>().join(",")
}

/// A port, or all from one to another.
fn range(scalar: &Scalar<'_>) -> Result<RangeInclusive<u16>, Fault> {
    let text = &*scalar.text;
    let Some((from, to)) = text.split_once('-').filter(|(from, to)| is_number(from) && is_number(to)) else {
        let port = port(text, scalar.style)?;
        return Ok(port..=port);
    };
    // In quotes it is the same: it is no number anyway.
    let (from, to) = (port(from.trim(), Style::Plain)?, port(to.trim(), Style::Plain)?);
    if from >= to {
        let fault = Fault::new(Code::OutOfRange, format!("{} is no range of ports", shown(text)));
        let help = if from == to { format!("write `{from}`") } else { format!("write `{to}-{from}`") };
        return Err(fault.help(help));
    }
    if (from..=to).contains(&DNS_PORT) {
        return Err(dns());
    }
    Ok(from..=to)
}

fn port(text: &str, style: Style) -> Result<u16, Fault> {
    let scalar = Scalar { text: text.into(), style };
    match u16::try_from(number(1..=u64::from(u16::MAX), "port")(&scalar)?) {
        Ok(DNS_PORT) => Err(dns()),
        Ok(port) => Ok(port),
        Err(_) => Err(Fault::new(Code::OutOfRange, format!("{} is no port", shown(text)))),
    }
}

fn dns() -> Fault {
    Fault::new(Code::DnsPort, "port 53 is DNS, which goes to `dns.resolvers` and nowhere else")
        .help("take it out; add a resolver to `dns.resolvers` if that is what you want")
}

fn is_number(text: &str) -> bool {
    !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_they_are_read() {
        assert_eq!(written(&[22]), "22");
        assert_eq!(written(&[5432, 5433, 6432]), "5432,5433,6432");
        assert_eq!(written(&[80, 9000, 9001, 9002, 65_533, 65_534, 65_535]), "80,9000-9002,65533-65535");
        assert_eq!(written(&[]), "");
    }
}
