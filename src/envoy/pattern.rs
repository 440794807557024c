/// Names that are asked for at a time: what is said of them has to fit into one answer.
const MOST: usize = 100;
/// Bytes of them: as a pattern, escaped, they have to fit into a request line (60 KiB).
const LONGEST: usize = 8 * 1024;

/// Instructions that a pattern may be made of, several for each sign in it.
pub const LARGEST_PATTERN: u32 = 1 << 20;

/// Divides names into parts that can be asked for at a time.
pub fn parts<'n>(names: &[&'n str]) -> Vec<Vec<&'n str>> {
    let mut parts: Vec<Vec<&str>> = Vec::new();
    let mut length = 0;
    for name in names {
        length += name.len();
        match parts.last_mut() {
            Some(part) if part.len() < MOST && length <= LONGEST => part.push(name),
            Some(_) | None => {
                parts.push(vec![name]);
                length = name.len();
            }
        }
    }
    parts
}

/// A regular expression (RE2) that matches these names and no others.
pub fn any_of(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| literal(name)).collect();
    format!("^(?:{})$", names.join("|"))
}

/// Every sign that may have a meaning loses it by a backslash.
fn literal(name: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '_' || !sign.is_ascii();
    name.chars().flat_map(|sign| (!is_plain(sign)).then_some('\\').into_iter().chain([sign])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_lose_their_meaning() {
        assert_eq!(any_of(&["*.a-b.example:22/ssh", "a_b"]), r"^(?:\*\.a\-b\.example\:22\/ssh|a_b)$");
        assert_eq!(any_of(&["é|x"]), r"^(?:é\|x)$");
    }

    #[test]
    fn every_name_is_in_one_part_and_none_is_too_long() {
        let long = "x".repeat(LONGEST / 3);
        let names: Vec<&str> = std::iter::repeat_n("short", 250).chain(std::iter::repeat_n(long.as_str(), 7)).collect();
        let parts = parts(&names);
        assert_eq!(parts.concat(), names);
        assert!(parts.iter().all(|part| part.len() <= MOST && part.concat().len() <= LONGEST && !part.is_empty()));
        assert_eq!(super::parts(&[]), Vec::<Vec<&str>>::new());
    }
}
