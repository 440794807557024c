use std::net::{IpAddr, SocketAddr};

use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::conntrack::{
    ConntrackAttribute, ConntrackMessage, IPTuple, ProtoInfo, ProtoInfoTCP, ProtoTuple, Protocol, Tuple,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner};

use super::datagram::messages;
use super::measures::Measures;

/// What became of a TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowNews {
    /// Who connected.
    pub client: SocketAddr,
    /// Where to.
    pub dst: SocketAddr,
    /// Its mark, with others' bits.
    pub mark: u32,
    /// What is new.
    pub life: Life,
    /// What was counted of it.
    pub measures: Measures,
}

/// Whether a connection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It does, half-closed ones included.
    Lives,
    /// Both sides have closed, it was reset, or it is forgotten.
    Over,
    /// Nothing is said of that.
    Unsaid,
}

/// `TCP_CONNTRACK_LAST_ACK`, `_TIME_WAIT`, `_CLOSE` (`linux/netfilter/nf_conntrack_tcp.h`): both sides have sent a FIN, or
/// one a reset.
const OVER: [u8; 3] = [6, 7, 8];
/// What a datagram tells.
pub(super) fn news(datagram: &[u8]) -> impl Iterator<Item = FlowNews> {
    messages(datagram).filter_map(|(_, message)| one(message))
}

/// What a message tells, if it is about a TCP connection.
pub(super) fn one(message: &[u8]) -> Option<FlowNews> {
    let message = NetlinkMessage::<NetfilterMessage>::deserialize(message).ok()?;
    let NetlinkPayload::InnerMessage(NetfilterMessage { inner: NetfilterMessageInner::Conntrack(message), .. }) =
        message.payload
    else {
        return None;
    };
    let (attributes, mut life) = match message {
        ConntrackMessage::New(attributes) => (attributes, Life::Unsaid),
        ConntrackMessage::Delete(attributes) => (attributes, Life::Over),
        _ => return None,
    };
    let (mut ends, mut mark, mut measures) = (None, 0, Measures::default());
    for attribute in attributes {
        match attribute {
            ConntrackAttribute::CtaTupleOrig(tuple) => ends = Some(tcp_ends(&tuple)?),
            ConntrackAttribute::CtaMark(value) => mark = value,
            ConntrackAttribute::CtaProtoInfo(info) if life == Life::Unsaid => life = life_of(&info),
            ConntrackAttribute::Other(other) => measures.take(&other),
            _ => {}
        }
    }
    let (client, dst) = ends?;
    Some(FlowNews { client, dst, mark, life, measures })
}

/// Source and destination of what the client sends, if that is TCP.
fn tcp_ends(tuple: &[Tuple]) -> Option<(SocketAddr, SocketAddr)> {
    let (mut addresses, mut ports, mut is_tcp) = ((None, None), (None, None), false);
    for part in tuple {
        match part {
            Tuple::Ip(parts) => parts.iter().for_each(|part| match part {
                IPTuple::SourceAddress(address) => addresses.0 = Some(*address),
                IPTuple::DestinationAddress(address) => addresses.1 = Some(*address),
                _ => {}
            }),
            Tuple::Proto(parts) => parts.iter().for_each(|part| match part {
                ProtoTuple::Protocol(protocol) => is_tcp = *protocol == Protocol::Tcp,
                ProtoTuple::SourcePort(port) => ports.0 = Some(*port),
                ProtoTuple::DestinationPort(port) => ports.1 = Some(*port),
                _ => {}
            }),
            _ => {}
        }
    }
    let end = |address: Option<IpAddr>, port: Option<u16>| Some(SocketAddr::new(address?, port?));
    is_tcp.then_some((end(addresses.0, ports.0)?, end(addresses.1, ports.1)?))
}

