use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::{sleep, timeout};

use crate::{PATIENCE, Place, Running, in_namespace, sh};

/// All on one host: a client, a resolver, two servers, and addresses that nobody has, which the client connects to.
const WORLD: &str = "
    for address in 198.51.100.1 198.51.100.53 192.0.2.10 192.0.2.20; do ip address add $address/32 dev lo; done
    for address in 2001:db8::1 2001:db8::53 2001:db8:2::10 2001:db8:2::20; do
        ip address add $address/128 dev lo nodad
    done
    ip route add 203.0.113.0/24 dev lo
    ip -6 route add 2001:db8:3::/64 dev lo
    for family in -4 -6; do
        ip $family rule add fwmark 1 lookup 100
        ip $family route add local default dev lo table 100
    done
    nft -f - <<'EOF'
    table inet world {
        counter marked4 { }
        counter marked6 { }
        counter unmarked { }
        map listeners4 { type ipv4_addr : inet_service; elements = { 203.0.113.10 : 15100, 203.0.113.20 : 15101 } }
        map listeners6 { type ipv6_addr : inet_service; elements = { 2001:db8:3::10 : 15100, 2001:db8:3::20 : 15101 } }
        chain send {
            type route hook output priority mangle
            ip daddr 203.0.113.0/24 meta mark set 1
            ip6 daddr 2001:db8:3::/64 meta mark set 1
        }
        chain seen {
            type filter hook output priority filter
            tcp flags & (syn | ack) != syn accept
            meta mark 0x300 ip daddr 192.0.2.0/24 counter name marked4 accept
            meta mark 0x300 ip6 daddr 2001:db8:2::/64 counter name marked6 accept
            ip daddr 192.0.2.0/24 counter name unmarked
            ip6 daddr 2001:db8:2::/64 counter name unmarked
        }
        chain arrive {
            type filter hook prerouting priority mangle
            meta mark 1 meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:ip daddr map @listeners4 accept
            meta mark 1 meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:ip6 daddr map @listeners6 accept
        }
    }
EOF
";

/// Those that both rules' names are at.
const SERVERS: [&str; 4] = ["192.0.2.10", "192.0.2.20", "2001:db8:2::10", "2001:db8:2::20"];

/// A process that ends with the test.
struct Helper(Child);

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn resolver() -> Helper {
    let dnsmasq = Command::new("dnsmasq")
        .args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user=root"])
        .args(["--no-resolv", "--no-hosts", "--bind-interfaces"])
        .args(["--listen-address=198.51.100.53", "--listen-address=2001:db8::53"])
        .arg("--host-record=github.com,192.0.2.10,2001:db8:2::10,60")
        .arg("--host-record=gitlab.com,192.0.2.20,2001:db8:2::20,60")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Helper(dnsmasq)
}

/// A server that greets with its own address.
pub async fn server(address: &str, port: u16) {
    let listener = TcpListener::bind((address, port)).await.unwrap();
    let greeting = address.to_owned();
    tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            connection.write_all(greeting.as_bytes()).await.unwrap();
        }
    });
}

/// Everything that is said on a connection to this address.
pub async fn greeting(from: &str, to: &str, port: u16) -> String {
    let (from, to): (IpAddr, IpAddr) = (from.parse().unwrap(), to.parse().unwrap());
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
    socket.bind((from, 0).into()).unwrap();
    let exchange = async {
        let mut connection = socket.connect(SocketAddr::new(to, port)).await.unwrap();
        let mut said = String::new();
        // A reset is silence too.
        let _ = connection.read_to_string(&mut said).await;
        said
    };
    timeout(PATIENCE, exchange).await.unwrap()
}

/// A server at each of these addresses, and the resolver that knows them, until it is dropped.
async fn internet(servers: &[&str]) -> Helper {
    sh(WORLD);
    for address in servers {
        server(address, 22).await;
    }
    resolver()
}

/// Envoy with all of its listeners up.
pub async fn serving(place: &Place) -> Running {
    let mut running = place.start().await;
    running.until_ready(&place.policy).await;
    running
}

pub fn counter(name: &str) -> u64 {
    let listed = sh(&format!("nft list counter inet world {name}"));
    let (_, packets) = listed.split_once("packets ").unwrap();
    packets.split(' ').next().unwrap().parse().unwrap()
}

