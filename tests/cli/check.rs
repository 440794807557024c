//! `check`: what people and programs see of a good and of a bad policy.

use serde_json::{Value, json};

use crate::{Folder, POLICY, code, command, decider, stderr, stdout, text};

/// A problem, its place and a warning.
const BROKEN: &str = "\
version: 1
intercept: { gateway: { interfaces: [lan0] } }
dns: { resolvers: [127.0.0.1] }
rules:
  - { domain: github.com, proto: shh }
";

#[test]
fn a_good_policy_is_one_line() {
    let folder = Folder::new("good");
    for (policy, said) in
        [(POLICY.to_owned(), "2 rules"), (POLICY.replace("  - { domain: github.com, proto: ssh }\n", ""), "1 rule")]
    {
        let file = folder.file("policy.yaml", &policy);
        let output = decider(&folder, &["check", text(&file)]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert_eq!(stdout(&output), format!("ok: {} ({said})\n", text(&file)));
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn warnings_are_counted_apart_and_change_nothing() {
    let folder = Folder::new("warnings");
    let file = folder.file("policy.yaml", &POLICY.replace("10.77.2.53", "127.0.0.1"));
    let output = decider(&folder, &["check", text(&file)]);
    assert_eq!(code(&output), 0);
    assert_eq!(stdout(&output), format!("ok: {} (2 rules, 1 warning)\n", text(&file)));
    assert!(stderr(&output).starts_with("warning[unreachable-resolver]: "), "{}", stderr(&output));
}

#[test]
fn problems_are_counted_in_the_last_line() {
    let folder = Folder::new("counted");
    let many = BROKEN.replace("proto: shh", "proto: shh, port: 0").replace("127.0.0.1", "192.0.2.53");
    let hundreds = format!("{BROKEN}{}", "  - { domain: github.com, proto: shh }\n".repeat(600));
    for (policy, said) in [
        (BROKEN.replace("127.0.0.1", "192.0.2.53"), "1 problem"),
        (BROKEN.to_owned(), "1 problem, 1 warning"),
        (many, "2 problems"),
        (hundreds, "more than 500 problems"),
    ] {
        let file = folder.file("policy.yaml", &policy);
        let output = decider(&folder, &["check", text(&file)]);
        assert_eq!(code(&output), 1);
        assert_eq!(stdout(&output), "");
        assert_eq!(stderr(&output).lines().last().unwrap(), format!("{}: {said}", text(&file)));
    }
}

#[test]
fn every_problem_has_its_place() {
    let folder = Folder::new("places");
    let broken = POLICY.replace("proto: ssh", "proto: shh").replace("port: 5432", "port: 0");
    let file = folder.file("policy.yaml", &broken);
    let output = decider(&folder, &["check", text(&file)]);
    assert_eq!(code(&output), 1);
    let shown = stderr(&output);
    assert!(shown.contains("policy.yaml:8:34") && shown.contains("policy.yaml:9:49"), "{shown}");
}

#[test]
fn the_fields_of_its_json_are_stable() {
    let folder = Folder::new("check-json");
    let file = folder.file("policy.yaml", BROKEN);
    let output = decider(&folder, &["check", "--json", text(&file)]);
    assert_eq!(code(&output), 1);
    assert_eq!(stderr(&output), "");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problem = json!({
        "severity": "error", "code": "unknown-word", "line": 5, "column": 34, "end_column": 37,
        "message": "`shh` means nothing here", "help": "did you mean `ssh`?", "related": null
    });
    let warning = json!({
        "severity": "warning", "code": "unreachable-resolver", "line": 3, "column": 20, "end_column": 29,
        "message": "clients behind a gateway cannot ask `127.0.0.1`",
        "help": "write the address to which clients send their questions", "related": null
    });
    assert_eq!(report, json!({"file": text(&file), "ok": false, "rules": 0, "diagnostics": [warning, problem]}));

    let file = folder.file("policy.yaml", POLICY);
    let output = decider(&folder, &["check", "--json", text(&file)]);
    assert_eq!(code(&output), 0);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report, json!({"file": text(&file), "ok": true, "rules": 2, "diagnostics": []}));
}

#[test]
fn a_related_place_is_in_its_json() {
    let folder = Folder::new("related");
    let file =
        folder.file("policy.yaml", &POLICY.replace("db.example.com, proto: tcp, port: 5432", "github.com, proto: ssh"));
    let output = decider(&folder, &["check", "--json", text(&file)]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let related = json!({"line": 8, "column": 15, "end_column": 25, "message": "the other rule"});
    assert_eq!(report["diagnostics"][0]["related"], related);
}

#[test]
fn an_endless_file_is_not_read_to_its_end() {
    let folder = Folder::new("endless");
    let output = decider(&folder, &["check", "/dev/zero"]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("error[too-large]"), "{}", stderr(&output));
}

#[test]
fn another_commands_policy_is_counted_alike() {
    let folder = Folder::new("render-broken");
    let file = folder.file("policy.yaml", BROKEN);
    let output = decider(&folder, &["render", "nft", text(&file)]);
    assert_eq!(code(&output), 1);
    let last = format!("error: {} cannot be used: 1 problem, 1 warning", text(&file));
    assert_eq!(stderr(&output).lines().last().unwrap(), last);
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let folder = Folder::new("colours");
    let file = folder.file("policy.yaml", BROKEN);
    let ask = |variable: &str| {
        let output = command(&folder, &["check", text(&file)]).env(variable, "1").output().unwrap();
        stderr(&output).contains('\u{1b}')
    };
    assert!(!ask("SOME_VARIABLE"), "colours in a pipe");
    assert!(ask("CLICOLOR_FORCE"));
    assert!(!ask("NO_COLOR"));
}
