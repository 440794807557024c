use std::process::Command;

use decider::envoy::{Families, Files, Host, Resource, Resources, render};
use decider::policy::Policy;
use serde_json::{Value, json};

use crate::{Place, envoy};

fn rendered(families: Families) -> Files {
    render(&Place::new().policy, Host { families, ..Host::default() })
}

fn values(resources: &Resources) -> Vec<Value> {
    resources.iter().map(Resource::value).collect()
}

#[test]
fn a_route_has_one_listener_in_both_families_and_a_chain_for_each_port() {
    let files = rendered(Families::Both);
    let listeners = values(&files.lds);
    let names: Vec<&str> = listeners.iter().map(|listener| listener["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["github.com:22/ssh", "a%b", "db.example.com:5432,5433/tcp"]);
    let database = &listeners[2];
    assert_eq!(database["stat_prefix"], database["name"]);
    assert_eq!(database["transparent"], true);
    assert_eq!(database["address"], json!({ "socket_address": { "address": "127.0.0.1", "port_value": 15102 } }));
    assert_eq!(
        database["additional_addresses"],
        json!([{ "address": { "socket_address": { "address": "::1", "port_value": 15102 } } }])
    );
    let chains = database["filter_chains"].as_array().unwrap();
    let expected = [(5432, "V4", "0.0.0.0"), (5432, "V6", "::"), (5433, "V4", "0.0.0.0"), (5433, "V6", "::")];
    assert_eq!(chains.len(), expected.len());
    for (chain, (port, family, anywhere)) in chains.iter().zip(expected) {
        let prefix_ranges = json!([{ "address_prefix": anywhere, "prefix_len": 0 }]);
        let expected = json!({ "destination_port": port, "prefix_ranges": prefix_ranges });
        assert_eq!(chain["filter_chain_match"], expected);
        let proxy = &chain["filters"][0]["typed_config"];
        assert_eq!(chain["name"], format!("{port} {family} resolve db.example.com"));
        assert_eq!(proxy["cluster"], format!("db.example.com:5432,5433/tcp {}", chain["name"].as_str().unwrap()));
    }
}

/// Nothing of the policy before is left in what comes of the next, whatever is different.
#[test]
fn what_is_not_made_again_is_the_same_as_if_it_were() {
    let place = Place::new();
    let changes = [
        ("version", "version"),
        ("domain: github.com", "domain: codeberg.org"),
        ("domain: gitlab.com", "domain: \"*.gitlab.com\""),
        ("github.com, proto: ssh", "github.com, proto: ssh, port: 23"),
        ("github.com, proto: ssh", "github.com, proto: ssh, upstream: original"),
        ("port: [5432, 5433]", "port: [5433, 5434]"),
        ("id: a%b", "id: c"),
        ("rules:", "upstream: original\nrules:"),
        ("rules:", "rules:\n  - { id: new, domain: new.example, proto: ssh }"),
        ("  - { domain: github.com, proto: ssh }\n", ""),
        ("resolvers: [198.51.100.53", "resolvers: [198.51.100.54"),
        ("  manage", "  listen: 127.0.0.2\n  manage"),
        ("  manage", "  first_port: 20000\n  manage"),
        ("/envoy\nrules", "/elsewhere\nrules"),
        ("rules:", "marks: { mask: \"0x0ff00ff0\" }\nrules:"),
    ];
    let policies = changes.map(|(from, to)| place.with(from, to));
    let families = [Families::Both, Families::V4Only];
    let hosts = families.map(|families| Host { families, ..Host::default() });
    for before in &policies {
        for after in &policies {
            for (one, other) in [(hosts[0], hosts[0]), (hosts[0], hosts[1])] {
                assert_eq!(render(before, one).next(after, other), render(after, other));
            }
        }
    }
}

#[test]
fn a_host_without_ipv6_has_listeners_all_the_same() {
    let files = rendered(Families::V4Only);
    let listener = &values(&files.lds)[0];
    assert_eq!(listener["additional_addresses"], json!([]));
    assert_eq!(listener["filter_chains"].as_array().unwrap().len(), 1);
    assert_eq!(values(&files.cds).len(), 4);
}

#[test]
fn an_id_is_no_format_of_the_access_log() {
    let files = rendered(Families::Both);
    let proxy = &values(&files.lds)[1]["filter_chains"][0]["filters"][0]["typed_config"];
    let format = &proxy["access_log"][0]["typed_config"]["log_format"]["json_format"];
    assert_eq!(format["rule"], "a%%b");
    assert_eq!(format["domain"], "gitlab.com");
}

#[test]
fn a_cluster_asks_the_resolvers_of_the_policy_for_both_families_and_marks_its_connections() {
    let files = rendered(Families::Both);
    let clusters = values(&files.cds);
    let names: Vec<&str> = clusters.iter().map(|cluster| cluster["name"].as_str().unwrap()).collect();
    let expected = ["github.com:22/ssh 22 V4 resolve github.com", "github.com:22/ssh 22 V6 resolve github.com"];
    assert_eq!(names[..2], expected);
    assert_eq!(names[2..4], ["a%b 22 V4 resolve gitlab.com", "a%b 22 V6 resolve gitlab.com"]);
    assert_eq!(names[4], "db.example.com:5432,5433/tcp 5432 V4 resolve db.example.com");
    assert_eq!(names.len(), 8);
    let cluster = &clusters[7];
    let first = &cluster["upstream_connection_options"]["happy_eyeballs_config"]["first_address_family_version"];
    assert_eq!(first, "V6");
    let endpoint = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    let address = json!({ "socket_address": { "address": "db.example.com.", "port_value": 5433 } });
    assert_eq!(endpoint["address"], address);
    let option = &cluster["upstream_bind_config"]["socket_options"][0];
    assert_eq!((&option["level"], &option["name"], &option["int_value"]), (&json!(1), &json!(36), &json!(0x300)));
    let dns = &cluster["cluster_type"]["typed_config"];
    assert_eq!(dns["dns_lookup_family"], "ALL");
    let resolver = &dns["typed_dns_resolver_config"]["typed_config"];
    assert_eq!(
        resolver["resolvers"],
        json!([
            { "socket_address": { "address": "198.51.100.53", "port_value": 53 } },
            { "socket_address": { "address": "2001:db8::53", "port_value": 53 } },
        ])
    );
}

#[test]
fn envoy_itself_finds_nothing_wrong() {
    let place = Place::new();
    for families in [Families::Both, Families::V4Only] {
        find_nothing_wrong(&place, &place.policy, families);
    }
}

/// Has the real Envoy look at what is rendered of a policy.
pub fn find_nothing_wrong(place: &Place, policy: &Policy, families: Families) {
    // Where the access log will be.
    std::fs::create_dir_all(place.config_dir()).unwrap();
    let files = render(policy, Host { families, ..Host::default() });
    std::fs::write(place.config_dir().join("lds.json"), files.lds.file().to_string()).unwrap();
    std::fs::write(place.config_dir().join("cds.json"), files.cds.file().to_string()).unwrap();
    // Validation does not look into watched files, so they are made part of the bootstrap.
    let mut bootstrap = files.bootstrap.clone();
    bootstrap.as_object_mut().unwrap().remove("dynamic_resources");
    let part = |resources: &Resources| -> Vec<Value> {
        let mut resources = values(resources);
        for resource in &mut resources {
            resource.as_object_mut().unwrap().remove("@type");
        }
        resources
    };
    bootstrap["static_resources"] = json!({ "listeners": part(&files.lds), "clusters": part(&files.cds) });
    for bootstrap in [bootstrap, files.bootstrap] {
        let path = place.directory.path().join("bootstrap.json");
        std::fs::write(&path, bootstrap.to_string()).unwrap();
        let output = Command::new(envoy())
            .args(["--mode", "validate", "--log-level", "warning", "--disable-hot-restart", "-c"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("[warning]"), "{said}");
    }
}
