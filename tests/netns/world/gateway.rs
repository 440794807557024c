use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{Client, GATEWAY, Namespace, Process, eventually, within};

/// The machine that decider guards, with all that belongs to it in a directory of its own.
pub struct Gateway {
    pub namespace: Namespace,
    pub directory: tempfile::TempDir,
    pub process: Option<Process>,
    /// Environment of the next start.
    pub environment: Vec<(String, String)>,
    /// Further arguments of the next start.
    pub arguments: Vec<String>,
    /// What the next start is done by: a program with its arguments.
    pub wrapper: Vec<String>,
}

/// What a start of decider came to that should not have worked.
pub struct FailedStart {
    pub code: Option<i32>,
    pub log: String,
}

const DECIDER: &str = env!("CARGO_BIN_EXE_decider");

thread_local! {
    /// Arguments of every decider that this thread will start.
    static BESIDE: Cell<&'static [&'static str]> = const { Cell::new(&[]) };
}

impl Gateway {
    pub fn new() -> Self {
        let beside = BESIDE.get().iter().copied();
        Self {
            namespace: Namespace::new(),
            directory: tempfile::Builder::new().prefix("decider-netns-").tempdir().unwrap(),
            process: None,
            environment: vec![],
            arguments: ["--workers", "2"].into_iter().chain(beside).map(str::to_owned).collect(),
            wrapper: vec![],
        }
    }

