/// Longest word that is compared: no key or word of a policy is longer.
const MAX_COMPARED: usize = 24;

/// The word that was most probably meant, if one is near enough.
pub fn nearest<'w>(written: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if written.len() > MAX_COMPARED {
        return None;
    }
    let written = written.to_ascii_lowercase().replace('-', "_");
    let near = written.len().div_ceil(3);
    words
        .into_iter()
        .map(|word| (strsim::osa_distance(&written, word), word))
        .filter(|(distance, _)| *distance <= near)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_not() {
        let words = ["resolvers", "min_ttl", "max_ttl", "scope"];
        assert_eq!(nearest("resolver", words), Some("resolvers"));
        assert_eq!(nearest("Min-TTL", words), Some("min_ttl"));
        assert_eq!(nearest("socpe", words), Some("scope"));
        assert_eq!(nearest("colour", words), None);
        assert_eq!(nearest(&"scope".repeat(100), words), None);
        assert_eq!(nearest("", words), None);
    }
}
