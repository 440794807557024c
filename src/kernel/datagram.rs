use netlink_packet_core::{NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload, NetlinkSerializable};

/// Bytes of a netlink header (`struct nlmsghdr`).
pub(super) const HEADER: usize = 16;

/// The messages of a netlink datagram, each with its type and its header. What cannot be one ends them.
pub(super) fn messages(datagram: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let header = NetlinkBuffer::new_checked(rest).ok()?;
        let kind = header.message_type();
        let length = usize::try_from(header.length()).unwrap_or(usize::MAX).max(HEADER);
        let message = rest.get(..length).unwrap_or(rest);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, message))
    })
}

/// A message for the kernel; another one may stand behind it in one datagram.
pub(super) fn message<M: NetlinkSerializable>(payload: NetlinkPayload<M>, flags: u16, sequence_number: u32) -> Vec<u8> {
    let mut message = NetlinkMessage::new(NetlinkHeader::default(), payload);
    (message.header.flags, message.header.sequence_number) = (flags, sequence_number);
    message.finalize();
    // Messages are padded to four bytes (NLMSG_ALIGN).
    let mut bytes = vec![0; message.buffer_len().next_multiple_of(4)];
    message.serialize(&mut bytes);
    bytes
}
