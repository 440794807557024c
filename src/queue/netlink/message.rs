use super::super::{HeldPacket, Hook};

/// `NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET`.
const PACKET: u16 = 0x0300;
/// `NLMSG_ERROR`: an acknowledgement, if the error is 0.
const ERROR: u16 = 2;

/// Bytes of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Bytes of `struct nfgenmsg`, which stands between the header and the attributes.
const GENERAL: usize = 4;
/// Bytes of `struct nlattr`.
const ATTRIBUTE: usize = 4;
/// The bits of an attribute's type that are the type (`NLA_TYPE_MASK`).
const TYPE: u16 = 0x3fff;

/// `enum nfqnl_attr_type`.
mod kind {
    pub const PACKET_HDR: u16 = 1;
    pub const MARK: u16 = 3;
    pub const IFINDEX_INDEV: u16 = 5;
    pub const PAYLOAD: u16 = 10;
    pub const UID: u16 = 16;
}

/// What the kernel says on the socket of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A packet that waits for its verdict.
    Packet(Held<'a>),
    /// Something that it was told before came to nothing: the error number.
    Refused(i32),
    /// Nothing that asks for anything.
    Other,
}

/// A packet as the kernel tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<'a> {
    /// Its number in the queue.
    pub id: u32,
    /// Where it is held.
    pub hook: Hook,
    /// Its mark; 0 if the kernel tells of none.
    pub mark: u32,
    /// Index of the interface it came in on; 0 if it was made here.
    pub in_interface: u32,
    /// The user whose process sent it, if one of this host did and the kernel says so.
    pub uid: Option<u32>,
    /// From the IP header on, as far as the copy range reaches.
    pub bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the first message of a datagram: the kernel sends each packet in one of its own. `None` if it is none that can
    /// be read to its end.
    #[must_use]
    pub fn read(datagram: &'a [u8]) -> Option<Self> {
        let length = usize::try_from(u32::from_ne_bytes(array(datagram, 0)?)).ok()?;
        let kind = u16::from_ne_bytes(array(datagram, 4)?);
        let body = datagram.get(HEADER..length)?;
        match kind {
            PACKET => packet(body.get(GENERAL..)?).map(Self::Packet),
            ERROR => Some(match i32::from_ne_bytes(array(body, 0)?) {
                0 => Self::Other,
                error => Self::Refused(error.checked_neg()?),
            }),
            _ => Some(Self::Other),
        }
    }
}

/// What is not asked for here is passed over.
fn packet(mut attributes: &[u8]) -> Option<Held<'_>> {
    let mut header = None;
    let (mut mark, mut in_interface, mut uid, mut bytes) = (0, 0, None, [].as_slice());
    while !attributes.is_empty() {
        let (kind, value);
        (kind, value, attributes) = attribute(attributes)?;
        match kind {
            kind::PACKET_HDR => header = Some((number(value)?, Hook::from(*value.get(6)?))),
            kind::MARK => mark = number(value)?,
            kind::IFINDEX_INDEV => in_interface = number(value)?,
            kind::UID => uid = Some(number(value)?),
            kind::PAYLOAD => bytes = value,
            _ => {}
        }
    }
    let (id, hook) = header?;
    Some(Held { id, hook, mark, in_interface, uid, bytes })
}

/// The type and the value of the first attribute, and the attributes behind it.
fn attribute(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = usize::from(u16::from_ne_bytes(array(bytes, 0)?));
    let kind = u16::from_ne_bytes(array(bytes, 2)?) & TYPE;
    // The last one may be without what pads it.
    let behind = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    Some((kind, bytes.get(ATTRIBUTE..length)?, behind))
}

