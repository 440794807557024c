//! The door of a gateway whose own processes are covered, while other programs take away what holds it.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::world::{
    Covered, Family, GATEWAY, GITHUB, OpenFlow, Pusher, RESOLVER, STRANGER, Setup, World, both, eventually,
    kernel_state,
};

fn setup() -> Setup {
    Setup { covered: Covered::Host, ..Setup::default() }
}

fn nothing_got_out(world: &World) {
    both(|family| assert_eq!(world.internet.wire.to(STRANGER.of(family)), []));
}

fn works_by_policy(world: &World) {
    let host = world.gateway.as_client();
    both(|family| {
        assert!(GITHUB.both().contains(&host.reach_name("github.com", family, 22).unwrap()));
        host.is_refused(STRANGER.of(family), 22);
    });
}

/// A session that an administrator has on the gateway from outside.
struct Session {
    outside: TcpStream,
    inside: TcpStream,
}

impl Session {
    fn begin(world: &World, family: Family) -> Self {
        let own = GATEWAY.of(family);
        let server = world.gateway.namespace.enter(|| TcpListener::bind((own, 2222)).unwrap());
        let connect = || TcpStream::connect_timeout(&(own, 2222).into(), Duration::from_secs(5)).unwrap();
        let outside = world.internet.namespace.enter(connect);
        Self { outside, inside: server.accept().unwrap().0 }
    }

    fn is_alive(&mut self) {
        use std::io::{Read, Write};
        let mut buffer = [0; 4];
        self.outside.write_all(b"ping").unwrap();
        self.inside.read_exact(&mut buffer).unwrap();
        self.inside.write_all(b"pong").unwrap();
        self.outside.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        self.outside.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"pong");
    }
}

#[test]
fn a_flush_opens_it_for_no_moment_whether_decider_lives_or_not() {
    let mut world = setup().start();
    works_by_policy(&world);
    let host = world.gateway.as_client();
    let mut sessions = Family::BOTH.map(|family| Session::begin(&world, family));
    let mut flow = OpenFlow::new(host.connect(host.look_up("github.com", Family::V4)[0], 22).unwrap());
    let pusher = Pusher::start(&world.gateway.namespace);
    pusher.pushes(200);
    for _ in 0..10 {
        world.gateway.namespace.sh("nft flush ruleset");
        pusher.pushes(200);
    }
    nothing_got_out(&world);
    // What is dropped as it leaves fails at once, so a question is not asked for a second each time.
    both(|family| _ = eventually("the ruleset", || host.ask(RESOLVER.of(family), "github.com", family)));
    works_by_policy(&world);
    assert!(flow.is_alive());
    sessions.iter_mut().for_each(Session::is_alive);

    world.gateway.end_by(Signal::SIGKILL);
    world.gateway.namespace.sh("nft flush ruleset");
    pusher.pushes(2000);
    nothing_got_out(&world);
    sessions.iter_mut().for_each(Session::is_alive);
    both(|family| host.is_shut_out(GITHUB.of(family), 22));
    drop(pusher);
    world.gateway.start();
    works_by_policy(&world);
    nothing_got_out(&world);
}

/// How long there was between the first datagram that came and the last.
fn open_for(receiver: &UdpSocket) -> Duration {
    receiver.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    receiver.recv(&mut [0; 16]).unwrap();
    let first = Instant::now();
    let mut last = first;
    receiver.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    while receiver.recv(&mut [0; 16]).is_ok() {
        last = Instant::now();
    }
    last - first
}

#[test]
fn without_ebpf_it_says_so_and_the_door_is_closed_again_soon() {
    let mut world = setup().build();
    world.gateway.wrapper = ["setpriv", "--bounding-set=-bpf,-sys_admin"].map(str::to_owned).to_vec();
    world.gateway.launch();
    world.gateway.wait_until_degraded("backstop");
    let status = world.gateway.status();
    let problem = status["problems"].as_array().unwrap().iter().find(|problem| problem["what"] == "backstop").unwrap();
    assert!(problem["message"].as_str().unwrap().contains("eBPF"), "{problem}");
    eventually("Envoy", || (world.gateway.status()["listeners_ready"] == status["listeners"]).then_some(()));
    works_by_policy(&world);
    let stranger = world.internet.namespace.enter(|| UdpSocket::bind((STRANGER.of(Family::V4), 9)).unwrap());
    let pusher = Pusher::start(&world.gateway.namespace);
    pusher.pushes(200);
    nothing_got_out(&world);
    world.gateway.namespace.sh("nft flush ruleset");
    // For docs/performance.md; it is no test of the time.
    println!("without the backstop decider had the door closed again after {:?}", open_for(&stranger));
    eventually("a repair", || (world.gateway.status()["heal"]["ruleset"].as_u64().unwrap() > 0).then_some(()));
    // What got out before that shows that the other tests' silence means something.
    both(|family| assert_ne!(world.internet.wire.to(STRANGER.of(family)), []));
    world.internet.wire.forget();
    pusher.pushes(200);
    nothing_got_out(&world);
}

