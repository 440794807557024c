//! What the documents tell people to type.

use std::path::Path;
use std::process::Command;

use crate::{decider, documents, markdown, read, root, said};

/// Other programs that a document may name in a console block. A new one is looked at by a person first.
const OTHERS: &[&str] = &[
    "nft",
    "ip",
    "conntrack",
    "kill",
    "tail",
    "docker",
    "ssh",
    "ssh-keyscan",
    "getent",
    "systemctl",
    "tcpdump",
    "nc",
    "patch",
];

/// The command of a line in a console block; none if it is output.
fn typed(line: &str) -> Option<&str> {
    let command = line.strip_prefix("# ").or_else(|| line.strip_prefix("$ "))?;
    let command = command.split("  #").next().unwrap_or(command);
    Some(command.trim().trim_end_matches('&').trim())
}

/// Every command in a console block, with where it stands.
fn console() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for path in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        for block in markdown::blocks(&document).iter().filter(|block| block.language == "console") {
            let commands = block.text.lines().filter_map(typed);
            found.extend(commands.map(|command| (path.display().to_string(), command.to_owned())));
        }
    }
    assert!(found.len() > 5, "only {} commands found", found.len());
    found
}

/// The command and its options exist.
pub fn is_known(words: &[&str]) -> Result<(), String> {
    let Some((&command, rest)) = words.split_first() else { return Ok(()) };
    if command.starts_with('-') {
        return Ok(());
    }
    let help = decider(root(), &[command, "--help"]);
    if !help.status.success() {
        return Err(format!("no command {command}"));
    }
    let help = said(&help);
    // `-port:22` is a word of a filter, which the help tells of as `port:`.
    let is_filter =
        |word: &str| word.split_once(':').is_some_and(|(field, _)| help.contains(&format!(" {}:", &field[1..])));
    let options = rest.iter().filter(|word| word.starts_with('-') && !is_filter(word));
    let options = options.map(|word| word.split('=').next().unwrap_or(word));
    match options.into_iter().find(|option| !help.contains(option)) {
        Some(option) => Err(format!("{command} has no {option}")),
        None => Ok(()),
    }
}

#[test]
fn commands_exist() {
    let mut wrong = Vec::new();
    let spans = documents().into_iter().flat_map(|path| {
        let document = std::fs::read_to_string(&path).unwrap();
        let spans = markdown::code_spans(&document).into_iter();
        spans.map(move |span| (path.display().to_string(), span)).collect::<Vec<_>>()
    });
    for (place, line) in spans.chain(console()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"decider") {
            if let Err(error) = is_known(&words[1..]) {
                wrong.push(format!("{place}: `{line}`: {error}"));
            }
        } else if words.first() == Some(&"make") {
            let target = words.get(1).copied().unwrap_or("help");
            if !read("Makefile").lines().any(|line| line.starts_with(&format!("{target}:"))) {
                wrong.push(format!("{place}: `{line}`: no such target"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn console_blocks_use_known_programs() {
    for (place, line) in console() {
        let program = line.split_whitespace().find(|word| !word.contains('=')).unwrap();
        let known = ["decider", "make"].contains(&program) || OTHERS.contains(&program);
        assert!(known, "{place}: `{line}`: is {program} right?");
    }
}

/// What `decider events --json` has written.
const EVENT: &str = r#"{"ts":"2026-01-01T00:00:00Z","verdict":"audit","reason":"port-not-allowed","rule":null,"domain":"a.example",
"client":"10.77.1.2","client_port":40000,"dst":"192.0.2.10","dst_port":443,"proto":"tcp","mark":"0x00000000","iface":"lan0",
"path":"fast","waited_us":0}"#;

/// Those that only read, with the README's policy as policy.yaml and a state directory of their own.
#[test]
fn harmless_commands_do_what_they_should() {
    let folder = tempfile::tempdir().unwrap();
    let readme = read("README.md");
    let policy = markdown::blocks(&readme).into_iter().find(|block| block.language == "yaml").unwrap();
    std::fs::write(folder.path().join("policy.yaml"), policy.text).unwrap();
    std::fs::write(folder.path().join("events.jsonl"), EVENT.replace('\n', "")).unwrap();
    let mut ran = 0;
    for (place, line) in console() {
        let line = line.replace("/etc/decider/", "");
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["decider", "check" | "render", ..] | ["decider", "learn", "--from", ..] = words[..] {
            ran += 1;
            // Where the output goes is the shell's.
            let words = words.split(|word| *word == ">").next().unwrap();
            succeeds(folder.path(), &place, &words[1..]);
        }
    }
    assert!(ran > 0, "no document has a harmless command");
}

fn succeeds(folder: &Path, place: &str, args: &[&str]) {
    let state = folder.join("state").display().to_string();
    let output = decider(folder, &[args, &["--state-dir", &state]].concat());
    assert!(output.status.success(), "{place}: decider {}: {}", args.join(" "), said(&output));
}

#[test]
fn make_lists_its_targets() {
    let output = Command::new("make").current_dir(root()).env_remove("MAKEFLAGS").output().unwrap();
    for target in ["demo", "test", "check", "fuzz", "build", "install", "clean"] {
        assert!(said(&output).contains(&format!("make {target} ")), "{target}: {}", said(&output));
        let dry =
            Command::new("make").args(["-n", target]).current_dir(root()).env_remove("MAKEFLAGS").output().unwrap();
        assert!(dry.status.success(), "{target}: {}", said(&dry));
    }
}

#[test]
fn the_readme_lists_every_command() {
    let readme = read("README.md");
    let help = said(&decider(root(), &["--help"]));
    let commands = help.split_once("Commands:").unwrap().1.split("\n\n").next().unwrap();
    for command in commands.lines().filter_map(|line| line.split_whitespace().next()) {
        let told = ["help", "completions", "man"].contains(&command);
        assert!(told || readme.contains(&format!("decider {command}")), "{command} is not in the README");
    }
}
