use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

use socket2::{Domain, Socket, Type};

use super::{Family, Namespace, STRANGER, eventually};

/// A process that tries to get out to a stranger all the time, with sockets as any has them: datagrams and connections, over
/// both families, as fast as it goes.
pub struct Pusher {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Pusher {
    pub fn start(namespace: &Namespace) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (namespace, flag, count) = (namespace.clone(), Arc::clone(&stop), Arc::clone(&sent));
        let thread = thread::spawn(move || {
            namespace.enter(|| {
                while !flag.load(Ordering::Relaxed) {
                    Family::BOTH.into_iter().for_each(push);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        });
        Self { stop, sent, thread: Some(thread) }
    }

    /// Waits until it has tried that many times more.
    pub fn pushes(&self, more: u64) {
        let goal = self.sent.load(Ordering::Relaxed) + more;
        eventually("the pushes", || (self.sent.load(Ordering::Relaxed) >= goal).then_some(()));
    }
}

/// What is tried may fail at once.
fn push(family: Family) {
    let domain = match family {
        Family::V4 => Domain::IPV4,
        Family::V6 => Domain::IPV6,
    };
    let datagram = Socket::new(domain, Type::DGRAM, None).unwrap();
    let _ = datagram.send_to(b"x", &SocketAddr::new(STRANGER.of(family), 9).into());
    for port in [22, 8022] {
        let stream = Socket::new(domain, Type::STREAM, None).unwrap();
        stream.set_nonblocking(true).unwrap();
        let _ = stream.connect(&SocketAddr::new(STRANGER.of(family), port).into());
    }
}

impl Drop for Pusher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
