//! Beside the rules of Docker, ufw, firewalld, Tailscale and kube-proxy: clients go on as they should, nothing of the others is
//! touched, and their reloads leave decider whole.

use std::time::{Duration, Instant};

use crate::world::{
    Covered, Family, GITHUB, Hammer, OpenFlow, RESOLVER, STRANGER, Setup, World, both, eventually, within,
};

/// Another program: its fixture, and what is set for it.
#[derive(Clone, Copy)]
struct Neighbour {
    fixture: &'static str,
    environment: &'static str,
}

/// What docs/operations.md has administrators of ufw write.
const UFW_BEFORE: &str = "IPTABLES=nft UFW_BEFORE='\
    -A ufw-before-input -m mark --mark 0x80000000/0x80000000 -j ACCEPT
    -A ufw-before-input -m mark --mark 0x40000000/0xc0000000 -j ACCEPT
    -A ufw-before-forward -m mark --mark 0x200/0xff003f00 -j ACCEPT'";

const DOCKER: Neighbour = Neighbour { fixture: "docker", environment: "IPTABLES=nft" };
const DOCKER_LEGACY: Neighbour = Neighbour { fixture: "docker", environment: "IPTABLES=legacy" };
const UFW: Neighbour = Neighbour { fixture: "ufw", environment: UFW_BEFORE };
const UFW_ALONE: Neighbour = Neighbour { fixture: "ufw", environment: "IPTABLES=nft" };
const FIREWALLD: Neighbour = Neighbour { fixture: "firewalld", environment: "RPFILTER=no" };
const FIREWALLD_ALONE: Neighbour = Neighbour { fixture: "firewalld", environment: "RPFILTER=yes" };
const FIREWALLD_PUBLIC: Neighbour = Neighbour { fixture: "firewalld", environment: "RPFILTER=no ZONE=public" };
const TAILSCALE: Neighbour = Neighbour { fixture: "tailscale", environment: "IPTABLES=nft" };
const KUBE_PROXY: Neighbour = Neighbour { fixture: "kube-proxy", environment: "IPTABLES=nft" };

/// What a repair may take.
const SOON: Duration = Duration::from_secs(1);

impl Neighbour {
    fn does(self, what: &str) -> String {
        let Self { fixture, environment } = self;
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/netns/fixtures");
        format!("env {environment} {folder}/{fixture} {what}\n")
    }

    /// Chains that were there before are listed in another order: so a reload comes first.
    fn settles(self) -> String {
        [self.does("load"), self.does("flush"), self.does("load")].concat()
    }
}

