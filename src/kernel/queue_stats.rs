use std::io;

/// What the kernel counts of one queue since its socket was bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStats {
    /// Its number.
    pub number: u16,
    /// Packets that wait for a verdict.
    pub waiting: u64,
    /// Packets dropped because the queue was full.
    pub queue_dropped: u64,
    /// Packets dropped because the socket was full.
    pub user_dropped: u64,
    /// Packets that were given a number, those that found the socket full among them.
    pub id_sequence: u64,
}

/// The queues of this network namespace.
///
/// # Errors
/// If the kernel has no queues at all, or the file cannot be read.
pub fn queue_stats() -> io::Result<Vec<QueueStats>> {
    // /proc/net is that of the process's first thread; all threads of decider are in one namespace.
    let text = std::fs::read_to_string("/proc/net/netfilter/nfnetlink_queue")?;
    Ok(text.lines().filter_map(parse).collect())
}

/// A line of the listing (`seq_show`, `net/netfilter/nfnetlink_queue.c`).
fn parse(line: &str) -> Option<QueueStats> {
    let mut fields = line.split_whitespace().map(str::parse::<u64>);
    let mut next = || fields.next()?.ok();
    let number = u16::try_from(next()?).ok()?;
    let _port = next()?;
    let waiting = next()?;
    let (_copy_mode, _copy_range) = (next()?, next()?);
    Some(QueueStats { number, waiting, queue_dropped: next()?, user_dropped: next()?, id_sequence: next()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_kernel_is_read() {
        let stats = parse(" 5300  12345     2 2   128     7     3    99999  1").unwrap();
        let expected = QueueStats { number: 5300, waiting: 2, queue_dropped: 7, user_dropped: 3, id_sequence: 99_999 };
        assert_eq!(stats, expected);
        assert_eq!(parse("what is this"), None);
        assert_eq!(parse(""), None);
    }
}
