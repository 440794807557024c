use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
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
        let listener = namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).unwrap());
        listener.set_nonblocking(true).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || accept(&listener, &flag));
        Self { stop, thread: Some(thread) }
    }
}

fn accept(listener: &TcpListener, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => drop(thread::spawn(move || serve(stream))),
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Whatever fails here is the client's to notice.
fn serve(mut stream: TcpStream) -> Option<()> {
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

impl Drop for BannerServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
