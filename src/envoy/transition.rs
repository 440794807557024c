use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::resources::{Resource, Resources};

/// What serves two policies at once: everything that leads somewhere by the one of before still does, and all that the new
/// one adds is there already. Where both lead the same port of a rule to different places, it is the old one's.
#[must_use]
pub fn serving_both(before: &Resources, after: &Resources) -> Resources {
    let mut merged: Vec<Resource> = before.iter().cloned().collect();
    let places: HashMap<Arc<str>, usize> =
        merged.iter().enumerate().map(|(index, resource)| (Arc::clone(&resource.name), index)).collect();
    for resource in after.iter() {
        match places.get(&resource.name).and_then(|&index| merged.get_mut(index)) {
            Some(old) if old == resource => {}
            Some(old) => *old = Resource::new(&both(&old.value(), &resource.value())),
            None => merged.push(resource.clone()),
        }
    }
    merged.into_iter().collect()
}

/// The new resource, with the filter chains of the old one, and those of its own that no old one stands in the way of.
fn both(old: &Value, new: &Value) -> Value {
    let (Some(old_chains), Some(new_chains)) = (chains(old), chains(new)) else { return new.clone() };
    let is_free = |chain: &&Value| old_chains.iter().all(|old| meets(old) != meets(chain));
    let merged: Vec<&Value> = old_chains.iter().chain(new_chains.iter().filter(is_free)).collect();
    let mut both: Map<String, Value> = new.as_object().cloned().unwrap_or_default();
    both.insert(CHAINS.to_owned(), json!(merged));
    Value::Object(both)
}

const CHAINS: &str = "filter_chains";

fn chains(resource: &Value) -> Option<&Vec<Value>> {
    resource.get(CHAINS)?.as_array()
}

/// Which connections a chain is for: Envoy takes no two for the same.
fn meets(chain: &Value) -> Option<&Value> {
    chain.get("filter_chain_match")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discovery(values: &[Value]) -> Resources {
        values.iter().cloned().collect()
    }

    fn chain(port: u16, to: &str) -> Value {
        json!({ "name": format!("{port} {to}"), "filter_chain_match": { "destination_port": port } })
    }

    fn listener(name: &str, chains: &[Value]) -> Value {
        json!({ "name": name, CHAINS: chains })
    }

    #[test]
    fn what_was_goes_on_and_what_comes_is_there() {
        let before =
            discovery(&[listener("gone", &[chain(1, "a")]), listener("stays", &[chain(1, "a"), chain(2, "a")])]);
        let after = discovery(&[listener("stays", &[chain(2, "a"), chain(3, "a")]), listener("new", &[chain(1, "b")])]);
        let expected = discovery(&[
            listener("gone", &[chain(1, "a")]),
            listener("stays", &[chain(1, "a"), chain(2, "a"), chain(3, "a")]),
            listener("new", &[chain(1, "b")]),
        ]);
        assert_eq!(serving_both(&before, &after), expected);
    }

    #[test]
    fn a_port_that_is_to_lead_elsewhere_leads_where_it_did() {
        let before = discovery(&[listener("one", &[chain(1, "a"), chain(2, "a")])]);
        let after = discovery(&[listener("one", &[chain(1, "b"), chain(2, "a")])]);
        assert_eq!(serving_both(&before, &after), before);
    }

    #[test]
    fn the_same_is_the_same_version_and_another_is_another() {
        let one = discovery(&[listener("one", &[chain(1, "a")])]);
        assert_eq!(serving_both(&one, &one), one);
        assert_ne!(one.file()["version_info"], discovery(&[listener("one", &[chain(1, "b")])]).file()["version_info"]);
    }

    #[test]
    fn clusters_are_taken_over_in_their_new_form() {
        let before = discovery(&[json!({ "name": "a", "timeout": 1 }), json!({ "name": "b" })]);
        let after = discovery(&[json!({ "name": "a", "timeout": 2 }), json!({ "name": "c" })]);
        let expected = [json!({ "name": "a", "timeout": 2 }), json!({ "name": "b" }), json!({ "name": "c" })];
        assert_eq!(serving_both(&before, &after), discovery(&expected));
    }
}
