use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use super::client::banner;

/// An open connection to a banner server.
pub struct OpenFlow {
    stream: TcpStream,
    /// Where it ended up.
    pub server: IpAddr,
}

impl OpenFlow {
    pub fn new(stream: TcpStream) -> Self {
        let server = banner(&stream).unwrap();
        Self { stream, server }
    }

    /// Whether what is sent comes back.
    pub fn is_alive(&mut self) -> bool {
        self.exchange().is_some()
    }

    fn exchange(&mut self) -> Option<()> {
        self.stream.set_read_timeout(Some(Duration::from_secs(3))).ok()?;
        self.stream.write_all(b"still there?").ok()?;
        let mut buffer = [0; 12];
        self.stream.read_exact(&mut buffer).ok()?;
        (&buffer == b"still there?").then_some(())
    }
}
