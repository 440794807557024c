use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};
use std::time::Duration;

use socket2::{Protocol, Socket, Type};

use super::Site;
use super::site::{end, far, marks, plan, socket};
use crate::world::{Family, GATEWAY, Namespace, both, eventually};

/// Begins to connect, and waits for nothing.
fn begin(socket: &Socket, to: IpAddr) {
    socket.set_nonblocking(true).unwrap();
    // It is under way: EINPROGRESS.
    let _ = socket.connect(&end(to, 22));
}

fn ping_of(family: Family) -> (Protocol, &'static str, Vec<u8>) {
    match family {
        Family::V4 => (Protocol::ICMPV4, "icmp", vec![8, 0, 0, 0, 0, 1, 0, 1]),
        Family::V6 => (Protocol::ICMPV6, "ipv6-icmp", vec![128, 0, 0, 0, 0, 1, 0, 1]),
    }
}

/// By name, or by number where there are no names.
fn pings(site: &Site, family: Family) -> u64 {
    let (_, name, _) = ping_of(family);
    let number = if family == Family::V4 { "1" } else { "58" };
    site.arrived(name, far(family)) + site.arrived(number, far(family))
}

#[test]
fn what_begins_at_the_host_without_a_mark_stays_in() {
    let site = Site::held();
    site.host.sh("sysctl -qw net.ipv4.ping_group_range='0 2147483647'");
    both(|family| {
        let to = far(family);
        let syn = site.socket(family, Type::STREAM, None, 0);
        begin(&syn, to);
        let datagram = site.socket(family, Type::DGRAM, None, 0);
        // Sending succeeds: what becomes of a packet behind is not the socket's.
        let _ = datagram.send_to(b"x", &end(to, 53));
        let (protocol, _, echo) = ping_of(family);
        let ping = site.socket(family, Type::DGRAM, Some(protocol), 0);
        let _ = ping.send_to(&echo, &end(to, 0));
        // A mark of somebody else's, and those of decider's that never leave the host.
        for other in [marks().others(), marks().deny().0, marks().relay().0] {
            let datagram = site.socket(family, Type::DGRAM, None, other);
            let _ = datagram.send_to(b"x", &end(to, 53));
            begin(&site.socket(family, Type::STREAM, None, other), to);
        }
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(site.wire.to(to), [], "{family:?}");

        // The same gets out as soon as the backstop is gone: nothing else held it.
        site.ensure(false);
        let _ = datagram.send_to(b"x", &end(to, 53));
        let _ = ping.send_to(&echo, &end(to, 0));
        begin(&site.socket(family, Type::STREAM, None, 0), to);
        eventually("all three", || {
            (site.arrived("tcp", to) > 0 && site.arrived("udp", to) > 0 && pings(&site, family) > 0).then_some(())
        });
        site.ensure(true);
    });
}

#[test]
fn what_the_ruleset_let_through_goes_on() {
    let site = Site::held();
    both(|family| {
        let to = far(family);
        for mark in [marks().direct().0, marks().upstream().0, marks().direct().0 | marks().others()] {
            site.wire.forget();
            let datagram = site.socket(family, Type::DGRAM, None, mark);
            datagram.send_to(b"x", &end(to, 53)).unwrap();
            begin(&site.socket(family, Type::STREAM, None, mark), to);
            eventually("both", || (site.arrived("tcp", to) > 0 && site.arrived("udp", to) > 0).then_some(()));
        }
    });
}

#[test]
fn addresses_are_leased_and_renewed() {
    let site = Site::held();
    for (family, ports) in [(Family::V4, [67, 68]), (Family::V6, [546, 547])] {
        for (own, other) in [(ports[0], ports[1]), (ports[1], ports[0])] {
            site.wire.forget();
            let datagram = site.socket(family, Type::DGRAM, None, 0);
            datagram.bind(&end(GATEWAY.of(family), own)).unwrap();
            datagram.send_to(b"x", &end(far(family), other)).unwrap();
            eventually("the lease", || (site.arrived("udp", far(family)) > 0).then_some(()));
        }
        // That a server of it is meant is not enough.
        site.wire.forget();
        let datagram = site.socket(family, Type::DGRAM, None, 0);
        let _ = datagram.send_to(b"x", &end(far(family), ports[0]));
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(site.wire.to(far(family)), []);
    }
}

