//! Names below which anybody can have one, by Mozilla's Public Suffix List, both of its sections: what registries sell
//! (`com`, `co.uk`) and what services give to their users (`github.io`).

use psl::{List, Psl};

use crate::policy::code::Code;
use crate::policy::problems::{Fault, shown};

/// What is wrong with a wildcard for all names below `base`, if that would let strangers' names in.
pub fn check(base: &str) -> Option<Fault> {
    let wildcard = format!("*.{base}");
    if !base.contains('.') {
        let message = format!("{} means a whole top-level domain", shown(&wildcard));
        let help = format!("write the names that are meant, or a wildcard below one of them, as in `*.example.{base}`");
        return Some(Fault::new(Code::PublicSuffix, message).help(help));
    }
    // The list has wildcards of its own (`*.kawasaki.jp`): then each name right below is a suffix.
    if !is_suffix(base) && !is_suffix(&wildcard) {
        return None;
    }
    let message = format!("anybody can have a name below {}, a public suffix", shown(base));
    let help = format!("write the names that are meant, or a wildcard below one of them, as in `*.NAME.{base}`");
    Some(Fault::new(Code::PublicSuffix, message).help(help))
}

fn is_suffix(name: &str) -> bool {
    List.suffix(name.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sections_of_the_list_and_whole_top_level_domains_are_refused() {
        for suffix in [
            "com",
            "corp",
            "internal",
            "co.uk",
            "xn--p1ai",
            "xn--55qx5d.cn",
            "kawasaki.jp",
            "any.kawasaki.jp",
            "ck",
            "any.ck",
            "github.io",
            "s3.amazonaws.com",
            "herokuapp.com",
            "compute.amazonaws.com",
            "home.arpa",
        ] {
            assert!(check(suffix).is_some(), "{suffix}");
        }
    }

    #[test]
    fn names_with_one_owner_are_not() {
        for name in [
            "example.com",
            "rds.example.com",
            "example.co.uk",
            "user.github.io",
            "github.com",
            "corp.internal",
            "bucket.s3.amazonaws.com",
            "city.kawasaki.jp",
            "www.ck",
            "xn--bcher-kva.example",
            "consul.service",
        ] {
            assert!(check(name).is_none(), "{name}");
        }
    }
}
