use super::super::QueueOptions;

/// `NFNL_SUBSYS_QUEUE`, in the upper half of a message's type.
const QUEUE: u16 = 3 << 8;
/// `NLM_F_REQUEST`. Without `NLM_F_ACK` the kernel says something only if it refuses.
const REQUEST: u16 = 1;

/// `enum nfqnl_msg_types`.
mod message {
    pub const VERDICT: u16 = 1;
    pub const CONFIG: u16 = 2;
}

/// `enum nfqnl_attr_type`.
mod verdict {
    pub const HEADER: u16 = 2;
    pub const MARK: u16 = 3;
}

/// `enum nfqnl_attr_config`.
mod config {
    pub const COMMAND: u16 = 1;
    pub const PARAMETERS: u16 = 2;
    pub const MAX_LENGTH: u16 = 3;
    pub const MASK: u16 = 4;
    pub const FLAGS: u16 = 5;
}

/// `NFQNL_CFG_CMD_BIND`.
const BIND: u8 = 1;
/// `NFQNL_COPY_PACKET`: the packet and not only what is known of it.
const COPY_PACKET: u8 = 2;

/// `NFQA_CFG_F_*`.
mod flag {
    pub const FAIL_OPEN: u32 = 1;
    pub const CONNTRACK: u32 = 2;
    pub const GSO: u32 = 4;
    pub const UID_GID: u32 = 8;
}

/// `NF_ACCEPT` and `NF_DROP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Accept = 1,
    Drop = 0,
}

/// Binds a queue with all its settings in one message: as long as one of them is refused, it gets no packet.
///
/// Of the flags, the packet's user alone is set. Not that a full queue lets packets through (`FAIL_OPEN`), nor that packets
/// come which are longer than the network takes and without checksums (`GSO`): a worker sees what the far side would.
/// Nothing is decided by conntrack's state (`CONNTRACK`), which would have to be written and read for each packet.
pub fn bind(options: QueueOptions) -> Vec<u8> {
    let mut parameters = [0; 5];
    parameters[..4].copy_from_slice(&u32::from(options.copy_range).to_be_bytes());
    parameters[4] = COPY_PACKET;
    let mask = flag::FAIL_OPEN | flag::CONNTRACK | flag::GSO | flag::UID_GID;
    let attributes: [(u16, &[u8]); 5] = [
        (config::COMMAND, &[BIND, 0, 0, 0]),
        (config::PARAMETERS, &parameters),
        (config::MAX_LENGTH, &options.max_length.to_be_bytes()),
        (config::MASK, &mask.to_be_bytes()),
        (config::FLAGS, &flag::UID_GID.to_be_bytes()),
    ];
    let mut bytes = Vec::new();
    append(&mut bytes, message::CONFIG, options.number, &attributes);
    bytes
}

/// Appends the verdict of a packet, with its new mark if it gets one.
pub fn append_verdict(bytes: &mut Vec<u8>, queue: u16, id: u32, fate: Fate, mark: Option<u32>) {
    let mut header = [0; 8];
    header[..4].copy_from_slice(&(fate as u32).to_be_bytes());
    header[4..].copy_from_slice(&id.to_be_bytes());
    match mark.map(u32::to_be_bytes) {
        Some(mark) => {
            append(bytes, message::VERDICT, queue, &[(verdict::HEADER, &header), (verdict::MARK, &mark)]);
        }
        None => append(bytes, message::VERDICT, queue, &[(verdict::HEADER, &header)]),
    }
}

/// Appends a message: `struct nlmsghdr`, `struct nfgenmsg`, and the attributes, each padded to four bytes.
fn append(bytes: &mut Vec<u8>, kind: u16, queue: u16, attributes: &[(u16, &[u8])]) {
    let start = bytes.len();
    bytes.extend([0; 4]);
    bytes.extend((QUEUE | kind).to_ne_bytes());
    bytes.extend(REQUEST.to_ne_bytes());
    // Sequence and port: there is one to answer, and nothing to tell apart.
    bytes.extend([0; 8]);
    // Any family, version 0.
    bytes.extend([0; 2]);
    bytes.extend(queue.to_be_bytes());
    for (kind, value) in attributes {
        // No value here is longer than 8 bytes.
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(*value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    let length = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
    if let Some(field) = bytes.get_mut(start..start + 4) {
        field.copy_from_slice(&length.to_ne_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fields in the machine's order, as netlink has its own.
    fn head(length: u32, kind: u16, queue: u16) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend([kind.to_ne_bytes(), 1u16.to_ne_bytes()].concat());
        bytes.extend([0; 10]);
        bytes.extend(queue.to_be_bytes());
        bytes
    }

    fn attribute(length: u16, kind: u16, value: &[u8]) -> Vec<u8> {
        [&length.to_ne_bytes(), &kind.to_ne_bytes(), value].concat()
    }

    #[test]
    fn a_queue_is_bound_with_all_its_settings_at_once() {
        let bytes = bind(QueueOptions { number: 5300, copy_range: 128, max_length: 16_384 });
        let expected = [
            head(64, 0x302, 5300),
            attribute(8, 1, &[1, 0, 0, 0]),
            attribute(9, 2, &[0, 0, 0, 128, 2, 0, 0, 0]),
            attribute(8, 3, &[0, 0, 0x40, 0]),
            attribute(8, 4, &[0, 0, 0, 0x0f]),
            // Above all not 1: a full queue lets nothing through.
            attribute(8, 5, &[0, 0, 0, 8]),
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn verdicts_stand_one_behind_the_other() {
        let mut bytes = Vec::new();
        append_verdict(&mut bytes, 5301, 0x0102, Fate::Accept, Some(0x4000_0042));
        append_verdict(&mut bytes, 5301, 0x0103, Fate::Accept, None);
        append_verdict(&mut bytes, 5301, 0x0104, Fate::Drop, None);
        let expected = [
            head(40, 0x301, 5301),
            attribute(12, 2, &[0, 0, 0, 1, 0, 0, 1, 2]),
            attribute(8, 3, &[0x40, 0, 0, 0x42]),
            head(32, 0x301, 5301),
            attribute(12, 2, &[0, 0, 0, 1, 0, 0, 1, 3]),
            head(32, 0x301, 5301),
            attribute(12, 2, &[0, 0, 0, 0, 0, 0, 1, 4]),
        ];
        assert_eq!(bytes, expected.concat());
    }
}
