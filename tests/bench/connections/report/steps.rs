use super::Report;
use super::table::Table;
use crate::figures::cell;
use crate::path::Path;

/// What a way takes more than another, and what that is.
const STEPS: [(Path, Path, &str); 7] = [
    (Path::NftSet, Path::None, "connection tracking, a set looked up, TPROXY"),
    (Path::QueueC, Path::None, "connection tracking, a queue and back, TPROXY"),
    (Path::QueueNfq, Path::QueueC, "the `nfq` crate instead of `libnetfilter_queue`"),
    (Path::Nfq, Path::QueueNfq, "decider instead of accepting all, by `nfq`"),
    (Path::Batched, Path::QueueC, "decider instead of accepting all, by its own messages"),
    (Path::Fast, Path::NftSet, "decider's ruleset and reports instead of a set"),
    (Path::Envoy, Path::DnatEnvoy, "decider and what it has Envoy do, instead of address translation"),
];

/// Where the microseconds go, at one in flight: the medians of each round's own difference.
pub fn table(report: &Report) -> Table {
    let mut table = Table::new(&["what is added", "p50 us", "processor us"]);
    let alone = cell(&report.rows, Path::None, 1);
    let (p50, cpu) = (alone.spread(|sample| sample.p50), alone.spread(|sample| sample.all_cpu));
    let row = |what: String, p50: f64, cpu: f64| vec![what, format!("{p50:.1}"), format!("{cpu:.1}")];
    table.row(row("client, wire and listener alone: `none`".to_owned(), p50.median, cpu.median));
    for (path, other, what) in STEPS {
        let (own, other) = (cell(&report.rows, path, 1), cell(&report.rows, other, 1));
        let p50 = own.difference(other, |sample| sample.p50);
        let cpu = own.difference(other, |sample| sample.all_cpu);
        let what = format!("{what}: `{}` - `{}`", path.name(), other.size.path.name());
        table.row(row(what, p50.median, cpu.median));
    }
    table
}
