use decider::kernel::{Features, Local, Nft, QueueNumbers, QueueStatement, Ruleset, refusal_counters};

use crate::{POLICY, in_namespace, policy, sh};

pub const QUEUES: QueueNumbers = QueueNumbers { syn: 5300..=5301, dns: 5302..=5302 };

pub fn plan(text: &str) -> Ruleset {
    Ruleset::plan(&policy(text), &QUEUES, Features::probe().unwrap(), 5300, &Local::default())
}

#[test]
fn what_is_applied_is_what_is_listed() {
    in_namespace(|| {
        let nft = Nft::apply(&plan(POLICY)).unwrap();
        assert_eq!(nft.difference().unwrap(), None);
        assert_eq!(refusal_counters().unwrap()["port-not-allowed"], 0);
        // Applying it again replaces it.
        let again = Nft::apply(nft.ruleset()).unwrap();
        assert_eq!(nft.difference().unwrap(), None);
        assert_eq!(again.difference().unwrap(), None);
    });
}

#[test]
fn every_kind_of_policy_is_taken_by_the_kernel() {
    let variants = [
        POLICY.to_owned(),
        format!("fast_path: true\n{POLICY}"),
        format!("fast_path: true\nmarks: {{ mask: \"0xffffffff\" }}\n{POLICY}"),
        format!("mode: audit\n{POLICY}"),
        format!("deny: drop\n{POLICY}"),
        format!("marks: {{ mask: \"0xffffffff\" }}\n{POLICY}"),
        format!("marks: {{ mask: \"0x0000000f\" }}\n{POLICY}"),
        format!("marks: {{ mask: \"0x80000111\" }}\n{POLICY}"),
        POLICY.replace("[10.77.1.0/24, \"fd77:1::/64\"]", "[10.77.1.0/24]"),
        POLICY.replace("[10.77.1.0/24, \"fd77:1::/64\"]", "[\"fd77:1::/64\"]"),
        POLICY.replace("[10.77.2.53, \"fd77:2::53\"]", "[10.77.2.53]"),
        POLICY.replace("  resolvers", "  allow_private: true\n  resolvers"),
        format!("{}rules: []\n", POLICY.split("rules:").next().unwrap()),
    ];
    in_namespace(|| {
        for variant in &variants {
            let applied = Nft::apply(&plan(variant));
            assert!(applied.is_ok(), "{variant}\n{}", applied.unwrap_err());
        }
    });
}

/// Minimal installations have no `/etc/protocols`, from which nft takes the names that are no words of its own.
#[test]
fn no_name_of_a_protocol_needs_the_systems_list() {
    in_namespace(|| {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
        sh("mount --make-rprivate /");
        sh("if [ -e /etc/protocols ]; then mount --bind /dev/null /etc/protocols; fi");
        for variant in [POLICY.to_owned(), format!("mode: audit\n{POLICY}"), format!("deny: drop\n{POLICY}")] {
            let applied = Nft::apply(&plan(&variant));
            assert!(applied.is_ok(), "{}", applied.unwrap_err());
        }
    });
}

#[test]
fn the_native_statement_is_well_formed() {
    let features = Features { queueing: QueueStatement::Native, owned_tables: true };
    let native = Ruleset::plan(&policy(POLICY), &QUEUES, features, 5300, &Local::default()).to_string();
    assert!(native.contains("\t\tqueue num 5300-5301\n"), "{native}");
    assert!(native.contains("\t\tqueue num 5302\n"), "{native}");
}

#[test]
fn every_edit_is_a_difference() {
    let edits = [
        ("nft flush ruleset", "the table was deleted"),
        ("nft delete table inet decider", "the table was deleted"),
        ("nft flush chain inet decider deliver_client", "rule"),
        ("nft flush chain inet decider to_syn_queue", "rule"),
        ("nft add rule inet decider decide accept", "new"),
        ("nft insert rule inet decider from_client accept", "new"),
        ("nft add element inet decider ports '{ 80 }'", "ports"),
        ("nft delete element inet decider ports '{ 22 }'", "ports"),
        ("nft add element inet decider resolvers4 '{ 192.0.2.1 }'", "resolvers4"),
        ("nft flush map inet decider listeners", "listeners"),
        ("nft add chain inet decider mine", "new"),
    ];
    in_namespace(|| {
        for (edit, words) in edits {
            let nft = Nft::apply(&plan(POLICY)).unwrap();
            sh(edit);
            let difference = nft.difference().unwrap().unwrap_or_default();
            assert!(difference.contains(words), "{edit}: {difference:?}");
        }
        // Somebody else's table is none of our business.
        let nft = Nft::apply(&plan(POLICY)).unwrap();
        sh("nft add table inet other");
        assert_eq!(nft.difference().unwrap(), None);
    });
}

