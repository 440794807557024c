/// Characters that are shown of a text.
const MOST: usize = 40;

/// A text of somebody else's, for a comment: short, on one line, and without anything that a terminal would obey or a
/// reader mistake for another text.
pub fn harmless(text: &str) -> String {
    let mut shown: String = text.chars().take(MOST).map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
    if text.chars().nth(MOST).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_plain_letters_is_left() {
        assert_eq!(harmless("git-remote-https"), "git-remote-https");
        assert_eq!(harmless("a\n- {b}\u{1b}[31m\u{202e}\u{fc} \t\0"), "a?-?{b}?[31m?????");
        assert_eq!(harmless(&"x".repeat(100)), format!("{}...", "x".repeat(40)));
    }
}
