//! What the reading commands show of a running decider.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::fake::{self, Daemon, event};
use crate::{Folder, code, command, decider, stderr, stdout};

/// The output of a command, each line without the blanks at its end.
fn shown(folder: &Folder, args: &[&str], wanted: i32) -> String {
    let output = decider(folder, args);
    assert_eq!(code(&output), wanted, "{args:?}: {}", stderr(&output));
    stdout(&output)
}

fn json_of(folder: &Folder, args: &[&str]) -> Value {
    serde_json::from_slice(&decider(folder, args).stdout).unwrap()
}

#[test]
fn status_says_in_its_first_line_that_all_is_in_force() {
    let folder = Folder::new("status");
    let daemon = Daemon::start(&folder);
    let wanted = "\
ok: policy.yaml is in force (2 rules, 2 listeners)
  connections       12 queued = 10 allowed (7 by the kernel alone) + 2 denied
  refused in kernel 3 port-not-allowed
  fast path         on, 2 of 65536 connections left to the kernel, 7 allowed by it, 1 sent again
  dns messages      4 learned, 4 questions
  dns over tcp      3 connections, 1 open, 1 failed by the resolver
  names             4 of 1000 observations
  envoy             running, process 4243
  queues            5300 syn, 5301 dns (native)
  sandbox           files restricted, system calls restricted, 2 capabilities
  running           for 1h 2m 5s, process 4242, version 0.1.0, policy epoch 1
";
    assert_eq!(shown(&folder, &["status"], 0), wanted);
    assert_eq!(json_of(&folder, &["status", "--json"]), fake::status());
    daemon.status(|status| {
        status["rules"] = json!(1);
        status["listeners"] = json!(1);
        status["listeners_ready"] = json!(1);
        status["mode"] = json!("audit");
        status["fast_path"]["state"] = json!("off");
        status["event_file"] = json!({ "path": "/e.jsonl", "written": 9, "lost": 2, "failure": null });
        status["counters"] = json!({
            "queued": 0, "allowed": 0, "fast": 0, "denied": 0, "audited": 0, "malformed": 0, "dropped_by_kernel": 0, "waiting": 0,
            "repeated_syns": 0
        });
    });
    let audit = shown(&folder, &["status"], 0);
    assert!(
        audit.starts_with("ok: policy.yaml is in audit mode: nothing is refused (1 rule, 1 listener)\n"),
        "{audit}"
    );
    assert!(!audit.contains("queued") && !audit.contains("fast path"), "{audit}");
    assert!(audit.contains("\n  event file        /e.jsonl, 9 written, 2 lost\n"), "{audit}");
}

#[test]
fn reload_says_what_is_different_and_what_is_cut() {
    let folder = Folder::new("reload");
    let _daemon = Daemon::start(&folder);
    let wanted = "\
would be reloaded: policy.yaml
  + new.example:22/ssh
  - old.example:22/ssh
  ~ db (port: 5432 -> 5433)
  ~ dns.min_ttl
  would cut [2001:db8::7]:40000 -> 203.0.113.9:22 (old.example): its rule is gone
  not up yet, so their SYNs are refused: new.example:22/ssh
  note: dns.capacity counts from the next start on
";
    assert_eq!(shown(&folder, &["reload", "--dry-run"], 0), wanted);
    assert_eq!(json_of(&folder, &["reload", "--dry-run", "--json"]), fake::reload(true));
    let refused = decider(&folder, &["reload"]);
    assert_eq!(code(&refused), 1);
    assert_eq!(stderr(&refused), "error[unknown-key]: no such key\n\nnot reloaded: policy.yaml:7:3: no such key\n");
    assert_eq!(json_of(&folder, &["reload", "--json"]), fake::reload(false));
    // Without a daemon.
    assert_eq!(code(&decider(&Folder::new("reload-nobody"), &["reload"])), 3);
}

