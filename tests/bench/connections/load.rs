use std::io::Read;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::fd::OwnedFd;
use socket2::{Domain, Socket, Type};

use crate::world::Namespace;

/// How long a connection may take: longer than a SYN's second try and third.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the run before ended, among the destinations: each goes on from there.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// What a client does over and over.
pub struct Work {
    /// Where it connects to, in turn.
    pub destinations: Vec<SocketAddr>,
    /// Connections at a time.
    pub in_flight: usize,
    /// Whether a connection is there when its first byte is, else when it stands.
    pub waits_for_byte: bool,
}

/// Connections that one thread makes, each reset as soon as it is there.
pub struct Load<'w> {
    work: &'w Work,
    next: usize,
    epoll: OwnedFd,
    under_way: Vec<(Socket, Instant)>,
    done: Done,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Connections that were there before the time was over.
    pub in_time: u32,
    /// How long that was.
    pub lasted: Duration,
    /// Each connection's time from the call until it was there, in ascending order. Those that came when the time was over
    /// are among them: without them the slowest would be left out.
    pub times: Vec<Duration>,
    /// Connections that came to nothing.
    pub failed: u64,
}

impl<'w> Load<'w> {
    /// From a namespace, for so long. Ends when the last connection that was begun is there.
    pub fn run(from: &Namespace, work: &'w Work, time: Duration) -> Done {
        from.enter(|| {
            let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
            let done = Done { times: Vec::with_capacity(200_000), ..Done::default() };
            let mut load = Self { work, next: NEXT.load(Ordering::Relaxed), epoll, under_way: Vec::new(), done };
            load.go(time);
            NEXT.store(load.next, Ordering::Relaxed);
            load.done.times.sort_unstable();
            load.done
        })
    }

    fn go(&mut self, time: Duration) {
        for place in 0..self.work.in_flight {
            let connection = self.connect(place);
            self.under_way.push(connection);
        }
        self.get_going();
        let began = Instant::now();
        while began.elapsed() < time {
            self.wait(true);
        }
        self.done.lasted = began.elapsed();
        self.done.in_time = u32::try_from(self.done.times.len()).unwrap();
        let mut left = self.work.in_flight;
        while left > 0 {
            left -= self.wait(false);
        }
    }

    /// Until as many have come about as are in flight: of a beginning, with none of them there yet, there is no rate.
    fn get_going(&mut self) {
        let mut there = 0;
        while there < self.work.in_flight {
            there += self.wait(true);
        }
        self.done.times.clear();
    }

    fn connect(&mut self, place: usize) -> (Socket, Instant) {
        let to = self.work.destinations[self.next % self.work.destinations.len()];
        self.next += 1;
        let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking().cloexec(), None).unwrap();
        // Its end is a reset: nothing is left of it on either side.
        socket.set_linger(Some(Duration::ZERO)).unwrap();
        let awaited = if self.work.waits_for_byte { EventFlags::IN } else { EventFlags::OUT };
        let data = EventData::new_u64(u64::try_from(place).unwrap());
        epoll::add(&self.epoll, &socket, data, awaited).unwrap();
        let began = Instant::now();
        match socket.connect(&to.into()) {
            Err(error) if error.raw_os_error() == Some(nix::libc::EINPROGRESS) => (socket, began),
            other => panic!("{to}: {other:?}"),
        }
    }

    /// Waits for connections to be there, ends them and begins others, if it is to; says how many there were.
    fn wait(&mut self, go_on: bool) -> usize {
        let mut events = [const { Event { flags: EventFlags::empty(), data: EventData::new_u64(0) } }; 64];
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let ready = epoll::wait(&self.epoll, &mut events, Some(&patience)).unwrap();
        assert!(ready > 0, "no connection in {PATIENCE:?}");
        let now = Instant::now();
        for event in &events[..ready] {
            let place = usize::try_from(event.data.u64()).unwrap();
            let (socket, began) = &self.under_way[place];
            if is_there(socket, self.work.waits_for_byte) {
                self.done.times.push(now - *began);
            } else {
                self.done.failed += 1;
            }
            if go_on {
                self.under_way[place] = self.connect(place);
            } else {
                epoll::delete(&self.epoll, &self.under_way[place].0).unwrap();
            }
        }
        ready
    }
}

fn is_there(mut socket: &Socket, with_byte: bool) -> bool {
    socket.take_error().unwrap().is_none() && (!with_byte || socket.read(&mut [0]).is_ok_and(|length| length == 1))
}
