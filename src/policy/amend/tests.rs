use super::*;
use crate::policy::{Difference, load};

const HEAD: &str = "version: 1\nintercept: { gateway: { interfaces: [lan0] } }\ndns: { resolvers: [192.0.2.53] }\n";

fn entries() -> Vec<Entry> {
    ["b.example", "c.example"]
        .map(|name| Entry { comment: vec![format!("# of {name}")], rule: format!("{{ domain: {name}, proto: ssh }}") })
        .to_vec()
}

/// The text behind the head, with two rules more; whatever the text, nothing else is different.
fn amended(rules: &str) -> String {
    let text = format!("{HEAD}{rules}");
    let new = with_rules(&text, &entries()).unwrap();
    let (before, after) =
        (load(&text).unwrap().spec, load(&new).unwrap_or_else(|errors| panic!("{new}\n{errors:?}")).spec);
    let difference = Difference::between(&before, &after);
    assert_eq!(difference.added.len(), 2, "{new}");
    assert!(difference.removed.is_empty() && difference.changed.is_empty() && difference.settings.is_empty());
    assert_eq!(
        after.rules.iter().map(|rule| &rule.id).take(before.rules.len()).collect::<Vec<_>>(),
        before.rules.iter().map(|rule| &rule.id).collect::<Vec<_>>()
    );
    new.strip_prefix(HEAD).unwrap().to_owned()
}

#[test]
fn a_list_of_lines_goes_on_as_it_is_indented() {
    for indent in ["", "  ", "    "] {
        let rules =
            format!("rules:\n{indent}# first\n{indent}- {{ domain: a.example, proto: ssh }} # x\n# end\nmode: audit\n");
        let new = format!(
            "rules:\n{indent}# first\n{indent}- {{ domain: a.example, proto: ssh }} # x\n\
            {indent}# of b.example\n{indent}- {{ domain: b.example, proto: ssh }}\n\
            {indent}# of c.example\n{indent}- {{ domain: c.example, proto: ssh }}\n# end\nmode: audit\n"
        );
        assert_eq!(amended(&rules), new);
    }
    let rules = "rules:\n  - domain: a.example\n    proto: tcp\n    port: # two\n      - 1\n      - 2 # end";
    assert!(amended(rules).starts_with(&format!("{rules}\n  # of b.example\n  - {{")));
    assert!(amended(&format!("{rules}\n\n\n# end\n")).starts_with(&format!("{rules}\n  # of b.example\n")));
}

#[test]
fn no_rules_become_some() {
    assert!(amended("rules: []\n# rules:\n").starts_with("rules:\n  # of b.example\n  - { domain: b.example"));
    assert!(amended("rules: [] # none\nmode: audit\n").starts_with("rules:  # none\n  # of b.example\n"));
    assert!(amended("rules: []").starts_with("rules:\n  # of b.example\n"));
    amended("rules:\n  []\n");
    amended("rules: [\n  # nothing\n  ]\n");
}

#[test]
fn a_list_in_brackets_goes_on_in_them() {
    let one = "{ domain: a.example, proto: ssh }";
    let new = "rules: [{ domain: a.example, proto: ssh },\n  # of b.example\n  { domain: b.example, proto: ssh },\n  \
        # of c.example\n  { domain: c.example, proto: ssh }]\n";
    assert_eq!(amended(&format!("rules: [{one}]\n")), new);
    for rules in
        ["[X,]", "[\n  X\n]", "[\n  X,\n]", "[\n  X, # a, b\n]", "[\n  X # a, b\n  ]", "[ X # a\n , ]", "[\n  X, X2\n]"]
    {
        let rules = rules.replace("X2", "{ domain: d.example, proto: ssh }").replace('X', one);
        amended(&format!("rules: {rules}\nmode: audit\n"));
    }
}

#[test]
fn a_file_in_brackets_and_one_with_carriage_returns_stay_what_they_are() {
    for rules in ["[]", "[{\"domain\": \"a.example\", \"proto\": \"ssh\"}]"] {
        let text = format!(
            "{{\"version\": 1, \"intercept\": {{\"gateway\": {{\"interfaces\": [\"lan0\"]}}}}, \"rules\": {rules},\n \
             \"dns\": {{\"resolvers\": [\"192.0.2.53\"]}}}}\n"
        );
        let new = with_rules(&text, &entries()).unwrap();
        assert!(load(&new).is_ok(), "{new}");
        assert!(load(&without_rules(&text).unwrap()).unwrap().spec.rules.is_empty());
    }
    let text = format!("{HEAD}rules:\n  - {{ domain: a.example, proto: ssh }}\n").replace('\n', "\r\n");
    let new = with_rules(&text, &entries()).unwrap();
    assert!(new.starts_with(&text) && new.matches("\r\n").count() == new.matches('\n').count());
    assert_eq!(load(&new).unwrap().spec.rules.len(), 3);
}

#[test]
fn rules_are_taken_out_and_all_else_stays() {
    for rules in [
        "rules:\n  # a\n  - { domain: a.example, proto: ssh } # of a\n  # b\n  - domain: b.example\n    proto: ssh # of b\n",
        "rules: [{ domain: a.example, proto: ssh }] # of a\n",
        "rules: # of a\n- domain: a.example\n  proto: ssh\n",
        "rules:\n- proto: ssh # }\n  domain: \"a.example\"   # of a ]\n",
        "rules: [\n  { domain: \"a.example\" , proto: 'ssh' # }\n  } # ]\n ] # ]\n",
        "rules: []\n",
    ] {
        let text = format!("{HEAD}{rules}# end\nmode: audit\n");
        assert_eq!(without_rules(&text).unwrap(), format!("{HEAD}rules: []\n# end\nmode: audit\n"));
    }
}
