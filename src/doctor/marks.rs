//! Bits of the mark that several programs want.

use crate::model::MarkMask;

/// What to do where others use bits of decider's: a mask without them, if enough are left or free.
pub fn another(marks: MarkMask, taken: u32) -> String {
    let left = marks.bits() & !taken;
    // As many as before, the highest of the free ones first.
    let free = (0..u32::BITS).rev().map(|shift| 1 << shift).filter(|bit| (left | taken) & bit == 0);
    let lost = marks.bits().count_ones().saturating_sub(left.count_ones());
    let mask = free.take(usize::try_from(lost).unwrap_or(0)).fold(left, |mask, bit| mask | bit);
    match MarkMask::new(mask) {
        Some(mask) => format!("in the policy: marks: {{ mask: \"{mask}\" }}"),
        None => "give the other program fewer bits of the mark".to_owned(),
    }
}
