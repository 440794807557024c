//! Readers of single values: each takes what was written and gives the value, or what is wrong with it.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::code::Code;
use super::duration;
use super::node::{Scalar, Style};
use super::pattern::{InterfacePattern, PatternError};
use super::problems::{Fault, listed, shown};
use super::size;
use crate::model::nearest;

/// Longest path of a directory for sockets: with `/admin.sock` behind it, it fits `sun_path` (108 bytes, unix(7)).
const MAX_DIRECTORY: usize = 96;
/// Longest path of a socket (`sun_path` less the NUL, unix(7)).
const MAX_SOCKET: usize = 107;
/// Longest path of a file (`PATH_MAX` less the NUL, linux/limits.h).
const MAX_PATH: usize = 4095;
/// What may stand behind a file's name: the number of an older one.
const MAX_ENDING: usize = 16;

type Parsed<T> = Result<T, Fault>;

/// One of a few words.
pub fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Scalar<'_>) -> Parsed<T> {
    move |scalar| match words.iter().find(|(name, _)| *name == scalar.text) {
        Some((_, value)) => Ok(*value),
        None => Err(unknown_word(&scalar.text, &words.iter().map(|(name, _)| *name).collect::<Vec<_>>())),
    }
}

/// A word that is none of these.
pub fn unknown_word(text: &str, words: &[&'static str]) -> Fault {
    let fault = Fault::new(Code::UnknownWord, format!("{} means nothing here", shown(text)));
    match nearest(text, words.iter().copied()) {
        Some(meant) => fault.help(format!("did you mean `{meant}`?")),
        None => fault.help(format!("write one of {}", listed(words))),
    }
}

/// `true` or `false`.
pub fn boolean(scalar: &Scalar<'_>) -> Parsed<bool> {
    let written = scalar.text.to_ascii_lowercase();
    let meant = match (&*scalar.text, scalar.style) {
        ("true", Style::Plain) => return Ok(true),
        ("false", Style::Plain) => return Ok(false),
        _ if matches!(&*written, "yes" | "on" | "y" | "1" | "true") => "write `true`",
        _ if matches!(&*written, "no" | "off" | "n" | "0" | "false") => "write `false`",
        _ => "write `true` or `false`",
    };
    let quotes = if scalar.style == Style::Quoted { " in quotes" } else { "" };
    let message = format!("{}{quotes} is neither `true` nor `false`", shown(&scalar.text));
    Err(Fault::new(Code::BadBoolean, message).help(meant))
}

/// A number in decimal digits, within a range. `unit` is what is counted, for messages.
pub fn number(range: RangeInclusive<u64>, unit: &'static str) -> impl Fn(&Scalar<'_>) -> Parsed<u64> {
    move |scalar| {
        let text = &*scalar.text;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = format!("{} is not a number in decimal digits", shown(text));
            return Err(Fault::new(Code::BadNumber, message).help(number_help(text, *range.end(), unit)));
        }
        if scalar.style == Style::Quoted {
            let message = format!("{} in quotes is a text, not a number", shown(text));
            return Err(Fault::new(Code::BadNumber, message).help(format!("write {} without quotes", shown(text))));
        }
        if text.len() > 1 && text.starts_with('0') {
            let message = format!("{} begins with 0, which some read as octal", shown(text));
            let help = format!("write {}", shown(text.trim_start_matches('0')));
            return Err(Fault::new(Code::BadNumber, message).help(help));
        }
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let message = format!("{} is no {unit}: it must be {} to {}", shown(text), range.start(), range.end());
            Fault::new(Code::OutOfRange, message)
        })
    }
}

/// What a number that is written in another way would be in digits.
fn number_help(text: &str, most: u64, unit: &str) -> String {
    let plain = text.replace(['_', ',', ' '], "");
    let hex = text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
    match hex.or_else(|| plain.parse().ok()).filter(|number| *number <= most) {
        Some(number) => format!("write `{number}`"),
        None => format!("write the {unit} in digits only"),
    }
}