    /// Plays a scenario with further arguments for every decider in it.
    pub fn told(arguments: &'static [&'static str], scenario: impl FnOnce()) {
        BESIDE.set(arguments);
        scenario();
        BESIDE.set(&[]);
    }

    /// Its own processes, as whoever asks and connects.
    pub fn as_client(&self) -> Client {
        Client { namespace: self.namespace.clone(), addresses: GATEWAY }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write_policy(&self, text: &str) {
        std::fs::write(self.path("policy.yaml"), text).unwrap();
    }

    pub fn policy(&self) -> String {
        std::fs::read_to_string(self.path("policy.yaml")).unwrap()
    }

    /// Puts lines into the policy, behind the first.
    pub fn add_to_policy(&self, lines: &str) {
        self.write_policy(&self.policy().replacen("version: 1\n", &format!("version: 1\n{lines}\n"), 1));
    }

    /// Gives the policy other rules, a line each.
    pub fn write_rules(&self, rules: &[&str]) {
        let policy = self.policy();
        let (before, _) = policy.split_once("rules:").unwrap();
        self.write_policy(&format!("{before}rules:\n  - {}\n", rules.join("\n  - ")));
    }

    /// Reloads, with these arguments: the exit code, and the answer.
    pub fn reload(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.cli(&[&["reload", "--json"], arguments].concat());
        let answer = serde_json::from_slice(&output.stdout);
        (
            output.status.code().unwrap(),
            answer.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))),
        )
    }

    /// Reloads, which has to work.
    pub fn reloads(&self) -> Value {
        let (code, answer) = self.reload(&[]);
        assert_eq!((code, &answer["ok"], &answer["not_ready"]), (0, &true.into(), &serde_json::json!([])), "{answer}");
        answer
    }

    /// Makes Envoy somebody else's to start in the policy; says which program that was.
    pub fn leave_envoy_to_others(&self) -> String {
        let text = std::fs::read_to_string(self.path("policy.yaml")).unwrap();
        let (before, after) = text.split_once("manage: true, binary: ").unwrap();
        let (envoy, after) = after.split_once(',').unwrap();
        self.write_policy(&format!("{before}manage: false,{after}"));
        envoy.to_owned()
    }

    /// Starts decider and waits until all is in force.
    pub fn start(&mut self) {
        self.launch();
        self.wait_until_ready();
    }

    /// Starts decider, and waits for nothing.
    pub fn launch(&mut self) {
        let mut command = self.wrapped(&["run"]);
        command.arg(self.path("policy.yaml")).args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let log = self.path("log");
        self.process = Some(Process::start(&self.namespace, &mut command, &log));
    }

    pub fn wait_until_ready(&self) {
        eventually("decider with all in force", || self.is_ready().then_some(()));
    }

    fn is_ready(&self) -> bool {
        self.cli(&["status"]).status.code() == Some(0)
    }

    /// A start that has to fail: its exit code and all that it said.
    pub fn failed_start(&mut self) -> FailedStart {
        let _ = std::fs::remove_file(self.path("log"));
        self.launch();
        let mut process = self.process.take().unwrap();
        let status = process.ended_within(Duration::from_secs(20)).expect("the start neither failed nor gave up");
        FailedStart { code: status.code(), log: process.log() }
    }

    /// Ends decider, as an accident or by its own means; it has to end soon.
    pub fn end_by(&mut self, signal: Signal) {
        let mut process = self.process.take().unwrap();
        process.signal(signal);
        process.ended_within(Duration::from_secs(10)).expect("decider did not end");
    }

    /// Stops it in its tracks, and waits until each of its threads stands still.
    pub fn freeze(&self) {
        let process = self.process.as_ref().unwrap();
        process.signal(Signal::SIGSTOP);
        eventually("a stop of every thread", || process.is_frozen().then_some(()));
    }

    pub fn thaw(&self) {
        self.process.as_ref().unwrap().signal(Signal::SIGCONT);
    }

    pub fn down(&mut self) {
        let output = self.cli(&["down"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if let Some(mut process) = self.process.take() {
            assert!(!process.is_running(), "`down` came back before decider had ended");
        }
    }

    /// decider's command line, run to its end.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        self.namespace.enter(|| command.stdin(Stdio::null()).output().unwrap())
    }

    /// A reading command's JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.cli(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    pub fn status(&self) -> Value {
        self.json(&["status"])
    }

    /// Waits until decider is up but says that something is wrong with `what`.
    pub fn wait_until_degraded(&self, what: &str) {
        eventually(&format!("a status that says `{what}`"), || {
            let output = self.cli(&["status", "--json"]);
            let status: Value = serde_json::from_slice(&output.stdout).ok()?;
            status["problems"].as_array()?.iter().any(|problem| problem["what"] == what).then_some(())
        });
    }

    /// All recent events.
    pub fn events(&self) -> Vec<Value> {
        let output = self.cli(&["events", "--json", "-n", "10000"]);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Waits for an event about a connection to there with that reason.
    pub fn event(&self, dst: IpAddr, port: u16, reason: &str) -> Value {
        let is_it =
            |event: &&Value| event["dst"] == dst.to_string() && event["dst_port"] == port && event["reason"] == reason;
        let found = within(Duration::from_secs(5), || self.events().iter().rfind(is_it).cloned());
        found.unwrap_or_else(|| panic!("no event {reason} for {dst} port {port}, but {:#?}", self.events()))
    }

    /// The same of one that came by that protocol.
    pub fn event_by(&self, proto: &str, dst: IpAddr, port: u16, reason: &str) -> Value {
        let is_it = |event: &&Value| {
            event["proto"] == proto
                && event["dst"] == dst.to_string()
                && event["dst_port"] == port
                && event["reason"] == reason
        };
        let found = within(Duration::from_secs(5), || self.events().iter().rfind(is_it).cloned());
        found.unwrap_or_else(|| panic!("no event {reason} for {dst} port {port} by {proto}, but {:#?}", self.events()))
    }

    /// What became of the DNS messages so far, by outcome; those that were none are left out.
    pub fn messages(&self) -> BTreeMap<String, u64> {
        // Not by the command line: some tests ask after each message.
        let client = decider::control::Client::connect(&self.path("control.sock")).unwrap();
        let status: Value = client.call(&decider::control::Request::Status {}).unwrap();
        let counted: BTreeMap<String, u64> = serde_json::from_value(status["dns"]["messages"].clone()).unwrap();
        counted.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// Once nothing is under way, every packet that came to a queue is accounted for; the counters then.
    pub fn adds_up(&self) -> Value {
        let parts = ["allowed", "denied", "audited", "malformed", "dropped_by_kernel"];
        let mut last = Value::Null;
        let settled = within(Duration::from_secs(10), || {
            last = self.status()["counters"].clone();
            let sum = parts.iter().map(|name| last[name].as_u64().unwrap()).sum::<u64>();
            (last["waiting"] == 0 && last["queued"] == sum && sum > 0).then_some(())
        });
        assert!(settled.is_some(), "the counters do not add up: {last}");
        last
    }

    /// Events as they come, in the process's output.
    pub fn follow_events(&self) -> Process {
        let mut command = self.command(&["events", "-f", "--json"]);
        Process::start(&self.namespace, &mut command, &self.path("followed"))
    }

    /// The command line, run by a program.
    pub fn cli_by(&self, program: &str, before: &[&str], arguments: &[&str]) -> Output {
        let mut command = Command::new(program);
        command.args(before).arg(DECIDER);
        self.add(&mut command, arguments);
        self.namespace.enter(|| command.stdin(Stdio::null()).output().unwrap())
    }

    /// Envoy's process.
    pub fn envoy_pid(&self) -> nix::unistd::Pid {
        let pid = self.status()["envoy"]["pid"].as_i64().expect("no Envoy runs");
        nix::unistd::Pid::from_raw(pid.try_into().unwrap())
    }

    /// The command line, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(DECIDER);
        self.add(&mut command, arguments);
        command
    }

    fn wrapped(&self, arguments: &[&str]) -> Command {
        let Some((program, before)) = self.wrapper.split_first() else { return self.command(arguments) };
        let mut command = Command::new(program);
        command.args(before).arg(DECIDER);
        self.add(&mut command, arguments);
        command
    }

    fn add(&self, command: &mut Command, arguments: &[&str]) {
        command.args(arguments).arg("--socket").arg(self.path("control.sock"));
        command.arg("--state-dir").arg(self.path("state"));
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            print_end_of(&self.path("log"));
            let status = self.cli(&["status", "--json"]);
            eprintln!("decider's counters:\n{}", String::from_utf8_lossy(&status.stdout));
        }
    }
}

fn print_end_of(log: &Path) {
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.contains("decider::decision")).collect();
    eprintln!("the end of decider's log:\n{}", lines[lines.len().saturating_sub(30)..].join("\n"));
}
