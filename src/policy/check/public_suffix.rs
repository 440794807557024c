use crate::policy::code::Code;
use crate::policy::problems::{Fault, shown};
use crate::policy::public_suffix::is_shared;

/// What is wrong with a wildcard for all names below `base`, if that would let strangers' names in.
pub fn check(base: &str) -> Option<Fault> {
    if !is_shared(base) {
        return None;
    }
    if !base.contains('.') {
        let message = format!("{} means a whole top-level domain", shown(&format!("*.{base}")));
        let help = format!("write the names that are meant, or a wildcard below one of them, as in `*.example.{base}`");
        return Some(Fault::new(Code::PublicSuffix, message).help(help));
    }
    let message = format!("anybody can have a name below {}, a public suffix", shown(base));
    let help = format!("write the names that are meant, or a wildcard below one of them, as in `*.NAME.{base}`");
    Some(Fault::new(Code::PublicSuffix, message).help(help))
}
