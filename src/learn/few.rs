use std::collections::BTreeSet;

/// How many are kept.
const MOST: usize = 16;

/// The first few different ones of many, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Few<T> {
    kept: BTreeSet<T>,
    more: bool,
}

impl<T: Ord> Few<T> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self { kept: BTreeSet::new(), more: false }
    }

    /// Takes one more.
    pub fn take(&mut self, one: T) {
        if self.kept.len() < MOST {
            self.kept.insert(one);
        } else if !self.kept.contains(&one) {
            self.more = true;
        }
    }

    /// Those that were kept.
    #[must_use]
    pub fn kept(&self) -> impl ExactSizeIterator<Item = &T> {
        self.kept.iter()
    }

    /// Whether there were others.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.more
    }
}

impl<T: Ord + Clone> Few<T> {
    /// Takes all of another.
    pub fn merge(&mut self, other: &Self) {
        other.kept.iter().for_each(|one| self.take(one.clone()));
        self.more |= other.more;
    }
}

impl<T: Ord> Default for Few<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn few(numbers: std::ops::Range<usize>) -> Few<usize> {
        let mut few = Few::new();
        numbers.for_each(|number| few.take(number));
        few
    }

    #[test]
    fn that_there_were_others_is_known_also_of_what_is_merged() {
        assert!(!few(0..MOST).is_cut() && few(0..MOST + 1).is_cut());
        for (one, other, is_cut) in [
            (few(0..0), few(0..MOST), false),
            (few(0..MOST), few(0..MOST), false),
            (few(0..0), few(0..MOST + 1), true),
            (few(0..MOST + 1), few(0..0), true),
            (few(0..MOST), few(MOST..MOST + 1), true),
        ] {
            let mut merged = one;
            merged.merge(&other);
            assert_eq!((merged.kept().len(), merged.is_cut()), (MOST, is_cut));
        }
    }
}
