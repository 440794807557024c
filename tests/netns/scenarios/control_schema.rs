//! What goes over the control socket is what `docs/control.schema.json` says, and nothing else.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::control_socket::reply_to;
use crate::world::{Family, GITHUB, Gateway, STRANGER, Setup, World};

/// Debian's own Python, for which `tests/setup` has the validator.
const PYTHON: &str = "/usr/bin/python3";
/// Reads a schema and, a line each, where in it something has to fit and what.
const VALIDATE: &str = "
import json, sys
from jsonschema import Draft202012Validator as Draft
schema = json.loads(sys.stdin.readline())
Draft.check_schema(schema)
for line in sys.stdin:
    place, thing = json.loads(line)
    wanted = dict(schema, **place)
    wanted.pop('oneOf')
    for error in Draft(wanted).iter_errors(thing):
        print(json.dumps(place), list(error.absolute_path), error.message[:300])
";

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/control.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The schema without room for fields that it does not name: one that came without it is found.
fn strict(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(strict);
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What of these does not fit where it should.
fn misfits(things: &[(&str, Value)]) -> String {
    let mut schema = schema();
    strict(&mut schema);
    let mut lines = vec![schema];
    lines.extend(things.iter().map(|(place, thing)| json!([{ "$ref": format!("#/$defs/{place}") }, thing])));
    let mut python =
        Command::new(PYTHON).args(["-c", VALIDATE]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text: String = lines.iter().flat_map(|line| [line.to_string(), "\n".to_owned()]).collect();
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "no validator: run tests/setup");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines that come back.
fn answers(gateway: &Gateway, request: &Value) -> Vec<Value> {
    let reply = reply_to(gateway, format!("{request}\n").as_bytes());
    reply.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn requests(world: &World) -> Vec<Value> {
    let client = world.clients[0].address(Family::V4);
    let asked = |body: Value| {
        let mut request = json!({ "v": 1 });
        request.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        request
    };
    let allow = |target: &str, client: Value, dry_run: bool| {
        asked(json!({ "request": "allow", "target": target, "for_s": 600, "client": client, "dry_run": dry_run }))
    };
    let explain =
        |dst: Value, port: u16| asked(json!({ "request": "explain", "client": client, "dst": dst, "port": port }));
    vec![
        allow("a.example", json!(client), true),
        allow("a.example:7000", json!(client), false),
        allow("a.example:7000", json!(client), false),
        allow("b.example", Value::Null, false),
        allow("*.com", Value::Null, false),
        asked(json!({ "request": "temporary" })),
        asked(json!({ "request": "rules" })),
        asked(json!({ "request": "status" })),
        asked(json!({ "request": "flows" })),
        asked(json!({ "request": "cache", "client": null, "name": null, "limit": 1000 })),
        explain(json!(GITHUB.of(Family::V4)), 22),
        explain(json!(STRANGER.of(Family::V6)), 22),
        explain(json!(GITHUB.of(Family::V4)), 53),
        asked(json!({ "request": "events", "last": 1000, "follow": false })),
        asked(json!({ "request": "revoke", "which": "b.example" })),
        asked(json!({ "request": "revoke", "which": "nobody.example" })),
        asked(json!({ "request": "reload", "dry_run": true })),
        asked(json!({ "request": "reload", "dry_run": false })),
        asked(json!({ "request": "status" })),
    ]
}

#[test]
fn every_request_and_every_answer_is_as_the_schema_says() {
    let mut world = Setup::default().start();
    world.gateway.namespace.sh("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1");
    let mut open = vec![];
    for family in Family::BOTH {
        let client = &world.clients[0];
        open.push(client.connect(client.look_up("github.com", family)[0], 22).unwrap());
        client.is_refused(STRANGER.of(family), 22);
        client.is_refused(STRANGER.of(family), 9);
        world.gateway.event(STRANGER.of(family), 9, "port-not-allowed");
    }
    // A rule less, and one more: something is cut, and something comes.
    let rules = ["{ domain: gitlab.com, proto: ssh }", "{ domain: new.example, proto: tcp, port: 7000, action: deny }"];
    world.gateway.write_rules(&rules);
    let mut things = vec![];
    for request in requests(&world) {
        let name = request["request"].as_str().unwrap().to_owned();
        let place = format!("replies/properties/{name}");
        let lines = answers(&world.gateway, &request);
        assert!(!lines.is_empty(), "{request}");
        things.push(("request".to_owned(), request));
        for line in lines {
            assert!(line.get("error").is_none(), "{name}: {line}");
            if let Some(reply) = line.get("reply") {
                things.push((place.clone(), reply.clone()));
            }
            things.push(("answer".to_owned(), line));
        }
    }
    // A file with a problem, an error, and the end.
    world.gateway.write_rules(&["{ domain: github.com, proto: nonsense }"]);
    for request in [json!({ "v": 1, "request": "reload", "dry_run": false }), json!({ "v": 1, "request": "status" })] {
        let reply = answers(&world.gateway, &request)[0]["reply"].clone();
        things.push((format!("replies/properties/{}", request["request"].as_str().unwrap()), reply));
    }
    things.extend(answers(&world.gateway, &json!({ "v": 7 })).into_iter().map(|line| ("answer".to_owned(), line)));
    let down = json!({ "v": 1, "request": "down" });
    let ended = answers(&world.gateway, &down);
    things.extend([("request".to_owned(), down), ("answer".to_owned(), ended[0].clone())]);
    things.push(("replies/properties/down".to_owned(), ended[0]["reply"].clone()));
    drop(world.gateway.process.take());

    let things: Vec<(&str, Value)> = things.iter().map(|(place, thing)| (place.as_str(), thing.clone())).collect();
    assert!(things.len() > 60, "only {} things", things.len());
    let misfits = misfits(&things);
    assert!(misfits.is_empty(), "docs/control.schema.json does not say what goes over the socket:\n{misfits}");
}

#[test]
fn the_schema_has_no_room_for_what_decider_refuses() {
    let world = Setup::default().start();
    let wrong = [
        json!({ "v": 2, "request": "status" }),
        json!({ "request": "status" }),
        json!({ "v": 1, "request": "stop" }),
        json!({ "v": 1, "request": "status", "more": 1 }),
        json!({ "v": 1, "request": "events", "last": -1, "follow": true }),
        json!({ "v": 1, "request": "explain", "client": "10.0.0.1", "dst": "10.0.0.2" }),
        json!({ "v": 1, "request": "allow", "target": "a.example", "client": null, "dry_run": true }),
        json!({ "v": 1, "request": "revoke" }),
    ];
    for request in wrong {
        let answer = answers(&world.gateway, &request);
        assert!(answer[0].get("error").is_some(), "{request}: {answer:?}");
        assert!(!misfits(&[("request", request.clone())]).is_empty(), "{request}");
    }
    // A field that nobody told the schema of is found.
    assert!(
        !misfits(&[(
            "last_reload",
            json!({ "at": null, "ok": true, "message": "", "count": 1, "failed": 0, "new": 1 })
        )])
        .is_empty()
    );
    assert!(
        misfits(&[("last_reload", json!({ "at": null, "ok": true, "message": "", "count": 1, "failed": 0 }))])
            .is_empty()
    );
}