/// A duration within a range.
pub fn duration(range: RangeInclusive<Duration>) -> impl Fn(&Scalar<'_>) -> Parsed<Duration> {
    move |scalar| {
        let text = &*scalar.text;
        let Some(found) = duration::parse(text) else {
            let bare = !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit());
            let fault = Fault::new(Code::BadDuration, format!("{} is not a duration", shown(text)));
            return Err(if bare {
                fault.help(format!("a duration has a unit: write `{text}s` for seconds, or use `ms`, `m`, `h`, `d`"))
            } else {
                fault.help("write whole numbers with `d`, `h`, `m`, `s` or `ms`, as in `60s`, `1m30s` or `24h`")
            });
        };
        if range.contains(&found) {
            return Ok(found);
        }
        let (least, most) = (duration::written(*range.start()), duration::written(*range.end()));
        let message = format!("{} is outside what can stand here: {least} to {most}", shown(text));
        Err(Fault::new(Code::OutOfRange, message))
    }
}

/// An interface name or pattern.
pub fn interface(scalar: &Scalar<'_>) -> Parsed<InterfacePattern> {
    let text = &*scalar.text;
    let fault = |error: &PatternError| Fault::new(Code::BadInterface, format!("{}: {error}", shown(text)));
    let pattern = InterfacePattern::parse(text).map_err(|error| match error {
        PatternError::Empty => {
            fault(&error).help("name the interfaces that clients come in by, as in `docker0` or \"br-*\"")
        }
        PatternError::TooLong => fault(&error).help("`ip link` lists the interfaces"),
        PatternError::Star => fault(&error).help("write the beginning of the name and one `*`, as in \"br-*\""),
        PatternError::Character(_) => {
            fault(&error).help("write the name as `ip link` shows it, without what follows an `@`")
        }
    })?;
    if pattern.matches("lo") {
        let fault = Fault::new(Code::BadInterface, format!("{} means `lo`, by which no client comes in", shown(text)));
        return Err(
            fault.help("name the interfaces that clients come in by; `host: true` covers this host's own processes")
        );
    }
    Ok(pattern)
}

/// A network without host bits.
pub fn network(scalar: &Scalar<'_>) -> Parsed<IpNet> {
    let text = &*scalar.text;
    if let Ok(address) = text.parse::<IpAddr>() {
        let fault = Fault::new(Code::BadNetwork, format!("{} is an address, not a network", shown(text)));
        return Err(fault.help(format!("write `{}` for this address alone", IpNet::from(address))));
    }
    let net: IpNet = text.parse().map_err(|_| {
        let fault = Fault::new(Code::BadNetwork, format!("{} is not a network", shown(text)));
        fault.help("write address and prefix length, as in `10.77.1.0/24` or `2001:db8::/32`")
    })?;
    if is_mapped(net.addr()) {
        return Err(Fault::new(Code::BadNetwork, format!("{} is IPv4 in IPv6", shown(text)))
            .help("write it as an IPv4 network"));
    }
    if net.addr() != net.network() {
        let message = format!("{} has bits behind its prefix", shown(text));
        let help =
            format!("write `{}` for the network, or `{}` for the address alone", net.trunc(), IpNet::from(net.addr()));
        return Err(Fault::new(Code::BadNetwork, message).help(help));
    }
    Ok(net)
}

/// A client's address, or a network of clients.
pub fn client(scalar: &Scalar<'_>) -> Parsed<IpNet> {
    match scalar.text.parse::<IpAddr>() {
        Ok(address) if !is_mapped(address) => Ok(IpNet::from(address)),
        Ok(_) => Err(Fault::new(Code::BadNetwork, format!("{} is IPv4 in IPv6", shown(&scalar.text)))
            .help("write it as an IPv4 address")),
        Err(_) => network(scalar),
    }
}

