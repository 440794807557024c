//! The command line: output, exit codes, help. Without a daemon here; with one that says what a test wants in `views`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod allow;
mod check;
mod doctor;
mod fake;
mod output;
mod socket;
mod tmux;
mod top;
mod views;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const POLICY: &str = "\
version: 1
intercept:
  gateway:
    interfaces: [lan0]
dns:
  resolvers: [10.77.2.53, \"fd77:2::53\"]
rules:
  - { domain: github.com, proto: ssh }
  - { domain: db.example.com, proto: tcp, port: 5432 }
";

struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("decider-cli-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("control.sock")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn decider(folder: &Folder, args: &[&str]) -> Output {
    command(folder, args).output().unwrap()
}

/// The program with everything it keeps in the folder, and nothing from the environment that changes its output.
fn command(folder: &Folder, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_decider"));
    command.args(args).arg("--socket").arg(folder.socket()).arg("--state-dir").arg(folder.0.join("state"));
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "DECIDER_LOG"] {
        command.env_remove(variable);
    }
    command.env("TZ", "UTC");
    command
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_missing_file_is_the_systems_no() {
    let folder = Folder::new("missing");
    for command in [&["check"][..], &["run"], &["render", "nft"]] {
        let output = decider(&folder, &[command, &["/nonexistent/policy.yaml"]].concat());
        assert_eq!(code(&output), 4, "{command:?}");
        assert!(stderr(&output).contains("/nonexistent/policy.yaml"), "{}", stderr(&output));
    }
}

#[test]
fn commands_that_need_a_daemon_say_that_there_is_none() {
    let folder = Folder::new("daemonless");
    let explain = ["explain", "--client", "10.0.0.1", "--dst", "192.0.2.1", "--port", "22"];
    for command in [&["status"][..], &["events"], &["top", "--once"], &["cache"], &["rules"], &explain] {
        let output = decider(&folder, command);
        assert_eq!(code(&output), 3, "{command:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("no decider runs here"), "{}", stderr(&output));
        assert!(stderr(&output).contains("decider run FILE"), "{}", stderr(&output));
    }
}

#[test]
fn wrong_usage_is_two() {
    let folder = Folder::new("usage");
    let port = ["explain", "--client", "10.0.0.1", "--dst", "192.0.2.1", "--port", "0"];
    for command in [
        &["statsu"][..],
        &[],
        &["explain", "--client", "nobody"],
        &port,
        &["run"],
        &["cache", "--name", "no name"],
        &["cache", "--limit", "0"],
        &["check", "a.yaml", "b.yaml"],
    ] {
        assert_eq!(code(&decider(&folder, command)), 2, "{command:?}");
    }
    let file = folder.file("policy.yaml", POLICY);
    let output = command(&folder, &["run", text(&file)]).env("DECIDER_LOG", "loud=!").output().unwrap();
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("DECIDER_LOG"), "{}", stderr(&output));
}

#[test]
fn a_damaged_state_directory_is_the_systems_no() {
    let folder = Folder::new("damaged");
    let file = folder.file("policy.yaml", POLICY);
    let state = folder.0.join("state");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("slots.json"), "nonsense").unwrap();
    let explain = ["explain", "--client", "10.0.0.1", "--dst", "192.0.2.1", "--port", "22", text(&file)];
    for command in [&explain[..], &["render", "nft", text(&file)]] {
        let output = decider(&folder, command);
        assert_eq!(code(&output), 4, "{command:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("slots.json"), "{}", stderr(&output));
    }
}

#[test]
fn render_prints_all_parts() {
    let folder = Folder::new("render");
    let file = folder.file("policy.yaml", POLICY);
    let output = decider(&folder, &["render", "all", text(&file)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    for part in ["table inet decider", "10.77.2.53", "fd77:2::53", "unreachable", "github.com", "5432"] {
        assert!(stdout(&output).contains(part), "{part} is not in\n{}", stdout(&output));
    }
    let output = decider(&folder, &["render", "all", "--json", text(&file)]);
    let parts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    for part in ["nft", "routes", "backstop", "envoy"] {
        assert!(!parts[part].is_null(), "{part}");
    }
    assert_eq!(parts["backstop"], serde_json::json!([]));
}

#[test]
fn render_shows_the_backstop_of_a_host_that_is_covered() {
    let folder = Folder::new("render-host");
    let host = "version: 1\nintercept: { host: true }\ndns: { resolvers: [192.0.2.53] }\n\
                envoy: { manage: true, user: root }\nrules: [{ domain: github.com, proto: ssh }]\n";
    let file = folder.file("policy.yaml", host);
    let output = decider(&folder, &["render", "backstop", text(&file)]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let shown = stdout(&output);
    for part in ["r2 &= 0xff003f00", "if r2 == 0x200 goto pass", "call bpf_sk_fullsock", "drop:"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert!(!shown.contains("dev lo "), "{shown}");
    let audit = folder.file("audit.yaml", &host.replace("version: 1", "version: 1\nmode: audit"));
    assert_eq!(stdout(&decider(&folder, &["render", "backstop", text(&audit)])), "# tc\n");
}

#[test]
fn explain_works_without_a_daemon_when_given_a_policy() {
    let folder = Folder::new("explain");
    let file = folder.file("policy.yaml", POLICY);
    let ask = |port: &str| {
        let args = ["explain", "--client", "10.0.0.1", "--dst", "192.0.2.1", "--port", port, "--json"];
        let output = decider(&folder, &[&args[..], &[text(&file)]].concat());
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(ask("22")["reason"], "no-observation");
    assert_eq!(ask("23")["reason"], "port-not-allowed");
    assert_eq!(ask("53")["reason"], "resolver-not-trusted");
}

#[test]
fn help_man_page_and_completions_are_real() {
    let folder = Folder::new("docs");
    let help = decider(&folder, &["--help"]);
    for command in ["check", "render", "run", "status", "events", "explain", "cache", "rules", "down"] {
        assert!(stdout(&help).contains(command), "{command}");
        let own = decider(&folder, &[command, "--help"]);
        assert_eq!(code(&own), 0);
        assert!(stdout(&own).contains("Usage: decider"), "{}", stdout(&own));
    }
    let man = decider(&folder, &["man"]);
    assert!(stdout(&man).starts_with(".ie") || stdout(&man).contains(".TH decider"), "{}", stdout(&man));
    let pages = folder.0.join("man");
    std::fs::create_dir_all(&pages).unwrap();
    assert_eq!(code(&decider(&folder, &["man", text(&pages)])), 0);
    assert!(pages.join("decider-explain.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        let script = decider(&folder, &["completions", shell]);
        assert!(stdout(&script).contains("explain"), "{shell}");
    }
}