#[test]
fn a_backstop_that_is_taken_away_is_put_back_and_new_interfaces_have_it() {
    let world = setup().start();
    let shown = |interface: &str| world.gateway.namespace.sh(&format!("tc filter show dev {interface} egress"));
    assert!(shown("wan0").contains("decider-backstop"));
    world.gateway.namespace.sh("tc qdisc del dev wan0 clsact");
    eventually("a repair", || (world.gateway.status()["heal"]["backstop"] == 1).then_some(()));
    assert!(shown("wan0").contains("decider-backstop"));
    world.gateway.namespace.sh("ip link add new0 type veth peer name new1");
    eventually("the backstop of a new interface", || {
        (shown("new0").contains("decider-backstop") && shown("new1").contains("decider-backstop")).then_some(())
    });
    assert_eq!(world.gateway.status()["heal"]["backstop"], 1);
    eventually("the older qdisc, before decider has put back its own", || {
        let script = "tc qdisc del dev new0 clsact; tc qdisc add dev new0 ingress";
        world.gateway.namespace.try_sh(script).status.success().then_some(())
    });
    world.gateway.wait_until_degraded("backstop");
    world.gateway.namespace.sh("tc qdisc del dev new0 ingress");
    world.gateway.wait_until_ready();
    works_by_policy(&world);
}

#[test]
fn down_and_audit_mode_leave_none() {
    let mut world = setup().build();
    let before = kernel_state(&world.gateway.namespace);
    world.gateway.start();
    works_by_policy(&world);
    world.gateway.down();
    before.is_unchanged(&world.gateway.namespace);

    world.gateway.start();
    world.gateway.end_by(Signal::SIGTERM);
    let shown = || world.gateway.namespace.sh("tc filter show dev wan0 egress");
    assert!(shown().contains("decider-backstop"));
    let policy = std::fs::read_to_string(world.gateway.path("policy.yaml")).unwrap();
    world.gateway.write_policy(&policy.replace("version: 1\n", "version: 1\nmode: audit\n"));
    world.gateway.start();
    assert!(!world.gateway.namespace.sh("tc filter show dev wan0 egress").contains("decider"));
    let host = world.gateway.as_client();
    both(|family| assert_eq!(host.reach(STRANGER.of(family), 22).unwrap(), STRANGER.of(family)));
}

#[test]
fn a_flush_after_the_lockdown_of_the_boot_opens_nothing() {
    let mut world = setup().build();
    let policy = world.gateway.path("policy.yaml").display().to_string();
    let output = world.gateway.cli(&["lockdown", &policy]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pusher = Pusher::start(&world.gateway.namespace);
    pusher.pushes(200);
    // As the configuration of Debian's nftables.service begins.
    world.gateway.namespace.sh("nft flush ruleset");
    pusher.pushes(1000);
    world.gateway.start();
    pusher.pushes(200);
    drop(pusher);
    nothing_got_out(&world);
    works_by_policy(&world);
}

#[test]
fn what_the_host_answers_over_udp_goes_out() {
    let world = setup().start();
    let outside = &world.internet.namespace;
    both(|family| {
        let own = GATEWAY.of(family);
        let server = world.gateway.namespace.enter(|| UdpSocket::bind((own, 5000)).unwrap());
        let client = outside.enter(|| UdpSocket::bind((STRANGER.of(family), 5001)).unwrap());
        for socket in [&server, &client] {
            socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        }
        client.send_to(b"question", (own, 5000)).unwrap();
        let (_, from) = server.recv_from(&mut [0; 16]).unwrap();
        assert_eq!(from, (STRANGER.of(family), 5001).into());
        server.send_to(b"answer", from).unwrap();
        assert_eq!(client.recv_from(&mut [0; 16]).unwrap().1, (own, 5000).into());
    });
}

#[test]
fn a_reload_that_changes_the_mode_takes_the_backstop_along() {
    let mut world = setup().build();
    let enforce = std::fs::read_to_string(world.gateway.path("policy.yaml")).unwrap();
    let audit = enforce.replace("version: 1\n", "version: 1\nmode: audit\n");
    world.gateway.write_policy(&audit);
    world.gateway.start();
    let is_held = || world.gateway.namespace.sh("tc filter show dev wan0 egress").contains("decider-backstop");
    assert!(!is_held());
    for (policy, held) in [(&enforce, true), (&audit, false), (&enforce, true)] {
        world.gateway.write_policy(policy);
        let output = world.gateway.cli(&["reload"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        eventually("the backstop of that mode", || (is_held() == held).then_some(()));
        world.gateway.wait_until_ready();
    }
    works_by_policy(&world);
}
