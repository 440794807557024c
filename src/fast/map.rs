use std::io;

use super::{Element, Key};
use crate::model::Moment;

/// The map in the kernel. It counts only while it has a lease, which is short: whoever does not renew it is not there any
/// more.
pub trait FastMap: Send {
    /// Puts elements in and renews the lease. Each ends a [`MARGIN`](super::MARGIN) before its time, as seen `now`.
    ///
    /// # Errors
    /// What the kernel refuses; then nothing has changed.
    fn put(&mut self, elements: &[Element], now: Moment) -> io::Result<()>;

    /// Takes elements out: from its return on the kernel decides nothing by them.
    ///
    /// # Errors
    /// What the kernel refuses; some of them may still be there.
    fn remove(&mut self, keys: &[Key]) -> io::Result<()>;

    /// Takes everything out, the lease too.
    ///
    /// # Errors
    /// What the kernel refuses; all of it may still be there.
    fn clear(&mut self) -> io::Result<()>;

    /// Waits until the lease has run out, so that nothing that is in the map counts.
    fn lapse(&mut self);
}