/// All that is not decider's, without what only counts.
fn theirs(world: &World) -> String {
    world.gateway.namespace.sh("
        nft -s list ruleset 2>/dev/null | sed '/^table inet decider {/,/^}/d; /^table inet decider_alive {/,/^}/d'
        for save in iptables-legacy-save ip6tables-legacy-save; do $save | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'; done
        for family in -4 -6; do ip $family rule | grep -v 'proto 222' | grep -v '^53[0-4]:'; ip $family route; done
    ")
}

fn clients_work(world: &World, when: &str) {
    both(|family| {
        let reached = world.covered(0).reach_name("github.com", family, 22);
        let reached = reached.unwrap_or_else(|error| panic!("{when}, {family:?}: {error}"));
        assert!(GITHUB.both().contains(&reached), "{when}");
        drop(world.covered(0).connect(RESOLVER.of(family), 53).unwrap_or_else(|error| panic!("{when}, DNS: {error}")));
        world.covered(0).is_refused(STRANGER.of(family), 22);
        world.covered(0).is_refused(STRANGER.of(family), 8022);
    });
    nothing_got_out(world, when);
}

/// Their translation may hide who it was, so the stranger's address is watched too.
fn nothing_got_out(world: &World, when: &str) {
    assert_eq!(world.internet.wire.leaked(), [], "{when}");
    for stranger in STRANGER.both() {
        assert_eq!(world.internet.wire.to(stranger), [], "{when}");
    }
}

/// The neighbour is there first; then it comes second, and reloads in every way that it has.
fn live_together(neighbour: Neighbour) {
    let mut world = Setup::default().build();
    world.gateway.namespace.sh(&neighbour.settles());
    let before = theirs(&world);
    assert!(before.lines().count() > 50, "{before}");
    world.gateway.start();
    clients_work(&world, "after the start");
    assert_eq!(theirs(&world), before, "the start and the work of decider changed something");
    let mut flows = Family::BOTH.map(|family| {
        let address = world.covered(0).look_up("github.com", family)[0];
        OpenFlow::new(world.covered(0).connect(address, 22).unwrap())
    });
    let hammer = Hammer::start(&world.covered(1));
    reload_their_own(&world, neighbour);
    assert_eq!(theirs(&world), before, "their reload");
    clients_work(&world, "after their reload");
    let quick = (0..3).map(|_| flush_everything(&world, neighbour)).find(|took| *took < SOON);
    assert!(quick.is_some(), "three repairs took longer than {SOON:?} each");
    clients_work(&world, "after a flush of everything");
    assert!(flows.iter_mut().all(OpenFlow::is_alive), "a connection did not live through the reloads");
    hammer.strikes(50);
    drop(hammer);
    nothing_got_out(&world, "under the hammer");
    let reloaded = theirs(&world);
    world.gateway.down();
    assert_eq!(theirs(&world), reloaded, "`down` changed something");
    world.gateway.start();
    clients_work(&world, "after another start");
    assert_eq!(theirs(&world), reloaded);
    world.gateway.adds_up();
}

fn reload_their_own(world: &World, neighbour: Neighbour) {
    let repairs = || world.gateway.status()["heal"]["ruleset"].clone();
    let so_far = repairs();
    world.gateway.namespace.sh(&(neighbour.does("flush") + &neighbour.does("load")));
    assert_eq!(repairs(), so_far, "they did not touch what is decider's");
}

/// As `nftables.service` and others do: everything goes, and theirs is loaded again. How long decider's took to be there.
fn flush_everything(world: &World, neighbour: Neighbour) -> Duration {
    let repairs = || world.gateway.status()["heal"]["ruleset"].as_u64().unwrap();
    let so_far = repairs();
    // Routing rules are no part of a flush.
    let rules = "ip rule flush pref 5210:5270 2>/dev/null || :
        for family in -4 -6; do for pref in 5210 5230 5250 5270; do ip $family rule del pref $pref 2>/dev/null || :; done; done\n";
    world.gateway.namespace.sh(&format!("nft flush ruleset\n{rules}"));
    let began = Instant::now();
    let is_back = || world.gateway.namespace.try_sh("nft list chain inet decider deliver_client").status.success();
    assert!(within(SOON * 10, || is_back().then_some(())).is_some(), "decider's table did not come back");
    let took = began.elapsed();
    let legacy = "iptables-legacy -t filter -S | grep -q DOCKER && exit 0 || :\n";
    world.gateway.namespace.sh(&format!("{legacy}{}", neighbour.does("load")));
    eventually("a repair that is told of", || (repairs() > so_far).then_some(()));
    took
}

#[test]
fn docker_by_iptables_nft() {
    live_together(DOCKER);
}

#[test]
fn docker_by_iptables_legacy() {
    live_together(DOCKER_LEGACY);
}

#[test]
fn ufw_with_what_the_manual_has_one_add() {
    live_together(UFW);
}

#[test]
fn firewalld_with_what_the_manual_has_one_set() {
    live_together(FIREWALLD);
}

#[test]
fn tailscale() {
    live_together(TAILSCALE);
}

#[test]
fn kube_proxy() {
    live_together(KUBE_PROXY);
}

/// They come when decider is at work already.
pub fn all_at_once(covered: Covered) {
    let mut world = Setup { covered, ..Setup::default() }.start();
    let all = [DOCKER, TAILSCALE, KUBE_PROXY, FIREWALLD];
    let hammer = Hammer::start(&world.covered(1));
    world.gateway.namespace.sh(&all.map(|neighbour| neighbour.does("load")).concat());
    let there = theirs(&world);
    clients_work(&world, "with all of them");
    hammer.strikes(50);
    drop(hammer);
    nothing_got_out(&world, "with all of them");
    assert_eq!(theirs(&world), there);
    world.gateway.down();
    assert_eq!(theirs(&world), there);
}

#[test]
fn all_at_once_and_after_decider() {
    all_at_once(Covered::Clients);
}

/// What doctor has to say: check, and a word of what mends it.
fn doctor_says(world: &World, check: &str, fix: &str) {
    let policy = world.gateway.path("policy.yaml").display().to_string();
    let report = world.gateway.json(&["doctor", &policy]);
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == check).unwrap().clone();
    assert_ne!(found["level"], "ok", "{found}");
    assert!(found["fix"].as_str().unwrap().contains(fix), "{found}");
}

/// Without what the manual says the door is closed to clients, and doctor says why.
#[test]
fn as_they_are_installed_some_close_the_door_to_everybody() {
    for (neighbour, families, check, fix) in [
        (UFW_ALONE, &Family::BOTH[..], "others.input", "meta mark and 0x80000000 == 0x80000000 accept"),
        (UFW_ALONE, &Family::BOTH[..], "others.forward", "meta mark and 0xff003f00 == 0x00000200 accept"),
        (FIREWALLD_PUBLIC, &Family::BOTH[..], "others.input", "meta mark and 0x80000000 == 0x80000000 accept"),
        (FIREWALLD_ALONE, &[Family::V6], "others.rpfilter", "IPv6_rpfilter=no"),
    ] {
        let mut world = Setup::default().build();
        world.gateway.namespace.sh(&neighbour.does("load"));
        world.gateway.start();
        for &family in families {
            let told = world.covered(0).ask(RESOLVER.of(family), "github.com", family);
            let reached = told.is_some() && world.covered(0).reach(GITHUB.of(family), 22).is_ok();
            assert!(!reached, "{check}: nothing is closed over {family:?}");
        }
        nothing_got_out(&world, check);
        doctor_says(&world, check, fix);
    }
}
