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
