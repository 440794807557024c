use std::net::IpAddr;
use std::process::Command;

use decider::dns::{Belief, Limits};
use decider::model::{ClientId, DomainName};
use decider::queue::Knowledge;

use crate::clocked::count;
use crate::report::{Bytes, Report};
use crate::resident::resident;
use crate::world::{CLIENTS, FAMILIES, Family, HOUR, NOW, Size, policy};

/// Tells a process of this program's own which figure to make: in one that had done anything before, memory that was
/// freed would be taken again.
pub const CASE: &str = "BENCH_CORE_MEMORY";

/// What is kept: of whom, of which names.
struct Case {
    what: &'static str,
    clients: usize,
    names: usize,
    length: usize,
}

const CASES: [Case; 5] = [
    Case { what: "an observation, a name of 20 characters each", clients: CLIENTS, names: usize::MAX, length: 20 },
    Case { what: "an observation, 10,000 names of 20 characters", clients: CLIENTS, names: 10_000, length: 20 },
    Case { what: "an observation, 10,000 names of 40 characters", clients: CLIENTS, names: 10_000, length: 40 },
    Case { what: "an observation, a name of 40 characters each", clients: CLIENTS, names: usize::MAX, length: 40 },
    Case {
        what: "an observation, a client and a name of 250 characters each",
        clients: usize::MAX,
        names: usize::MAX,
        length: 250,
    },
];

/// What is kept, by what the allocator was asked for and by what the process has in use since. All of it counts: what an
/// observation shares with others of its client or address, and room that is not used yet.
pub fn measure(size: &Size, report: &mut Report) {
    let cases =
        CASES.iter().flat_map(|case| FAMILIES.map(|family| (case.what, Some(family), size.most_observations())));
    for (number, (what, family, kept)) in cases.chain([("a rule", None, size.most_rules())]).enumerate() {
        report.keep(what, family, kept, asked(number));
    }
}

fn asked(number: usize) -> Bytes {
    let this = std::env::current_exe().unwrap();
    let output = Command::new(this).arg("--bench").env(CASE, number.to_string()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut figures = text.split_whitespace().map(|figure| figure.parse::<f64>().unwrap());
    Bytes { asked: figures.next().unwrap(), resident: figures.next().unwrap() }
}

/// What the process for that case prints.
pub fn answer(size: &Size, number: usize) -> String {
    let (bytes, kept) = if let Some(case) = CASES.get(number / FAMILIES.len()) {
        full(case, FAMILIES[number % FAMILIES.len()], size.most_observations())
    } else {
        let (bytes, policy) = counted(|| policy(size.most_rules()));
        (bytes, policy.routes().len())
    };
    format!("{} {}", bytes.asked / count(kept), bytes.resident / count(kept))
}

/// A cache that is told so much that it is full, and how much of that it keeps.
fn full(case: &Case, family: Family, capacity: usize) -> (Bytes, usize) {
    let told = |n: usize| -> (ClientId, IpAddr, DomainName) {
        let name = if case.names == usize::MAX { n } else { n / CLIENTS % case.names };
        let name = DomainName::parse(&text(name, case.length)).unwrap();
        (ClientId(family.client(n % case.clients)), family.server(n), name)
    };
    let (bytes, knowledge) = counted(|| {
        let knowledge = Knowledge::new(Limits::new(capacity, HOUR, HOUR, HOUR));
        for n in 0..capacity + capacity / 5 {
            let (client, addr, name) = told(n);
            knowledge.about(addr).learn(NOW, client, addr, name, HOUR, Belief::Believed);
        }
        knowledge
    });
    (bytes, knowledge.parts().map(|part| part.len()).sum())
}

fn counted<T>(make: impl FnOnce() -> T) -> (Bytes, T) {
    let before = resident();
    let mut made = None;
    let used = allocation_counter::measure(|| made = Some(make()));
    let asked = count(usize::try_from(used.bytes_current).unwrap());
    (Bytes { asked, resident: count(resident().saturating_sub(before)) }, made.unwrap())
}

/// A name of its own for each number, of that many characters.
fn text(n: usize, length: usize) -> String {
    let labels = format!("{n:08}.{}", ["abcdefghi"; 25].join("."));
    labels.get(..length).unwrap().trim_end_matches('.').to_owned()
}
