use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::world::Namespace;

/// Takes connections and lets go of them, for as long as the program runs.
pub struct Listener;

/// What it does with a connection before that.
#[derive(Clone, Copy)]
pub enum Manner {
    /// Nothing. It is there to take the place of Envoy: it takes connections to any address, as they are led to it.
    InPlaceOfEnvoy,
    /// It says something.
    Server,
}

impl Listener {
    pub fn start(namespace: &Namespace, address: SocketAddr, manner: Manner) -> Self {
        let listener = namespace.enter(|| listen(address));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                match manner {
                    Manner::InPlaceOfEnvoy => drop(stream),
                    // The client may be gone.
                    Manner::Server => drop(TcpStream::from(stream).write_all(b"!")),
                }
            }
        });
        Self
    }
}

fn listen(address: SocketAddr) -> Socket {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM.cloexec(), None).unwrap();
    listener.set_reuse_address(true).unwrap();
    match address {
        SocketAddr::V4(_) => listener.set_ip_transparent_v4(true).unwrap(),
        SocketAddr::V6(_) => {
            listener.set_only_v6(true).unwrap();
            listener.set_ip_transparent_v6(true).unwrap();
        }
    }
    listener.bind(&address.into()).unwrap();
    listener.listen(4_096).unwrap();
    listener
}
