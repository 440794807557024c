//! Connections are ended by their sockets here.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::time::Duration;

use decider::kernel::{Cutter, SocketEnds};

use crate::{in_namespace, sh};

fn connection(host: IpAddr) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((host, 0)).unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    for stream in [&near, &far] {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    }
    (near, far)
}

fn ends(stream: &TcpStream) -> SocketEnds {
    SocketEnds { local: stream.local_addr().unwrap(), remote: stream.peer_addr().unwrap() }
}

#[test]
fn both_sides_hear_of_a_reset_and_others_hear_nothing() {
    in_namespace(|| {
        let cutter = Cutter::open().unwrap();
        for host in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let (mut near, mut far) = connection(host);
            let (other, _far) = connection(host);
            nix::sys::socket::setsockopt(&near, nix::sys::socket::sockopt::Mark, &0x300).unwrap();
            assert_eq!(cutter.mark_of(ends(&near)).unwrap(), Some(0x300));
            assert_eq!(cutter.mark_of(ends(&other)).unwrap(), Some(0));
            cutter.reset(&[ends(&near)]).unwrap();
            let error = far.read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            assert_eq!(near.read(&mut [0]).unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
            // What is gone cannot be cut again, and that is no error; nor does it go to whoever listens there.
            assert_eq!(cutter.mark_of(ends_of_nobody(&other)).unwrap(), None);
            cutter.reset(&[ends_of_nobody(&other), ends_of_nobody(&other)]).unwrap();
            other.set_nonblocking(true).unwrap();
            assert_eq!((&other).read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    });
}

/// The same with another port on the other side.
fn ends_of_nobody(stream: &TcpStream) -> SocketEnds {
    let mut ends = ends(stream);
    ends.remote.set_port(1);
    ends
}

#[test]
fn tracked_connections_are_forgotten() {
    in_namespace(|| {
        sh("nft 'add table inet t; add chain inet t o { type filter hook output priority 0; };
            add rule inet t o ct state new,established ct mark set 7'");
        let cutter = Cutter::open().unwrap();
        for host in [IpAddr::V4(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()] {
            let (near, _far) = connection(host);
            let family = if host.is_ipv4() { "ipv4" } else { "ipv6" };
            let tracked = || sh(&format!("conntrack -L -f {family} -p tcp --mark 7 2>/dev/null"));
            assert!(tracked().contains(&format!("sport={}", near.local_addr().unwrap().port())), "{}", tracked());
            cutter.forget(near.local_addr().unwrap(), near.peer_addr().unwrap()).unwrap();
            assert_eq!(tracked(), "");
            // What is not known cannot be forgotten, and that is no error.
            cutter.forget(near.local_addr().unwrap(), near.peer_addr().unwrap()).unwrap();
        }
    });
}
