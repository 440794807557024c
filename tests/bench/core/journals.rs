use std::hint::black_box;
use std::time::Duration;

use decider::dns::Belief;
use decider::dns::journal::{self, Header, Reader};
use decider::queue::Knowledge;

use crate::clocked::cost_of_one;
use crate::report::{Report, Row};
use crate::world::{FAMILIES, NOW, Size, Told, room_for};

/// Saving all observations and taking them over at a start, without the disk.
pub fn measure(size: &Size, report: &mut Report) {
    let (rules, observations) = (size.most_rules(), size.most_observations());
    let header = Header::new("bench", Duration::from_secs(1_700_000_000), NOW);
    for family in FAMILIES {
        let knowledge = Told { family, rules }.knowledge(observations);
        let write = || {
            let all = knowledge
                .parts()
                .flat_map(|part| part.iter().map(|record| journal::encode(&record)).collect::<Vec<_>>());
            all.collect::<Vec<String>>()
        };
        let row = |what, cost| Row::of(what, cost).family(family).observations(observations);
        report.add(row("write the journal", cost_of_one(size, || drop(black_box(write())))));
        let lines = write();
        let read = || {
            let mut reader = Reader::new();
            reader.take(journal::encode_header(&header).as_bytes());
            for line in &lines {
                reader.take(line.as_bytes());
            }
            reader.finish(&header, NOW)
        };
        report.add(row("read the journal", cost_of_one(size, || drop(black_box(read())))));
        let saved = read();
        assert_eq!(saved.records.len(), observations);
        let restore = cost_of_one(size, || {
            let anew = Knowledge::new(room_for(observations));
            for record in &saved.records {
                anew.about(record.addr).restore(record.clone(), Belief::Believed, NOW);
            }
            black_box(anew);
        });
        report.add(row("take over what was read", restore));
    }
}
