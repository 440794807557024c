use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::net::{TcpListener, TcpStream};

use crate::clock;
use crate::model::{Mark, OtherNames, Reason, Transport, Verdict};
use crate::queue::{DnsGuard, Shared, fault, panic_message};
use crate::record::{PathTaken, Record, Throttle, Told};

use super::counters::RelayCounters;
use super::exchange::End;
use super::listeners::Listeners;
use super::session::{carry, reset};

/// How long nothing is accepted after the system had no connection to give, for lack of files or memory.
const PAUSE: Duration = Duration::from_millis(50);

/// How soon a relay that ended is started again.
const RESTART_PAUSE: Duration = Duration::from_millis(500);

/// DNS, over TCP as over UDP.
const DNS_PORT: u16 = 53;

/// Serves in a thread of its own for ever: when something breaks it is closed, and soon begun anew.
///
/// # Errors
/// If the system gives no thread.
pub fn spawn(mut listeners: Listeners, shared: Arc<Shared>, counters: Arc<RelayCounters>) -> io::Result<()> {
    let server = Arc::new(Server { guard: Arc::new(DnsGuard::new(Arc::clone(&shared))), shared, counters });
    thread::Builder::new().name("relay".to_owned()).spawn(move || {
        let mut ends = Throttle::default();
        loop {
            let place = listeners.address();
            server.counters.set_up(true);
            // The runtime ends in there, and with it every socket.
            let outcome = catch_unwind(AssertUnwindSafe(|| run(listeners, &server)));
            server.counters.set_up(false);
            let error = outcome.map_or_else(|panic| panic_message(panic.as_ref()), |error| error.to_string());
            let told = ends.fails(&error, clock::now());
            if let Some(Told { left_out }) = told {
                tracing::error!(
                    error,
                    left_out,
                    "the relay for DNS over TCP ended: it is closed until it is started again"
                );
            }
            ends.works();
            listeners = bind_again(place);
            if told.is_some() {
                tracing::warn!("the relay for DNS over TCP was started again");
            }
        }
    })?;
    Ok(())
}

/// Tries until it has the listeners.
fn bind_again((v4, port): (Ipv4Addr, u16)) -> Listeners {
    let mut failures = Throttle::default();
    loop {
        thread::sleep(RESTART_PAUSE);
        match Listeners::bind(v4, port) {
            Ok(listeners) => return listeners,
            Err(error) => {
                if let Some(Told { left_out }) = failures.fails(&error.to_string(), clock::now()) {
                    tracing::error!(%error, left_out, "the relay for DNS over TCP cannot be started again");
                }
            }
        }
    }
}

fn run(listeners: Listeners, server: &Arc<Server>) -> io::Error {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return error,
    };
    runtime.block_on(async {
        let listeners: io::Result<Vec<TcpListener>> =
            listeners.into_sockets().into_iter().map(TcpListener::from_std).collect();
        match listeners {
            Ok(listeners) => select_all(listeners.iter().map(|listener| Box::pin(server.accept(listener)))).await.0,
            Err(error) => error,
        }
    })
}

struct Server {
    guard: Arc<DnsGuard>,
    shared: Arc<Shared>,
    counters: Arc<RelayCounters>,
}

impl Server {
    /// Accepts for ever.
    async fn accept(self: &Arc<Self>, listener: &TcpListener) -> io::Error {
        let mut failures = Throttle::default();
        loop {
            match listener.accept().await {
                Ok((stream, client)) => {
                    failures.works();
                    self.take(stream, client);
                }
                Err(error) => {
                    if let Some(Told { left_out }) = failures.fails(&error.to_string(), clock::now()) {
                        tracing::warn!(%error, left_out, "a connection for DNS over TCP could not be accepted");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Gives a connection a place and a task, or resets it.
    fn take(self: &Arc<Self>, stream: TcpStream, client: SocketAddr) {
        fault::on_connection(client.port());
        let meant = stream.local_addr().ok().filter(|&meant| self.is_trusted(meant));
        let Some(resolver) = meant else {
            // Whoever means the relay itself is answered nothing.
            self.counters.strangers.add(1);
            return reset(&stream);
        };
        self.counters.connections.add(1);
        let Some(place) = self.counters.places.take(client.ip()) else {
            self.counters.overload.add(1);
            self.report_overload(client, resolver);
            return reset(&stream);
        };
        let server = Arc::clone(self);
        let mark = self.shared.published.load().policy.spec().marks.direct();
        tokio::spawn(async move {
            let end = carry(Arc::clone(&server.guard), stream, (client, resolver), mark).await;
            server.count(end);
            drop(place);
        });
    }

    /// Whether it is a resolver's address. Only the kernel's redirection makes a connection with such a local one.
    fn is_trusted(&self, address: SocketAddr) -> bool {
        address.port() == DNS_PORT && self.shared.published.load().policy.spec().dns.resolvers.contains(&address.ip())
    }

    fn count(&self, end: End) {
        match end {
            End::Over => {}
            End::Refused => self.counters.refused.add(1),
            End::ClientFailed => self.counters.client_failed.add(1),
            End::ResolverFailed => self.counters.resolver_failed.add(1),
        }
    }

    /// Also in audit mode it is refused: there is no place for it.
    fn report_overload(&self, client: SocketAddr, resolver: SocketAddr) {
        self.shared.report(Record {
            at: clock::now(),
            verdict: Verdict::Deny,
            reason: Reason::Overload,
            rule: None,
            domain: None,
            also: OtherNames::new(),
            client,
            dst: resolver,
            transport: Transport::Tcp,
            mark: Mark(0),
            in_interface: 0,
            uid: None,
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        });
    }
}
