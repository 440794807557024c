use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};
use prometheus_client::registry::Registry;

use crate::control::Status;
use crate::record::Tally;

use super::families::Families;
use super::page;

/// All that a page of metrics is made of.
#[derive(Debug)]
pub struct Figures {
    /// What `status` shows.
    pub status: Status,
    /// What was decided.
    pub tally: Tally,
}

/// Prometheus' text, version 0.0.4.
///
/// # Errors
/// None that is known: text can always be written.
pub fn render(figures: Figures) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("decider");
    registry.register_collector(Box::new(figures));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Figures {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        page::write(&mut Families(encoder), self)
    }
}
