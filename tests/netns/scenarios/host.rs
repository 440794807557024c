//! The gateway's own processes, where the policy covers them.

use std::net::UdpSocket;
use std::process::Output;

use super::over_tcp::honest;
use crate::world::{
    BannerServer, Client, Covered, DATABASE, DnsStream, ENVOY_USER, Family, GATEWAY, GATEWAY_INSIDE, GITHUB, GITLAB,
    OTHER_RESOLVER, OpenFlow, Question, RESOLVER, STRANGER, Setup, World, both, listener_connections,
};

fn start() -> World {
    Setup { covered: Covered::Host, ..Setup::default() }.start()
}

#[test]
fn each_name_is_reached_through_its_own_listener_and_strangers_are_not() {
    let world = start();
    let host = world.gateway.as_client();
    both(|family| {
        for (name, address) in [("github.com", GITHUB), ("gitlab.com", GITLAB), ("github.com", GITHUB)] {
            assert!(address.both().contains(&host.reach_name(name, family, 22).unwrap()));
            let event = world.gateway.event(address.of(family), 22, "allowed");
            assert_eq!(event["client"], GATEWAY.of(family).to_string());
            assert_eq!(event["domain"], name);
        }
        host.is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
        host.is_refused(GITHUB.of(family), 8022);
        world.gateway.event(GITHUB.of(family), 8022, "port-not-allowed");
        assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
    });
    let connections = listener_connections(&world.gateway);
    assert_eq!((connections["github.com"], connections["gitlab.com"]), (4, 2));
    world.gateway.adds_up();
}

/// A shell command on the gateway as a user, with capabilities such as `+net_raw`; bash knows `/dev/tcp`.
fn run_as(world: &World, user: u32, capabilities: &str, script: &str) -> Output {
    let line = format!(
        "exec setpriv --reuid={user} --regid={user} --clear-groups --inh-caps={capabilities} \
         --ambient-caps={capabilities} -- {script}"
    );
    world.gateway.namespace.try_sh(&line)
}

/// Not a user of any machine, and not Envoy's.
const SOMEBODY: u32 = 64_333;

#[test]
fn whoever_runs_it_the_same_rules_count() {
    let world = start();
    let host = world.gateway.as_client();
    both(|family| {
        let github = host.look_up("github.com", family)[0];
        for user in [0, SOMEBODY] {
            let connect =
                |to, port| format!("timeout 4 bash -c 'exec 3<>/dev/tcp/{to}/{port}; read line <&3; echo $line'");
            let told = run_as(&world, user, "-all", &connect(github, 22));
            assert!(String::from_utf8_lossy(&told.stdout).starts_with(&github.to_string()), "{told:?}");
            for port in [22, 8022] {
                let told = run_as(&world, user, "-all", &connect(STRANGER.of(family), port));
                assert!(String::from_utf8_lossy(&told.stderr).contains("Connection refused"), "{told:?}");
            }
        }
        assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
    });
}

#[test]
fn what_stays_here_and_who_comes_in_is_not_looked_at() {
    let world = start();
    let host = world.gateway.as_client();
    let _servers = [22, 7777].map(|port| BannerServer::start(&world.gateway.namespace, port));
    let outside = Client { namespace: world.internet.namespace.clone(), addresses: STRANGER };
    let near = Client { namespace: world.clients[0].namespace.clone(), addresses: world.clients[0].addresses };
    both(|family| {
        let loopback = family.loopback();
        for port in [22, 7777] {
            assert_eq!(host.reach(loopback, port).unwrap(), loopback);
            assert_eq!(host.reach(GATEWAY.of(family), port).unwrap(), GATEWAY.of(family));
            assert_eq!(outside.reach(GATEWAY.of(family), port).unwrap(), GATEWAY.of(family));
            // No client's connections are covered here.
            assert_eq!(near.reach(GATEWAY_INSIDE.of(family), port).unwrap(), GATEWAY_INSIDE.of(family));
        }
        near.reach(STRANGER.of(family), 22).unwrap();
        // Nobody listens: that is said, and not swallowed.
        outside.is_refused(GATEWAY.of(family), 9);
    });
}

