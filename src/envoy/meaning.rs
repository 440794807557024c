use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::model::Upstream;

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

    /// Where it leads, port by port, as the names of its chains say (see [`chain_name`](super::clusters::chain_name)).
    pub fn destinations(&self) -> impl Iterator<Item = (u16, Upstream, &str)> {
        self.chains.keys().filter_map(|chain| {
            let mut words = chain.split(' ');
            let (port, _family) = (words.next()?.parse().ok()?, words.next()?);
            let upstream = match words.next()? {
                "resolve" => Upstream::Resolve,
                "original" => Upstream::Original,
                _ => return None,
            };
            Some((port, upstream, words.next()?))
        })
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

/// The listeners of a file as it was written, by their names; none of what is no such file.
#[must_use]
pub fn listeners_in(file: &[u8]) -> BTreeMap<String, Listener> {
    /// One after the other: as a tree of values, those of ten thousand rules take a gigabyte.
    #[derive(Deserialize)]
    struct File<'f> {
        #[serde(borrow)]
        resources: Vec<&'f RawValue>,
    }
    let file: Option<File<'_>> = serde_json::from_slice(file).ok();
    let resources = file.into_iter().flat_map(|file| file.resources);
    resources.filter_map(|listener| Listener::read(&serde_json::from_str(listener.get()).ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let file = r#"{"version_info":"1","resources":[
            {"name":"a:22/ssh","address":{"socket_address":{"address":"127.0.0.1","port_value":15100}},"filter_chains":[
                {"name":"22 V4 resolve a","filters":[{"typed_config":{"cluster":"c"}}]},{"name":"closed V4","filters":[]}]},
            {"name":"no listener"}]}"#;
        let found = listeners_in(file.as_bytes());
        let chains = [("22 V4 resolve a", "c"), ("closed V4", "")].map(|(name, to)| (name.to_owned(), to.to_owned()));
        let listener = Listener { port: 15_100, chains: chains.into() };
        assert_eq!(listener.destinations().collect::<Vec<_>>(), [(22, Upstream::Resolve, "a")]);
        assert_eq!(found, BTreeMap::from([("a:22/ssh".to_owned(), listener)]));
        assert_eq!(listeners_in(b"{\"resources\":"), BTreeMap::new());
    }
}
