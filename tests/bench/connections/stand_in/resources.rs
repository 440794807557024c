use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::SystemTime;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A file of decider's, read again whenever it is another one.
pub struct File {
    path: PathBuf,
    seen: Option<(SystemTime, u64)>,
    resources: Resources,
}

/// What is in it, by name. As a tree of values, ten thousand listeners would take a gigabyte.
#[derive(Default)]
pub struct Resources {
    texts: BTreeMap<String, Box<RawValue>>,
    /// As `/listeners` shows them.
    statuses: String,
}

#[derive(Deserialize)]
struct Content {
    resources: Vec<Box<RawValue>>,
}

/// As much of a listener or a cluster as is looked at.
#[derive(Deserialize)]
struct Head {
    name: String,
    address: Option<Value>,
    #[serde(default)]
    additional_addresses: Vec<Additional>,
}

#[derive(Deserialize)]
struct Additional {
    address: Value,
}

impl File {
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: None, resources: Resources::default() }
    }

    pub fn read(&mut self) -> &Resources {
        let found = std::fs::metadata(&self.path).ok().and_then(|found| Some((found.modified().ok()?, found.len())));
        if found != self.seen {
            self.seen = found;
            let content =
                std::fs::read(&self.path).ok().and_then(|bytes| serde_json::from_slice::<Content>(&bytes).ok());
            self.resources = Resources::of(content.map(|content| content.resources).unwrap_or_default());
        }
        &self.resources
    }
}

impl Resources {
    fn of(texts: Vec<Box<RawValue>>) -> Self {
        let texts: BTreeMap<_, _> = texts.into_iter().map(|text| (head(&text).name, text)).collect();
        let status = |text: &RawValue| {
            let Head { name, address, additional_addresses } = head(text);
            let more: Vec<Value> = additional_addresses.into_iter().map(|more| more.address).collect();
            address.map(|address| json!({ "name": name, "local_address": address, "additional_local_addresses": more }))
        };
        let statuses: Vec<Value> = texts.values().filter_map(|text| status(text)).collect();
        Self { statuses: json!({ "listener_statuses": statuses }).to_string(), texts }
    }

    pub fn statuses(&self) -> &str {
        &self.statuses
    }

    pub fn port_of(&self, name: &str) -> Option<u16> {
        let address = head(self.texts.get(name)?).address?;
        address.pointer("/socket_address/port_value")?.as_u64()?.try_into().ok()
    }

    /// Those with these names, each between these words.
    pub fn dump(&self, names: &HashSet<String>, before: &str, behind: &str) -> String {
        let wrapped = |name: &String| Some(format!("{before}{}{behind}", self.texts.get(name)?.get()));
        let found: Vec<String> = names.iter().filter_map(wrapped).collect();
        format!("{{\"configs\":[{}]}}", found.join(","))
    }
}

fn head(text: &RawValue) -> Head {
    serde_json::from_str(text.get()).unwrap()
}
