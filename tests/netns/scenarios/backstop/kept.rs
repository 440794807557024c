use decider::kernel::{Backstop, BackstopChanges, teardown};

use super::Site;
use super::site::plan;

/// All that traffic control has on an interface.
fn shown(site: &Site, interface: &str) -> String {
    site.host.sh(&format!(
        "tc qdisc show dev {interface}; tc filter show dev {interface} egress; tc filter show dev {interface} ingress"
    ))
}

fn remove_all(site: &Site) -> Vec<String> {
    site.with_backstop(async |_| teardown().await.unwrap())
}

#[test]
fn each_interface_has_it_and_nothing_remains_of_it() {
    let site = Site::new();
    site.host.sh("ip link add dummy1 type veth peer name dummy2");
    let before = shown(&site, "wan0");
    assert_eq!(site.ensure(true), 3);
    assert_eq!(site.ensure(true), 0);
    for interface in ["wan0", "dummy1", "dummy2"] {
        let shown = shown(&site, interface);
        assert!(shown.contains("decider-backstop-clsact direct-action"), "{shown}");
    }
    assert!(!shown(&site, "lo").contains("decider"));
    let removed = remove_all(&site);
    assert_eq!(removed.len(), 1, "{removed:?}");
    assert!(["wan0", "dummy1", "dummy2"].iter().all(|name| removed[0].contains(name)), "{removed:?}");
    assert_eq!(shown(&site, "wan0"), before);
    assert!(remove_all(&site).is_empty());
}

/// Interfaces that are new, and those where something was repaired.
async fn changes(backstop: &mut Backstop) -> (usize, usize) {
    let BackstopChanges { followed, repaired } = backstop.ensure(Some(&plan())).await.unwrap();
    (followed, repaired)
}

#[test]
fn what_is_deleted_or_changed_is_put_back() {
    let site = Site::new();
    site.with_backstop(async |backstop| {
        assert_eq!(changes(backstop).await, (1, 0));
        let good = shown(&site, "wan0");
        for edit in [
            "tc qdisc del dev wan0 clsact",
            "tc filter del dev wan0 egress",
            "tc filter del dev wan0 egress pref 1 handle 0x14b4 bpf",
            "tc filter change dev wan0 egress pref 1 handle 0x14b4 bpf bytecode '1,6 0 0 4294967295'",
        ] {
            site.host.sh(edit);
            assert_ne!(shown(&site, "wan0"), good, "{edit}");
            assert_eq!(changes(backstop).await, (0, 1), "{edit}");
            assert_eq!(shown(&site, "wan0"), good, "{edit}");
            assert_eq!(changes(backstop).await, (0, 0), "{edit}");
        }
        site.host.sh("ip link add name new1 type bridge");
        assert_eq!(changes(backstop).await, (1, 0));
        assert_eq!(backstop.ensure(None).await.unwrap().followed, 2);
        assert!(!shown(&site, "wan0").contains("clsact"));
    });
}

#[test]
fn what_others_have_there_stays() {
    let site = Site::new();
    site.host.sh("tc qdisc add dev wan0 clsact
         tc filter add dev wan0 egress pref 1 protocol ip matchall action pass || :
         tc filter add dev wan0 egress pref 7 protocol ip u32 match u32 0 0 classid 1:1 || :");
    let before = shown(&site, "wan0");
    site.ensure(true);
    let held = shown(&site, "wan0");
    assert!(held.contains("decider-backstop direct-action"), "{held}");
    remove_all(&site);
    assert_eq!(shown(&site, "wan0"), before);
}

#[test]
fn a_clsact_that_decider_made_and_others_use_stays() {
    let site = Site::held();
    site.host.sh("tc filter add dev wan0 ingress pref 7 protocol all bpf da bytecode '1,6 0 0 4294967295'");
    remove_all(&site);
    let left = shown(&site, "wan0");
    assert!(left.contains("clsact") && !left.contains("decider"), "{left}");
}

#[test]
fn an_interface_with_the_older_qdisc_is_named_and_the_others_are_held() {
    let site = Site::new();
    site.host.sh("ip link add aaa1 type veth peer name zzz1; tc qdisc add dev aaa1 ingress");
    let error = site.with_backstop(async |backstop| backstop.ensure(Some(&plan())).await.unwrap_err().to_string());
    assert!(error.contains("aaa1") && error.contains("ingress"), "{error}");
    for interface in ["wan0", "zzz1"] {
        assert!(shown(&site, interface).contains("decider-backstop"), "{}", shown(&site, interface));
    }
}
