//! `policy/schema.json`, by which editors complete and check a policy while it is written: made of the keys in the code and of what
//! docs/policy.md says of them.
//!
//! After a change: `DECIDER_REWRITE=1 cargo test --test policy schema`, then read the difference.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use decider::policy::{SECTIONS, Section};
use serde_json::{Map, Value, json};

use crate::defaults::BOUNDS;
use crate::docs::{document, part, rows, word};
use crate::{FULL, path, policies, with};

const FILE: &str = "policy/schema.json";
/// Debian's own Python, for which `tests/setup` has what is imported here.
const PYTHON: &str = "/usr/bin/python3";
/// Reads a schema and, a line each, names and policies. Names those that do not fit, with the first thing that does not.
const VALIDATE: &str = "
import json, sys, yaml
from jsonschema import Draft202012Validator as Draft
schema = json.loads(sys.stdin.readline())
Draft.check_schema(schema)
class Loader(yaml.SafeLoader): pass
# YAML 1.2, as decider and editors read it: a time is a text, and a number has no colons.
Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(('timestamp', 'int', 'bool'))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
import re
Loader.add_implicit_resolver('tag:yaml.org,2002:int', re.compile('^[0-9]+$'), list('0123456789'))
Loader.add_implicit_resolver('tag:yaml.org,2002:bool', re.compile('^(true|false)$'), list('tf'))
for line in sys.stdin:
    name, policy = json.loads(line)
    try:
        policy = yaml.load(policy, Loader)
    except Exception as error:
        print(json.dumps([name, 'no YAML']))
        continue
    error = next(Draft(schema).iter_errors(policy), None)
    if error: print(json.dumps([name, error.message[:300]]))
";

/// The whole schema.
fn made() -> Value {
    let text = document();
    let rows = rows(part(&text, "\n## Keys\n"));
    let meaning = |key: &str| {
        let row = rows.iter().find(|row| word(row[0]) == key).unwrap();
        match plain(row[2]).as_str() {
            "needed" => sentence(row[1]),
            default => format!("{} Default: {default}.", sentence(row[1])),
        }
    };
    let mut schema = object(SECTIONS[0], &meaning);
    let head = [
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("A policy of decider")),
        ("description", json!("Whose connections are decided, whose DNS answers are believed, and what may pass.")),
    ];
    schema.as_object_mut().unwrap().extend(head.map(|(key, value)| (key.to_owned(), value)));
    schema
}

/// A cell of a table without its links.
fn plain(cell: &str) -> String {
    let mut text = String::new();
    let mut rest = cell;
    while let Some((before, link)) = rest.split_once('[') {
        let (label, after) = link.split_once("](").map_or((link, ")"), |(label, after)| (label, after));
        text.push_str(before);
        text.push_str(label);
        rest = after.split_once(')').map_or("", |(_, rest)| rest);
    }
    text + rest
}

fn sentence(cell: &str) -> String {
    let text = plain(cell);
    let mut letters = text.chars();
    let first: String = letters.next().map_or(String::new(), |first| first.to_uppercase().collect());
    format!("{first}{}.", letters.as_str())
}

/// A section with all its keys.
fn object(section: &Section, meaning: &impl Fn(&str) -> String) -> Value {
    let dot = if section.path.is_empty() { "" } else { "." };
    let mut properties = Map::new();
    for key in section.keys {
        let name = format!("{}{dot}{key}", section.path);
        let mut value = SECTIONS
            .iter()
            .find(|below| below.path == name)
            .map_or_else(|| kind(&name, meaning), |below| object(below, meaning));
        value["description"] = meaning(&name).into();
        properties.insert((*key).to_owned(), value);
    }
    let needed: &[&str] = match section.path {
        "" => &["version", "intercept", "dns", "rules"],
        "intercept.gateway" => &["interfaces"],
        "dns" => &["resolvers"],
        "metrics" => &["listen"],
        "events" => &["file"],
        "rules[]" => &["domain", "proto"],
        _ => &[],
    };
    let mut object = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if !needed.is_empty() {
        object["required"] = json!(needed);
    }
    match section.path {
        "intercept" => {
            object["anyOf"] = json!([{ "required": ["gateway"] }, { "properties": { "host": { "const": true } }, "required": ["host"] }]);
        }
        "rules[]" => {
            object["if"] = json!({ "properties": { "proto": { "const": "tcp" } } });
            object["then"] = json!({ "required": ["port"] });
        }
        _ => {}
    }
    object
}

