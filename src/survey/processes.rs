use std::io::ErrorKind;
use std::path::Path;

use crate::doctor::{Seen, Taken, Unseen};

/// The process and its name, as far as this user may see it.
pub fn name(pid: u32) -> Option<String> {
    Some(std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim().to_owned())
}

/// All processes.
pub fn all() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether a process is in the network namespace of this one.
pub fn is_here(pid: u32) -> bool {
    let namespace = |process: &str| std::fs::read_link(format!("/proc/{process}/ns/net")).ok();
    namespace(&pid.to_string()).is_some_and(|of| Some(of) == namespace("self"))
}

/// Numbers that sockets have, from a listing of the kernel's in which number and port stand first. The port of a netlink
/// socket is nearly always the process.
pub fn taken(listing: &Path) -> Seen<Vec<Taken>> {
    let text = match std::fs::read_to_string(listing) {
        Ok(text) => text,
        // The module is not loaded yet: nobody can have any.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Unseen(error.to_string())),
    };
    let read = |line: &str| {
        let mut fields = line.split_whitespace();
        let number = fields.next()?.parse().ok()?;
        let pid: u32 = fields.next()?.parse().ok()?;
        Some(Taken { number, by: name(pid).map(|name| (pid, name)) })
    };
    Ok(text.lines().filter_map(read).collect())
}