#[test]
fn a_refused_ruleset_changes_nothing() {
    in_namespace(|| {
        let nft = Nft::apply(&plan(POLICY)).unwrap();
        let mut broken = nft.ruleset().clone();
        broken.table.chain("broken", None, vec!["jump nowhere".to_owned()]);
        let error = Nft::apply(&broken).unwrap_err().to_string();
        assert!(error.contains("nowhere"), "{error}");
        assert_eq!(nft.difference().unwrap(), None);
    });
}

/// All that a policy can change, each to each: what comes of it step by step is what comes of it at once.
#[test]
fn one_ruleset_becomes_the_other_in_one_transaction() {
    let variants = [
        POLICY.to_owned(),
        POLICY.replace("port: [5432, 5433]", "port: 5433"),
        POLICY.replace(
            "  - { domain: gitlab.com, proto: ssh }\n",
            "  - { domain: new.example, proto: tcp, port: 7000 }\n",
        ),
        POLICY.replace("[10.77.2.53, \"fd77:2::53\"]", "[10.77.2.54]"),
        POLICY.replace("[lan0, \"br-*\"]", "[lan1]"),
        POLICY.replace("[10.77.1.0/24, \"fd77:1::/64\"]", "[10.77.1.0/24]"),
        POLICY.replace("  resolvers", "  allow_private: true\n  resolvers"),
        format!("mode: audit\n{POLICY}"),
        format!("deny: drop\n{POLICY}"),
        format!("{}rules: []\n", POLICY.split("rules:").next().unwrap()),
        format!("fast_path: true\n{POLICY}"),
    ];
    in_namespace(|| {
        for before in &variants {
            for after in &variants {
                Nft::apply(&plan(after)).unwrap();
                let expected = listing();
                let nft = Nft::apply(&plan(before)).unwrap();
                let update = nft.update(&plan(after)).unwrap_or_else(|error| panic!("{error}:\n{before}\nto\n{after}"));
                assert!(!update.replaced, "{before}\nto\n{after}");
                assert_eq!(update.nft.difference().unwrap(), None);
                assert_eq!(listing(), expected, "{before}\nto\n{after}");
            }
        }
    });
}

/// Chains, sets and counters, each with what is in it, whatever order they are listed in.
fn listing() -> Vec<String> {
    let listed = sh("nft --stateless list table inet decider");
    let mut blocks: Vec<String> =
        listed.split("\n\n").flat_map(|text| text.split("\n\t}\n")).map(str::to_owned).collect();
    for block in &mut blocks {
        let mut lines: Vec<&str> = block.lines().map(str::trim).filter(|line| *line != "}").collect();
        // The kernel gives elements in the order of its hash.
        if lines.iter().any(|line| line.starts_with("elements")) {
            lines.sort_unstable();
        }
        *block = lines.join("\n");
    }
    blocks.sort_unstable();
    blocks
}

#[test]
fn an_update_touches_nothing_that_stays() {
    in_namespace(|| {
        let nft = Nft::apply(&plan(POLICY)).unwrap();
        let handles = |chain: &str| sh(&format!("nft -a list chain inet decider {chain}"));
        let before = [handles("to_syn_queue"), handles("from_client"), handles("deliver_client")];
        let after = POLICY.replace("port: [5432, 5433]", "port: 5434");
        let update = nft.update(&plan(&after)).unwrap();
        assert!(!update.replaced);
        assert_eq!([handles("to_syn_queue"), handles("from_client"), handles("deliver_client")], before);
        assert!(sh("nft list set inet decider ports").contains("5434"));
        // What somebody else has changed is not built upon.
        sh("nft flush chain inet decider from_client");
        let update = update.nft.update(&plan(POLICY)).unwrap();
        assert!(update.replaced);
        assert_eq!(update.nft.difference().unwrap(), None);
    });
}

#[test]
fn an_update_that_is_refused_changes_nothing() {
    in_namespace(|| {
        let nft = Nft::apply(&plan(POLICY)).unwrap();
        let mut broken = plan(&POLICY.replace("port: [5432, 5433]", "port: 5434"));
        broken.table.chain("broken", None, vec!["jump nowhere".to_owned()]);
        let error = nft.update(&broken).unwrap_err().to_string();
        assert!(error.contains("nowhere"), "{error}");
        assert_eq!(nft.difference().unwrap(), None);
    });
}
