use crate::policy::code::Code;
use crate::policy::fields::{Fields, wrong_shape};
use crate::policy::node::Kind;
use crate::policy::problems::Fault;
use crate::policy::spec::Rule;

use super::rule::Around;
use super::{conflicts, overruled, rule};

/// Reads `rules`.
pub fn check(policy: &Fields<'_, '_>, around: Around<'_>) -> Option<Vec<Rule>> {
    policy.require(
        "rules",
        "write the rules, as in `rules: [{ domain: github.com, proto: ssh }]`, or `rules: []` for none",
    );
    let node = policy.node("rules")?;
    let problems = policy.problems();
    let Kind::List(items) = &node.kind else {
        wrong_shape(
            node,
            "`rules`",
            "a list",
            "begin each rule with `- `, as in `- { domain: github.com, proto: ssh }`",
            problems,
        );
        return None;
    };
    if items.is_empty() {
        let fault = Fault::new(Code::NoRules, "there are no rules: everything is refused");
        problems.warning(node.span, fault.help("add one, as in `- { domain: github.com, proto: ssh }`"));
    }
    let rules: Vec<_> = items.iter().filter_map(|item| rule::check(item, around, problems)).collect();
    conflicts::check(&rules, problems);
    overruled::check(&rules, problems);
    Some(rules.into_iter().map(|placed| placed.rule).collect())
}
