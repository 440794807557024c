/// Units, with their bytes.
const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Reads a whole number with a unit, `64MiB`, in bytes. None for anything else.
pub fn parse(text: &str) -> Option<u64> {
    let (digits, factor) = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse::<u64>().ok()?.checked_mul(factor) } else { None }
}

/// As it is written in a policy.
pub fn written(bytes: u64) -> String {
    let (unit, factor) = UNITS.iter().find(|(_, factor)| bytes.is_multiple_of(*factor)).copied().unwrap_or(("B", 1));
    format!("{}{unit}", bytes / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_are_written_alike() {
        for (text, bytes) in [("64KiB", 65_536), ("64MiB", 64 << 20), ("3GiB", 3 << 30), ("1025MiB", 1025 << 20)] {
            assert_eq!(parse(text), Some(bytes), "{text}");
            assert_eq!(written(bytes), text);
        }
        assert_eq!(parse("1024KiB"), Some(1 << 20));
    }

    #[test]
    fn anything_else_is_no_size() {
        for text in ["", "64", "MiB", "64MB", "64 MiB", "-1MiB", "+1MiB", "1.5GiB", "64mib", "99999999999999999999GiB"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("18014398509481984GiB"), None);
    }
}
