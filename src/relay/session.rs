use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use socket2::SockRef;
use tokio::net::{TcpSocket, TcpStream};

use crate::clock;
use crate::dns::{Pending, PendingLimits};
use crate::model::{Mark, Transport};
use crate::queue::{DnsGuard, Ends, Passage};

use super::exchange::{End, Inspect, exchange};
use super::limits::{ANSWER, OUTSTANDING};

/// A connection and the questions of its own that wait for answers.
struct Session<'a> {
    guard: &'a DnsGuard,
    pending: Mutex<Pending>,
    ends: Ends,
}

impl Inspect for Session<'_> {
    fn question(&self, message: &[u8]) -> Passage {
        self.guard.question(&self.pending, &self.ends, message, clock::now())
    }

    fn answer(&self, message: &[u8]) -> Passage {
        self.guard.answer(&self.pending, &self.ends, message, clock::now())
    }
}

/// Carries a client's connection to a resolver to its end, and closes it.
///
/// The connection to the resolver has a mark, by which the ruleset knows it where this host's own processes are covered.
pub async fn carry(
    guard: Arc<DnsGuard>,
    mut stream: TcpStream,
    (client, resolver): (SocketAddr, SocketAddr),
    mark: Mark,
) -> End {
    let ends = Ends { client, resolver, transport: Transport::Tcp, in_interface: 0, uid: None };
    let session = Session { guard: &guard, pending: Mutex::new(outstanding()), ends };
    // Answers are not to wait for each other.
    let _ = stream.set_nodelay(true);
    let connect = async {
        let socket = match resolver {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        SockRef::from(&socket).set_mark(mark.0)?;
        let stream = socket.connect(resolver).await?;
        let _ = stream.set_nodelay(true);
        Ok(stream.into_split())
    };
    let end = exchange(stream.split(), connect, &session).await;
    match end {
        End::Over => {}
        End::Refused | End::ClientFailed | End::ResolverFailed => reset(&stream),
    }
    end
}

/// Room for the questions of one connection. A late answer is that of a slow resolver: it does not end the connection with
/// all that else is under way.
#[must_use]
pub fn outstanding() -> Pending {
    Pending::new(PendingLimits { capacity: OUTSTANDING, per_client: OUTSTANDING, window: ANSWER })
}

/// Makes the end of a connection, when it is dropped, a reset.
pub fn reset(stream: &TcpStream) {
    // If this fails the connection is closed as any other.
    let _ = SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
}
