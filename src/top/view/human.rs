//! Numbers in few letters.

/// A rate: `0.3`, `12`, `1.2k`; nothing for zero.
pub fn rate(rate: f64) -> String {
    match rate {
        rate if rate < 0.05 => String::new(),
        rate if rate < 9.95 => format!("{rate:.1}"),
        rate if rate < 999.5 => format!("{rate:.0}"),
        rate => format!("{:.1}k", rate / 1000.0),
    }
}

/// A size: `512`, `1.2K`, `34M`.
pub fn bytes(bytes: u64) -> String {
    let mut size = bytes;
    let mut rest = 0;
    for unit in ["", "K", "M", "G", "T"] {
        if size < 1024 {
            let tenth = rest * 10 / 1024;
            return if unit.is_empty() || size >= 10 {
                format!("{size}{unit}")
            } else {
                format!("{size}.{tenth}{unit}")
            };
        }
        (size, rest) = (size / 1024, size % 1024);
    }
    format!("{size}P")
}

/// A time: `12s`, `3m`, `2h`, `4d`.
pub fn seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A wait in microseconds: `42us`, `1.2ms`, `3s`.
pub fn wait(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros}us"),
        1000..1_000_000 => format!("{}.{}ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{}s", micros / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_letters() {
        assert_eq!([0.0, 0.26, 9.99, 999.0, 12_340.0].map(rate), ["", "0.3", "10", "999", "12.3k"]);
        assert_eq!(
            [0, 1023, 1024, 1536, 10 << 20, u64::MAX].map(bytes),
            ["0", "1023", "1.0K", "1.5K", "10M", "16383P"]
        );
        assert_eq!([59, 60, 3600, 90_000].map(seconds), ["59s", "1m", "1h", "1d"]);
        assert_eq!([42, 1250, 3_000_000].map(wait), ["42us", "1.2ms", "3s"]);
    }
}
