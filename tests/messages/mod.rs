//! DNS messages, byte for byte: the tables that workers are fed with and that go over the wire. Who uses them says what a
//! `Family` is.

pub mod answers;
pub mod bytes;
pub mod chains;
pub mod hints;
pub mod questions;
