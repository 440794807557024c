//! CNAME chains: what is reached from the question's name within the answer, and nothing else.

use decider::dns::{DnsError, Nothing};

use super::answers::{Case, bad, github, nothing, teaches};
use super::bytes::{CNAME, DNAME, FIRST_NAME, Message, alias, labels_to_name, name, pointer, record, record_of};
use crate::Family;

fn end(family: Family, owner: &str, n: u8) -> Vec<u8> {
    record(&name(owner), family.kind(), 300, &family.data(n))
}

/// A chain of that many steps from github.com, with the address at its end.
fn chain(family: Family, steps: usize) -> Message {
    let step = |index: usize| if index == 0 { "github.com".to_owned() } else { format!("step{index}.example") };
    let aliases = (0..steps).map(|index| alias(&step(index), &step(index + 1), 300));
    let message = aliases.fold(github(family), Message::answer);
    message.answer(end(family, &step(steps), 1))
}

pub const CASES: &[Case] = &[
    teaches("by one alias", &[(1, 300)], |family| chain(family, 1).bytes()),
    teaches("by sixteen aliases", &[(1, 300)], |family| chain(family, 16).bytes()),
    nothing("by seventeen aliases", Nothing::NoAddress, |family| chain(family, 17).bytes()),
    nothing("by sixty-four aliases", Nothing::NoAddress, |family| chain(family, 64).bytes()),
    bad("by sixty-five aliases", DnsError::TooManyAliases, |family| chain(family, 65).bytes()),
    teaches("with the aliases in any order", &[(1, 300)], |family| {
        let mut message = chain(family, 5);
        message.answers.reverse();
        message.bytes()
    }),
    teaches("with the shortest TTL on the way", &[(1, 7)], |family| {
        github(family)
            .answer(alias("github.com", "a.example", 60))
            .answer(alias("a.example", "b.example", 7))
            .answer(end(family, "b.example", 1))
            .bytes()
    }),
    teaches("with the alias in another case", &[(1, 300)], |family| {
        github(family).answer(alias("GitHub.com", "LB.example", 300)).answer(end(family, "lb.EXAMPLE", 1)).bytes()
    }),
    teaches("at every name on the way", &[(1, 300), (2, 300)], |family| {
        github(family)
            .answer(end(family, "github.com", 1))
            .answer(alias("github.com", "a.example", 300))
            .answer(end(family, "a.example", 2))
            .bytes()
    }),
    teaches("in a circle, with an address in it", &[(1, 300)], |family| {
        github(family)
            .answer(alias("github.com", "a.example", 300))
            .answer(alias("a.example", "github.com", 300))
            .answer(end(family, "a.example", 1))
            .bytes()
    }),
    nothing("in a circle", Nothing::NoAddress, |family| {
        github(family)
            .answer(alias("github.com", "a.example", 300))
            .answer(alias("a.example", "github.com", 300))
            .bytes()
    }),
    nothing("by an alias to itself", Nothing::NoAddress, |family| {
        github(family).answer(alias("github.com", "github.com", 300)).bytes()
    }),
    nothing("by an alias that leads nowhere", Nothing::NoAddress, |family| {
        github(family).answer(alias("github.com", "a.example", 300)).answer(end(family, "b.example", 66)).bytes()
    }),
    nothing("by an alias of another name", Nothing::NoAddress, |family| {
        github(family).answer(alias("evil.example", "a.example", 300)).answer(end(family, "a.example", 66)).bytes()
    }),
    nothing("by a chain that another message began", Nothing::NoAddress, |family| {
        github(family).answer(end(family, "a.example", 66)).bytes()
    }),
    nothing("by an alias in the authority section", Nothing::NoAddress, |family| {
        github(family).authority(alias("github.com", "a.example", 300)).answer(end(family, "a.example", 66)).bytes()
    }),
    nothing("by an alias in the additional section", Nothing::NoAddress, |family| {
        github(family).answer(end(family, "a.example", 66)).additional(alias("github.com", "a.example", 300)).bytes()
    }),
    nothing("by an alias of class chaos", Nothing::NoAddress, |family| {
        github(family)
            .answer(record_of(3, &pointer(FIRST_NAME), CNAME, 300, &name("a.example")))
            .answer(end(family, "a.example", 66))
            .bytes()
    }),
    nothing("by a DNAME without its CNAME", Nothing::NoAddress, |family| {
        github(family)
            .answer(record(&name("com"), DNAME, 300, &name("example")))
            .answer(end(family, "github.example", 66))
            .bytes()
    }),
    teaches("by the first of two aliases of one name", &[(1, 300)], |family| {
        github(family)
            .answer(alias("github.com", "a.example", 300))
            .answer(alias("github.com", "b.example", 300))
            .answer(end(family, "b.example", 66))
            .answer(end(family, "a.example", 1))
            .bytes()
    }),
    nothing("to a name that looks alike when written out", Nothing::NoAddress, |family| {
        github(family)
            .answer(record(&pointer(FIRST_NAME), CNAME, 300, &labels_to_name(&[b"a.example"])))
            .answer(end(family, "a.example", 66))
            .bytes()
    }),
    teaches("by an alias that is compressed", &[(1, 300)], |family| {
        let target = [&[2, b'l', b'b'][..], &pointer(FIRST_NAME)].concat();
        github(family)
            .answer(record(&pointer(FIRST_NAME), CNAME, 300, &target))
            .answer(end(family, "lb.github.com", 1))
            .bytes()
    }),
];