#[test]
fn a_connection_from_outside_that_is_older_than_decider_goes_on_and_one_to_outside_does_not() {
    let mut world = Setup { covered: Covered::Host, ..Setup::default() }.build();
    let _server = BannerServer::start(&world.gateway.namespace, 22);
    let outside = Client { namespace: world.internet.namespace.clone(), addresses: STRANGER };
    let mut inward = Family::BOTH.map(|family| OpenFlow::new(outside.connect(GATEWAY.of(family), 22).unwrap()));
    let host = world.gateway.as_client();
    let mut outward = Family::BOTH.map(|family| OpenFlow::new(host.connect(GITHUB.of(family), 22).unwrap()));
    world.gateway.start();
    assert!(inward.iter_mut().all(OpenFlow::is_alive));
    assert!(!outward.iter_mut().any(OpenFlow::is_alive));
    world.gateway.end_by(nix::sys::signal::Signal::SIGKILL);
    world.gateway.start();
    assert!(inward.iter_mut().all(OpenFlow::is_alive));
}

#[test]
fn dns_goes_to_the_trusted_resolver_alone_over_udp_and_tcp() {
    let world = start();
    let resolver = honest(&world);
    let host = world.gateway.as_client();
    both(|family| {
        let mut stream = DnsStream::open(&host, RESOLVER.of(family)).unwrap();
        let told = stream.look_up(1, Question::new("gitlab.com", family));
        assert_eq!(told.addresses, [GITLAB.of(family)]);
        assert!(GITLAB.both().contains(&host.reach(GITLAB.of(family), 22).unwrap()));

        assert!(host.ask(OTHER_RESOLVER.of(family), "github.com", family).is_none());
        world.gateway.event(OTHER_RESOLVER.of(family), 53, "resolver-not-trusted");
        host.is_refused(OTHER_RESOLVER.of(family), 53);
        host.is_refused(RESOLVER.of(family), 853);
        world.gateway.event(RESOLVER.of(family), 853, "encrypted-dns");
        assert_eq!(world.internet.wire.to(OTHER_RESOLVER.of(family)), []);
    });
    assert!(resolver.connections().iter().all(|from| GATEWAY.both().contains(&from.ip())));
    world.gateway.adds_up();
}

#[test]
fn no_other_protocol_gets_out() {
    let world = start();
    both(|family| {
        let socket = world.gateway.namespace.enter(|| UdpSocket::bind((GATEWAY.of(family), 0)).unwrap());
        // The refusal of the first is told with the second.
        for _ in 0..3 {
            let _ = socket.send_to(b"out", (STRANGER.of(family), 9999));
        }
        let event = world.gateway.event(STRANGER.of(family), 9999, "proto-not-allowed");
        assert_eq!(event["client"], GATEWAY.of(family).to_string());
        let ping = format!("ping {} -c 1 -W 1 {}", family.flag(), STRANGER.of(family));
        assert!(!world.gateway.namespace.try_sh(&ping).status.success());
        assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
    });
}

/// Connects with a mark (`SO_MARK`, 36) on the socket: address, port, mark.
const MARKED: &str = r#"
use Socket qw(:DEFAULT :addrinfo IPPROTO_TCP);
my ($error, $place) = getaddrinfo($ARGV[0], $ARGV[1], { flags => AI_NUMERICHOST, socktype => SOCK_STREAM });
die $error if $error;
socket(my $socket, $place->{family}, SOCK_STREAM, IPPROTO_TCP) or die "socket: $!";
setsockopt($socket, SOL_SOCKET, 36, pack("L", hex $ARGV[2])) or die "setsockopt: $!";
alarm 3;
connect($socket, $place->{addr}) or die "connect: $!";
print scalar <$socket>;
"#;

