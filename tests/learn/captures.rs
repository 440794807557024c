//! `--pcap`: captures made byte for byte, of each family.

use crate::packets::{ACK, BOTH, Family, SYN, tcp};
use crate::played::{connect, end, ethernet, look_up};
use crate::stage::{Stage, rules, text};
use crate::written::{ETHERNET, Order, pcap};

/// A client looks github.com up and connects to it on two ports, then to a stranger.
fn session(family: Family) -> Stage {
    let client = |port| end(family.client(), port);
    let mut packets = look_up(0, family.client(), family, "github.com", family.github()).to_vec();
    packets.push(connect(10, client(40_000), end(family.github(), 22)));
    packets.push(connect(20, client(40_001), end(family.github(), 443)));
    packets.push(connect(30, client(40_002), end(family.stranger(), 22)));
    written(&packets)
}

fn written(packets: &[(u64, Vec<u8>)]) -> Stage {
    let stage = Stage::new();
    stage.write("a.pcap", pcap(Order::Little, false, ETHERNET, &ethernet(packets)));
    stage
}

fn learn(stage: &Stage, arguments: &[&str]) -> String {
    let output = stage.run(&[&["learn", "--pcap", "a.pcap"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

const RULES: [&str; 2] = ["{ domain: github.com, proto: ssh }", "{ domain: github.com, proto: tcp, port: 443 }"];

#[test]
fn a_capture_alone_says_who_answers_and_who_asks() {
    for family in BOTH {
        let proposed = learn(&session(family), &[]);
        assert_eq!(rules(&proposed), RULES);
        let resolvers =
            format!("# Those that answered: keep the ones that you trust.\n  resolvers: [\"{}\"]", family.resolver());
        assert!(proposed.contains(&resolvers), "{proposed}");
        assert!(proposed.contains(&format!("#   {} port 22: 1 time audited", family.stranger())), "{proposed}");
        let stage = session(family);
        stage.write("proposed.yaml", proposed);
        assert!(stage.run(&["check", "proposed.yaml"]).status.success());
    }
}

#[test]
fn resolvers_of_an_option_or_of_a_policy_count_and_no_others() {
    for family in BOTH {
        let stage = session(family);
        let resolver = family.resolver().to_string();
        assert_eq!(rules(&learn(&stage, &["--resolver", &resolver])), RULES);
        let output = stage.run(&["learn", "--pcap", "a.pcap", "--resolver", "192.0.2.53"]);
        assert_eq!((output.status.code(), rules(&text(&output.stdout)).len()), (Some(1), 0));
        // The policy lets nothing through, not even a question; what the client meant is learned nevertheless.
        let policy = format!(
            "version: 1\nintercept: {{ gateway: {{ interfaces: [lan0] }} }}\n\
            dns: {{ resolvers: [\"{resolver}\"], queries: policy }}\nrules: []\n"
        );
        stage.write("policy.yaml", policy);
        let diff = learn(&stage, &["--merge", "policy.yaml"]);
        assert!(RULES.iter().all(|rule| diff.contains(&format!("+  - {rule}\n"))), "{diff}");
        assert_eq!(
            rules(&learn(&stage, &["--policy", "policy.yaml", "--client", &family.client().to_string()])),
            RULES
        );
    }
}

#[test]
fn a_name_at_a_private_address_is_no_rule_unless_the_policy_believes_it() {
    for (family, address) in BOTH.into_iter().zip(["10.9.9.9", "fd99::9"]) {
        let address = address.parse().unwrap();
        let mut packets = look_up(0, family.client(), family, "intern.example", address).to_vec();
        packets.push(connect(10, end(family.client(), 40_000), end(address, 5432)));
        let stage = written(&packets);
        let output = stage.run(&["learn", "--pcap", "a.pcap", "--json"]);
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["left_out"][0]["why"], "private-address", "{answer}");
        assert_eq!(answer["left_out"][0]["domain"], "intern.example");
        let policy = format!(
            "version: 1\nintercept: {{ gateway: {{ interfaces: [lan0] }} }}\n\
            dns: {{ resolvers: [\"{}\"], allow_private: true }}\nrules: []\n",
            family.resolver()
        );
        stage.write("policy.yaml", policy);
        let proposed = learn(&stage, &["--policy", "policy.yaml"]);
        assert_eq!(rules(&proposed), ["{ domain: intern.example, proto: tcp, port: 5432 }"]);
    }
}

#[test]
fn a_resolver_over_tcp_is_found_and_one_of_the_loopback_is_none() {
    for family in BOTH {
        let resolver = end(family.resolver(), 53);
        let answers = (0, tcp(resolver, end(family.client(), 5000), SYN | ACK, 1, b""));
        let stage = written(&[answers]);
        let output = stage.run(&["learn", "--pcap", "a.pcap"]);
        assert!(
            text(&output.stdout).contains(&format!("resolvers: [\"{}\"]", family.resolver())),
            "{}",
            text(&output.stdout)
        );
        let loopback = end(if family == Family::V4 { "127.0.0.53" } else { "::1" }.parse().unwrap(), 53);
        let stage = written(&[(0, tcp(loopback, loopback, SYN | ACK, 1, b""))]);
        assert!(text(&stage.run(&["learn", "--pcap", "a.pcap"]).stdout).contains("resolvers: [192.0.2.53]"));
    }
}

#[test]
fn a_file_that_is_no_capture_is_an_error() {
    let stage = Stage::new();
    stage.write("a.pcap", "rubbish");
    let output = stage.run(&["learn", "--pcap", "a.pcap"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    assert!(text(&output.stderr).contains("it is no capture"), "{}", text(&output.stderr));
}