#[test]
fn an_administrators_session_from_outside_goes_on_and_a_new_one_can_begin() {
    let site = Site::new();
    both(|family| {
        site.ensure(false);
        let own = GATEWAY.of(family);
        let server = site.host.enter(|| TcpListener::bind((own, 22)).unwrap());
        let connect =
            || site.far.enter(|| std::net::TcpStream::connect_timeout(&(own, 22).into(), Duration::from_secs(5)));
        let mut before = connect().unwrap();
        let (mut session, _) = server.accept().unwrap();
        site.ensure(true);
        let mut after = connect().expect("no new session can begin");
        let (mut second, _) = server.accept().unwrap();
        for (outside, inside) in [(&mut before, &mut session), (&mut after, &mut second)] {
            let mut buffer = [0; 4];
            outside.write_all(b"ping").unwrap();
            inside.read_exact(&mut buffer).unwrap();
            inside.write_all(b"pong").unwrap();
            outside.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            outside.read_exact(&mut buffer).unwrap();
            assert_eq!(&buffer, b"pong");
        }
        // It ends as it should: with the host's FIN, and its reset of a port that nobody has.
        drop(second);
        assert_eq!(after.read(&mut [0; 4]).unwrap(), 0);
        drop(server);
        let refused = connect().unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        // And a connection that is broken off is broken off for the other side too.
        socket2::SockRef::from(&session).set_linger(Some(Duration::ZERO)).unwrap();
        drop(session);
        assert_eq!(before.read(&mut [0; 4]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_syn_that_waits_for_its_neighbour_stays_in_though_its_socket_is_closed() {
    let site = Site::held();
    // Nobody answers for the router's address yet.
    site.host.sh("ip route replace default via 192.0.2.77; ip -6 route replace default via 2001:db8:2::77");
    let wait = |family| {
        let socket = site.socket(family, Type::STREAM, None, 0);
        begin(&socket, far(family));
    };
    both(wait);
    site.far.sh("ip addr add 192.0.2.77/24 dev wan0; ip addr add 2001:db8:2::77/64 dev wan0");
    // The kernel asks for a neighbour once a second, and gives up after three.
    std::thread::sleep(Duration::from_millis(2500));
    both(|family| assert_eq!(site.wire.to(far(family)), []));

    // Without the backstop such a SYN gets out.
    site.ensure(false);
    site.far.sh("ip addr del 192.0.2.77/24 dev wan0; ip addr del 2001:db8:2::77/64 dev wan0");
    site.host.sh("ip neigh flush dev wan0; ip -6 neigh flush dev wan0");
    both(wait);
    site.far.sh("ip addr add 192.0.2.77/24 dev wan0; ip addr add 2001:db8:2::77/64 dev wan0");
    both(|family| eventually("the SYN", || (site.arrived("tcp", far(family)) > 0).then_some(())));
}

#[test]
fn what_the_host_forwards_for_others_is_not_its_own() {
    let site = Site::new();
    let client = Namespace::new();
    site.host.link("lan1", &client, "eth0");
    site.host.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
         ip addr add 10.77.1.1/24 dev lan1; ip addr add fd77:1::1/64 dev lan1");
    client.sh("ip addr add 10.77.1.2/24 dev eth0; ip addr add fd77:1::2/64 dev eth0
         ip route add default via 10.77.1.1; ip -6 route add default via fd77:1::1");
    bridged_and_routed(&site, &client);
}

#[test]
fn containers_on_a_bridge_to_the_outside_are_not_the_host() {
    let site = Site::new();
    let container = Namespace::new();
    site.host.link("port1", &container, "eth0");
    // The host's own address is the bridge's now.
    site.host.sh(
        "ip link add br0 type bridge; ip link set br0 up; ip link set wan0 master br0; ip link set port1 master br0
         ip addr flush dev wan0; ip addr add 192.0.2.1/24 dev br0; ip addr add 2001:db8:2::1/64 dev br0
         ip route replace default via 192.0.2.254; ip -6 route replace default via 2001:db8:2::fe",
    );
    container.sh("ip addr add 192.0.2.9/24 dev eth0; ip addr add 2001:db8:2::9/64 dev eth0
         ip route add default via 192.0.2.254; ip -6 route add default via 2001:db8:2::fe");
    bridged_and_routed(&site, &container);
    // On kernels that do not tell namespaces apart, too.
    site.ensure(false);
    site.with_backstop(async |backstop| {
        backstop.tells_namespaces = false;
        backstop.ensure(Some(&plan())).await.unwrap();
    });
    others_get_out_and_the_host_does_not(&site, &container);
}

#[test]
fn containers_on_a_macvlan_of_the_hosts_interface_are_not_the_host() {
    let site = Site::new();
    let container = Namespace::new();
    site.host.sh(&format!(
        "ip link add link wan0 name mv1 type macvlan mode bridge; ip link set mv1 netns {}",
        container.path()
    ));
    container.sh("ip link set mv1 up; ip addr add 192.0.2.9/24 dev mv1; ip addr add 2001:db8:2::9/64 dev mv1
         ip route add default via 192.0.2.254; ip -6 route add default via 2001:db8:2::fe");
    bridged_and_routed(&site, &container);
}

/// Others get out past the backstop, and the host itself does not.
fn bridged_and_routed(site: &Site, other: &Namespace) {
    site.ensure(true);
    site.far.sh("ip route add 10.77.0.0/16 via 192.0.2.1; ip -6 route add fd77::/16 via 2001:db8:2::1");
    others_get_out_and_the_host_does_not(site, other);
}

fn others_get_out_and_the_host_does_not(site: &Site, other: &Namespace) {
    site.wire.forget();
    both(|family| {
        let to = far(family);
        eventually("the other's packets", || {
            let datagram = socket(other, family, Type::DGRAM, None, 0);
            let _ = datagram.send_to(b"x", &end(to, 53));
            begin(&socket(other, family, Type::STREAM, None, 0), to);
            (site.arrived("tcp", to) > 0 && site.arrived("udp", to) > 0).then_some(())
        });
        let own = GATEWAY.of(family);
        let datagram = site.socket(family, Type::DGRAM, None, 0);
        let _ = datagram.send_to(b"x", &end(to, 53));
        begin(&site.socket(family, Type::STREAM, None, 0), to);
        std::thread::sleep(Duration::from_millis(200));
        assert!(!site.wire.to(to).iter().any(|flow| flow.from == own), "{:?}", site.wire.to(to));
    });
}

#[test]
fn what_comes_back_over_the_loopback_is_let_be() {
    let site = Site::held();
    both(|family| {
        let own = GATEWAY.of(family);
        let server = site.host.enter(|| TcpListener::bind((own, 2222)).unwrap());
        let to = server.local_addr().unwrap();
        site.host.enter(|| std::net::TcpStream::connect_timeout(&to, Duration::from_secs(5)).unwrap());
    });
}
