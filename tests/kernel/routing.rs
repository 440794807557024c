use decider::kernel::{Routing, RoutingPlan, teardown};

use crate::{POLICY, in_namespace, policy, sh};

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn everything() -> String {
    sh("(ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; nft list ruleset) | sort")
}

fn plan(interfaces: &[&str]) -> RoutingPlan {
    let interfaces: Vec<String> = interfaces.iter().map(|&name| name.to_owned()).collect();
    RoutingPlan::new(&policy(POLICY), &interfaces)
}

#[test]
fn the_plan_is_in_the_kernel_for_both_families_and_gone_afterwards() {
    in_namespace(|| {
        let before = everything();
        run(async {
            let routing = Routing::connect().unwrap();
            let plan = plan(&["lan0", "br-1", "eth0"]);
            assert_eq!(routing.ensure(&plan).await.unwrap(), 14);
            assert_eq!(routing.ensure(&plan).await.unwrap(), 0);
            for family in ["-4", "-6"] {
                let rules = sh(&format!("ip {family} rule"));
                assert_eq!(rules.matches("proto 222").count(), 6, "{rules}");
                for expected in ["goto 534", "iif lan0", "iif br-1", "lookup 5300", "unreachable"] {
                    assert!(rules.contains(expected), "{expected} is not in\n{rules}");
                }
                assert!(!rules.contains("eth0"), "{rules}");
                let route = sh(&format!("ip {family} route show table 5300"));
                assert!(route.contains("local default dev lo"), "{route}");
            }
            let removed = teardown().await.unwrap();
            assert_eq!(removed, ["12 routing rules", "2 routes"]);
            assert!(teardown().await.unwrap().is_empty());
        });
        assert_eq!(everything(), before);
    });
}

#[test]
fn what_is_deleted_comes_back_and_what_is_stray_goes() {
    in_namespace(|| {
        run(async {
            let routing = Routing::connect().unwrap();
            let wanted = plan(&["br-1"]);
            routing.ensure(&wanted).await.unwrap();
            let good = everything();
            for edit in [
                "ip rule del pref 530",
                "ip -6 rule del pref 532",
                "ip rule del pref 533 iif lan0",
                "ip -6 rule del pref 534",
                "ip route flush table 5300",
                "ip -6 route flush table 5300",
                "ip rule add pref 533 iif eth9 protocol 222 unreachable",
                "ip -6 rule add pref 99 fwmark 5 lookup main protocol 222",
            ] {
                sh(edit);
                assert_eq!(routing.ensure(&wanted).await.unwrap(), 1, "{edit}");
                assert_eq!(everything(), good, "{edit}");
            }
            // The interface is gone, and so is its lockdown.
            assert_eq!(routing.ensure(&plan(&[])).await.unwrap(), 2);
        });
    });
}

#[test]
fn others_rules_stay() {
    in_namespace(|| {
        sh("ip rule add pref 533 iif lan0 lookup main");
        sh("ip route add local default dev lo table 5301");
        let before = everything();
        run(async {
            Routing::connect().unwrap().ensure(&plan(&[])).await.unwrap();
            teardown().await.unwrap();
        });
        assert_eq!(everything(), before);
    });
}

#[test]
fn a_loopback_that_is_down_is_named() {
    in_namespace(|| {
        sh("ip link set lo down");
        run(async {
            let error = Routing::connect().unwrap().ensure(&plan(&["lan0"])).await.unwrap_err().to_string();
            assert!(error.contains("ip link set lo up"), "{error}");
        });
    });
}
