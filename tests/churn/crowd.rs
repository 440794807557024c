//! The clients: one machine with many addresses.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use decider::model::Moment;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket};

use crate::world::{Family, Message, Namespace, Question, RESOLVER, RawSender, Segment, Sniffer, eventually};

/// Addresses of each family.
pub const CLIENTS: usize = 50;
/// How long a client remembers an address: longer than any counts.
const REMEMBERED: Duration = Duration::from_secs(8);
/// The first port that a client connects from; each is used once, until all have been.
const FIRST_PORT: u16 = 2_000;

/// Clients by their number: the same number is the same machine in both families.
pub struct Crowd {
    pub members: Vec<Member>,
    numbers: HashMap<IpAddr, usize>,
    namespace: Namespace,
    sender: RawSender,
    pub sniffer: Sniffer,
}

pub struct Member {
    addresses: [IpAddr; 2],
    sockets: [UdpSocket; 2],
    next_id: u16,
    next_port: u16,
    /// What it was told lately, of both families, the oldest first.
    pub remembered: VecDeque<(Moment, IpAddr)>,
}

impl Crowd {
    /// Moves into the namespace of the first client.
    pub fn gather(namespace: &Namespace) -> Self {
        let addresses: Vec<[IpAddr; 2]> = (0..CLIENTS).map(addresses).collect();
        let commands = addresses.iter().map(|[v4, v6]| {
            format!("ip addr add {v4}/24 dev eth0; ip addr add {v6}/64 dev eth0 nodad preferred_lft 0\n")
        });
        namespace.sh(&commands.collect::<String>());
        let open = |address: IpAddr| {
            // An address of IPv6 may take a moment to be usable.
            let socket = eventually("a client's address", || UdpSocket::bind((address, 0)).ok());
            socket.connect((RESOLVER.of(Family::of(address)), 53)).unwrap();
            socket
        };
        let member = |addresses: &[IpAddr; 2]| Member {
            addresses: *addresses,
            sockets: addresses.map(open),
            next_id: 0,
            next_port: FIRST_PORT,
            remembered: VecDeque::new(),
        };
        let numbers = addresses.iter().enumerate().flat_map(|(number, both)| both.map(|address| (address, number)));
        Self {
            numbers: numbers.collect(),
            members: namespace.enter(|| addresses.iter().map(member).collect()),
            namespace: namespace.clone(),
            sender: RawSender::new(namespace),
            sniffer: Sniffer::new(namespace),
        }
    }

    /// Whose address it is.
    pub fn number_of(&self, address: IpAddr) -> Option<usize> {
        self.numbers.get(&address).copied()
    }

    pub fn send(&self, segment: &Segment) {
        self.sender.send(&segment.packet());
    }

    /// Begins a connection that is not to be waited for.
    pub fn visit(&self, from: SocketAddr, to: SocketAddr) -> TcpStream {
        let family = if from.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let open = || -> OwnedFd { socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap() };
        let socket = self.namespace.enter(open);
        bind(socket.as_raw_fd(), &SockaddrStorage::from(from)).unwrap();
        let begun = connect(socket.as_raw_fd(), &SockaddrStorage::from(to));
        assert_eq!(begun, Err(Errno::EINPROGRESS), "{from} to {to}");
        TcpStream::from(socket)
    }
}

impl Member {
    pub fn address(&self, family: Family) -> IpAddr {
        self.addresses[usize::from(family == Family::V6)]
    }

    /// Asks over one family about addresses of either; returns the message's id.
    pub fn ask(&mut self, over: Family, domain: &str, family: Family) -> u16 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        self.ask_again(over, id, domain, family);
        id
    }

    pub fn ask_again(&self, over: Family, id: u16, domain: &str, family: Family) {
        let question = Message::query(id, Question::new(domain, family)).encode();
        self.sockets[usize::from(over == Family::V6)].send(&question).unwrap();
    }

    /// A port that it has not connected from for long.
    pub fn port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_PORT);
        port
    }

    pub fn remember(&mut self, addresses: &[IpAddr], now: Moment) {
        self.remembered.extend(addresses.iter().map(|&address| (now, address)));
        while self.remembered.front().is_some_and(|&(told, _)| now.since(told) > REMEMBERED) {
            self.remembered.pop_front();
        }
    }
}

fn addresses(number: usize) -> [IpAddr; 2] {
    let number = u8::try_from(number + 100).unwrap();
    [Ipv4Addr::new(10, 77, 1, number).into(), Ipv6Addr::new(0xfd77, 1, 0, 0, 0, 0, 1, number.into()).into()]
}
