//! What `decider allow` asks for, and how it says what came of it.

use serde_json::{Value, json};

use crate::fake::{self, Daemon};
use crate::{Folder, code, decider, stderr, stdout};

fn said(folder: &Folder, args: &[&str], wanted: i32) -> String {
    let output = decider(folder, args);
    assert_eq!(code(&output), wanted, "{args:?}: {}", stderr(&output));
    stdout(&output)
}

#[test]
fn it_says_exactly_what_is_allowed_to_whom_and_until_when() {
    let folder = Folder::new("allow");
    let _daemon = Daemon::start(&folder);
    let told = |args: &[&str]| said(&folder, &[&["allow", "new.example:22", "--for", "10m"], args].concat(), 0);
    let wanted = "\
allowed: new.example on port 22 (ssh), for 10.0.0.5 only, for 10m, until 2027-01-02 03:14:05
  rule new.example:22/ssh@10.0.0.5
  note: ssh is assumed, whose port is 22
";
    assert_eq!(told(&["--client", "10.0.0.5"]), wanted);
    assert_eq!(told(&["--dry-run"]), wanted.replace("allowed:", "would be allowed:"));
    let report: Value = serde_json::from_str(&told(&["--json"])).unwrap();
    assert_eq!((&report["ok"], &report["rules"]), (&json!(true), &json!([fake::temporary()])));
}

#[test]
fn a_refusal_has_the_words_of_the_policys_checker() {
    let folder = Folder::new("allow-refused");
    let _daemon = Daemon::start(&folder);
    let refused = decider(&folder, &["allow", "*.com:22", "--for", "10m"]);
    assert_eq!((code(&refused), &*stdout(&refused)), (1, ""));
    let wanted = "error: anybody can have names below `com`\n  help: name the domain, as in \"*.example.com\"\n";
    assert_eq!(stderr(&refused), wanted);
    let refused = decider(&folder, &["allow", "*.com:22", "--for", "10m", "--json"]);
    let report: Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!((code(&refused), &report["failure"]["code"]), (1, &json!("public-suffix")));
}

#[test]
fn they_are_listed_and_revoked() {
    let folder = Folder::new("allow-list");
    let _daemon = Daemon::start(&folder);
    let wanted = "\
RULE                          DOMAIN       PORT  PROTO  CLIENT    LEFT  ENDS                 ASKED BY
new.example:22/ssh@10.0.0.5   new.example  22    ssh    10.0.0.5  2m5s  2027-01-02 03:14:05  user 0
";
    let unspaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(unspaced(&said(&folder, &["allow", "--list"], 0)), unspaced(wanted));
    let listed: Value = serde_json::from_str(&said(&folder, &["allow", "--list", "--json"], 0)).unwrap();
    assert_eq!(listed, json!([fake::temporary()]));
    let wanted = "\
revoked: new.example:22/ssh@10.0.0.5
  cut [2001:db8::7]:40000 -> 203.0.113.9:22 (old.example): its rule is gone
";
    assert_eq!(said(&folder, &["allow", "--revoke", "new.example"], 0), wanted);
    let unknown = decider(&folder, &["allow", "--revoke", "other.example"]);
    assert_eq!(code(&unknown), 1);
    assert!(stderr(&unknown).contains("`decider allow --list`"), "{}", stderr(&unknown));
}

#[test]
fn rules_and_status_tell_of_them() {
    let folder = Folder::new("allow-shown");
    let daemon = Daemon::start(&folder);
    daemon.status(|status| {
        let mut later = fake::temporary();
        (later["id"], later["left_s"]) = (json!("later"), json!(3_600));
        status["temporary"] = json!([later, fake::temporary()]);
    });
    let status = said(&folder, &["status"], 0);
    assert!(status.contains("  temporary rules   new.example:22/ssh@10.0.0.5, 2m5s left, and 1 more\n"), "{status}");
}

#[test]
fn half_a_command_is_wrong_usage() {
    let folder = Folder::new("allow-usage");
    for args in [
        &["allow"][..],
        &["allow", "a.example"],
        &["allow", "--for", "10m"],
        &["allow", "a.example", "--for", "10"],
        &["allow", "a.example", "--for", "500ms"],
        &["allow", "a.example", "--for", "10m", "--client", "a.example"],
        &["allow", "a.example", "--for", "10m", "--list"],
        &["allow", "a.example", "--for", "10m", "--revoke", "x"],
        &["allow", "--list", "--revoke", "x"],
    ] {
        let output = decider(&folder, args);
        // It is told before a daemon is looked for.
        assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
    }
    assert_eq!(code(&decider(&folder, &["allow", "a.example", "--for", "10m"])), 3);
}
