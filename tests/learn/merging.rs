//! `--merge`: a diff that `patch` applies, which adds rules and nothing else.

use decider::policy::{Difference, load};

use crate::events::{CLIENT, TWIN, named};
use crate::stage::{Stage, text};

const HEAD: &str = "version: 1\nmode: audit # for now\nintercept: { gateway: { interfaces: [lan0] } }\n\
    dns: { resolvers: [10.77.2.53, \"fd77:2::53\"] }\n";

fn session() -> Stage {
    Stage::with(&[
        named(0, CLIENT, "github.com", "192.0.2.10", 22),
        named(0, TWIN, "github.com", "2001:db8::10", 443),
        named(1, CLIENT, "db.example.com", "198.51.100.1", 5432),
    ])
}

#[test]
fn the_diff_says_what_is_missing_and_patch_applies_it() {
    let stage = session();
    let rules = "rules:\n  # git\n  - { domain: github.com, proto: ssh } # ours\n\n  # the end\n";
    stage.write("policy.yaml", format!("{HEAD}{rules}"));
    let output = stage.learn(&["--merge", "policy.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    let diff = "\
--- policy.yaml
+++ policy.yaml
@@ -5,5 +5,9 @@
 rules:
   # git
   - { domain: github.com, proto: ssh } # ours
+  # 1 time audited from fd77:1::2, 2026-01-01 00:00 UTC
+  - { domain: github.com, proto: tcp, port: 443 }
+  # 1 time audited from 10.77.1.2, 2026-01-01 00:01 UTC
+  - { domain: db.example.com, proto: tcp, port: 5432 }
 
   # the end
";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&text(&output.stdout)), sorted(diff));
}

/// Every way of writing a list of rules down.
const WAYS: &[&str] = &[
    "rules: []\n",
    "rules: [] # none yet\n# rules:\n#  - { domain: a.example, proto: ssh }\n",
    "rules: []",
    "rules:\n- { domain: a.example, proto: ssh }\n",
    "rules:\n    - domain: a.example # a\n      proto: tcp\n      port:\n        - 1\n        - 2\n\n\nmarks: { mask: \"0xff00\" }\n",
    "rules: [{ domain: a.example, proto: ssh }]\n",
    "rules: [\n  { domain: a.example, proto: ssh }, # [\n  ]\nenvoy: { manage: true }\n",
    "rules:\r\n  - { domain: a.example, proto: ssh }\r\n# end\r\n",
    "upstream: resolve\nrules:\n  - { domain: a.example, proto: ssh, upstream: original }",
];

#[test]
fn patch_adds_rules_to_policies_however_they_are_written() {
    for way in WAYS {
        let stage = session();
        let old = if way.contains('\r') { HEAD.replace('\n', "\r\n") + way } else { format!("{HEAD}{way}") };
        stage.write("policy.yaml", &old);
        let output = stage.learn(&["--merge", "policy.yaml"]);
        assert!(output.status.success(), "{way}: {}", text(&output.stderr));
        stage.write("new.diff", &output.stdout);
        let patched = stage.program("patch", &["--binary", "policy.yaml", "new.diff"]);
        assert!(patched.status.success(), "{way}: {}{}", text(&patched.stdout), text(&output.stdout));
        let new = stage.read("policy.yaml");
        let spec = |text: &str| load(text).unwrap_or_else(|problems| panic!("{text}\n{problems:?}")).spec;
        let Difference { added, removed, changed, settings } = Difference::between(&spec(&old), &spec(&new));
        assert_eq!((added.len(), removed.len(), changed.len(), settings.len()), (3, 0, 0, 0), "{new}");
        // Not a line of before is gone, the brackets of an empty list and the comma of one in brackets apart.
        let kept = |line: &str| line.starts_with("rules: [") || new.lines().any(|other| other == line);
        assert!(old.lines().all(kept), "{new}");
        let again = stage.learn(&["--merge", "policy.yaml"]);
        assert_eq!((again.status.code(), text(&again.stdout)), (Some(0), String::new()));
        assert!(text(&again.stderr).contains("nothing is missing: policy.yaml allows all"), "{}", text(&again.stderr));
    }
}

#[test]
fn what_is_denied_is_not_proposed_and_what_is_wrong_is_told() {
    let stage = session();
    stage.write(
        "policy.yaml",
        format!("{HEAD}rules:\n  - {{ id: no, domain: \"*.example.com\", proto: tcp, port: 5432, action: deny }}\n"),
    );
    let answer = stage.json(&["--merge", "policy.yaml"]);
    assert_eq!(answer["rules"].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!((&answer["left_out"][0]["why"], &answer["left_out"][0]["rule"]), (&"denied".into(), &"no".into()));
    assert!(!answer["diff"].as_str().unwrap().contains("db.example.com") && answer["policy"].is_null());
    stage.write("policy.yaml", "version: 1\n");
    let output = stage.learn(&["--merge", "policy.yaml"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert!(text(&output.stderr).contains("policy.yaml cannot be used"), "{}", text(&output.stderr));
}

#[test]
fn an_id_that_is_taken_is_not_taken_again() {
    let stage = session();
    let taken = "rules:\n  - { id: \"github.com:443/tcp\", domain: a.example, proto: ssh }\n  - { id: learned-1, domain: b.example, proto: ssh }\n";
    stage.write("policy.yaml", format!("{HEAD}{taken}"));
    let diff = stage.json(&["--merge", "policy.yaml"])["diff"].as_str().unwrap().to_owned();
    assert!(diff.contains("+  - { id: learned-2, domain: github.com, proto: tcp, port: 443 }"), "{diff}");
}

#[test]
fn more_rules_than_the_mask_has_marks_for_are_refused() {
    let events: Vec<_> = (0..20).map(|number| named(0, CLIENT, &format!("n{number}.org"), "192.0.2.1", 443)).collect();
    let stage = Stage::with(&events);
    stage.write("policy.yaml", format!("{HEAD}marks: {{ mask: \"0xf\" }}\nrules: []\n"));
    let output = stage.learn(&["--merge", "policy.yaml"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    let said = text(&output.stderr);
    assert!(said.contains("does not fit into the policy") && said.contains("FILTER"), "{said}");
}