pub async fn access_log(place: &Place, lines: usize) -> Vec<Value> {
    let read = async {
        loop {
            let text = std::fs::read_to_string(place.config_dir().join("access.log")).unwrap_or_default();
            if text.lines().count() >= lines {
                return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            }
            sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, read).await.unwrap()
}

#[test]
fn a_flow_goes_by_its_rules_listener_to_where_the_rules_name_is_now_in_its_own_family() {
    in_namespace(|| async {
        let _resolver = internet(&SERVERS).await;
        let place = Place::new();
        let running = serving(&place).await;
        let client = |to: &str| if to.contains(':') { "2001:db8::1" } else { "198.51.100.1" };
        for (to, expected) in [
            ("203.0.113.10", "192.0.2.10"),
            ("203.0.113.20", "192.0.2.20"),
            ("2001:db8:3::10", "2001:db8:2::10"),
            ("2001:db8:3::20", "2001:db8:2::20"),
        ] {
            assert_eq!(greeting(client(to), to, 22).await, expected, "{to}");
        }
        assert_eq!((counter("marked4"), counter("marked6"), counter("unmarked")), (2, 2, 0));
        let lines = access_log(&place, 8).await;
        assert_eq!(lines.len(), 8, "{lines:#?}");
        // Listeners write when it suits them, so the order says nothing.
        for (dst, rule, upstream, client) in [
            ("203.0.113.10:22", "github.com:22/ssh", "192.0.2.10:22", "198.51.100.1:"),
            ("203.0.113.20:22", "a%b", "192.0.2.20:22", "198.51.100.1:"),
            ("[2001:db8:3::10]:22", "github.com:22/ssh", "[2001:db8:2::10]:22", "[2001:db8::1]:"),
            ("[2001:db8:3::20]:22", "a%b", "[2001:db8:2::20]:22", "[2001:db8::1]:"),
        ] {
            let end = lines.iter().find(|line| line["dst"] == dst && line["kind"] == "TcpConnectionEnd").unwrap();
            assert_eq!((&end["rule"], &end["upstream"]), (&rule.into(), &upstream.into()), "{end:#}");
            assert!(end["client"].as_str().unwrap().starts_with(client), "{end:#}");
            // The greeting is the server's address without its port.
            let greeting = upstream.trim_end_matches(":22").trim_matches(['[', ']']);
            assert_eq!(end["bytes_to_client"], greeting.len(), "{end:#}");
        }
        running.supervisor.stop().await;
    });
}

#[test]
fn a_listener_serves_nobody_who_meant_the_listener_itself_or_another_port() {
    in_namespace(|| async {
        let _resolver = internet(&["192.0.2.10", "2001:db8:2::10"]).await;
        let place = Place::new();
        let running = serving(&place).await;
        for (from, to, port) in [
            ("127.0.0.1", "127.0.0.1", 15100),
            ("::1", "::1", 15100),
            ("198.51.100.1", "203.0.113.10", 23),
            ("2001:db8::1", "2001:db8:3::10", 23),
        ] {
            assert_eq!(greeting(from, to, port).await, "", "{to} {port}");
        }
        assert_eq!((counter("marked4"), counter("marked6"), counter("unmarked")), (0, 0, 0));
        // The way itself is open.
        assert_eq!(greeting("198.51.100.1", "203.0.113.10", 22).await, "192.0.2.10");
        running.supervisor.stop().await;
    });
}

#[test]
fn only_the_policys_resolvers_are_asked_and_not_the_hosts_own_files() {
    in_namespace(|| async {
        let _resolver = internet(&SERVERS).await;
        let place = Place::new();
        let hosts = place.directory.path().join("hosts");
        std::fs::write(&hosts, "192.0.2.20 github.com\n2001:db8:2::20 github.com\n").unwrap();
        sh(&format!("mount --bind {} /etc/hosts", hosts.display()));
        let running = serving(&place).await;
        assert_eq!(greeting("198.51.100.1", "203.0.113.10", 22).await, "192.0.2.10");
        assert_eq!(greeting("2001:db8::1", "2001:db8:3::10", 22).await, "2001:db8:2::10");
        running.supervisor.stop().await;
    });
}
