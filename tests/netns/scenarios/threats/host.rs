//! The lines about packets, load and accidents once more, where the gateway's own processes are covered: what comes by a
//! client's interface there comes out of a socket here. What has no meaning for a host is said in docs/security.md.

use std::collections::BTreeSet;

use super::super::{envoy_faults, floods, killed, marks, neighbours, reload_cuts, reload_storm};
use super::{overload, packets, proxy, start};
use crate::world::Covered::Host;
use crate::world::{DnsStream, Family, GATEWAY, GATEWAY_INSIDE, GITHUB, Message, Question, Setup, both};

#[test]
fn line_18_a_syn_of_the_host_in_pieces_is_decided_as_the_whole_that_it_makes() {
    packets::a_syn_in_pieces(Host);
}

#[test]
fn line_18_pieces_of_the_host_that_overlap_come_to_nothing() {
    packets::pieces_that_overlap(Host);
}

#[test]
fn line_18_other_headers_of_the_host_change_nothing_or_are_refused() {
    packets::other_headers(Host);
}

#[test]
fn line_19_other_protocols_of_the_host_do_not_get_out() {
    packets::other_protocols(Host);
}

/// What listens for packets that decider hands over listens for nobody else.
#[test]
fn line_19_the_proxy_and_the_relay_asked_directly_by_a_process_give_nothing() {
    let world = Setup { covered: Host, ..Setup::default() }.start();
    let host = world.gateway.as_client();
    let listening = world.gateway.namespace.sh("ss -Htln | awk '{ print $4 }'");
    let ports: BTreeSet<u16> = listening.lines().map(|at| at.rsplit(':').next().unwrap().parse().unwrap()).collect();
    let listener = u16::try_from(world.gateway.json(&["rules"])[0]["listener_port"].as_u64().unwrap()).unwrap();
    assert!(ports.contains(&listener) && ports.len() > 4, "{ports:?}");
    both(|family| {
        host.look_up("github.com", family);
        let loopback = family.loopback();
        for &port in &ports {
            for own in [loopback, GATEWAY.of(family), GATEWAY_INSIDE.of(family)] {
                let reached = host.reach(own, port);
                assert!(reached.is_err(), "{own} {port}: {reached:?}");
                // No more does it answer questions.
                let Ok(stream) = host.connect(own, port) else { continue };
                let mut stream = DnsStream::new(stream);
                let _ = stream.say(&Message::query(1, Question::new("github.com", family)).encode());
                assert!(stream.hear().is_err(), "{own} {port} answers");
            }
        }
    });
    assert_eq!(world.internet.wire.to(GITHUB.of(Family::V4)), []);
    assert_eq!(world.internet.wire.to(GITHUB.of(Family::V6)), []);
    assert_eq!(world.internet.wire.leaked(), []);
}

#[test]
fn line_20_marks_of_others_on_what_the_host_sends_stay_as_they_are() {
    marks::others_bits_go_through(Host);
}

#[test]
fn line_21_what_the_proxy_of_a_host_sends_does_not_come_back_to_the_queue() {
    proxy::what_the_proxy_sends(Host);
}

#[test]
fn line_22_connections_of_the_host_whose_rule_goes_are_reset_on_both_sides_and_others_go_on() {
    reload_cuts::a_rule_that_goes(Host);
}

#[test]
fn line_22_connections_of_the_host_go_with_their_port_with_their_name_and_with_a_denial() {
    reload_cuts::port_name_and_denial(Host);
}

#[test]
fn line_22_a_restart_after_a_crash_judges_the_connections_of_the_host() {
    reload_cuts::a_restart_after_a_crash(Host);
}

#[test]
fn line_23_a_process_that_scans_leaves_others_of_the_host_alone() {
    floods::a_flood_of_sockets(Host);
}

#[test]
fn line_24_what_a_full_queue_drops_of_the_host_is_counted_and_does_not_get_out() {
    overload::a_full_queue(Host);
}

#[test]
fn line_24_changes_that_are_told_of_in_vain_are_found_for_the_host_too() {
    overload::changes_that_are_told_of_in_vain(Host);
}

#[test]
fn line_25_without_memory_the_door_of_the_host_is_closed() {
    overload::without_memory(Host);
}

#[test]
fn line_25_another_boot_of_the_host_with_another_clock_makes_nothing_older_or_younger() {
    overload::another_boot_with_another_clock(Host);
}

#[test]
fn line_25_a_kill_closes_the_door_of_the_host_and_a_restart_forgets_nothing() {
    killed::a_kill(Host);
}

#[test]
fn line_25_a_stopped_decider_lets_nothing_of_the_host_out() {
    killed::a_stop(Host);
}

#[test]
fn line_25_a_workers_panic_closes_its_queue_for_the_host_too() {
    killed::a_workers_panic(Host);
}

#[test]
fn line_26_other_firewalls_beside_a_host_that_is_covered() {
    neighbours::all_at_once(Host);
}

#[test]
fn line_27_an_envoy_that_is_killed_is_started_again_for_the_host() {
    envoy_faults::a_killed_envoy(Host);
}

#[test]
fn line_27_a_silent_envoy_has_the_syns_of_the_host_refused() {
    envoy_faults::a_silent_envoy(Host);
}

#[test]
fn line_27_without_any_envoy_nothing_of_the_host_goes_direct() {
    envoy_faults::without_any_envoy(Host);
}

#[test]
fn line_27_an_envoy_that_is_slow_to_come_is_waited_for_with_the_door_of_the_host_closed() {
    proxy::an_envoy_that_is_slow_to_come(Host);
}

#[test]
fn line_28_a_storm_of_reloads_leads_nobody_of_the_host_astray() {
    reload_storm::a_storm(Host);
}

#[test]
fn line_30_a_kernel_without_a_module_is_an_error_and_no_open_door_of_the_host() {
    start::a_kernel_without_a_module(Host);
}

#[test]
fn line_30_without_the_right_to_raw_sockets_no_host_is_covered() {
    start::without_the_right_to_raw_sockets(Host);
}
