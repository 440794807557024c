use std::net::IpAddr;

use crate::policy::code::Code;
use crate::policy::problems::shown;

use super::resolve::Refused;

/// `NAME[:PORT][/PROTO]`, taken apart and not yet judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'t> {
    /// A name, or what is none and will be told so.
    pub name: &'t str,
    /// In plain digits.
    pub port: Option<&'t str>,
    /// A word.
    pub proto: Option<&'t str>,
}

impl<'t> Target<'t> {
    /// Takes a text apart.
    ///
    /// # Errors
    /// If what should be a port or a proto cannot be one.
    pub fn parse(text: &'t str) -> Result<Self, Refused> {
        // These have colons and slashes of their own, and no name is in front of them.
        if let Some(name) = address(text).or_else(|| text.contains("://").then_some(text)) {
            return Ok(Self { name, port: None, proto: None });
        }
        let (rest, proto) = split(text, '/');
        let (name, port) = split(rest, ':');
        match port {
            Some(port) if port.contains([',', '-']) => {
                let message = format!("{} are several ports, and a temporary rule has one", shown(port));
                Err(Refused::new(Code::TooMany, message).help("ask once for each port"))
            }
            Some(port) if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) => {
                let message = format!("{} is not a port in plain decimal digits", shown(port));
                Err(Refused::new(Code::BadNumber, message).help("write NAME:PORT/PROTO, as in `github.com:22/ssh`"))
            }
            Some(_) | None => Ok(Self { name, port, proto }),
        }
    }
}

/// The text in front of the last sign, and what stands behind it if there is one.
fn split(text: &str, sign: char) -> (&str, Option<&str>) {
    text.rsplit_once(sign).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// An address in front, which no rule is about.
fn address(text: &str) -> Option<&str> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.split_once(']')).map(|(inside, _)| inside);
    let bare = text.split('/').next().filter(|host| host.parse::<IpAddr>().is_ok());
    bracketed.or(bare.map(|_| text))
}
