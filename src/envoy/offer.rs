use std::collections::BTreeMap;
use std::sync::Arc;

use super::meaning::Listener;
use super::resources::Resources;

/// What Envoy is to have. Cheap to clone; the same offer is the same allocation.
#[derive(Clone, Debug)]
pub struct Offer {
    content: Arc<Content>,
    /// Whether the files say so already: until then, what Envoy has may be of an offer before the last.
    is_written: bool,
}

#[derive(Debug)]
struct Content {
    lds: Resources,
    listeners: Arc<BTreeMap<String, Listener>>,
}

impl Offer {
    /// What a file of listeners says, which is still to be written.
    pub fn of(lds: &Resources) -> Self {
        let content = Content { lds: lds.clone(), listeners: Arc::new(lds.listeners()) };
        Self { content: Arc::new(content), is_written: false }
    }

    /// The same, once the file says so.
    pub fn written(self) -> Self {
        Self { is_written: true, ..self }
    }

    /// The file of its listeners.
    pub fn lds(&self) -> &Resources {
        &self.content.lds
    }

    /// Its listeners, as far as it matters who is led where. To compare them with themselves costs nothing.
    pub fn listeners(&self) -> &Arc<BTreeMap<String, Listener>> {
        &self.content.listeners
    }

    /// Whether it is the very same, and in the files.
    pub fn is_still(&self, other: &Self) -> bool {
        self.is_written && other.is_written && Arc::ptr_eq(&self.content, &other.content)
    }

    /// Leaves of what is in use what is in this offer too: the rest may be gone at any moment.
    pub fn keep(&self, in_use: &mut BTreeMap<String, Listener>) {
        in_use.retain(|name, listener| {
            let Some(offered) = self.listeners().get(name).filter(|offered| offered.port == listener.port) else {
                return false;
            };
            listener.chains.retain(|chain, cluster| offered.chains.get(chain) == Some(cluster));
            true
        });
    }
}
