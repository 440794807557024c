use std::net::SocketAddr;
use std::thread;

use socket2::{Domain, Socket, Type};

use crate::world::Namespace;

/// A server that takes connections and lets go of them, for as long as the program runs.
pub struct Sink;

impl Sink {
    pub fn start(namespace: &Namespace, address: SocketAddr) -> Self {
        let listener = namespace.enter(|| {
            let listener = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
            listener.set_reuse_address(true).unwrap();
            listener.bind(&address.into()).unwrap();
            listener.listen(4_096).unwrap();
            listener
        });
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                drop(stream);
            }
        });
        Self
    }
}
