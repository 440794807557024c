use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::family::Pair;
use super::{Family, Message, Namespace, Question, RESOLVER, patiently};

/// A machine behind the gateway.
#[derive(Clone)]
pub struct Client {
    pub namespace: Namespace,
    pub addresses: Pair,
}

/// Longer than any refusal or connection takes, shorter than a lost SYN's second try but one.
const PATIENCE: Duration = Duration::from_secs(4);
/// What a refusal may take: the kernel sends a SYN without an answer again after a second.
const AT_ONCE: Duration = Duration::from_millis(900);

impl Client {
    pub fn address(&self, family: Family) -> IpAddr {
        self.addresses.of(family)
    }

    /// Waits until its own IPv6 address is in use, and not the one of the link in its place.
    pub fn settle(&self) {
        let [own, way] = [self.address(Family::V6), super::STRANGER.of(Family::V6)];
        let words = format!("src {own} ");
        super::eventually("the client's address", || {
            self.namespace.sh(&format!("ip -6 route get {way}")).contains(&words).then_some(())
        });
    }

    /// Asks the trusted resolver, over that family, for addresses of that family.
    pub fn look_up(&self, name: &str, family: Family) -> Vec<IpAddr> {
        let answer = self.ask(RESOLVER.of(family), name, family);
        answer.unwrap_or_else(|| panic!("no answer about {name}")).addresses
    }

    /// Asks a resolver; none if no answer comes within a second, three times.
    pub fn ask(&self, resolver: IpAddr, name: &str, family: Family) -> Option<Message> {
        self.namespace.enter(|| {
            // A stub of its own hears only what comes from the machine itself.
            let own = if resolver.is_loopback() { resolver } else { self.address(Family::of(resolver)) };
            let socket = UdpSocket::bind((own, 0)).unwrap();
            socket.set_read_timeout(Some(patiently(Duration::from_secs(1)))).unwrap();
            (0..3).find_map(|id| ask(&socket, resolver, id, &Question::new(name, family)).ok())
        })
    }

    pub fn connect(&self, address: IpAddr, port: u16) -> io::Result<TcpStream> {
        self.namespace.enter(|| TcpStream::connect_timeout(&SocketAddr::new(address, port), patiently(PATIENCE)))
    }

    /// Connects and says which address answers in the end. That may be one of the other family: where Envoy asks for the
    /// name, it asks for both, and takes what answers first.
    pub fn reach(&self, address: IpAddr, port: u16) -> io::Result<IpAddr> {
        banner(&self.connect(address, port)?)
    }

    /// Looks a name up and connects to it: which address answers in the end.
    pub fn reach_name(&self, name: &str, family: Family, port: u16) -> io::Result<IpAddr> {
        self.reach(self.look_up(name, family)[0], port)
    }

    /// Looks a name up and connects to what it is told, again and again; all have to be reached. Returns where it was.
    pub fn visit_all(&self, name: &str, family: Family, port: u16, times: usize) -> Vec<IpAddr> {
        let resolver = RESOLVER.of(family);
        let visit = |(socket, id): (&UdpSocket, usize)| {
            let id = u16::try_from(id % 65_536).unwrap();
            let address = ask(socket, resolver, id, &Question::new(name, family)).unwrap().addresses[0];
            let stream = TcpStream::connect_timeout(&SocketAddr::new(address, port), patiently(PATIENCE));
            drop(stream.unwrap_or_else(|error| panic!("visit {id} to {address}: {error}")));
            address
        };
        self.namespace.enter(|| {
            let socket = UdpSocket::bind((self.address(family), 0)).unwrap();
            socket.set_read_timeout(Some(patiently(PATIENCE))).unwrap();
            (0..times).map(|id| visit((&socket, id))).collect()
        })
    }

    /// Sees that a connection is refused at once. The quickest of three counts: the machine may be busy.
    pub fn is_refused(&self, address: IpAddr, port: u16) {
        let mut quickest = Duration::MAX;
        for _ in 0..3 {
            let began = Instant::now();
            let error = self.connect(address, port).expect_err("a stranger was reached");
            quickest = quickest.min(began.elapsed());
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused, "{address} port {port}");
        }
        assert!(quickest < patiently(AT_ONCE), "{address} port {port}: refused after {quickest:?}");
    }

    /// Sees that no connection comes about, whatever the error, and does not wait long for it.
    pub fn is_shut_out(&self, address: IpAddr, port: u16) {
        let to = SocketAddr::new(address, port);
        let result = self.namespace.enter(|| TcpStream::connect_timeout(&to, Duration::from_millis(300)));
        assert!(result.is_err(), "{to} was reached");
    }
}

/// Which address a banner server says was reached.
pub fn banner(stream: &TcpStream) -> io::Result<IpAddr> {
    stream.set_read_timeout(Some(patiently(PATIENCE)))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let address = line.split(' ').next().unwrap_or_default();
    address.parse().map_err(|_| io::Error::other(format!("no banner but {line:?}")))
}

fn ask(socket: &UdpSocket, resolver: IpAddr, id: u16, question: &Question) -> io::Result<Message> {
    socket.send_to(&Message::query(id, question.clone()).encode(), (resolver, 53))?;
    let mut buffer = [0; 4096];
    let (length, _) = socket.recv_from(&mut buffer)?;
    Message::decode(&buffer[..length]).ok_or_else(|| io::Error::other("not an answer"))
}