/// The address of a resolver.
pub fn resolver(scalar: &Scalar<'_>) -> Parsed<IpAddr> {
    let text = &*scalar.text;
    let address: IpAddr = text.parse().map_err(|_| {
        let fault = Fault::new(Code::BadAddress, format!("{} is not an address", shown(text)));
        if text.parse::<std::net::SocketAddr>().is_ok() {
            fault.help("leave the port out: resolvers are asked on port 53")
        } else {
            fault.help("write the resolver's IPv4 or IPv6 address, as in `10.77.2.53`; a name cannot stand here")
        }
    })?;
    let odd = match address {
        _ if is_mapped(address) => Some("IPv4 in IPv6: write it as an IPv4 address"),
        _ if address.is_unspecified() => Some("no host's address"),
        _ if address.is_multicast() => Some("a multicast address, which never answers"),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some("the broadcast address, which never answers"),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => {
            Some("a link-local address, which means another host on every interface")
        }
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    };
    match odd {
        Some(odd) => Err(Fault::new(Code::BadAddress, format!("{} is {odd}", shown(text)))
            .help("write the address to which clients send their DNS questions")),
        None => Ok(address),
    }
}

/// A loopback address of IPv4.
pub fn loopback(scalar: &Scalar<'_>) -> Parsed<Ipv4Addr> {
    let address = scalar.text.parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_loopback);
    address.ok_or_else(|| {
        let message = format!("{} is not an IPv4 loopback address", shown(&scalar.text));
        Fault::new(Code::BadAddress, message)
            .help("write `127.0.0.1`, or another address in 127.0.0.0/8; `::1` is always beside it")
    })
}

/// The absolute path of a program.
pub fn program(scalar: &Scalar<'_>) -> Parsed<PathBuf> {
    path(&scalar.text, MAX_PATH, "/usr/bin/envoy")
}

/// The absolute path of a directory that holds sockets.
pub fn directory(scalar: &Scalar<'_>) -> Parsed<PathBuf> {
    path(&scalar.text, MAX_DIRECTORY, "/run/decider/envoy")
}

/// The absolute path of a UNIX socket.
pub fn socket(text: &str) -> Parsed<PathBuf> {
    path(text, MAX_SOCKET, "/run/decider/metrics.sock")
}

/// The absolute path of a file that others stand beside, by its name with an ending.
pub fn file(scalar: &Scalar<'_>) -> Parsed<PathBuf> {
    let found = path(&scalar.text, MAX_PATH - MAX_ENDING, "/var/log/decider/events.jsonl")?;
    if scalar.text.ends_with('/') {
        let fault = Fault::new(Code::BadPath, format!("{} is a folder", shown(&scalar.text)));
        return Err(fault.help("write the path of a file in it, as in `/var/log/decider/events.jsonl`"));
    }
    Ok(found)
}

/// A size within a range, in bytes.
pub fn bytes(range: RangeInclusive<u64>) -> impl Fn(&Scalar<'_>) -> Parsed<u64> {
    move |scalar| {
        let text = &*scalar.text;
        let Some(found) = size::parse(text) else {
            let fault = Fault::new(Code::BadSize, format!("{} is not a size", shown(text)));
            return Err(fault.help("write a whole number with `KiB`, `MiB` or `GiB`, as in `64MiB`"));
        };
        if range.contains(&found) {
            return Ok(found);
        }
        let (least, most) = (size::written(*range.start()), size::written(*range.end()));
        let message = format!("{} is outside what can stand here: {least} to {most}", shown(text));
        Err(Fault::new(Code::OutOfRange, message))
    }
}

fn path(text: &str, most: usize, example: &str) -> Parsed<PathBuf> {
    let fault =
        |problem: &str, help: &str| Err(Fault::new(Code::BadPath, format!("{} {problem}", shown(text))).help(help));
    if !text.starts_with('/') || text.trim_end_matches('/').is_empty() {
        let help = format!("write the whole path, from `/` on, as in `{example}`");
        return fault("is not an absolute path", &help);
    }
    if text.chars().any(char::is_control) || text.split('/').any(|part| part == "..") {
        return fault("is not a plain path", "write the path without `..` and control characters");
    }
    if text.len() > most {
        return fault("is too long", &format!("{most} bytes are the most"));
    }
    Ok(PathBuf::from(text))
}

/// Whether an IPv4 address stands in an IPv6 one.
pub fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}
