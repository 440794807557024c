use std::io::IoSlice;
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use decider::kernel::Connection;
use decider::model::{Moment, Transport, Who};
use decider::who::Owners;

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::stage::{Caller, Group, LOOPBACKS, end, in_namespace, uid_of};

const NOW: Moment = Moment::from_secs(1000);

fn bash() -> String {
    let real = std::fs::canonicalize("/bin/bash").unwrap();
    real.to_str().unwrap().to_owned()
}

#[test]
fn users_processes_and_programs_are_told_apart() {
    in_namespace(|| {
        let mut owners = Owners::open(NOW).unwrap();
        for address in LOOPBACKS {
            let callers = [4711, 4712].map(|uid| (uid, Caller::start(uid, address)));
            for (uid, caller) in &callers {
                for told in [None, Some(*uid)] {
                    let who = owners.of(&caller.connection, told, NOW);
                    assert_eq!(who.uid, Some(*uid));
                    assert_eq!(who.pid, Some(caller.pid()));
                    assert_eq!(uid_of(caller.pid()), *uid);
                    assert_eq!(who.exe.as_deref(), Some(&*bash()));
                    assert!(who.cgroup.is_some());
                }
            }
        }
    });
}

#[test]
fn a_service_is_told_by_its_control_group() {
    in_namespace(|| {
        // As a service does: its process is in the group before it makes its sockets.
        let Some(group) = Group::new("web.service") else {
            println!("there are no control groups here that can be made: not tried");
            return;
        };
        let mut owners = Owners::open(NOW).unwrap();
        for address in LOOPBACKS {
            let server = TcpListener::bind((address, 0)).unwrap();
            let remote = server.local_addr().unwrap();
            let script = format!("read -r go && exec 3<>/dev/tcp/{address}/{} && read -r line <&3", remote.port());
            let mut process =
                Command::new("bash").args(["-c", &script]).stdin(std::process::Stdio::piped()).spawn().unwrap();
            group.take(process.id());
            std::io::Write::write_all(&mut process.stdin.take().unwrap(), b"go\n").unwrap();
            let (_accepted, local) = server.accept().unwrap();
            let who = owners.of(&Connection { transport: Transport::Tcp, local, remote }, None, NOW);
            process.kill().unwrap();
            process.wait().unwrap();
            assert_eq!(who.cgroup.as_deref(), Some(&*group.path));
            assert_eq!(who.pid, Some(process.id()));
        }
    });
}

#[test]
fn a_process_that_has_ended_is_nobody_even_if_another_has_its_port_now() {
    in_namespace(|| {
        let mut owners = Owners::open(NOW).unwrap();
        for address in LOOPBACKS {
            let mut caller = Caller::start(4711, address);
            let connection = caller.connection;
            assert_eq!(owners.of(&connection, Some(4711), NOW).pid, Some(caller.pid()));
            caller.end();
            let told = Who { uid: Some(4711), ..Who::default() };
            assert_eq!(owners.of(&connection, Some(4711), NOW), told);
            assert_eq!(owners.of(&connection, None, NOW), Who::default());
            // One that only listens on that port.
            let listener = TcpListener::bind(connection.local).or_else(|_| TcpListener::bind((address, 0))).unwrap();
            let listening = Connection { local: listener.local_addr().unwrap(), ..connection };
            assert_eq!(owners.of(&listening, Some(0), NOW), Who { uid: Some(0), ..Who::default() });
        }
    });
}

#[test]
fn a_socket_of_another_user_is_not_the_one_that_sent_the_packet() {
    in_namespace(|| {
        let mut owners = Owners::open(NOW).unwrap();
        for address in LOOPBACKS {
            let caller = Caller::start(4711, address);
            let told = Who { uid: Some(4999), ..Who::default() };
            assert_eq!(owners.of(&caller.connection, Some(4999), NOW), told);
        }
    });
}

