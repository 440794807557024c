use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;

use socket2::{Domain, Socket, Type};

use crate::world::Namespace;

/// How long a connection may take: longer than a SYN's second try and third.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that one thread makes, so many at a time, each ended as soon as it stands.
pub struct Load {
    to: SocketAddr,
    epoll: OwnedFd,
    under_way: Vec<(Socket, Instant)>,
    times: Vec<Duration>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Connections a second.
    pub rate: f64,
    /// From the call to the connection, in ascending order.
    pub times: Vec<Duration>,
    /// SYNs that were sent again.
    pub retransmitted: u64,
}

impl Load {
    /// From a namespace to there, for so long.
    pub fn run(from: &Namespace, to: SocketAddr, in_flight: usize, time: Duration) -> Measured {
        from.enter(|| {
            let before = retransmitted();
            let mut load = Self::begin(to, in_flight);
            let (began, end) = (Instant::now(), Instant::now() + time);
            while Instant::now() < end {
                load.wait();
            }
            let rate = f64::from(u32::try_from(load.times.len()).unwrap()) / began.elapsed().as_secs_f64();
            load.times.sort_unstable();
            Measured { rate, times: load.times, retransmitted: retransmitted() - before }
        })
    }

    fn begin(to: SocketAddr, in_flight: usize) -> Self {
        let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
        let mut load = Self { to, epoll, under_way: Vec::new(), times: Vec::with_capacity(1_000_000) };
        for place in 0..in_flight {
            let connection = load.connect(place);
            load.under_way.push(connection);
        }
        load
    }

    fn connect(&self, place: usize) -> (Socket, Instant) {
        let socket = Socket::new(Domain::for_address(self.to), Type::STREAM.nonblocking().cloexec(), None).unwrap();
        // Its end is a reset: nothing is left of it on either side.
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        let data = EventData::new_u64(u64::try_from(place).unwrap());
        epoll::add(&self.epoll, &socket, data, EventFlags::OUT).unwrap();
        let began = Instant::now();
        match socket.connect(&self.to.into()) {
            Err(error) if error.raw_os_error() == Some(nix::libc::EINPROGRESS) => (socket, began),
            other => panic!("{other:?}"),
        }
    }

    /// Waits for connections to stand, ends them and begins others.
    fn wait(&mut self) {
        let mut events = [const { Event { flags: EventFlags::empty(), data: EventData::new_u64(0) } }; 64];
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let ready = epoll::wait(&self.epoll, &mut events, Some(&patience)).unwrap();
        assert!(ready > 0, "no connection to {} in {PATIENCE:?}", self.to);
        let now = Instant::now();
        for event in &events[..ready] {
            let place = usize::try_from(event.data.u64()).unwrap();
            let (socket, began) = &self.under_way[place];
            let failed: Option<io::Error> = socket.take_error().unwrap();
            assert!(failed.is_none(), "{}: {failed:?}", self.to);
            self.times.push(now - *began);
            self.under_way[place] = self.connect(place);
        }
    }
}

/// Segments that this namespace sent again; here all of them are SYNs.
fn retransmitted() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    let lines: Vec<Vec<&str>> =
        text.lines().filter(|line| line.starts_with("Tcp:")).map(|line| line.split(' ').collect()).collect();
    let column = lines[0].iter().position(|word| *word == "RetransSegs").unwrap();
    lines[1][column].parse().unwrap()
}
