use std::collections::BTreeMap;

/// Bytes that may wait for what is missing in front of them.
const MOST_WAITING: usize = 65_536;
/// Pieces that may.
const MOST_PIECES: usize = 64;

/// One direction of a TCP connection, put in order.
#[derive(Debug)]
pub struct Reassembly {
    /// The sequence number that comes next.
    next: u32,
    /// How many bytes are in order.
    ordered: u64,
    /// What came too early, by its place in the stream.
    waiting: BTreeMap<u64, Vec<u8>>,
}

/// Something is missing that will not come any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole;

impl Reassembly {
    /// The direction whose first byte has this sequence number.
    pub fn beginning_at(next: u32) -> Self {
        Self { next, ordered: 0, waiting: BTreeMap::new() }
    }

    /// Takes what a segment carries, and gives what is in order by that to `take`.
    pub fn put(&mut self, seq: u32, payload: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), Hole> {
        if payload.is_empty() {
            return Ok(());
        }
        // The distance to what comes next, before or behind it: half the numbers are either (RFC 9293, 3.4).
        let ahead = seq.wrapping_sub(self.next).cast_signed();
        if let Ok(ahead @ 1..) = u64::try_from(ahead) {
            return self.wait(self.ordered + ahead, payload);
        }
        let known = usize::try_from(ahead.unsigned_abs()).unwrap_or(usize::MAX);
        self.advance(payload.get(known..).unwrap_or_default(), &mut take);
        while let Some((at, piece)) = self.waiting.pop_first() {
            let Some(known) = self.ordered.checked_sub(at) else {
                self.waiting.insert(at, piece);
                break;
            };
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            self.advance(piece.get(known..).unwrap_or_default(), &mut take);
        }
        Ok(())
    }

    fn advance(&mut self, bytes: &[u8], take: &mut impl FnMut(&[u8])) {
        // A segment is shorter than 2^32 bytes.
        self.next = self.next.wrapping_add(u32::try_from(bytes.len()).unwrap_or(0));
        self.ordered += bytes.len() as u64;
        if !bytes.is_empty() {
            take(bytes);
        }
    }

    fn wait(&mut self, at: u64, payload: &[u8]) -> Result<(), Hole> {
        let waiting: usize = self.waiting.values().map(Vec::len).sum();
        if self.waiting.len() >= MOST_PIECES || waiting + payload.len() > MOST_WAITING {
            return Err(Hole);
        }
        // The longer one of two that begin alike says more.
        let piece = self.waiting.entry(at).or_default();
        if piece.len() < payload.len() {
            *piece = payload.to_vec();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[(u32, &[u8])]) -> Result<Vec<u8>, Hole> {
        let mut stream = Reassembly::beginning_at(u32::MAX - 1);
        let mut read = Vec::new();
        for (seq, payload) in pieces {
            stream.put(*seq, payload, |bytes| read.extend_from_slice(bytes))?;
        }
        Ok(read)
    }

    #[test]
    fn pieces_come_in_any_order_and_again_and_overlap() {
        let last = u32::MAX - 1;
        assert_eq!(read(&[(last, b"ab"), (0, b"cd"), (2, b"ef")]).unwrap(), b"abcdef");
        assert_eq!(read(&[(2, b"ef"), (0, b"cd"), (last, b"ab"), (last, b"ab")]).unwrap(), b"abcdef");
        assert_eq!(read(&[(0, b"cdef"), (0, b"cd"), (last, b"abc"), (1, b"defg")]).unwrap(), b"abcdefg");
        assert_eq!(read(&[(last, b""), (0, b"cd")]).unwrap(), b"");
    }

    #[test]
    fn what_never_comes_is_not_waited_for_with_all_memory() {
        let far: Vec<u8> = vec![0; 40_000];
        assert_eq!(read(&[(10, &far), (50_010, &far)]), Err(Hole));
        let pieces: Vec<(u32, &[u8])> = (0..100).map(|n| (10 + 2 * n, &b"x"[..])).collect();
        assert_eq!(read(&pieces), Err(Hole));
    }
}
