use std::fmt;

use crate::model::MarkMask;

use super::assembler::{Helper, Register, Step};

/// Where the program goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The socket is one of IPv4 or IPv6.
    Internet,
    /// The socket is one of TCP.
    Tcp,
    /// The packet goes nowhere.
    Drop,
    /// Whoever is asked next may say what becomes of it.
    Pass,
}

/// Members of `struct __sk_buff` (linux/bpf.h), by their offset.
mod packet {
    pub const MARK: i16 = 8;
    pub const IN_INTERFACE: i16 = 36;
    pub const SOCKET: i16 = 168;
}

/// Members of `struct bpf_sock`.
mod socket {
    pub const FAMILY: i16 = 4;
    pub const TYPE: i16 = 8;
    pub const PROTOCOL: i16 = 12;
    pub const SOURCE_PORT: i16 = 44;
    pub const STATE: i16 = 72;
}

/// Members of `struct bpf_tcp_sock`.
mod tcp {
    pub const SEGMENTS_IN: i16 = 56;
}

const AF_INET: u32 = 2;
const AF_INET6: u32 = 10;
const SOCK_RAW: u32 = 3;
const IPPROTO_TCP: u32 = 6;
const IPPROTO_UDP: u32 = 17;
/// Server and client, for IPv4 and IPv6 (RFC 2131, RFC 8415).
const DHCP_PORTS: [u32; 4] = [67, 68, 546, 547];
/// `BPF_TCP_SYN_SENT`, `BPF_TCP_CLOSE`.
const SYN_SENT: u32 = 2;
const CLOSED: u32 = 7;
/// `TC_ACT_SHOT`, `TC_ACT_UNSPEC` (`linux/pkt_cls.h`).
const SHOT: i32 = 2;
const UNSPEC: i32 = -1;

/// What every packet is asked that is about to leave by an interface.
///
/// It looks at the socket that made the packet and not at the packet's bytes: they may be a tunnel's by now, and headers
/// can be written in many ways. `own_namespace` is the cookie of the network namespace that is guarded, its lower half:
/// sockets of others may send by the same interface (macvlan, ipvlan). Kernels before 6.13 cannot tell, without it these
/// are taken for this host's own.
#[must_use]
pub fn program(marks: MarkMask, own_namespace: Option<u32>) -> Vec<Step<Place>> {
    use Register::{R0, R1, R2, R6, R7};
    let mut steps = vec![
        Step::Copy { to: R6, from: R1 },
        // Only the ruleset, or somebody who may do as it does, gives these. No other mark of decider's leaves the host.
        Step::Load { to: R2, from: R6, offset: packet::MARK },
        Step::And { to: R2, bits: marks.bits() },
        Step::IfIs(R2, marks.direct().0, Place::Pass),
        Step::IfIs(R2, marks.upstream().0, Place::Pass),
        // It came in by another interface: whatever socket it may still have, that one is not on this side of it.
        Step::Load { to: R2, from: R6, offset: packet::IN_INTERFACE },
        Step::IfNot(R2, 0, Place::Pass),
        // Forwarded packets have no socket; what a listening socket answers has no full one.
        Step::LoadPointer { to: R1, from: R6, offset: packet::SOCKET },
        Step::IfNull(R1, Place::Pass),
        Step::Call(Helper::SkFullsock),
        Step::IfNull(R0, Place::Pass),
        Step::Copy { to: R7, from: R0 },
    ];
    if let Some(own) = own_namespace {
        steps.extend([
            Step::Copy { to: R1, from: R6 },
            Step::Call(Helper::GetNetnsCookie),
            Step::IfNot(R0, own, Place::Pass),
        ]);
    }
    steps.extend([
        Step::Load { to: R2, from: R7, offset: socket::FAMILY },
        Step::IfIs(R2, AF_INET, Place::Internet),
        Step::IfNot(R2, AF_INET6, Place::Pass),
        Step::Here(Place::Internet),
        // The kernel's own answers come from such sockets (resets, errors, neighbour discovery).
        Step::Load { to: R2, from: R7, offset: socket::TYPE },
        Step::IfIs(R2, SOCK_RAW, Place::Pass),
        Step::Load { to: R2, from: R7, offset: socket::PROTOCOL },
        Step::IfIs(R2, IPPROTO_TCP, Place::Tcp),
        Step::IfNot(R2, IPPROTO_UDP, Place::Drop),
        // Without it the host loses its addresses. It takes a right to have such a port.
        Step::Load { to: R2, from: R7, offset: socket::SOURCE_PORT },
    ]);
    steps.extend(DHCP_PORTS.map(|port| Step::IfIs(R2, port, Place::Pass)));
    steps.extend([
        Step::Goto(Place::Drop),
        Step::Here(Place::Tcp),
        Step::Load { to: R2, from: R7, offset: socket::STATE },
        Step::IfIs(R2, SYN_SENT, Place::Drop),
        Step::IfNot(R2, CLOSED, Place::Pass),
        // Closed: the reset of a connection, or a SYN that waited for its neighbour's address while its socket was closed.
        Step::Copy { to: R1, from: R7 },
        Step::Call(Helper::TcpSock),
        Step::IfNull(R0, Place::Drop),
        Step::Load { to: R2, from: R0, offset: tcp::SEGMENTS_IN },
        Step::IfNot(R2, 0, Place::Pass),
        Step::Here(Place::Drop),
        Step::Set { to: R0, value: SHOT },
        Step::Exit,
        Step::Here(Place::Pass),
        Step::Set { to: R0, value: UNSPEC },
        Step::Exit,
    ]);
    steps
}

/// Answers with the lower half of the cookie of the packet's network namespace.
#[must_use]
pub fn namespace_program() -> Vec<Step<Place>> {
    vec![Step::Call(Helper::GetNetnsCookie), Step::Exit]
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Internet => "internet",
            Self::Tcp => "tcp",
            Self::Drop => "drop",
            Self::Pass => "pass",
        })
    }
}
