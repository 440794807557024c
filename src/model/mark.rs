use std::fmt;

use serde::{Deserialize, Serialize};

/// A packet mark (fwmark) with only decider's bits set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub u32);

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

/// A rule's number: its mark and its listener port both follow from it, and it stays with the rule's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slot(pub u16);

/// The mark bits that decider owns, in any positions. The values they can hold are numbered from 0:
///
/// | number (of `2^bits`) | meaning |
/// |---|---|
/// | 0 | none of ours |
/// | 1 | [`deny`](Self::deny) |
/// | 2 | [`direct`](Self::direct): let through unproxied (DNS questions, replies to inbound flows) |
/// | 3 | [`upstream`](Self::upstream): Envoy's own connections |
/// | 4 | [`waiting`](Self::waiting): a SYN that may be decided, and is not yet |
/// | 5 | [`attended`](Self::attended): such a SYN, while decider's process is there |
/// | upper three quarters | [`listener`](Self::listener): one number a slot |
/// | the last | [`relay`](Self::relay): DNS over TCP |
///
/// The upper three quarters are told apart by the top two bits alone, so two `ip rule`s cover every listener. The relay is
/// one of them, for it is reached in the same way. It has the last number, which is given to a rule last: so the marks that
/// rules had before there was a relay stay theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MarkMask(u32);

impl MarkMask {
    /// Bits needed at least: with four, 11 rules can have a listener.
    pub const MIN_BITS: u32 = 4;

    /// None if fewer than [`MIN_BITS`](Self::MIN_BITS) are set.
    #[must_use]
    pub const fn new(bits: u32) -> Option<Self> {
        if bits.count_ones() < Self::MIN_BITS { None } else { Some(Self(bits)) }
    }

    /// The mask itself.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The mark bits that are others': never touched.
    #[must_use]
    pub const fn others(self) -> u32 {
        !self.0
    }

    /// How many slots there are marks for.
    #[must_use]
    pub const fn slots(self) -> u32 {
        // 3 << 30 at the most, so it fits; the last is the relay's.
        (3 << (self.0.count_ones() - 2)) - 1
    }

    /// The mark of a refused packet.
    #[must_use]
    pub const fn deny(self) -> Mark {
        self.scatter(1)
    }

    /// The mark of what may pass without a proxy.
    #[must_use]
    pub const fn direct(self) -> Mark {
        self.scatter(2)
    }

    /// The mark that Envoy puts on its own connections.
    #[must_use]
    pub const fn upstream(self) -> Mark {
        self.scatter(3)
    }

    /// The mark of a SYN between what refuses it and what decides it; none if the mask has too few bits for one.
    #[must_use]
    pub const fn waiting(self) -> Option<Mark> {
        self.spare(4)
    }

    /// The mark that decider's process being there makes of [`waiting`](Self::waiting); none if that is none.
    #[must_use]
    pub const fn attended(self) -> Option<Mark> {
        self.spare(5)
    }

    /// A number below those of listeners that not every mask has.
    const fn spare(self, number: u32) -> Option<Mark> {
        let quarter = 1u32 << (self.0.count_ones() - 2);
        if number < quarter { Some(self.scatter(number)) } else { None }
    }

    /// The mark that leads to decider's own relay for DNS over TCP: every bit.
    #[must_use]
    pub const fn relay(self) -> Mark {
        Mark(self.0)
    }

    /// The mark that leads to a slot's listener; none if the mask is too small for the slot.
    #[must_use]
    pub const fn listener(self, slot: Slot) -> Option<Mark> {
        if slot.0 as u32 >= self.slots() {
            return None;
        }
        let quarter = 1u32 << (self.0.count_ones() - 2);
        Some(self.scatter(quarter + slot.0 as u32))
    }

    /// (value, mask) pairs that match every listener's mark and the relay's, and no other of ours.
    #[must_use]
    pub const fn listener_classes(self) -> [(Mark, u32); 2] {
        let ones = self.0.count_ones();
        let top = self.scatter(1 << (ones - 1)).0;
        let next = self.scatter(1 << (ones - 2)).0;
        [(Mark(top), top), (Mark(next), top | next)]
    }

    /// The bits, lowest first.
    pub fn each_bit(self) -> impl Iterator<Item = u32> {
        (0..u32::BITS).map(|shift| 1 << shift).filter(move |bit| self.0 & bit != 0)
    }

    /// Spreads the low bits of `number` over the mask's positions, lowest first (as PDEP does).
    const fn scatter(self, number: u32) -> Mark {
        let (mut left, mut from, mut out) = (self.0, number, 0);
        while left != 0 {
            let bit = left & left.wrapping_neg();
            if from & 1 == 1 {
                out |= bit;
            }
            from >>= 1;
            left &= left - 1;
        }
        Mark(out)
    }
}

impl Default for MarkMask {
    /// 14 bits clear of kube-proxy's `0xc000`, Tailscale's `0xff0000` and small hand-made marks.
    fn default() -> Self {
        Self(0xff00_3f00)
    }
}

impl fmt::Display for MarkMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_class(mask: MarkMask, mark: Mark) -> bool {
        mask.listener_classes().iter().any(|(value, bits)| mark.0 & bits == value.0)
    }

    #[test]
    fn listener_marks_are_distinct_within_the_mask_and_in_a_class() {
        for bits in [0xff00_3f00, 0xf, 0x8000_0007, 0xffff_ffff] {
            let mask = MarkMask::new(bits).unwrap();
            let mut seen = std::collections::HashSet::from([mask.relay()]);
            assert!(in_class(mask, mask.relay()));
            for slot in (0..=u16::MAX).map(Slot) {
                let Some(mark) = mask.listener(slot) else {
                    break;
                };
                assert_eq!(mark.0 & mask.others(), 0);
                assert!(in_class(mask, mark));
                assert!(seen.insert(mark));
            }
        }
    }

    #[test]
    fn special_marks_are_distinct_and_in_no_class() {
        let mask = MarkMask::default();
        let between = [mask.waiting().unwrap(), mask.attended().unwrap()];
        let special = [Mark(0), mask.deny(), mask.direct(), mask.upstream(), between[0], between[1]];
        for (index, mark) in special.iter().enumerate() {
            assert!(!in_class(mask, *mark));
            assert!(!special[..index].contains(mark));
        }
    }

    #[test]
    fn small_masks_are_refused_and_end_where_they_must() {
        assert_eq!(MarkMask::new(0x7), None);
        let four = MarkMask::new(0xf).unwrap();
        assert_eq!(four.slots(), 11);
        assert_eq!(four.listener(Slot(10)), Some(Mark(0xe)));
        assert_eq!(four.listener(Slot(11)), None);
        assert_eq!(four.relay(), Mark(0xf));
        assert_eq!((four.waiting(), four.attended()), (None, None));
        assert_eq!(MarkMask::new(0x1f).unwrap().attended(), Some(Mark(5)));
    }
}
