use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::meaning::Listener;

/// What is in a file that Envoy watches. Kept as text: as trees of values, those of ten thousand rules take a gigabyte.
/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Resources(Vec<Resource>);

/// A listener or a cluster. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name, of which there is one in a file.
    pub name: Arc<str>,
    content: Arc<Content>,
}

#[derive(Debug)]
struct Content {
    text: Box<RawValue>,
    /// What it says as a listener, once somebody has asked.
    listener: OnceLock<Option<Listener>>,
}

impl Resource {
    /// Writes one.
    #[must_use]
    pub fn new(value: &Value) -> Self {
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default().into();
        // A tree of values can always be written.
        let text = to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { name, content: Arc::new(Content { text, listener: OnceLock::new() }) }
    }

    /// Reads it again.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// Who is led where, if it is a listener.
    #[must_use]
    pub fn listener(&self) -> Option<&Listener> {
        let read = || Listener::read(&self.value()).map(|(_, listener)| listener);
        self.content.listener.get_or_init(read).as_ref()
    }

    fn text(&self) -> &str {
        self.content.text.get()
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.content, &other.content) || self.text() == other.text()
    }
}

impl Resources {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    /// The listeners among them, by their names.
    #[must_use]
    pub fn listeners(&self) -> BTreeMap<String, Listener> {
        self.iter().filter_map(|resource| Some((resource.name.to_string(), resource.listener()?.clone()))).collect()
    }

    /// The whole file.
    #[must_use]
    pub fn file(&self) -> Value {
        json!(File { version_info: self.version(), resources: self })
    }

    /// It follows from what is in it: the same content is the same version, whichever decider wrote it.
    fn version(&self) -> String {
        let mut hash = crc32fast::Hasher::new();
        self.iter().for_each(|resource| hash.update(resource.text().as_bytes()));
        let length: usize = self.iter().map(|resource| resource.text().len()).sum();
        format!("{:08x}-{length}", hash.finalize())
    }

    /// What Envoy reads.
    #[must_use]
    pub fn to_write(&self) -> impl Serialize {
        File { version_info: self.version(), resources: self }
    }
}

impl FromIterator<Resource> for Resources {
    fn from_iter<T: IntoIterator<Item = Resource>>(resources: T) -> Self {
        Self(resources.into_iter().collect())
    }
}

impl FromIterator<Value> for Resources {
    fn from_iter<T: IntoIterator<Item = Value>>(values: T) -> Self {
        values.into_iter().map(|value| Resource::new(&value)).collect()
    }
}

impl PartialEq for Resources {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// `envoy.service.discovery.v3.DiscoveryResponse`.
#[derive(Serialize)]
struct File<'r> {
    version_info: String,
    resources: &'r Resources,
}

impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        for resource in &self.0 {
            sequence.serialize_element(&*resource.content.text)?;
        }
        sequence.end()
    }
}
