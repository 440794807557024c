use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Answers, GATEWAY, Message, Namespace, StreamResolver, Zone};

/// A resolver that says to clients, over UDP and TCP, whatever a test wants, in raw messages. To Envoy, and to clients as
/// long as it was told nothing, it says what the zone says.
pub struct Actor {
    stage: Arc<Stage>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// Held, so that it goes on.
    _streams: StreamResolver,
}

/// What it answers to a question: any number of messages.
type Part = Arc<dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync>;

struct Stage {
    zone: Arc<Zone>,
    part: Mutex<Option<Part>>,
    heard: Mutex<Vec<Vec<u8>>>,
}

impl Actor {
    /// Listens on port 53 of these addresses.
    pub fn start(namespace: &Namespace, addresses: &[IpAddr], zone: &Arc<Zone>) -> Self {
        let stage = Arc::new(Stage { zone: Arc::clone(zone), part: Mutex::default(), heard: Mutex::default() });
        let stop = Arc::<AtomicBool>::default();
        let sockets = namespace
            .enter(|| addresses.iter().map(|&address| UdpSocket::bind((address, 53)).unwrap()).collect::<Vec<_>>());
        let serve = |socket: UdpSocket| {
            let (stop, stage) = (Arc::clone(&stop), Arc::clone(&stage));
            thread::spawn(move || stage.serve(&socket, &stop))
        };
        let threads = sockets.into_iter().map(serve).collect();
        let on_stage = Arc::clone(&stage);
        let streams = StreamResolver::start(namespace, addresses, move |mut asker| {
            // Only decider's relay asks over TCP.
            while let Ok(question) = asker.stream.hear() {
                for answer in on_stage.answers(&question) {
                    // Whoever asked may be gone.
                    let _ = asker.stream.say(&answer);
                }
            }
        });
        Self { stage, stop, threads, _streams: streams }
    }

    /// From now on clients are told this.
    pub fn says(&self, part: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync + 'static) {
        *self.stage.part.lock().unwrap() = Some(Arc::new(part));
    }

    /// The questions of clients since this was asked last.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.stage.heard.lock().unwrap())
    }
}

impl Stage {
    fn serve(&self, socket: &UdpSocket, stop: &AtomicBool) {
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut buffer = vec![0; 65_535];
        while !stop.load(Ordering::Relaxed) {
            let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
            let question = &buffer[..length];
            // Only Envoy asks from there over UDP.
            let answers = if GATEWAY.both().contains(&from.ip()) {
                self.truth(question, from.ip()).into_iter().collect()
            } else {
                self.answers(question)
            };
            for answer in answers {
                // Whoever asked may be gone.
                let _ = socket.send_to(&answer, from);
            }
        }
    }

    /// To a client's question.
    fn answers(&self, question: &[u8]) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().push(question.to_vec());
        let part = self.part.lock().unwrap().clone();
        match part {
            Some(part) => part(question),
            // As to anybody but Envoy.
            None => self.truth(question, [0; 4].into()).into_iter().collect(),
        }
    }

    fn truth(&self, question: &[u8], from: IpAddr) -> Option<Vec<u8>> {
        Some(self.zone.answer(Message::decode(question)?, from)?.encode())
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
