//! Names below which anybody can have one, by Mozilla's Public Suffix List, both of its sections: what registries sell
//! (`com`, `co.uk`) and what services give to their users (`github.io`).

use psl::{List, Psl};

/// Domains with a public suffix somewhere below: the crate's list can be asked, but not walked.
const SHARED: &str = include_str!("shared_domains.txt");

/// Whether anybody can have a name right below this one, or right below one of those.
pub fn is_shared(base: &str) -> bool {
    // The list has wildcards of its own (`*.kawasaki.jp`): then each name right below is a suffix.
    !base.contains('.') || is_suffix(base) || is_suffix(&format!("*.{base}"))
}

/// Whether all names below this one are their owner's: neither is it a public suffix or above one, nor does its owner give
/// names to others anywhere below. Errs on the side of no.
#[must_use]
pub fn has_one_owner(base: &str) -> bool {
    let shared = |domain: &[u8]| SHARED.lines().any(|line| line.as_bytes() == domain);
    !is_shared(base) && List.domain(base.as_bytes()).is_some_and(|domain| !shared(domain.as_bytes()))
}

fn is_suffix(name: &str) -> bool {
    List.suffix(name.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sections_of_the_list_and_whole_top_level_domains_are_shared() {
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
            assert!(is_shared(suffix) && !has_one_owner(suffix), "{suffix}");
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
            assert!(!is_shared(name) && has_one_owner(name), "{name}");
        }
    }

    #[test]
    fn what_is_above_a_public_suffix_has_several_owners() {
        for name in ["amazonaws.com", "eu-west-1.amazonaws.com", "windows.net", "core.windows.net", "linode.com"] {
            assert!(!has_one_owner(name), "{name}");
        }
    }

    #[test]
    fn the_domains_with_suffixes_below_are_domains_and_in_order() {
        let domains: Vec<&str> = SHARED.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(domains.len() > 200 && domains.is_sorted());
        // Those that the list has changed since, or has as a suffix itself, do no harm.
        let known =
            domains.iter().filter(|domain| List.domain(domain.as_bytes()).is_some_and(|found| found == **domain));
        assert!(known.count() > 200);
    }
}
