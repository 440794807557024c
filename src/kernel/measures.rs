use std::time::Duration;

use netlink_packet_core::{DefaultNla, NLA_TYPE_MASK, Nla as _, NlaBuffer, NlasIterator};

/// What the kernel counted of a connection; none of what it was not told to count (`net.netfilter.nf_conntrack_acct`,
/// `net.netfilter.nf_conntrack_timestamp`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// Bytes from the client, headers included.
    pub bytes_out: Option<u64>,
    /// Bytes to the client, headers included.
    pub bytes_in: Option<u64>,
    /// When it began, since 1970.
    pub began: Option<Duration>,
}

/// `CTA_COUNTERS_ORIG`, `CTA_COUNTERS_REPLY`, `CTA_TIMESTAMP` (`linux/netfilter/nfnetlink_conntrack.h`).
const ORIGINAL: u16 = 9;
const REPLY: u16 = 10;
const TIMESTAMP: u16 = 20;
/// `CTA_COUNTERS_BYTES`, `CTA_TIMESTAMP_START`.
const BYTES: u16 = 2;
const START: u16 = 1;

impl Measures {
    /// Takes over what an attribute of a connection says, if it is about that.
    pub(super) fn take(&mut self, attribute: &DefaultNla) {
        match attribute.kind() & NLA_TYPE_MASK {
            ORIGINAL => self.bytes_out = number(attribute, BYTES),
            REPLY => self.bytes_in = number(attribute, BYTES),
            TIMESTAMP => self.began = number(attribute, START).map(Duration::from_nanos),
            _ => {}
        }
    }
}

/// The 64-bit number in big-endian order that a nested attribute holds.
fn number(outer: &DefaultNla, kind: u16) -> Option<u64> {
    let mut value = vec![0; outer.value_len()];
    outer.emit_value(&mut value);
    let found =
        NlasIterator::new(value.as_slice()).filter_map(Result::ok).find(|nla: &NlaBuffer<&[u8]>| nla.kind() == kind)?;
    found.value().try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(kind: u16, parts: &[(u16, &[u8])]) -> DefaultNla {
        let parts = parts.iter().flat_map(|(kind, value)| {
            let nla = DefaultNla::new(*kind, value.to_vec());
            let mut bytes = vec![0; netlink_packet_core::Nla::value_len(&nla).next_multiple_of(4) + 4];
            netlink_packet_core::Emitable::emit(&nla, &mut bytes);
            bytes
        });
        DefaultNla::new(kind | netlink_packet_core::NLA_F_NESTED, parts.collect())
    }

    #[test]
    fn what_is_counted_is_read() {
        let mut measures = Measures::default();
        measures.take(&nested(ORIGINAL, &[(1, &7_u64.to_be_bytes()), (BYTES, &700_u64.to_be_bytes())]));
        measures.take(&nested(REPLY, &[(BYTES, &u64::MAX.to_be_bytes())]));
        measures.take(&nested(TIMESTAMP, &[(START, &1_500_000_000_000_000_001_u64.to_be_bytes())]));
        let began = Some(Duration::new(1_500_000_000, 1));
        assert_eq!(measures, Measures { bytes_out: Some(700), bytes_in: Some(u64::MAX), began });
    }

    #[test]
    fn what_is_not_or_is_rubbish_stays_unknown() {
        let mut measures = Measures::default();
        measures.take(&nested(ORIGINAL, &[(1, &7_u64.to_be_bytes())]));
        measures.take(&nested(REPLY, &[(BYTES, &[1, 2, 3])]));
        measures.take(&DefaultNla::new(TIMESTAMP, vec![255; 7]));
        measures.take(&nested(99, &[(BYTES, &7_u64.to_be_bytes())]));
        assert_eq!(measures, Measures::default());
    }
}
