use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::way::Setting;
use crate::world::{DnsStream, Family, Message, Namespace, Question};

/// What a question is carried by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    /// A connection that is open already.
    Tcp,
    /// A connection for each question, which counts.
    TcpNew,
}

impl Transport {
    pub const ALL: &[Self] = &[Self::Udp, Self::Tcp, Self::TcpNew];

    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::TcpNew => "tcp-new",
        }
    }

    /// How many questions there are for each of UDP: connections leave ports behind that nobody may use for a minute.
    pub fn share(self) -> usize {
        match self {
            Self::Udp | Self::Tcp => 1,
            Self::TcpNew => 5,
        }
    }
}

/// Names that are asked for in turn.
const NAMES: usize = 64;
/// dnsmasq serves no more than 100 on one.
const OF_A_CONNECTION: usize = 50;
/// A question without an answer for that long is lost.
const PATIENCE: Duration = Duration::from_secs(2);

/// A client that asks one resolver, one question at a time.
pub struct Lookup {
    client: Namespace,
    resolver: SocketAddr,
    transport: Transport,
    /// The messages of the questions, but for the id.
    questions: Vec<Vec<u8>>,
    asked: usize,
}

/// What the next question is sent by.
enum Carrier {
    Udp(UdpSocket),
    Tcp(DnsStream),
    TcpNew(SocketAddr),
}

impl Lookup {
    pub fn new(setting: &Setting, transport: Transport, family: Family) -> Self {
        let question = |number| {
            let name = format!("n{number}.bench.example");
            Message::query(0, Question::new(&name, family)).encode()
        };
        Self {
            client: setting.client().clone(),
            resolver: (setting.resolver(family), 53).into(),
            transport,
            questions: (0..NAMES).map(question).collect(),
            asked: 0,
        }
    }

    /// The times of so many questions; none for one that was lost. The first one of a connection does not count.
    pub fn times(&mut self, count: usize) -> Vec<Option<Duration>> {
        self.client.clone().enter(|| {
            let mut times = Vec::new();
            while times.len() < count {
                let mut carrier = self.carrier();
                self.time(&mut carrier);
                let more = OF_A_CONNECTION.min(count - times.len());
                times.extend((0..more).map(|_| self.time(&mut carrier)));
            }
            times
        })
    }

    fn carrier(&self) -> Carrier {
        match self.transport {
            Transport::Udp => Carrier::Udp(udp(self.resolver).expect("a socket")),
            Transport::Tcp => Carrier::Tcp(tcp(self.resolver).expect("a connection to the resolver")),
            Transport::TcpNew => Carrier::TcpNew(self.resolver),
        }
    }

    /// From before a question is sent until its answer is there.
    fn time(&mut self, carrier: &mut Carrier) -> Option<Duration> {
        let id = u16::try_from(self.asked % 65_536).unwrap().to_be_bytes();
        let question = &mut self.questions[self.asked % NAMES];
        self.asked += 1;
        question[..2].copy_from_slice(&id);
        let began = Instant::now();
        let answer = match carrier {
            Carrier::Udp(socket) => by_udp(socket, question),
            Carrier::Tcp(stream) => by_tcp(stream, question),
            Carrier::TcpNew(resolver) => tcp(*resolver).and_then(|mut stream| by_tcp(&mut stream, question)),
        };
        let took = began.elapsed();
        let message = Message::decode(&answer.ok()?).expect("an answer that can be read");
        assert_eq!(message.addresses.len(), 1, "{message:?}");
        Some(took)
    }
}

fn udp(resolver: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if resolver.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(resolver)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

fn tcp(resolver: SocketAddr) -> io::Result<DnsStream> {
    TcpStream::connect_timeout(&resolver, PATIENCE).map(DnsStream::new)
}

/// Answers of earlier questions that were given up are passed over.
fn by_udp(socket: &UdpSocket, question: &[u8]) -> io::Result<Vec<u8>> {
    socket.send(question)?;
    let mut answer = vec![0; 512];
    loop {
        let length = socket.recv(&mut answer)?;
        if answer[..2] == question[..2] {
            answer.truncate(length);
            return Ok(answer);
        }
    }
}

fn by_tcp(stream: &mut DnsStream, question: &[u8]) -> io::Result<Vec<u8>> {
    stream.say(question)?;
    stream.hear()
}