#[test]
fn a_connection_of_both_families_in_one_socket_is_found() {
    in_namespace(|| {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let remote = server.local_addr().unwrap();
        let socket = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::STREAM, None).unwrap();
        let mapped = format!("[::ffff:127.0.0.1]:{}", remote.port()).parse::<std::net::SocketAddr>().unwrap();
        socket.connect(&mapped.into()).unwrap();
        let local = server.accept().unwrap().1;
        let mut owners = Owners::open(NOW).unwrap();
        let who = owners.of(&Connection { transport: Transport::Tcp, local, remote }, None, NOW);
        assert_eq!(who.pid, Some(std::process::id()));
    });
}

#[test]
fn who_sends_over_udp_is_found_connected_or_not() {
    in_namespace(|| {
        let mut owners = Owners::open(NOW).unwrap();
        for address in LOOPBACKS {
            let remote = end(address, 53);
            for connected in [true, false] {
                let socket = UdpSocket::bind((address, 0)).unwrap();
                if connected {
                    socket.connect(remote).unwrap();
                }
                let connection = Connection { transport: Transport::Udp, local: socket.local_addr().unwrap(), remote };
                let who = owners.of(&connection, None, NOW);
                assert_eq!((who.uid, who.pid), (Some(0), Some(std::process::id())), "{connection:?}");
            }
        }
    });
}

#[test]
fn a_flood_costs_no_more_than_its_budget_and_others_are_found_again_later() {
    in_namespace(|| {
        let mut owners = Owners::open(NOW).unwrap();
        for (address, hours) in LOOPBACKS.into_iter().zip([0, 2]) {
            let now = NOW.after(Duration::from_secs(hours * 3600));
            let caller = Caller::start(4711, address);
            // A socket that no process has open costs a look at every process, each time.
            let (_kept, nobodys) = under_way(address);
            let whose = owners.of(&nobodys, None, now);
            assert_eq!((whose.uid, whose.pid), (Some(0), None));
            assert!(owners.steps() > 10, "{} steps: it was not looked for", owners.steps());
            let before = owners.steps();
            for _ in 0..100_000 {
                owners.of(&nobodys, None, now);
            }
            assert!(owners.steps() - before <= 50_000, "{} steps", owners.steps() - before);
            assert_eq!(owners.of(&caller.connection, Some(4711), now), Who { uid: Some(4711), ..Who::default() });
            let later = now.after(Duration::from_secs(3600));
            assert_eq!(owners.of(&caller.connection, Some(4711), later).pid, Some(caller.pid()));
        }
    });
}

/// A connection whose socket is neither closed nor open anywhere: it has been sent to somebody who does not take it.
fn under_way(address: IpAddr) -> ((TcpListener, UnixStream), Connection) {
    let server = TcpListener::bind((address, 0)).unwrap();
    let remote = server.local_addr().unwrap();
    let socket = TcpStream::connect(remote).unwrap();
    let local = socket.local_addr().unwrap();
    let (sender, way) = UnixStream::pair().unwrap();
    let what = [socket.as_raw_fd()];
    let how = [ControlMessage::ScmRights(&what)];
    sendmsg::<()>(sender.as_raw_fd(), &[IoSlice::new(b"x")], &how, MsgFlags::empty(), None).unwrap();
    ((server, way), Connection { transport: Transport::Tcp, local, remote })
}

#[test]
fn all_connections_from_here_to_there_are_listed() {
    in_namespace(|| {
        let mut owners = Owners::open(NOW).unwrap();
        for address in LOOPBACKS {
            let caller = Caller::start(4711, address);
            let other = Caller::start(4712, address);
            let Connection { local, remote, .. } = caller.connection;
            let found = owners.connected(local.ip(), remote, NOW).unwrap();
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].0, found[0].1.uid, found[0].1.pid), (local.port(), Some(4711), Some(caller.pid())));
            assert_ne!(remote, other.connection.remote);
            assert!(owners.connected(end(local.ip(), 0).ip(), end(address, 1), NOW).unwrap().is_empty());
        }
    });
}