#[test]
fn status_tells_of_the_last_reload() {
    let folder = Folder::new("reloaded");
    let daemon = Daemon::start(&folder);
    daemon.status(|status| {
        status["reload"] = json!({
            "at": "2027-01-02T03:04:05.678Z", "ok": true, "message": "1 rules added", "count": 3
        });
    });
    let said = shown(&folder, &["status"], 0);
    assert!(said.contains("  last reload       2027-01-02T03:04:05Z, 1 rules added (3 in all)\n"), "{said}");
}

#[test]
fn status_says_what_is_missing() {
    let folder = Folder::new("degraded");
    let daemon = Daemon::start(&folder);
    daemon.status(|status| {
        status["state"] = json!("degraded");
        status["problems"] = json!([{ "what": "envoy", "message": "dead: SYNs of its listeners are refused" }]);
        status["listeners_ready"] = json!(0);
        status["listeners"] = json!(1);
        status["envoy"]["state"] = json!("dead");
        status["envoy"]["pid"] = json!(null);
        status["envoy"]["restarts"] = json!(3);
        status["envoy"]["last_error"] = json!("exit status 1");
        status["counters"]["malformed"] = json!(1);
        status["counters"]["dropped_by_kernel"] = json!(4);
        status["counters"]["waiting"] = json!(1);
        status["counters"]["fast"] = json!(0);
        status["counters"]["queued"] = json!(18);
        status["queues"][0]["up"] = json!(false);
        status["queues"][0]["panics"] = json!(2);
        status["heal"] =
            json!({ "ruleset": 1, "routes": 0, "backstop": 0, "last": "ruleset: chain missing", "last_at": null });
        status["lost_records"] = json!(5);
    });
    let degraded = shown(&folder, &["status"], 1);
    for line in [
        "degraded: policy.yaml is not wholly in force (2 rules, 0 of 1 listeners ready)\n",
        "\n  envoy: dead: SYNs of its listeners are refused\n",
        "\n  connections       18 queued = 10 allowed + 2 denied + 1 malformed + 4 dropped by the kernel + 1 waiting\n",
        "\n  envoy             dead, started again 3 times, last error: exit status 1\n",
        "\n  queues            5300 syn DOWN [2 panics], 5301 dns (native)\n",
        "\n  repairs           1 of the ruleset, last: ruleset: chain missing\n",
        "\n  lost              5 events\n",
    ] {
        assert!(degraded.contains(line), "{line:?} is not in\n{degraded}");
    }
}

#[test]
fn events_are_rows_that_fit_a_terminal() {
    let folder = Folder::new("events");
    let daemon = Daemon::start(&folder);
    daemon.publish(event());
    let with = |changes: Value| {
        let mut event = event();
        for (key, value) in changes.as_object().unwrap() {
            event[key] = value.clone();
        }
        daemon.publish(event);
    };
    with(json!({ "verdict": "allow", "reason": "allowed", "rule": "github.com:22/ssh", "domain": "github.com" }));
    with(json!({ "reason": "denied-by-rule", "rule": "retired", "domain": "old.example.com", "dst_port": 5432 }));
    with(json!({ "reason": "proto-not-allowed", "dst_port": 123, "proto": "udp", "repeated": 980 }));
    with(json!({ "reason": "proto-not-allowed", "dst_port": 0, "proto": "icmp" }));
    with(json!({ "verdict": "audit", "reason": "resolver-not-trusted", "dst_port": 53 }));
    with(json!({ "client": "2001:db8:1::7", "dst": "2001:db8:2::9", "domain": "a.example", "also": ["b.example"] }));
    let (exe, cgroup) = ("/usr/bin/ssh", "/system.slice/backup.service");
    with(json!({ "domain": "b.example", "uid": 1000, "pid": 77, "exe": exe, "cgroup": cgroup }));
    with(json!({ "uid": 1000 }));
    let wanted = "\
TIME      WHAT   REASON                CLIENT           DESTINATION            NAME (RULE)
03:04:05  deny   no-observation        10.77.1.7        203.0.113.166:22       -
03:04:05  allow  allowed               10.77.1.7        203.0.113.166:22       github.com
03:04:05  deny   denied-by-rule        10.77.1.7        203.0.113.166:5432     old.example.com (retired)
03:04:05  deny   proto-not-allowed     10.77.1.7        203.0.113.166:123/udp  -  x980
03:04:05  deny   proto-not-allowed     10.77.1.7        203.0.113.166/icmp     -
03:04:05  audit  resolver-not-trusted  10.77.1.7        203.0.113.166:53       -
03:04:05  deny   no-observation        2001:db8:1::7    [2001:db8:2::9]:22     a.example, also b.example
03:04:05  deny   no-observation        10.77.1.7        203.0.113.166:22       b.example, by ssh[77], uid 1000, backup.service
03:04:05  deny   no-observation        10.77.1.7        203.0.113.166:22       -, by uid 1000
";
    let events = shown(&folder, &["events"], 0);
    assert_eq!(events, wanted);
    assert!(events.lines().filter(|line| !line.contains("by ssh")).all(|line| line.len() <= 105), "{events}");
    assert_eq!(shown(&folder, &["events", "-n", "1"], 0).lines().count(), 2);
    let lines = shown(&folder, &["events", "--json", "-n", "9"], 0);
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((first, lines.lines().count()), (event(), 9));
}

