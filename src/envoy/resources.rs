use std::sync::Arc;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

/// What is in a file that Envoy watches. Kept as text: as trees of values, those of ten thousand rules take a gigabyte.
/// Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Resources(Vec<Resource>);

/// A listener or a cluster.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name, of which there is one in a file.
    pub name: Arc<str>,
    text: Arc<RawValue>,
}

impl Resource {
    /// Writes one.
    #[must_use]
    pub fn new(value: &Value) -> Self {
        let name = value.get("name").and_then(Value::as_str).unwrap_or_default().into();
        // A tree of values can always be written.
        let text = to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self { name, text: text.into() }
    }

    /// Reads it again.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(self.text.get()).unwrap_or_default()
    }
}

impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.text.get() == other.text.get()
    }
}

impl Resources {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    /// The whole file.
    #[must_use]
    pub fn file(&self) -> Value {
        json!(File { version_info: self.version(), resources: self })
    }

    /// It follows from what is in it: the same content is the same version, whichever decider wrote it.
    fn version(&self) -> String {
        let mut hash = crc32fast::Hasher::new();
        self.iter().for_each(|resource| hash.update(resource.text.get().as_bytes()));
        let length: usize = self.iter().map(|resource| resource.text.get().len()).sum();
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
            sequence.serialize_element(&*resource.text)?;
        }
        sequence.end()
    }
}
