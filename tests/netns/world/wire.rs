use std::net::IpAddr;

use serde_json::Value;

use super::Namespace;

/// Counts every packet that comes into a namespace, by source, destination, protocol and port: nothing that arrives is
/// missed, however fast it comes, and whatever becomes of it behind.
pub struct Wire {
    namespace: Namespace,
}

/// Packets of one kind that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    pub from: IpAddr,
    pub to: IpAddr,
    pub proto: String,
    /// Destination port; 0 where the protocol has none.
    pub port: u16,
    pub packets: u64,
}

/// In front of everything that could take a packet away.
const TABLE: &str = r#"
table inet wire {
  set ports4 { type ipv4_addr . ipv4_addr . inet_proto . inet_service; size 500000; flags dynamic; counter; }
  set ports6 { type ipv6_addr . ipv6_addr . inet_proto . inet_service; size 500000; flags dynamic; counter; }
  set others4 { type ipv4_addr . ipv4_addr . inet_proto; flags dynamic; counter; }
  set others6 { type ipv6_addr . ipv6_addr . inet_proto; flags dynamic; counter; }
  counter missed { }
  chain seen {
    type filter hook prerouting priority -450;
    iifname "lo" accept
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, mld-listener-report, mld2-listener-report, mld-listener-done } accept
    meta nfproto ipv4 meta l4proto { tcp, udp } add @ports4 { ip saddr . ip daddr . meta l4proto . th dport } accept
    meta nfproto ipv6 meta l4proto { tcp, udp } add @ports6 { ip6 saddr . ip6 daddr . meta l4proto . th dport } accept
    meta nfproto ipv4 add @others4 { ip saddr . ip daddr . meta l4proto } accept
    meta nfproto ipv6 add @others6 { ip6 saddr . ip6 daddr . meta l4proto } accept
    counter name missed
  }
}
"#;

impl Wire {
    /// Watches from now on.
    pub fn watch(namespace: &Namespace) -> Self {
        namespace.sh(&format!("nft -f - <<'END'\n{TABLE}\nEND"));
        Self { namespace: namespace.clone() }
    }

    /// All that came so far.
    pub fn seen(&self) -> Vec<Flow> {
        let text = self.namespace.sh("nft -j list table inet wire");
        let listing: Value = serde_json::from_str(&text).unwrap();
        let items = listing["nftables"].as_array().unwrap();
        let missed = items.iter().find_map(|item| item.get("counter")).unwrap();
        assert_eq!(missed["packets"], 0, "the wire is too small for what came");
        let elements = items.iter().filter_map(|item| item["set"]["elem"].as_array()).flatten();
        elements.map(|element| flow(&element["elem"])).collect()
    }

    /// All but questions to the trusted resolver, which clients and Envoy may ask.
    pub fn beside_questions(&self) -> Vec<Flow> {
        let is_question =
            |flow: &Flow| flow.proto == "udp" && flow.port == 53 && super::RESOLVER.both().contains(&flow.to);
        self.seen().into_iter().filter(|flow| !is_question(flow)).collect()
    }

    /// Packets that came for an address, whoever sent them, but for questions to the trusted resolver.
    pub fn to(&self, address: IpAddr) -> Vec<Flow> {
        self.beside_questions().into_iter().filter(|flow| flow.to == address).collect()
    }

    /// Packets that came from a client itself, but for questions to the trusted resolver.
    pub fn leaked(&self) -> Vec<Flow> {
        let is_client = |address: IpAddr| match address {
            IpAddr::V4(address) => address.octets()[..2] == [10, 77],
            IpAddr::V6(address) => address.segments()[0] & 0xff00 == 0xfd00,
        };
        self.beside_questions().into_iter().filter(|flow| is_client(flow.from)).collect()
    }

    /// Forgets what came so far.
    pub fn forget(&self) {
        for set in ["ports4", "ports6", "others4", "others6"] {
            self.namespace.sh(&format!("nft flush set inet wire {set}"));
        }
    }
}

fn flow(element: &Value) -> Flow {
    let parts = element["val"]["concat"].as_array().unwrap();
    let address = |index: usize| parts[index].as_str().unwrap().parse().unwrap();
    Flow {
        from: address(0),
        to: address(1),
        proto: protocol(&parts[2]),
        port: parts.get(3).and_then(Value::as_u64).unwrap_or(0).try_into().unwrap(),
        packets: element["counter"]["packets"].as_u64().unwrap(),
    }
}

/// A protocol's name. nft writes its number where there is no /etc/protocols, as on a minimal installation.
fn protocol(written: &Value) -> String {
    let written = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
    match written.as_str() {
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        _ => written,
    }
}