fn life_of(info: &[ProtoInfo]) -> Life {
    let state = info.iter().find_map(|info| match info {
        ProtoInfo::TCP(parts) => parts.iter().find_map(|part| match part {
            ProtoInfoTCP::State(state) => Some(*state),
            _ => None,
        }),
        _ => None,
    });
    match state {
        Some(state) if OVER.contains(&state) => Life::Over,
        Some(_) => Life::Lives,
        None => Life::Unsaid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_core::{DefaultNla, NetlinkHeader};
    use netlink_packet_netfilter::{NetfilterHeader, NetfilterProtoFamily};

    fn all(datagram: &[u8]) -> Vec<FlowNews> {
        news(datagram).collect()
    }

    const STATE: u8 = 3;

    fn ends(family: u8) -> (SocketAddr, SocketAddr) {
        let texts =
            if family == 4 { ["10.77.1.2:40000", "192.0.2.1:22"] } else { ["[fd77:1::2]:40000", "[2001:db8::1]:22"] };
        let [client, dst] = texts.map(|text| text.parse().unwrap());
        (client, dst)
    }

    fn tuple(family: u8, protocol: Protocol) -> ConntrackAttribute {
        let (client, dst) = ends(family);
        let addresses = vec![IPTuple::SourceAddress(client.ip()), IPTuple::DestinationAddress(dst.ip())];
        let ports = vec![
            ProtoTuple::Protocol(protocol),
            ProtoTuple::SourcePort(client.port()),
            ProtoTuple::DestinationPort(dst.port()),
        ];
        ConntrackAttribute::CtaTupleOrig(vec![Tuple::Ip(addresses), Tuple::Proto(ports)])
    }

    fn state(state: u8) -> ConntrackAttribute {
        ConntrackAttribute::CtaProtoInfo(vec![ProtoInfo::TCP(vec![ProtoInfoTCP::State(state)])])
    }

    fn bytes(message: ConntrackMessage) -> Vec<u8> {
        let header = NetfilterHeader::new(NetfilterProtoFamily::IPv4, 0, 0);
        let message = NetfilterMessage::new(header, message);
        let mut message = NetlinkMessage::new(NetlinkHeader::default(), NetlinkPayload::from(message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        bytes
    }

    #[test]
    fn a_connection_lives_until_both_sides_have_closed_or_it_is_reset() {
        for family in [4, 6] {
            let (client, dst, measures) = (ends(family).0, ends(family).1, Measures::default());
            // NONE to CLOSE, and SYN_SENT2 (`linux/netfilter/nf_conntrack_tcp.h`).
            for (number, life) in (0..=5).chain([9]).map(|n| (n, Life::Lives)).chain((6..=8).map(|n| (n, Life::Over))) {
                let mark = ConntrackAttribute::CtaMark(0x4000_0042);
                let told = bytes(ConntrackMessage::New(vec![tuple(family, Protocol::Tcp), mark, state(number)]));
                assert_eq!(all(&told), [FlowNews { client, dst, mark: 0x4000_0042, life, measures }], "state {number}");
            }
        }
    }

    #[test]
    fn what_is_forgotten_is_over_whatever_its_state() {
        let (client, dst) = ends(6);
        let told = bytes(ConntrackMessage::Delete(vec![tuple(6, Protocol::Tcp), state(STATE)]));
        assert_eq!(all(&told), [FlowNews { client, dst, mark: 0, life: Life::Over, measures: Measures::default() }]);
    }

    #[test]
    fn news_of_something_else_say_nothing_of_its_life() {
        let other = ConntrackAttribute::Other(DefaultNla::new(99, vec![0; 4]));
        let told = bytes(ConntrackMessage::New(vec![tuple(4, Protocol::Tcp), other]));
        assert_eq!(all(&told)[0].life, Life::Unsaid);
    }

    #[test]
    fn other_protocols_and_rubbish_are_no_news() {
        let udp = bytes(ConntrackMessage::New(vec![tuple(4, Protocol::Udp)]));
        let nobody = bytes(ConntrackMessage::New(vec![state(STATE)]));
        assert_eq!(all(&[udp, nobody].concat()), []);
        let told = bytes(ConntrackMessage::New(vec![tuple(6, Protocol::Tcp), state(STATE)]));
        for length in 0..told.len() {
            assert_eq!(all(&told[..length]), [], "cut at {length}");
        }
        for at in 0..told.len() {
            for damage in [0x01, 0x80, 0xff] {
                let mut damaged = told.clone();
                damaged[at] ^= damage;
                let _ = all(&damaged);
            }
        }
    }
}
