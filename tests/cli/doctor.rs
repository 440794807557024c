//! `decider doctor`: what it prints and how it exits. What it says of which facts is in tests/doctor.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::fake::Daemon;
use crate::{Folder, POLICY, code, command, decider, stderr, stdout, text};

/// Each check's level; several lines of one check come to the worst.
fn levels(output: &std::process::Output) -> BTreeMap<String, String> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let mut levels = BTreeMap::new();
    for finding in findings {
        let [name, level] = ["name", "level"].map(|key| finding[key].as_str().unwrap().to_owned());
        assert!(finding["what"].is_string() && finding.get("fix").is_some(), "{finding}");
        if level != "ok" || !levels.contains_key(&name) {
            levels.insert(name, level);
        }
    }
    assert_eq!(report["ok"], !levels.values().any(|level| level == "wrong"), "{report}");
    levels
}

#[test]
fn a_broken_policy_is_wrong_and_a_missing_one_the_systems_no() {
    let folder = Folder::new("doctor-policy");
    let broken = folder.file("broken.yaml", "version: 2\n");
    let output = decider(&folder, &["doctor", text(&broken), "--json"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert_eq!(levels(&output)["policy"], "wrong");
    let output = decider(&folder, &["doctor", "/nonexistent/policy.yaml"]);
    assert_eq!(code(&output), 4);
    assert!(stderr(&output).contains("/nonexistent/policy.yaml"), "{}", stderr(&output));
    assert_eq!(code(&decider(&folder, &["doctor", "a.yaml", "b.yaml"])), 2);
}

#[test]
fn people_get_aligned_lines_and_colours_only_where_wanted() {
    let folder = Folder::new("doctor-lines");
    let file = folder.file("policy.yaml", POLICY);
    let output = decider(&folder, &["doctor", text(&file)]);
    let shown = stdout(&output);
    assert!(!shown.contains('\x1b'), "{shown}");
    let lines: Vec<&str> = shown.lines().collect();
    let column = lines[0].find(text(&file)).unwrap();
    for line in lines.iter().take_while(|line| !line.is_empty()) {
        assert!(["ok ", "warn ", "wrong ", "      "].iter().any(|word| line.starts_with(word)), "{line:?}");
        assert_eq!((line.as_bytes()[column - 1], line.as_bytes()[column] == b' '), (b' ', false), "{line:?}");
    }
    assert!(lines.last().unwrap().contains(" wrong, "), "{shown}");
    let coloured = command(&folder, &["doctor", text(&file)]).env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(stdout(&coloured).contains('\x1b'));
    let plain =
        command(&folder, &["doctor", text(&file)]).env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1").output().unwrap();
    assert!(!stdout(&plain).contains('\x1b'), "{}", stdout(&plain));
}

#[test]
fn the_decider_that_runs_is_asked() {
    let folder = Folder::new("doctor-daemon");
    let file = folder.file("policy.yaml", POLICY);
    let ask = || levels(&decider(&folder, &["doctor", text(&file), "--json"]));
    assert_eq!(ask()["daemon"], "warn");
    let daemon = Daemon::start(&folder);
    assert_eq!((&*ask()["daemon"], &*ask()["envoy.listeners"]), ("ok", "ok"));
    daemon.status(|status| {
        status["problems"] = serde_json::json!([{ "what": "listener", "message": "one is missing" }]);
        status["listeners_ready"] = 1.into();
    });
    assert_eq!((&*ask()["daemon"], &*ask()["envoy.listeners"]), ("wrong", "wrong"));
}

#[test]
fn what_others_could_have_written_is_wrong() {
    let folder = Folder::new("doctor-files");
    let file = folder.file("policy.yaml", POLICY);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    let state = folder.0.join("state");
    std::fs::create_dir(&state).unwrap();
    std::fs::set_permissions(&state, PermissionsExt::from_mode(0o777)).unwrap();
    let output = decider(&folder, &["doctor", text(&file)]);
    assert_eq!(code(&output), 1);
    for path in [&file, &state] {
        assert!(stdout(&output).contains(&format!("chmod go-w {}", path.display())), "{}", stdout(&output));
    }
}

#[test]
fn without_rights_it_says_what_it_could_not_look_at() {
    let folder = Folder::new("doctor-rights");
    let file = folder.file("policy.yaml", POLICY);
    std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o755)).unwrap();
    let wanted = command(&folder, &["doctor", text(&file), "--json"]);
    // Where the tests run without root, this is so anyway; a program of a folder of root's alone cannot be run by another.
    let mut asked = std::process::Command::new("setpriv");
    asked.args(["--bounding-set=-net_admin", "--inh-caps=-all"]).arg(wanted.get_program()).args(wanted.get_args());
    let output = if nix::unistd::geteuid().is_root() { asked.output() } else { { wanted }.output() }.unwrap();
    let levels = levels(&output);
    assert_ne!(levels["rights"], "ok");
    for name in ["kernel.nf_tables", "kernel.queue", "kernel.ruleset", "others.programs"] {
        assert_eq!(levels[name], "warn", "{name}");
    }
}
