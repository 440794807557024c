use crate::model::{NamePattern, Upstream};
use crate::policy::code::Code;
use crate::policy::fields::Fields;
use crate::policy::problems::{Fault, shown};
use crate::policy::source::Located;
use crate::policy::spec::Action;
use crate::policy::value::word;

const UPSTREAMS: &[(&str, Upstream)] = &[("resolve", Upstream::Resolve), ("original", Upstream::Original)];

/// Reads `upstream` of the whole policy, which may be missing.
pub fn of_policy(policy: &Fields<'_, '_>) -> Option<Located<Upstream>> {
    let value = policy.has("upstream").then(|| policy.scalar("upstream", word(UPSTREAMS)))??;
    Some(Located { value, span: policy.value_span("upstream") })
}

/// Reads `upstream` of a rule: what it says itself, else what the policy says, else what suits the name.
pub fn of_rule(
    rule: &Fields<'_, '_>,
    name: &NamePattern,
    action: Action,
    policy: Option<&Located<Upstream>>,
) -> Option<Upstream> {
    let own = rule.or("upstream", None, |scalar| word(UPSTREAMS)(scalar).map(Some))?;
    let suits = if name.is_wild() { Upstream::Original } else { Upstream::Resolve };
    if action == Action::Deny {
        if own.is_some() {
            let fault = Fault::new(Code::NoEffect, "`upstream` changes nothing: what is denied goes nowhere");
            rule.problems().warning(rule.value_span("upstream"), fault.help("take it out"));
        }
        return Some(suits);
    }
    let found = own.or(policy.map(|policy| policy.value)).unwrap_or(suits);
    if found == Upstream::Resolve && name.is_wild() {
        tell_nameless(rule, name, policy.filter(|_| own.is_none()));
        return None;
    }
    Some(found)
}

fn tell_nameless(rule: &Fields<'_, '_>, name: &NamePattern, policy: Option<&Located<Upstream>>) {
    let message = format!("{} is no name that Envoy could look up", shown(name.as_str()));
    let fault = Fault::new(Code::WildcardResolve, message);
    match policy {
        None => {
            let help = "write `upstream: original`: Envoy then connects to the address that the client was told";
            rule.problems().error(rule.value_span("upstream"), fault.help(help));
        }
        Some(policy) => {
            let help =
                "give this rule `upstream: original`: Envoy then connects to the address that the client was told";
            let fault = fault.help(help).related(policy.span, "the whole policy is to be looked up");
            rule.problems().error(rule.value_span("domain"), fault);
        }
    }
}
