use serde_json::Value;

use super::ruleset::Table;

/// What the kernel lists of decider's table, less what changes by itself: handles, counts, elements that packets add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing(Vec<Value>);

impl Listing {
    /// Reads what `nft -j list table` printed; `table` says which sets change by themselves.
    ///
    /// # Errors
    /// If it is not such a listing.
    pub fn parse(json: &[u8], table: &Table) -> Result<Self, String> {
        let mut value: Value = serde_json::from_slice(json).map_err(|error| format!("unreadable listing: {error}"))?;
        let Some(Value::Array(items)) = value.get_mut("nftables").map(Value::take) else {
            return Err("unreadable listing: no \"nftables\" in it".to_owned());
        };
        let stable = items.into_iter().filter(|item| item.get("metainfo").is_none());
        Ok(Self(stable.map(|item| without_changing_parts(item, table)).collect()))
    }

    /// Whether all of the table is there and nothing else, as far as that can be said without knowing nft's own words
    /// for a rule: its objects with their elements, its chains with their hooks, and as many rules in each.
    ///
    /// # Errors
    /// The first difference.
    pub fn matches(&self, table: &Table, added_rules: &[&str]) -> Result<(), String> {
        for object in &table.objects {
            let Some(found) = self.find(object.kind, &object.name) else {
                return Err(format!("{} {} is missing", object.kind, object.name));
            };
            let elements = found.get("elem").and_then(Value::as_array).map_or(0, Vec::len);
            if object.elements.is_some_and(|expected| expected != elements) {
                return Err(format!("{} {} has {elements} elements", object.kind, object.name));
            }
        }
        for chain in &table.chains {
            let Some(found) = self.find("chain", &chain.name) else {
                return Err(format!("chain {} is missing", chain.name));
            };
            if let Some(base) = chain.base {
                let hook = found.get("hook").and_then(Value::as_str);
                let priority = found.get("prio").and_then(Value::as_i64);
                if hook != Some(base.hook) || priority != Some(i64::from(base.priority)) {
                    return Err(format!("chain {} is not at its hook", chain.name));
                }
            }
            let added = added_rules.iter().filter(|name| **name == chain.name).count();
            let rules = self.rules_of(&chain.name);
            if rules != chain.rules.len() + added {
                return Err(format!("chain {} has {rules} rules", chain.name));
            }
        }
        let expected = table.chains.len() + table.objects.len();
        match self.objects_and_chains() {
            found if found == expected => Ok(()),
            found => Err(format!("the table has {found} chains, sets, maps and counters instead of {expected}")),
        }
    }

    /// Says in a few words how `other` differs from this one.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        if other.0.is_empty() {
            return Some("the table was deleted".to_owned());
        }
        let gone = self.0.iter().filter(|item| !other.0.contains(item)).collect::<Vec<_>>();
        let new = other.0.iter().filter(|item| !self.0.contains(item)).count();
        let first = gone.first().map_or_else(|| "something was added".to_owned(), |item| describe(item));
        Some(format!("{} of its parts gone or changed, {new} new; first: {first}", gone.len()))
    }

    /// The listing of a table that is not there.
    #[must_use]
    pub fn empty() -> Self {
        Self(Vec::new())
    }

    fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.0.iter().filter_map(|item| item.get(kind)).find(|item| text(item, "name") == Some(name))
    }

    fn rules_of(&self, chain: &str) -> usize {
        self.0.iter().filter_map(|item| item.get("rule")).filter(|rule| text(rule, "chain") == Some(chain)).count()
    }

    fn objects_and_chains(&self) -> usize {
        self.0.iter().filter(|item| item.get("rule").is_none() && item.get("table").is_none()).count()
    }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

fn describe(item: &Value) -> String {
    let Some((kind, body)) = item.as_object().and_then(|object| object.iter().next()) else {
        return "?".to_owned();
    };
    match (kind.as_str(), text(body, "chain"), text(body, "name")) {
        ("rule", Some(chain), _) => format!("a rule of chain {chain}"),
        (_, _, Some(name)) => format!("{kind} {name}"),
        _ => kind.clone(),
    }
}

fn without_changing_parts(mut item: Value, table: &Table) -> Value {
    if let Some(body) =
        item.as_object_mut().and_then(|object| object.values_mut().next()).and_then(Value::as_object_mut)
    {
        for part in ["handle", "packets", "bytes"] {
            body.remove(part);
        }
        let name = body.get("name").and_then(Value::as_str);
        let changes = table.objects.iter().any(|object| object.elements.is_none() && Some(&*object.name) == name);
        if changes {
            body.remove("elem");
        }
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ruleset::table::{Base, Kind, Object};

    fn table() -> Table {
        let mut table = Table::default();
        table.fixed("set", "ports", "inet_service", &["22".into()]);
        table.objects.push(Object { kind: "set", name: "told".into(), body: vec![], elements: None });
        table.chain(
            "decide",
            Some(Base { kind: Kind::Filter, hook: "prerouting", priority: -150 }),
            vec!["drop".into()],
        );
        table
    }

    fn json(rule_handle: u64, told: &str) -> String {
        format!(
            r#"{{"nftables":[{{"metainfo":{{"version":"1"}}}},{{"table":{{"family":"inet","name":"decider","handle":1}}}},
            {{"set":{{"name":"ports","handle":2,"elem":[22]}}}},{{"set":{{"name":"told","handle":3{told}}}}},
            {{"chain":{{"name":"decide","hook":"prerouting","prio":-150,"handle":4}}}},
            {{"rule":{{"chain":"decide","handle":{rule_handle},"expr":[{{"drop":null}}]}}}}]}}"#
        )
    }

    #[test]
    fn what_changes_by_itself_is_no_difference() {
        let one = Listing::parse(json(5, "").as_bytes(), &table()).unwrap();
        let other = Listing::parse(json(9, r#","elem":[1,2]"#).as_bytes(), &table()).unwrap();
        assert_eq!(one.difference(&other), None);
        assert_eq!(one.matches(&table(), &[]), Ok(()));
    }

    #[test]
    fn what_is_gone_or_new_is_named() {
        let one = Listing::parse(json(5, "").as_bytes(), &table()).unwrap();
        assert_eq!(one.difference(&Listing::empty()).unwrap(), "the table was deleted");
        let changed = json(5, "").replace("\"drop\"", "\"accept\"");
        let other = Listing::parse(changed.as_bytes(), &table()).unwrap();
        assert!(one.difference(&other).unwrap().contains("a rule of chain decide"));
        assert!(one.matches(&table(), &["decide"]).unwrap_err().contains("has 1 rules"));
        let fewer = json(5, "").replace("[22]", "[]");
        let other = Listing::parse(fewer.as_bytes(), &table()).unwrap();
        assert!(other.matches(&table(), &[]).unwrap_err().contains("has 0 elements"));
        assert!(Listing::parse(b"{}", &table()).is_err());
    }
}
