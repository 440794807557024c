use std::collections::BTreeMap;

use serde_json::Value;

use super::resources::Resources;

/// A listener, as far as it says who is led where. Read in the same way from what decider writes and from what Envoy says
/// that it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// Its port.
    pub port: u16,
    /// The cluster of each filter chain, by the chain's name; empty for one that closes.
    pub chains: BTreeMap<String, String>,
}

impl Listener {
    /// Reads one; none if it is not of the shape that decider gives to its listeners.
    #[must_use]
    pub fn read(listener: &Value) -> Option<(String, Self)> {
        let name = listener.get("name")?.as_str()?.to_owned();
        let port = listener.pointer("/address/socket_address/port_value")?.as_u64()?;
        let chains = listener.get("filter_chains").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let chains = chains.iter().filter_map(|chain| {
            let cluster = chain.pointer("/filters/0/typed_config/cluster").and_then(Value::as_str).unwrap_or_default();
            Some((chain.get("name")?.as_str()?.to_owned(), cluster.to_owned()))
        });
        Some((name, Self { port: port.try_into().ok()?, chains: chains.collect() }))
    }

    /// The clusters that it leads to.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        self.chains.values().map(String::as_str).filter(|cluster| !cluster.is_empty())
    }

    /// Without the chains that lead to other clusters than these.
    #[must_use]
    pub fn led_to(mut self, clusters: impl Fn(&str) -> bool) -> Self {
        self.chains.retain(|_, cluster| cluster.is_empty() || clusters(cluster));
        self
    }
}

/// The listeners of a file, by their names.
#[must_use]
pub fn listeners(lds: &Resources) -> BTreeMap<String, Listener> {
    lds.iter().filter_map(|listener| Listener::read(&listener.value())).collect()
}