/// What one key takes.
fn kind(key: &str, meaning: &impl Fn(&str) -> String) -> Value {
    let words = |words: &[&str]| json!({ "enum": words });
    let text = |least: u32, most: u32| json!({ "type": "string", "minLength": least, "maxLength": most });
    let list = |of: Value, most: u32| json!({ "type": "array", "items": of, "minItems": 1, "maxItems": most });
    let one_or_more = |of: &Value, most: u32| json!({ "oneOf": [of, list(of.clone(), most)] });
    let number = |least: u64, most: u64| json!({ "type": "integer", "minimum": least, "maximum": most });
    let pattern = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let path = || pattern("^/");
    let duration = || pattern("^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$");
    match key {
        "version" => json!({ "const": 1 }),
        "mode" => words(&["enforce", "audit"]),
        "deny" => words(&["reject", "drop"]),
        "fast_path" | "intercept.host" | "dns.allow_private" | "envoy.manage" => json!({ "type": "boolean" }),
        "upstream" | "rules[].upstream" => words(&["resolve", "original"]),
        "rules" => {
            let rule = SECTIONS.iter().find(|section| section.path == "rules[]").unwrap();
            json!({ "type": "array", "items": object(rule, meaning) })
        }
        "intercept.gateway.interfaces" => list(pattern(r"^([^*/\s]{1,15}|[^*/\s]{0,15}\*)$"), 256),
        "intercept.gateway.networks" => list(pattern("^[0-9a-fA-F:.]+/[0-9]{1,3}$"), 256),
        "dns.resolvers" => list(pattern("^[0-9a-fA-F:.]+$"), 16),
        "dns.queries" => words(&["any", "policy"]),
        "dns.scope" => words(&["shared", "client"]),
        "dns.on_ambiguous" => words(&["latest", "deny"]),
        "dns.min_ttl" | "dns.grace" | "dns.max_ttl" => duration(),
        "dns.capacity" => number(1_000, 10_000_000),
        "envoy.binary" | "envoy.config_dir" | "events.file" => path(),
        "envoy.user" => json!({ "oneOf": [text(1, 32), number(0, u64::from(u32::MAX) - 1)] }),
        "envoy.listen" => pattern(r"^127(\.[0-9]{1,3}){3}$"),
        "envoy.first_port" => number(1_025, 65_535),
        "marks.mask" => pattern("^0x[0-9a-fA-F]{1,8}$"),
        "metrics.listen" => pattern("^(unix:/|.*:[0-9]+$)"),
        "events.rotate.size" => pattern("^[0-9]+(KiB|MiB|GiB)$"),
        "events.rotate.keep" => number(1, 100),
        "rules[].id" => pattern("^[!#-&(-\\[\\]-_a-~]{1,128}$"),
        "rules[].domain" => pattern(r"^(\*\.)?[^*/\s]+$"),
        "rules[].proto" => words(&["ssh", "tcp"]),
        "rules[].action" => words(&["allow", "deny"]),
        "rules[].port" => {
            one_or_more(&json!({ "oneOf": [number(1, 65_535), pattern("^ *[0-9]+ *- *[0-9]+ *$")] }), 4096)
        }
        "rules[].clients" => one_or_more(&pattern("^[0-9a-fA-F:.]+(/[0-9]{1,3})?$"), 64),
        "rules[].expires" => pattern(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9:]+)$"),
        other => panic!("the schema does not know {other}"),
    }
}

/// The names of the policies that do not fit, with the reason.
fn misfits(schema: &Value, policies: &[(String, String)]) -> Vec<(String, String)> {
    let mut python = Command::new(PYTHON)
        .args(["-c", VALIDATE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{PYTHON}: {error}"));
    let mut input = format!("{schema}\n");
    for policy in policies {
        input += &(json!(policy).to_string() + "\n");
    }
    let mut stdin = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "`tests/setup` installs what it imports");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn texts(folder: &str) -> Vec<(String, String)> {
    let files = policies(folder).into_iter();
    files.filter_map(|(name, bytes)| Some((name, String::from_utf8(bytes).ok()?))).collect()
}

#[test]
fn the_file_is_what_the_keys_and_the_document_make() {
    let text = serde_json::to_string_pretty(&made()).unwrap() + "\n";
    if std::env::var_os("DECIDER_REWRITE").is_some() {
        fs::write(path(FILE), &text).unwrap();
    }
    assert!(fs::read_to_string(path(FILE)).unwrap_or_default() == text, "{FILE} is old: DECIDER_REWRITE=1 makes it");
}

#[test]
fn what_decider_takes_fits() {
    let mut all = texts("policy/examples");
    all.push(("full".to_owned(), FULL.to_owned()));
    all.extend(document().split("```yaml\n").skip(1).map(|block| {
        let block = block.split("```").next().unwrap();
        (block.to_owned(), block.to_owned())
    }));
    for (key, good, _) in BOUNDS {
        all.extend(good.iter().map(|value| (format!("{key}: {value}"), with(key, value))));
    }
    assert!(all.len() > 70, "{}", all.len());
    assert_eq!(misfits(&made(), &all), []);
}

#[test]
fn what_can_be_told_by_a_schema_is() {
    let broken = texts("policy/broken");
    let found: Vec<String> = misfits(&made(), &broken).into_iter().map(|(name, _)| name).collect();
    for name in [
        "booleans",
        "clients",
        "empty-lists",
        "ids",
        "later-rules",
        "later-sections",
        "mask",
        "missing-keys",
        "numbers",
        "odd-keys",
        "paths",
        "ranges",
        "rule-shapes",
        "tcp-without-port",
        "times",
        "unknown-keys",
        "version-2",
        "words",
    ] {
        assert!(found.contains(&format!("{name}.yaml")), "{name} fits");
    }
}