/// What is told of packets is big endian, whatever the machine is.
fn number(value: &[u8]) -> Option<u32> {
    array(value, 0).map(u32::from_be_bytes)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

impl HeldPacket for Held<'_> {
    fn bytes(&self) -> &[u8] {
        self.bytes
    }

    fn mark(&self) -> u32 {
        self.mark
    }

    fn in_interface(&self) -> u32 {
        self.in_interface
    }

    fn uid(&self) -> Option<u32> {
        self.uid
    }

    fn hook(&self) -> Hook {
        self.hook
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEADER + body.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(body);
        bytes
    }

    fn packet_with(attributes: &[Vec<u8>]) -> Vec<u8> {
        message(PACKET, &[vec![2, 0, 0x14, 0xb4], attributes.concat()].concat())
    }

    fn whole() -> Vec<u8> {
        packet_with(&[
            attribute(kind::PACKET_HDR, &[0, 0, 1, 2, 0x08, 0, 3]),
            attribute(kind::IFINDEX_INDEV, &[0, 0, 0, 9]),
            attribute(kind::MARK, &[0x40, 0, 0, 0x42]),
            // Its time, which nobody asks for, and conntrack's state, a nest.
            attribute(4, &[0xff; 16]),
            attribute(0x8000 | 0x0b, &[0xff; 40]),
            attribute(kind::UID, &[0, 0, 3, 0xe8]),
            attribute(kind::PAYLOAD, b"\x45packet"),
        ])
    }

    const WHOLE: Held<'_> = Held {
        id: 0x102,
        hook: Hook::Output,
        mark: 0x4000_0042,
        in_interface: 9,
        uid: Some(1_000),
        bytes: b"\x45packet",
    };

    #[test]
    fn a_packet_is_read_with_all_that_is_asked_for() {
        assert_eq!(Message::read(&whole()), Some(Message::Packet(WHOLE)));
        // Also without what pads the last attribute, and with something behind it.
        let length = u32::try_from(whole().len() - 1).unwrap();
        let unpadded = [&length.to_ne_bytes(), &whole()[4..]].concat();
        assert_eq!(Message::read(&unpadded), Some(Message::Packet(WHOLE)));
        assert_eq!(Message::read(&[whole(), vec![0xee; 30]].concat()), Some(Message::Packet(WHOLE)));
    }

    #[test]
    fn what_the_kernel_leaves_out_is_nothing() {
        let bare = packet_with(&[attribute(kind::PACKET_HDR, &[0, 0, 0, 7, 0x86, 0xdd, 0])]);
        let held = Held { id: 7, hook: Hook::Prerouting, mark: 0, in_interface: 0, uid: None, bytes: &[] };
        assert_eq!(Message::read(&bare), Some(Message::Packet(held)));
    }

    #[test]
    fn a_packet_without_a_number_or_with_a_broken_attribute_is_none() {
        let header = attribute(kind::PACKET_HDR, &[0, 0, 0, 7, 0, 0, 0]);
        let broken: [Vec<u8>; 8] = [
            vec![],
            attribute(kind::MARK, &[0, 0, 0, 1]),
            attribute(kind::PACKET_HDR, &[0, 0, 0, 7, 0, 0]),
            [header.clone(), attribute(kind::MARK, &[0, 0, 1])].concat(),
            [header.clone(), attribute(kind::UID, &[])].concat(),
            // Lengths that lie: none at all, less than an attribute has, more than there is.
            [header.clone(), vec![0, 0, 0, 0]].concat(),
            [header.clone(), [3u16.to_ne_bytes(), 10u16.to_ne_bytes()].concat()].concat(),
            [header, [9u16.to_ne_bytes(), 10u16.to_ne_bytes()].concat(), vec![0; 4]].concat(),
        ];
        for attributes in broken {
            assert_eq!(Message::read(&packet_with(std::slice::from_ref(&attributes))), None, "{attributes:02x?}");
        }
        for length in 0..whole().len() {
            assert_eq!(Message::read(&whole()[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn an_error_says_what_it_was_and_an_acknowledgement_is_none() {
        let error = |number: i32| message(ERROR, &[&number.to_ne_bytes()[..], &[0; 16]].concat());
        assert_eq!(Message::read(&error(-2)), Some(Message::Refused(2)));
        assert_eq!(Message::read(&error(0)), Some(Message::Other));
        assert_eq!(Message::read(&error(i32::MIN)), None);
        assert_eq!(Message::read(&message(ERROR, &[0; 3])), None);
        assert_eq!(Message::read(&message(3, &[])), Some(Message::Other));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_not(at in 0usize..120, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut message = whole();
            let at = at.min(message.len());
            message.splice(at..(at + bytes.len()).min(message.len()), bytes);
            if let Some(Message::Packet(held)) = Message::read(&message) {
                prop_assert!(held.bytes.len() <= message.len());
            }
        }
    }
}
