use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Family, GATEWAY, Message, Namespace};

/// Who knows what a resolver answers.
pub trait Answers: Send + Sync + 'static {
    /// The answer to somebody's question; none if it is left without one.
    fn answer(&self, query: Message, from: IpAddr) -> Option<Message>;
}

/// What a resolver knows. Names can change while it answers.
#[derive(Default)]
pub struct Zone(Mutex<Names>);

#[derive(Default)]
struct Names {
    fixed: HashMap<String, Vec<IpAddr>>,
    fresh: HashMap<String, u32>,
    silent: HashSet<String>,
    anything: bool,
    ttl: u32,
}

impl Zone {
    /// Every answer says this, in seconds.
    pub fn set_ttl(&self, ttl: u32) {
        self.0.lock().unwrap().ttl = ttl;
    }

    /// A name has these addresses.
    pub fn put(&self, name: &str, addresses: &[IpAddr]) {
        self.0.lock().unwrap().fixed.insert(name.to_owned(), addresses.to_vec());
    }

    /// A name has another address with every answer: 198.18.0.1, 198.18.0.2 and so on.
    pub fn put_fresh(&self, name: &str) {
        self.0.lock().unwrap().fresh.insert(name.to_owned(), 0);
    }

    /// Every name that is not known has one of some thousand addresses.
    pub fn answer_everything(&self) {
        self.0.lock().unwrap().anything = true;
    }

    /// Questions about a name are not answered, but for Envoy's: it would wait for the answer at its start.
    pub fn silence(&self, name: &str) {
        self.0.lock().unwrap().silent.insert(name.to_owned());
    }
}

impl Answers for Zone {
    fn answer(&self, query: Message, from: IpAddr) -> Option<Message> {
        let mut names = self.0.lock().unwrap();
        if names.silent.contains(&query.question.name) && !GATEWAY.both().contains(&from) {
            return None;
        }
        let ttl = names.ttl;
        let wanted = query.question.record_type;
        let addresses = if let Some(count) = names.fresh.get_mut(&query.question.name) {
            *count += 1;
            vec![if wanted == Family::V4.record_type() { fresh_v4(*count) } else { fresh_v6(*count) }]
        } else if let Some(addresses) = names.fixed.get(&query.question.name) {
            addresses.clone()
        } else if names.anything {
            let count = u32::from(query.id) % 5_000;
            vec![fresh_v4(count), fresh_v6(count)]
        } else {
            vec![]
        };
        let addresses: Vec<IpAddr> =
            addresses.into_iter().filter(|address| Family::of(*address).record_type() == wanted).collect();
        Some(Message::answer(query.id, query.question, &addresses, ttl))
    }
}

fn fresh_v4(count: u32) -> IpAddr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + count).into()
}

fn fresh_v6(count: u32) -> IpAddr {
    let base = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0x18, 0, 0, 0, 0, 0));
    Ipv6Addr::from(base + u128::from(count)).into()
}

/// Answers questions over UDP.
pub struct Resolver {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Resolver {
    pub fn start(namespace: &Namespace, addresses: &[IpAddr], zone: &Arc<impl Answers>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let sockets = namespace
            .enter(|| addresses.iter().map(|&address| UdpSocket::bind((address, 53)).unwrap()).collect::<Vec<_>>());
        let serve = |socket: UdpSocket| {
            let (stop, zone) = (Arc::clone(&stop), Arc::clone(zone));
            std::thread::spawn(move || serve(&socket, zone.as_ref(), &stop))
        };
        let threads = sockets.into_iter().map(serve).collect();
        Self { stop, threads }
    }
}

fn serve(socket: &UdpSocket, zone: &impl Answers, stop: &AtomicBool) {
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut buffer = [0; 4096];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
        if let Some(answer) = Message::decode(&buffer[..length]).and_then(|query| zone.answer(query, from.ip())) {
            // Whoever asked may be gone.
            let _ = socket.send_to(&answer.encode(), from);
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
