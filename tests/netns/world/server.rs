use std::io::{Read, Write};
use std::net::{Ipv6Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Namespace;

/// A server on one port of every address of a namespace. It says first which address was reached, then echoes.
pub struct BannerServer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl BannerServer {
    pub fn start(namespace: &Namespace, port: u16) -> Self {
        Self::serving(namespace, port, echo)
    }

    /// The same as a page of HTTP, which ends the connection.
    pub fn start_pages(namespace: &Namespace, port: u16) -> Self {
        Self::serving(namespace, port, page)
    }

    fn serving(namespace: &Namespace, port: u16, serve: Serve) -> Self {
        let listener = namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).unwrap());
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || accept(&listener, &flag, serve));
        Self { stop, thread: Some(thread) }
    }
}

/// Whatever fails here is the client's to notice.
type Serve = fn(TcpStream) -> Option<()>;

fn accept(listener: &TcpListener, stop: &AtomicBool, serve: Serve) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => drop(thread::spawn(move || serve(stream))),
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn echo(mut stream: TcpStream) -> Option<()> {
    stream.set_nonblocking(false).ok()?;
    let local = stream.local_addr().ok()?;
    writeln!(stream, "{} {}", local.ip().to_canonical(), local.port()).ok()?;
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).ok()? {
            0 => return None,
            length => stream.write_all(&buffer[..length]).ok()?,
        }
    }
}

/// What the client has to say does not matter.
fn page(mut stream: TcpStream) -> Option<()> {
    stream.set_nonblocking(false).ok()?;
    let body = format!("{}\n", stream.local_addr().ok()?.ip().to_canonical());
    write!(stream, "HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    stream.read_to_end(&mut Vec::new()).ok().map(drop)
}

impl Drop for BannerServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
