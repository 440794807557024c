use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Client, Message, Namespace, Question};

/// Longer than anything takes that has an end at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// DNS over TCP, as either side has it.
pub struct DnsStream(TcpStream);

impl DnsStream {
    /// A client's connection to a resolver.
    pub fn open(client: &Client, resolver: IpAddr) -> io::Result<Self> {
        client.connect(resolver, 53).map(Self::new)
    }

    pub fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    pub fn tcp(&self) -> &TcpStream {
        &self.0
    }

    /// A message with its length in front.
    pub fn say(&mut self, message: &[u8]) -> io::Result<()> {
        self.say_bytes(&framed(message))
    }

    /// Bytes as they are.
    pub fn say_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub fn ask(&mut self, id: u16, question: Question) {
        self.say(&Message::query(id, question).encode()).unwrap();
    }

    /// The next message; an error if the stream ends or is reset before its last byte.
    pub fn hear(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 2];
        self.0.read_exact(&mut length)?;
        let mut message = vec![0; u16::from_be_bytes(length).into()];
        self.0.read_exact(&mut message)?;
        Ok(message)
    }

    pub fn hear_message(&mut self) -> Message {
        Message::decode(&self.hear().unwrap()).unwrap()
    }

    /// Asks, and hears the answer.
    pub fn look_up(&mut self, id: u16, question: Question) -> Message {
        self.ask(id, question);
        self.hear_message()
    }

    /// Nothing more will be said.
    pub fn has_said_all(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// Waits for the end, and for nothing else.
    pub fn ends(&mut self) {
        let end = self.0.read(&mut [0]);
        assert!(matches!(end, Ok(0)), "no end but {end:?}");
    }

    /// Waits for a reset, and for nothing else.
    pub fn is_reset(&mut self) {
        let end = self.0.read(&mut [0]);
        assert!(
            end.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset),
            "no reset but {end:?}"
        );
    }

    /// Waits until the other side has gone, however.
    pub fn is_reset_or_ends(&mut self) {
        while self.hear().is_ok() {}
    }

    /// Breaks off.
    pub fn reset(self) {
        let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        nix::sys::socket::setsockopt(&self.0, nix::sys::socket::sockopt::Linger, &linger).unwrap();
    }
}

/// A message with its length in front.
pub fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// A resolver over TCP that plays a part, which a test writes.
pub struct StreamResolver {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<Mutex<Vec<SocketAddr>>>,
}

/// A connection to it.
pub struct Asker {
    pub stream: DnsStream,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Asker {
    /// The next question; none at the end.
    pub fn hears(&mut self) -> Option<Message> {
        let message = self.stream.hear().ok()?;
        self.heard.lock().unwrap().push(message.clone());
        Message::decode(&message)
    }

    pub fn answers(&mut self, answer: &Message) {
        // Whoever asked may be gone.
        let _ = self.stream.say(&answer.encode());
    }
}

impl StreamResolver {
    /// Listens on port 53 of these addresses; each connection is given to `part`, in a thread of its own.
    pub fn start(namespace: &Namespace, addresses: &[IpAddr], part: impl Fn(Asker) + Send + Sync + 'static) -> Self {
        let bind = |&address: &IpAddr| {
            let listener = TcpListener::bind((address, 53)).unwrap();
            listener.set_nonblocking(true).unwrap();
            listener
        };
        let listeners: Vec<TcpListener> = namespace.enter(|| addresses.iter().map(bind).collect());
        let (stop, heard) = (Arc::<AtomicBool>::default(), Arc::<Mutex<_>>::default());
        let connections = Arc::<Mutex<_>>::default();
        let served = Served { heard: Arc::clone(&heard), connections: Arc::clone(&connections), part: Arc::new(part) };
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                for listener in &listeners {
                    served.accept(listener);
                }
                thread::sleep(Duration::from_millis(1));
            }
        });
        Self { stop, thread: Some(thread), heard, connections }
    }

    /// All questions so far.
    pub fn heard(&self) -> Vec<Vec<u8>> {
        self.heard.lock().unwrap().clone()
    }

    /// From where the connections came.
    pub fn connections(&self) -> Vec<SocketAddr> {
        self.connections.lock().unwrap().clone()
    }
}

struct Served {
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<Mutex<Vec<SocketAddr>>>,
    part: Arc<dyn Fn(Asker) + Send + Sync>,
}

impl Served {
    fn accept(&self, listener: &TcpListener) {
        while let Ok((stream, from)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            self.connections.lock().unwrap().push(from);
            let asker = Asker { stream: DnsStream::new(stream), heard: Arc::clone(&self.heard) };
            let part = Arc::clone(&self.part);
            thread::spawn(move || part(asker));
        }
    }
}

impl Drop for StreamResolver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
