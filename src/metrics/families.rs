use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// Labels with their values, as many as each sample of a family has.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// A page of metrics as far as it is written: a family after the other.
pub struct Families<'e>(pub DescriptorEncoder<'e>);

impl Families<'_> {
    /// What only goes up. The name is without `_total`.
    pub fn counter<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'a, N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }

    /// What goes up and down.
    pub fn gauge<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'a, N>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            family.encode_family(&labels)?.encode_gauge(&i64::try_from(value).unwrap_or(i64::MAX))?;
        }
        Ok(())
    }

    /// A gauge without labels.
    pub fn single(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.gauge(name, help, [([], value)])
    }

    /// A counter without labels.
    pub fn count(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.counter(name, help, [([], value)])
    }

    /// One of several words: 1 for that one, 0 for the others.
    pub fn state<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &'static str,
        (words, present): (&[&'a str], &'a str),
    ) -> fmt::Result {
        let unknown = Some(present).filter(|present| !words.contains(present));
        let all = words.iter().copied().chain(unknown);
        self.gauge(name, help, all.map(|word| ([(label, word)], u64::from(word == present))))
    }

    /// How often something was how large: upper ends of buckets with what is in each, all, and their sum.
    pub fn histogram(
        &mut self,
        name: &str,
        help: &str,
        (buckets, total, sum): (&[(f64, u64)], u64, f64),
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Histogram)?;
        family.encode_histogram::<NoLabelSet>(sum, total, buckets, None)
    }
}
