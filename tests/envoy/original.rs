//! `upstream: original`: Envoy connects to the address that the client meant, and to no other.

use decider::envoy::{Families, Host, render};
use decider::policy::Policy;
use serde_json::{Value, json};

use crate::flow::{access_log, counter, greeting, server};
use crate::render::find_nothing_wrong;
use crate::{Place, in_namespace, sh, start};

/// A client and servers on one host. What the client sends goes to the first listener; what Envoy sends does not.
const WORLD: &str = "
    for address in 198.51.100.1 203.0.113.10 203.0.113.20; do ip address add $address/32 dev lo; done
    for address in 2001:db8::1 2001:db8:3::10 2001:db8:3::20; do ip address add $address/128 dev lo nodad; done
    for family in -4 -6; do
        ip $family rule add fwmark 1 lookup 100
        ip $family route add local default dev lo table 100
    done
    nft -f - <<'EOF'
    table inet world {
        counter marked { }
        counter strangers { }
        chain send {
            type route hook output priority mangle
            meta mark 0 ip saddr 198.51.100.1 ip daddr 203.0.113.0/24 meta mark set 1
            meta mark 0 ip6 saddr 2001:db8::1 ip6 daddr 2001:db8:3::/64 meta mark set 1
        }
        chain seen {
            type filter hook output priority filter
            tcp flags & (syn | ack) != syn accept
            meta mark 0x300 counter name marked accept
            meta mark != 1 ip daddr 203.0.113.0/24 counter name strangers
            meta mark != 1 ip6 daddr 2001:db8:3::/64 counter name strangers
        }
        chain arrive {
            type filter hook prerouting priority mangle
            meta mark 1 meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:15100 accept
            meta mark 1 meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:15100 accept
        }
    }
EOF
";

const SERVERS: [&str; 4] = ["203.0.113.10", "203.0.113.20", "2001:db8:3::10", "2001:db8:3::20"];

/// Rules for many names and for one, the first with a port that is its listener's too.
fn with_wildcard(place: &Place) -> Policy {
    place.with_rules(
        "rules:
  - { domain: \"*.example.com\", proto: tcp, port: [22, 15100] }
  - { domain: brokers.example.com, proto: tcp, port: 9092, upstream: original }
",
    )
}

#[test]
fn its_clusters_have_no_name_but_the_mark_as_all_have() {
    let files = render(&with_wildcard(&Place::new()), Host::default());
    let clusters = files.cds.file();
    let clusters = clusters["resources"].as_array().unwrap();
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster["name"].as_str().unwrap()).collect();
    assert_eq!(
        names[..2],
        [
            "*.example.com:22,15100/tcp 22 V4 original *.example.com",
            "*.example.com:22,15100/tcp 22 V6 original *.example.com"
        ]
    );
    assert_eq!(names.len(), 6);
    for cluster in clusters {
        assert_eq!((&cluster["type"], &cluster["lb_policy"]), (&json!("ORIGINAL_DST"), &json!("CLUSTER_PROVIDED")));
        for absent in ["cluster_type", "load_assignment", "original_dst_lb_config"] {
            assert_eq!(cluster[absent], Value::Null, "{absent}");
        }
        let option = &cluster["upstream_bind_config"]["socket_options"][0];
        assert_eq!((&option["level"], &option["name"], &option["int_value"]), (&json!(1), &json!(36), &json!(0x300)));
    }
    let listener = &files.lds.file()["resources"][0];
    assert_eq!(
        (&listener["name"], &listener["stat_prefix"]),
        (&json!("*.example.com:22,15100/tcp"), &listener["name"])
    );
    let proxy = &listener["filter_chains"][0]["filters"][0]["typed_config"];
    assert_eq!(proxy["cluster"], names[0]);
    let format = &proxy["access_log"][0]["typed_config"]["log_format"]["json_format"];
    assert_eq!(format["domain"], "*.example.com");
}

#[test]
fn envoy_itself_finds_nothing_wrong() {
    let place = Place::new();
    for families in [Families::Both, Families::V4Only] {
        find_nothing_wrong(&place, &with_wildcard(&place), families);
    }
}

#[test]
fn each_connection_goes_to_the_address_and_port_that_its_client_meant() {
    in_namespace(|| async {
        sh(WORLD);
        for address in SERVERS {
            for port in [22, 23, 15100] {
                server(address, port).await;
            }
        }
        let place = Place::new();
        let policy = with_wildcard(&place);
        // There is no resolver: nothing has to be looked up for such rules to be ready.
        let mut running = start(&policy).await;
        running.until_ready(&policy).await;
        let client = |to: &str| if to.contains(':') { "2001:db8::1" } else { "198.51.100.1" };
        for to in SERVERS {
            for port in [22, 15100] {
                assert_eq!(greeting(client(to), to, port).await, to, "port {port}");
            }
        }
        assert_eq!((counter("marked"), counter("strangers")), (8, 0));
        let lines = access_log(&place, 16).await;
        for to in SERVERS {
            let dst = if to.contains(':') { format!("[{to}]:22") } else { format!("{to}:22") };
            let end = lines.iter().find(|line| line["dst"] == dst && line["kind"] == "TcpConnectionEnd").unwrap();
            assert_eq!((&end["upstream"], &end["domain"]), (&dst.into(), &"*.example.com".into()), "{end:#}");
        }
        // Another port, and the listener itself, whose port the rule has too: Envoy connects to nothing.
        for to in SERVERS {
            assert_eq!(greeting(client(to), to, 23).await, "", "{to}");
        }
        for itself in ["127.0.0.1", "::1"] {
            assert_eq!(greeting(itself, itself, 15100).await, "", "{itself}");
        }
        assert_eq!((counter("marked"), counter("strangers")), (8, 0));
        running.supervisor.stop().await;
    });
}
