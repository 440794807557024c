use std::time::Duration;

/// Units in the order in which they may follow each other, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads whole numbers with units, the largest unit first, each once: `60s`, `1m30s`, `24h`, `500ms`, `7d`. None for
/// anything else.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut millis: u64 = 0;
    let mut units = UNITS.iter();
    let mut rest = text;
    loop {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(digits)?;
        let letters = behind.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at_checked(letters)?;
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        millis = number.parse::<u64>().ok()?.checked_mul(*factor)?.checked_add(millis)?;
        if behind.is_empty() {
            return Some(Duration::from_millis(millis));
        }
        rest = behind;
    }
}

/// As it is written in a policy.
#[must_use]
pub fn written(duration: Duration) -> String {
    let mut millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let parts = UNITS.map(|(name, factor)| {
        let count = millis / factor;
        millis %= factor;
        if count > 0 { format!("{count}{name}") } else { String::new() }
    });
    let written = parts.concat();
    if written.is_empty() { "0s".into() } else { written }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_are_written_alike() {
        for (text, millis) in [
            ("60s", 60_000),
            ("1m30s", 90_000),
            ("24h", 86_400_000),
            ("500ms", 500),
            ("7d", 604_800_000),
            ("0s", 0),
            ("1d2h3m4s5ms", 93_784_005),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(parse(&written(Duration::from_millis(millis))), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        for text in [
            "",
            "60",
            "s",
            "1.5h",
            "-1s",
            "1 m",
            "30s1m",
            "1s1s",
            "1S",
            "1min",
            "1h30",
            "99999999999999999999s",
            "\u{661}s",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&format!("{}d", u64::MAX)), None);
    }
}
