//! Writing what people and programs read. A reader that has gone (`| head`) is no failure: the exit code still
//! says the answer.

use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

use anstream::AutoStream;

/// Writes to the standard output, with colours where they are wanted.
pub fn write(write: impl FnOnce(&mut AutoStream<StdoutLock<'static>>) -> io::Result<()>) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    forgive(write(&mut out).and_then(|()| out.flush()))
}

/// Writes one line to the standard output.
pub fn line(text: impl Display) -> io::Result<()> {
    write(|out| writeln!(out, "{text}"))
}

/// Writes one line to the standard error. If nobody reads that, there is nobody to tell.
pub fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Writes a value as JSON, indented.
pub fn json(value: &impl serde::Serialize) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    forgive(written.and_then(|()| writeln!(out)).and_then(|()| out.flush()))
}

/// Writes bytes as they are.
pub fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    forgive(out.write_all(bytes).and_then(|()| out.flush()))
}

/// A number of things: `1 rule`, `2 rules`.
pub fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

fn forgive(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
