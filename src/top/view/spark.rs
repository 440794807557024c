const UNICODE: [char; 9] =
    [' ', '\u{2581}', '\u{2582}', '\u{2583}', '\u{2584}', '\u{2585}', '\u{2586}', '\u{2587}', '\u{2588}'];
const ASCII: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];

/// Numbers as bars, one letter each; the greatest of all that are compared is the highest.
pub fn spark(numbers: &[u64], greatest: u64, unicode: bool) -> String {
    let letters = if unicode { UNICODE } else { ASCII };
    let height = |number: u64| match number {
        0 => 0,
        number => usize::try_from((u128::from(number) * 7 / u128::from(greatest.max(1))).min(7)).unwrap_or(7) + 1,
    };
    numbers.iter().filter_map(|number| letters.get(height(*number))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_zero_is_seen() {
        assert_eq!(spark(&[0, 1, 50, 100], 100, false), " .=#");
        assert_eq!(spark(&[0, 0], 0, true), "  ");
        assert_eq!(spark(&[1, u64::MAX], u64::MAX, false), ".#", "the greatest numbers overflow nothing");
    }
}
