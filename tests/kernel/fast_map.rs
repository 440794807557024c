//! The maps of the fast path in the real kernel.

use std::net::IpAddr;
use std::thread::sleep;
use std::time::Duration;

use decider::clock;
use decider::fast::{Element, FastMap, Key, MARGIN};
use decider::kernel::{Change, FastMaps, Nft, monitor};
use decider::model::Mark;

use crate::ruleset::plan;
use crate::{POLICY, in_namespace, sh};

fn key(v6: bool, number: u16) -> Key {
    let texts = if v6 { ["fd77:1::2", "2001:db8::9"] } else { ["10.77.1.2", "192.0.2.9"] };
    let [client, dst] = texts.map(|text| text.parse::<IpAddr>().unwrap());
    Key { client, dst, port: number }
}

fn element(v6: bool, number: u16, lasts: Duration) -> Element {
    Element { key: key(v6, number), mark: Mark(0x4000_0100), until: clock::now().after(lasts + MARGIN) }
}

const LONG: Duration = Duration::from_secs(100);

fn listed(set: &str) -> String {
    sh(&format!("nft list map inet decider {set} 2>/dev/null || nft list set inet decider {set}"))
}

fn in_force() -> (Nft, FastMaps) {
    let nft = Nft::apply(&plan(&POLICY.replace("rules:", "fast_path: true\nrules:"))).unwrap();
    (nft, FastMaps::open().unwrap())
}

#[test]
fn elements_come_with_their_ends_and_go() {
    in_namespace(|| {
        let (nft, mut maps) = in_force();
        let elements = [element(false, 22, LONG), element(true, 5432, LONG)];
        maps.put(&elements, clock::now()).unwrap();
        assert!(listed("fast_lease").contains("0x00000000 timeout 3s expires 2s"));
        let v4 = listed("fast4");
        assert!(v4.contains("10.77.1.2 . 192.0.2.9 . 22 timeout 1m39s") && v4.contains(": 0x40000100"), "{v4}");
        let v6 = listed("fast6");
        assert!(v6.contains("fd77:1::2 . 2001:db8::9 . 5432 timeout 1m39s") && v6.contains(": 0x40000100"), "{v6}");
        assert_eq!(nft.difference().unwrap(), None);
        maps.remove(&[elements[0].key]).unwrap();
        assert!(!listed("fast4").contains("elements") && listed("fast6").contains("elements"));
        maps.clear().unwrap();
        assert!(["fast4", "fast6", "fast_lease"].iter().all(|set| !listed(set).contains("elements")));
    });
}

#[test]
fn what_has_run_out_is_no_obstacle_and_the_lease_is_renewed() {
    in_namespace(|| {
        let (_nft, mut maps) = in_force();
        let short = element(false, 22, Duration::from_millis(300));
        let long = element(false, 23, LONG);
        maps.put(&[short, long], clock::now()).unwrap();
        sleep(Duration::from_secs(2));
        maps.put(&[], clock::now()).unwrap();
        assert!(listed("fast_lease").contains("expires 2s"));
        // One that is there no more takes the other one with it all the same.
        maps.remove(&[short.key, long.key]).unwrap();
        assert!(!listed("fast4").contains("elements"));
        // It can be put in anew, and one that is there again.
        maps.put(&[element(false, 22, LONG)], clock::now()).unwrap();
        maps.put(&[element(false, 22, LONG)], clock::now()).unwrap();
        assert!(listed("fast4").contains(". 22 "));
    });
}

#[test]
fn many_come_and_go_together() {
    in_namespace(|| {
        let (_nft, mut maps) = in_force();
        let elements: Vec<Element> = (1..=2_000).map(|port| element(port % 2 == 0, port, LONG)).collect();
        maps.put(&elements, clock::now()).unwrap();
        assert_eq!(listed("fast4").matches("10.77.1.2").count(), 1_000);
        assert_eq!(listed("fast6").matches("fd77:1::2").count(), 1_000);
        let keys: Vec<Key> = elements.iter().map(|element| element.key).collect();
        maps.remove(&keys).unwrap();
        assert!(!listed("fast4").contains("elements") && !listed("fast6").contains("elements"));
    });
}

#[test]
fn what_the_kernel_refuses_changes_nothing_and_is_told() {
    in_namespace(|| {
        let (_nft, mut maps) = in_force();
        let first = element(false, 22, LONG);
        maps.put(&[first], clock::now()).unwrap();
        // The same connection with another mark, beside one that would do.
        let other = Element { mark: Mark(0x4000_0200), ..first };
        maps.put(&[element(false, 23, LONG), other], clock::now()).unwrap_err();
        assert!(listed("fast4").contains(". 22 ") && !listed("fast4").contains(". 23 "));
        // The next one is answered for itself.
        maps.put(&[element(false, 24, LONG)], clock::now()).unwrap();
        sh("nft flush ruleset");
        maps.put(&[first], clock::now()).unwrap_err();
        maps.remove(&[first.key]).unwrap();
        maps.clear().unwrap();
    });
}

#[test]
fn only_what_others_do_to_them_is_news() {
    in_namespace(|| {
        let (_nft, mut maps) = in_force();
        let mut changes = monitor(Some(maps.port())).unwrap();
        maps.put(&[element(false, 22, LONG), element(true, 22, LONG)], clock::now()).unwrap();
        maps.clear().unwrap();
        sleep(Duration::from_millis(200));
        assert!(changes.try_recv().is_err());
        sh("nft add element inet decider fast4 '{ 10.77.1.2 . 192.0.2.9 . 22 timeout 5s : 0x40000100 }'");
        sleep(Duration::from_millis(200));
        assert_eq!(changes.try_recv(), Ok(Change::Ruleset));
    });
}
