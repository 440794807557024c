/// Characters between two known offsets.
const STEP: usize = 128;

/// From the number of a character, which is what the YAML parser counts, to its byte.
#[derive(Debug)]
pub struct Offsets<'t> {
    text: &'t str,
    /// The byte of every `STEP`th character; empty if every character is one byte.
    known: Vec<usize>,
}

impl<'t> Offsets<'t> {
    pub fn new(text: &'t str) -> Self {
        let known =
            if text.is_ascii() { Vec::new() } else { text.char_indices().step_by(STEP).map(|(at, _)| at).collect() };
        Self { text, known }
    }

    /// The byte where a character begins; the end of the text if there are not so many.
    pub fn byte(&self, character: usize) -> usize {
        let end = self.text.len();
        if self.known.is_empty() {
            return character.min(end);
        }
        let rest = self.known.get(character / STEP).and_then(|&near| Some((near, self.text.get(near..)?)));
        let Some((near, rest)) = rest else {
            return end;
        };
        rest.char_indices().nth(character % STEP).map_or(end, |(at, _)| near + at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_found() {
        for text in [String::new(), "abc".repeat(100), "a\u{fc}\u{20ac}\u{1f600}".repeat(100)] {
            let offsets = Offsets::new(&text);
            for (index, (at, _)) in text.char_indices().enumerate() {
                assert_eq!(offsets.byte(index), at);
            }
            assert_eq!(offsets.byte(text.chars().count()), text.len());
            assert_eq!(offsets.byte(usize::MAX), text.len());
        }
    }
}