#[test]
fn nobody_can_borrow_a_mark() {
    let world = start();
    let mask = decider::model::MarkMask::default();
    let rule = world.gateway.json(&["rules"])[0]["mark"].as_str().unwrap().to_owned();
    let marks = [mask.deny(), mask.direct(), mask.upstream(), mask.relay()].map(|mark| mark.to_string());
    let script = world.gateway.path("marked.pl");
    std::fs::write(&script, MARKED).unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    both(|family| {
        for mark in marks.iter().chain([&rule]) {
            for user in [0, SOMEBODY] {
                for port in [22, 8022, 53] {
                    let line = format!("/usr/bin/perl {} {} {port} {mark}", script.display(), STRANGER.of(family));
                    let capabilities = "+net_raw,+net_admin";
                    let told = run_as(&world, user, capabilities, &line);
                    let words = String::from_utf8_lossy(&told.stderr).into_owned();
                    assert!(!told.status.success(), "{mark} lets user {user} out");
                    assert!(!words.contains("not permitted"), "the mark was not set: {words}");
                }
            }
        }
        assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
        // For Envoy's user it is the way out.
        let line = format!("/usr/bin/perl {} {} 22 {}", script.display(), DATABASE.of(family), mask.upstream());
        let told = run_as(&world, ENVOY_USER, "+net_admin", &line);
        assert!(told.status.success(), "{told:?}");
    });
}

#[test]
fn clients_and_the_host_are_covered_side_by_side() {
    let world = Setup { covered: Covered::All, ..Setup::default() }.start();
    let host = world.gateway.as_client();
    both(|family| {
        for client in [&host, &world.clients[0]] {
            for (name, address) in [("github.com", GITHUB), ("gitlab.com", GITLAB)] {
                assert!(address.both().contains(&client.reach_name(name, family, 22).unwrap()));
            }
            client.is_refused(STRANGER.of(family), 22);
        }
        // What the host asked for counts for its clients too, as `shared` has it.
        let database = host.look_up("db.example.com", family)[0];
        assert_eq!(world.clients[1].reach(database, 5432).unwrap(), database);
        assert_eq!(world.internet.wire.to(STRANGER.of(family)), []);
    });
    assert_eq!(world.internet.wire.leaked(), []);
    world.gateway.adds_up();
}

#[test]
fn audit_refuses_nothing_and_tells_what_it_would_have() {
    let world = Setup { covered: Covered::Host, top: "mode: audit", ..Setup::default() }.start();
    let host = world.gateway.as_client();
    both(|family| {
        let stranger = STRANGER.of(family);
        for (port, reason) in [(22, "no-observation"), (8022, "port-not-allowed")] {
            assert_eq!(host.reach(stranger, port).unwrap(), stranger);
            assert_eq!(world.gateway.event(stranger, port, reason)["verdict"], "audit");
        }
        assert!(host.ask(OTHER_RESOLVER.of(family), "github.com", family).is_some());
        world.gateway.event(OTHER_RESOLVER.of(family), 53, "resolver-not-trusted");
        // What a rule allows goes by its listener.
        assert!(GITHUB.both().contains(&host.reach_name("github.com", family, 22).unwrap()));
        // It came from the host itself, or from Envoy, with one address.
        let from: Vec<_> = world.internet.wire.seen().into_iter().map(|flow| flow.from).collect();
        assert!(from.iter().all(|from| *from == GATEWAY.of(Family::of(*from))), "{from:?}");
    });
    assert_eq!(listener_connections(&world.gateway)["github.com"], 2);
    world.gateway.adds_up();
}

#[test]
fn explain_says_the_same_of_this_hosts_own_connections() {
    let world = start();
    let host = world.gateway.as_client();
    let verdict = |client: &str, to: &str, port: &str| {
        let told = world.gateway.json(&["explain", "--client", client, "--dst", to, "--port", port]);
        (told["verdict"].as_str().unwrap().to_owned(), told["reason"].as_str().unwrap().to_owned())
    };
    both(|family| {
        let github = host.look_up("github.com", family)[0].to_string();
        let (here, stranger) = (GATEWAY.of(family).to_string(), STRANGER.of(family).to_string());
        let client = world.clients[0].address(family).to_string();
        for (from, to, port, expected) in [
            (&here, &github, "22", ("allow", "allowed")),
            (&here, &stranger, "22", ("deny", "no-observation")),
            (&here, &here, "22", ("allow", "not-intercepted")),
            (&client, &stranger, "22", ("allow", "not-intercepted")),
        ] {
            let (verdict, reason) = verdict(from, to, port);
            assert_eq!((&*verdict, &*reason), expected, "{from} to {to}");
        }
    });
    let cache = String::from_utf8(world.gateway.cli(&["cache"]).stdout).unwrap();
    assert!(cache.contains("this host"), "{cache}");
}
