//! What decider logs: for people on a terminal, JSON otherwise; a line a change, and decisions at a bounded rate.

use serde_json::Value;

use nix::sys::signal::{Signal, kill};

use crate::world::{Gateway, STRANGER, Setup, World, both, eventually};

/// The lines so far, each of which has to be JSON.
fn lines(gateway: &Gateway) -> Vec<Value> {
    let log = gateway.process.as_ref().unwrap().log();
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn of_decisions(line: &Value) -> bool {
    line["target"] == "decider::decision"
}

/// What is said, without decisions.
fn changes(gateway: &Gateway) -> Vec<String> {
    let said = lines(gateway).into_iter().filter(|line| !of_decisions(line));
    said.map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

fn started_with(level: Option<&str>) -> World {
    let mut world = Setup::default().build();
    world.gateway.environment.extend(level.map(|level| ("DECIDER_LOG".to_owned(), level.to_owned())));
    world.gateway.start();
    world
}

#[test]
fn each_line_is_json_refusals_are_told_and_what_is_allowed_only_if_wanted() {
    for (level, verdicts) in
        [(None, &["deny"][..]), (Some("info,decider::decision=debug"), &["allow", "deny"]), (Some("warn"), &[])]
    {
        let world = started_with(level);
        both(|family| {
            world.clients[0].reach_name("github.com", family, 22).unwrap();
            world.clients[0].is_refused(STRANGER.of(family), 22);
            world.gateway.event(STRANGER.of(family), 22, "no-observation");
        });
        let events = world.gateway.events();
        let wanted: Vec<&Value> =
            events.iter().filter(|event| verdicts.contains(&event["verdict"].as_str().unwrap())).collect();
        let told = || lines(&world.gateway).into_iter().filter(of_decisions).collect::<Vec<_>>();
        eventually("the decisions", || (told().len() == wanted.len()).then_some(()));
        for (line, event) in told().iter().zip(wanted) {
            for field in ["ts", "verdict", "reason", "client", "client_port", "dst", "dst_port", "path", "mark"] {
                assert_eq!(line[field], event[field], "{field} of {line}");
            }
            assert_eq!(line["level"], if event["verdict"] == "allow" { "DEBUG" } else { "INFO" });
        }
    }
}

#[test]
fn a_change_is_a_line_and_no_change_is_none() {
    let world = started_with(None);
    let calm = changes(&world.gateway);
    assert_eq!(calm.iter().filter(|line| *line == "all listeners are ready").count(), 1, "{calm:?}");
    assert_eq!(calm.iter().filter(|line| *line == "in force").count(), 1, "{calm:?}");
    world.serves(0);
    assert_eq!(changes(&world.gateway), calm);

    kill(world.gateway.envoy_pid(), Signal::SIGKILL).unwrap();
    let count = |wanted: &str| changes(&world.gateway).iter().filter(|line| line.contains(wanted)).count();
    let all_ready = || changes(&world.gateway).iter().filter(|line| *line == "all listeners are ready").count();
    eventually("all of Envoy again", || (all_ready() == 2).then_some(()));
    assert_eq!(count("Envoy has ended"), 1);
    assert_eq!(count("not all listeners are ready"), 1, "{:?}", changes(&world.gateway));

    world.gateway.namespace.sh("nft delete table inet decider");
    eventually("the repair", || (count("the ruleset was changed") == 1).then_some(()));
    world.serves(0);
    assert_eq!(count("the ruleset was changed"), 1);
}

#[test]
fn a_flood_of_refusals_does_not_fill_the_log() {
    let world = started_with(None);
    both(|family| {
        let (client, dst) = (&world.clients[0], STRANGER.of(family));
        client.namespace.enter(|| {
            // Each to a port of its own, so that none are put together.
            for port in 1..=3_000 {
                let _ = std::net::TcpStream::connect_timeout(&(dst, port).into(), std::time::Duration::from_secs(1));
            }
        });
    });
    world.gateway.adds_up();
    let told = || lines(&world.gateway).iter().filter(|line| of_decisions(line)).count();
    let left_out = || -> u64 { lines(&world.gateway).iter().filter_map(|line| line["left_out"].as_u64()).sum() };
    // The next decision tells of those that were left out.
    eventually("an account of all", || {
        let _ = world.clients[0].connect(STRANGER.of(crate::world::Family::V4), 22);
        (left_out() > 0 && u64::try_from(told()).unwrap() + left_out() >= 5_900).then_some(())
    });
    // What was told of is at most what two or three seconds have room for.
    assert!(told() <= 3_000, "{}", told());
}

/// Starts decider on a terminal of its own.
fn on_a_terminal(environment: &[(&str, &str)]) -> String {
    let mut world = Setup::default().build();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    world.gateway.environment.extend(environment);
    let script = "exec script --quiet --flush --return --command \"$*\" /dev/null";
    world.gateway.wrapper = ["sh", "-c", script, "sh"].map(str::to_owned).into();
    world.gateway.start();
    both(|family| {
        world.clients[0].is_refused(STRANGER.of(family), 22);
        world.gateway.event(STRANGER.of(family), 22, "no-observation");
    });
    let log = || world.gateway.process.as_ref().unwrap().log();
    eventually("a refusal in the log", || log().contains("no-observation").then_some(()));
    let said = log();
    world.gateway.cli(&["down"]);
    said
}

#[test]
fn on_a_terminal_it_is_for_people() {
    let said = on_a_terminal(&[("TERM", "xterm")]);
    assert!(said.contains("in force") && !said.contains("{\""), "{said}");
    assert!(said.contains("\u{1b}["), "no colours: {said:?}");
    let plain = on_a_terminal(&[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(plain.contains("in force") && !plain.contains('\u{1b}'), "{plain:?}");
}