/// Four events, a second apart: two refusals of port 22, an allowed one, a refused one of another port.
fn four_events(daemon: &Daemon) {
    for (second, verdict, port) in [(1, "deny", 22), (2, "allow", 22), (3, "deny", 22), (4, "deny", 5432)] {
        let mut event = event();
        event["ts"] = json!(format!("2020-01-02T03:04:0{second}Z"));
        event["verdict"] = json!(verdict);
        event["dst_port"] = json!(port);
        daemon.publish(event);
    }
}

/// The seconds of the events that are printed.
fn seconds(folder: &Folder, args: &[&str]) -> Vec<u8> {
    let printed = shown(folder, &[&["events", "--json"], args].concat(), 0);
    printed.lines().map(|line| line.split_once("03:04:0").unwrap().1.as_bytes()[0] - b'0').collect()
}

#[test]
fn events_are_chosen_by_filter_number_and_time() {
    let folder = Folder::new("filter");
    let daemon = Daemon::start(&folder);
    four_events(&daemon);
    for (args, wanted) in [
        (&["verdict:deny", "port:22"][..], &[1, 3][..]),
        (&["verdict:deny port:22"], &[1, 3]),
        (&["-verdict:deny"], &[2]),
        (&["!port:22", "203.0.113.166"], &[4]),
        (&["verdict:deny", "-n", "2"], &[3, 4]),
        (&["-n", "1"], &[4]),
        (&["--since", "2020-01-02T03:04:03Z"], &[3, 4]),
        (&["--since", "2020-01-02 03:04:02", "-n", "2", "port:22"], &[2, 3]),
        (&["--since", "10m"], &[]),
    ] {
        assert_eq!(seconds(&folder, args), wanted, "{args:?}");
    }
    for (args, words) in [
        (&["verdict:denny"][..], "filter, column 9: \"denny\" is no verdict: did you mean deny?"),
        (&["port:22", "colour:red"], "filter, column 9: there is no field \"colour\""),
        (&["--since", "soon"], "--since: \"soon\" is neither"),
        (&["--since", "-10m"], "is yet to come"),
    ] {
        let output = decider(&folder, &[&["events"], args].concat());
        assert_eq!(code(&output), 2, "{args:?}");
        assert!(stderr(&output).contains(words), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn a_filter_goes_on_with_what_comes_and_shows_nothing_twice() {
    let folder = Folder::new("filter-follow");
    let daemon = Daemon::start(&folder);
    four_events(&daemon);
    let args = ["events", "-f", "--json", "-n", "1", "verdict:deny", "port:22"];
    let mut follower = command(&folder, &args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("03:04:03"));
    while daemon.followers() == 0 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    four_events(&daemon);
    for second in ["03:04:01", "03:04:03"] {
        let line = lines.next().unwrap().unwrap();
        assert!(line.contains(second), "{line}");
    }
    drop(daemon);
    assert!(lines.next().is_none());
    assert_eq!(follower.wait().unwrap().code(), Some(3));
}

#[test]
fn events_are_followed_until_decider_ends() {
    let folder = Folder::new("follow");
    let daemon = Daemon::start(&folder);
    daemon.publish(event());
    let mut follower =
        command(&folder, &["events", "-f", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("no-observation"));
    let mut second = event();
    second["reason"] = json!("name-not-allowed");
    daemon.publish(second);
    assert!(lines.next().unwrap().unwrap().contains("name-not-allowed"));
    drop(daemon);
    assert!(lines.next().is_none());
    let output = follower.wait_with_output().unwrap();
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("decider has ended"), "{}", stderr(&output));
}

#[test]
fn rules_and_names_are_tables() {
    let folder = Folder::new("tables");
    let _daemon = Daemon::start(&folder);
    let rules = "\
RULE               ACTION  DOMAIN            PORTS      PROTO  UPSTREAM  MARK        LISTENER  STATE
github.com:22/ssh  allow   github.com        22         ssh    resolve   0x40000000  15100     ready
orders             allow   *.db.example.com  5432,6432  tcp    original  0x40000100  15101     not ready
no                 deny    old.example.com   5432       tcp    -         -           -         -
";
    assert_eq!(shown(&folder, &["rules"], 0), rules);
    assert_eq!(json_of(&folder, &["rules", "--json"]), fake::rules());
    let names = "\
NAME            ADDRESS      ASKED BY       TTL  AGE  LEFT  FLOWS  STATE
github.com      192.0.2.10   10.77.1.7      60s  5s   85s   0      live
db.example.com  2001:db8::5  2001:db8:1::7  1s   95s  0s    2      held
";
    assert_eq!(shown(&folder, &["cache"], 0), names);
    assert_eq!(json_of(&folder, &["cache", "--json"]), fake::cache());
    // A name is compared as the policy compares it.
    assert_eq!(shown(&folder, &["cache", "--name", "GitHub.com."], 0).lines().count(), 2);
    let output = decider(&folder, &["cache", "-n", "1"]);
    assert!(stderr(&output).contains("only the first 1 "), "{}", stderr(&output));
}

#[test]
fn an_explanation_tells_the_steps() {
    let folder = Folder::new("explained");
    let _daemon = Daemon::start(&folder);
    let ask = ["explain", "--client", "10.0.0.1", "--dst", "2001:db8::1", "--port", "22"];
    let told = shown(&folder, &ask, 0);
    let first = "allow 10.0.0.1 -> [2001:db8::1]:22: a rule allows this name on this port (allowed)\n";
    assert!(told.starts_with(first), "{told}");
    assert!(told.contains("\n  1. client       10.0.0.1 is covered\n"), "{told}");
    assert!(
        told.contains("\n  => mark 0x40000000, to Envoy's listener on port 15100, which looks github.com up\n"),
        "{told}"
    );
    assert!(told.contains(" asked by 10.0.0.1, 5 s ago, 85 s left, connections: 1\n"), "{told}");
    assert_eq!(json_of(&folder, &[&ask[..], &["--json"]].concat()), fake::explanation());
}

#[test]
fn a_refused_command_says_why() {
    let folder = Folder::new("refused");
    let _daemon = Daemon::start(&folder);
    let output = decider(&folder, &["down"]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("the door stays as it is"), "{}", stderr(&output));
}

#[test]
fn colours_are_off_in_pipes_and_on_demand() {
    let folder = Folder::new("view-colours");
    let daemon = Daemon::start(&folder);
    daemon.publish(event());
    for args in [&["status"][..], &["events"], &["rules"], &["cache"]] {
        let plain = decider(&folder, args);
        assert!(!stdout(&plain).contains('\u{1b}'), "{args:?} in a pipe");
        let asked = command(&folder, args).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
        assert!(!stdout(&asked).contains('\u{1b}'), "{args:?} with NO_COLOR");
    }
}
