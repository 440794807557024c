use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Client, Family, RawSender, STRANGER, Segment};

/// Tries a stranger's door all the time, on a port with rules and on one without, over both families.
pub struct Hammer {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Hammer {
    pub fn start(client: &Client) -> Self {
        let sender = RawSender::new(&client.namespace);
        let addresses = client.addresses;
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (flag, count) = (Arc::clone(&stop), Arc::clone(&sent));
        let thread = thread::spawn(move || {
            for port in (20_000u16..60_000).cycle() {
                if flag.load(Ordering::Relaxed) {
                    return;
                }
                for (family, to) in Family::BOTH.into_iter().flat_map(|family| [(family, 22), (family, 8022)]) {
                    let from = SocketAddr::new(addresses.of(family), port);
                    let packet = Segment::syn(from, SocketAddr::new(STRANGER.of(family), to)).packet();
                    // Without a route the packet has not even left the client.
                    let _ = sender.try_send(&packet);
                }
                count.fetch_add(4, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        Self { stop, sent, thread: Some(thread) }
    }

    /// Waits until it has tried that many times more.
    pub fn strikes(&self, more: u64) {
        let goal = self.sent.load(Ordering::Relaxed) + more;
        super::eventually("the hammer's strikes", || (self.sent.load(Ordering::Relaxed) >= goal).then_some(()));
    }
}

impl Drop for Hammer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
