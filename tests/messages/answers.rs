//! What a resolver may send, and what it must teach.

use decider::dns::{self, DnsError, Nothing};

use super::bytes::{
    A, ANSWER, ANY, CHAOS, CNAME, FIRST_NAME, INTERNET, MX, Message, NS, PTR, QUESTION, SOA, SRV, TXT, address, alias,
    answer, cut, edns, entry, labels_to_name, longest_name, name, patch, pointer, record, record_of,
};
use crate::Family;

/// What a resolver sends to the client that asked exactly this, and what it must teach.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub bytes: fn(Family) -> Vec<u8>,
    pub teaches: Teaches,
}

/// What an answer must teach of the name in its question.
#[derive(Clone, Copy)]
pub enum Teaches {
    /// These addresses, by their number and TTL.
    These(&'static [(u8, u64)]),
    /// That many addresses.
    Many(usize),
    /// Nothing, and why.
    Nothing(Nothing),
    /// It is not even an answer.
    Error(DnsError),
}

pub const fn teaches(name: &'static str, found: &'static [(u8, u64)], bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, teaches: Teaches::These(found) }
}

pub const fn nothing(name: &'static str, why: Nothing, bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, teaches: Teaches::Nothing(why) }
}

pub const fn bad(name: &'static str, error: DnsError, bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, teaches: Teaches::Error(error) }
}

pub fn github(family: Family) -> Message {
    answer(family, "github.com")
}

/// github.com at address 1: what every honest answer says.
fn honest(family: Family) -> Message {
    github(family).answer(address(family, 1))
}

fn with_flags(family: Family, flags: u16) -> Vec<u8> {
    Message { flags, ..honest(family) }.bytes()
}

/// An answer for that name, whatever it is, with an address.
fn about(family: Family, asked: &[u8]) -> Vec<u8> {
    Message::new(ANSWER, entry(asked, family.kind(), INTERNET)).answer(address(family, 1)).bytes()
}

/// An answer to a question of another type, with an address record nevertheless.
fn of_type(family: Family, kind: u16, data: &[u8]) -> Vec<u8> {
    Message::new(ANSWER, entry(&name("github.com"), kind, INTERNET))
        .answer(record(&pointer(FIRST_NAME), kind, 300, data))
        .answer(address(family, 66))
        .bytes()
}

/// What is true, in every form that it may have.
pub const PLAIN: &[Case] = &[
    teaches("one address", &[(1, 300)], |family| honest(family).bytes()),
    teaches("two addresses", &[(1, 300), (2, 300)], |family| honest(family).answer(address(family, 2)).bytes()),
    teaches("an authoritative answer", &[(1, 300)], |family| with_flags(family, ANSWER | 0x0400)),
    teaches("with EDNS", &[(1, 300)], |family| honest(family).additional(edns(1232, 0, &[])).bytes()),
    teaches("a TTL of nothing", &[(1, 0)], |family| {
        github(family).answer(record(&pointer(FIRST_NAME), family.kind(), 0, &family.data(1))).bytes()
    }),
    teaches("a TTL below nothing", &[(1, 0)], |family| {
        github(family).answer(record(&pointer(FIRST_NAME), family.kind(), 0x8000_0000, &family.data(1))).bytes()
    }),
    teaches("the longest TTL", &[(1, 0x7fff_ffff)], |family| {
        github(family).answer(record(&pointer(FIRST_NAME), family.kind(), 0x7fff_ffff, &family.data(1))).bytes()
    }),
    teaches("types beside it that nobody knows", &[(1, 300)], |family| {
        honest(family).answer(record(&pointer(FIRST_NAME), 0xfffe, 300, &[1, 2, 3])).bytes()
    }),
    teaches("signatures beside it", &[(1, 300)], |family| {
        honest(family).answer(record(&pointer(FIRST_NAME), 46, 300, &[0; 60])).bytes()
    }),
    Case {
        name: "two thousand addresses",
        teaches: Teaches::Many(2_000),
        bytes: |family| (0..2_000).fold(github(family), |message, _| message.answer(address(family, 1))).bytes(),
    },
];

/// Addresses that are not those of the name in question.
pub const OUTSIDE: &[Case] = &[
    teaches("an address of another name beside it", &[(1, 300)], |family| {
        honest(family).answer(record(&name("evil.example"), family.kind(), 300, &family.data(66))).bytes()
    }),
    teaches("addresses in authority and additional", &[(1, 300)], |family| {
        honest(family).authority(address(family, 66)).additional(address(family, 67)).bytes()
    }),
    teaches("an address of class chaos beside it", &[(1, 300)], |family| {
        honest(family).answer(record_of(CHAOS, &pointer(FIRST_NAME), family.kind(), 300, &family.data(66))).bytes()
    }),
    nothing("of the other family", Nothing::NoAddress, |family| {
        let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
        github(family).answer(record(&pointer(FIRST_NAME), family.other_kind(), 300, &other.data(66))).bytes()
    }),
    nothing("with addresses of another name only", Nothing::NoAddress, |family| {
        github(family).answer(record(&name("evil.example"), family.kind(), 300, &family.data(66))).bytes()
    }),
    nothing("with addresses of a name below", Nothing::NoAddress, |family| {
        github(family).answer(record(&name("www.github.com"), family.kind(), 300, &family.data(66))).bytes()
    }),
    nothing("with addresses of the name above", Nothing::NoAddress, |family| {
        github(family).answer(record(&name("com"), family.kind(), 300, &family.data(66))).bytes()
    }),
    nothing("with an address in the authority section only", Nothing::NoAddress, |family| {
        github(family).authority(address(family, 66)).bytes()
    }),
    nothing("with an address in the additional section only", Nothing::NoAddress, |family| {
        github(family).additional(address(family, 66)).bytes()
    }),
    nothing("with an address of class chaos only", Nothing::NoAddress, |family| {
        github(family).answer(record_of(CHAOS, &pointer(FIRST_NAME), family.kind(), 300, &family.data(66))).bytes()
    }),
    bad("with more aliases than any chain", DnsError::TooManyAliases, |family| {
        (0..65).fold(github(family), |message, _| message.answer(alias("a.example", "b.example", 300))).bytes()
    }),
];

/// Answers that say no, or are not whole.
pub const CODES: &[Case] = &[
    nothing("without records", Nothing::NoAddress, |family| github(family).bytes()),
    nothing("FORMERR", Nothing::Failed(1), |family| with_flags(family, ANSWER | 1)),
    nothing("SERVFAIL", Nothing::Failed(2), |family| with_flags(family, ANSWER | 2)),
    nothing("NXDOMAIN", Nothing::Failed(3), |family| with_flags(family, ANSWER | 3)),
    nothing("REFUSED", Nothing::Failed(5), |family| with_flags(family, ANSWER | 5)),
    nothing("a response code that nobody knows", Nothing::Failed(15), |family| with_flags(family, ANSWER | 15)),
    nothing("BADVERS, which only EDNS can say", Nothing::Failed(16), |family| {
        honest(family).additional(edns(1232, 1, &[])).bytes()
    }),
    nothing("BADCOOKIE, in both its parts", Nothing::Failed(23), |family| {
        Message { flags: ANSWER | 7, ..honest(family).additional(edns(1232, 1, &[])) }.bytes()
    }),
    nothing("truncated, with an address", Nothing::Cut, |family| with_flags(family, ANSWER | 0x0200)),
];

/// Answers to questions that are not about addresses.
pub const TYPES: &[Case] = &[
    nothing("of class chaos", Nothing::NotAboutAddresses, |family| {
        Message::new(ANSWER, entry(&name("github.com"), family.kind(), CHAOS)).answer(address(family, 66)).bytes()
    }),
    nothing("to a question for anything", Nothing::NotAboutAddresses, |family| of_type(family, ANY, &[])),
    nothing("to a question for PTR", Nothing::NotAboutAddresses, |family| of_type(family, PTR, &name("evil.example"))),
    nothing("to a question for TXT", Nothing::NotAboutAddresses, |family| of_type(family, TXT, b"\x09192.0.2.1")),
    nothing("to a question for MX", Nothing::NotAboutAddresses, |family| {
        of_type(family, MX, &[&[0, 1], &name("evil.example")[..]].concat())
    }),
    nothing("to a question for SRV", Nothing::NotAboutAddresses, |family| {
        of_type(family, SRV, &[&[0, 1, 0, 1, 0, 22], &name("evil.example")[..]].concat())
    }),
    nothing("to a question for who is at an address: an allowed name", Nothing::NotAboutAddresses, |family| {
        let reverse = name("66.100.51.198.in-addr.arpa");
        Message::new(ANSWER, entry(&reverse, PTR, INTERNET))
            .answer(record(&pointer(FIRST_NAME), PTR, 300, &name("github.com")))
            .answer(record(&name("github.com"), family.kind(), 300, &family.data(66)))
            .bytes()
    }),
    nothing("to a question for SRV, with the target's address", Nothing::NotAboutAddresses, |family| {
        let target = [&[0, 1, 0, 1, 0, 22], &name("github.com")[..]].concat();
        Message::new(ANSWER, entry(&name("_ssh._tcp.github.com"), SRV, INTERNET))
            .answer(record(&pointer(FIRST_NAME), SRV, 300, &target))
            .additional(record(&name("github.com"), family.kind(), 300, &family.data(66)))
            .bytes()
    }),
    nothing("to a question for MX, with its host's address", Nothing::NotAboutAddresses, |family| {
        Message::new(ANSWER, entry(&name("github.com"), MX, INTERNET))
            .answer(record(&pointer(FIRST_NAME), MX, 300, &[&[0, 1], &name("github.com")[..]].concat()))
            .additional(record(&name("github.com"), family.kind(), 300, &family.data(66)))
            .bytes()
    }),
    nothing("to a question for NS", Nothing::NotAboutAddresses, |family| of_type(family, NS, &name("evil.example"))),
    nothing("to a question for SOA", Nothing::NotAboutAddresses, |family| of_type(family, SOA, &[0; 22])),
    nothing("to a question for CNAME", Nothing::NotAboutAddresses, |family| {
        of_type(family, CNAME, &name("evil.example"))
    }),
];

/// Names as they may and may not be written.
pub const NAMES: &[Case] = &[
    teaches("in mixed case", &[(1, 300)], |family| answer(family, "gItHuB.cOm").answer(address(family, 1)).bytes()),
    teaches("a record in another case", &[(1, 300)], |family| {
        github(family).answer(record(&name("GITHUB.COM"), family.kind(), 300, &family.data(1))).bytes()
    }),
    nothing("for the root", Nothing::NotAHostName, |family| about(family, &[0])),
    nothing("for a name with a dot in a label", Nothing::NotAHostName, |family| {
        about(family, &labels_to_name(&[b"github.com"]))
    }),
    nothing("for a name with a dot at the end of a label", Nothing::NotAHostName, |family| {
        about(family, &labels_to_name(&[b"github", b"com."]))
    }),
    nothing("for a name with a zero in it", Nothing::NotAHostName, |family| {
        about(family, &labels_to_name(&[b"github\0", b"com"]))
    }),
    nothing("for a name with a backslash", Nothing::NotAHostName, |family| {
        about(family, &labels_to_name(&[b"github\\", b"com"]))
    }),
    nothing("for a name with a blank", Nothing::NotAHostName, |family| {
        about(family, &labels_to_name(&[b"github ", b"com"]))
    }),
    nothing("for a name in UTF-8", Nothing::NotAHostName, |family| {
        about(family, &labels_to_name(&["b\u{fc}cher".as_bytes(), b"example"]))
    }),
    nothing("for a name with octets above 127", Nothing::NotAHostName, |family| {
        about(family, &labels_to_name(&[b"\xff\xfe", b"com"]))
    }),
    nothing("for a name that is an address", Nothing::NotAHostName, |family| about(family, &name("192.0.2.1"))),
    teaches("for a name of 255 octets", &[(1, 300)], |family| about(family, &longest_name())),
    teaches("for a name with underscores", &[(1, 300)], |family| about(family, &name("_ssh._tcp.github.com"))),
];

/// Answers that cannot be read.
pub const BROKEN: &[Case] = &[
    bad("that is a question", DnsError::NotAnAnswer, |family| with_flags(family, QUESTION)),
    bad("of the operation UPDATE", DnsError::Operation(5), |family| with_flags(family, ANSWER | 5 << 11)),
    bad("without a question", DnsError::QuestionCount(0), |family| {
        Message { questions: vec![], ..github(family) }.answer(address(family, 1)).bytes()
    }),
    bad("with two questions", DnsError::QuestionCount(2), |family| {
        let mut two = honest(family);
        two.questions.push(entry(&name("evil.example"), A, INTERNET));
        two.bytes()
    }),
    bad("with two OPT records", DnsError::RepeatedOpt, |family| {
        honest(family).additional(edns(1232, 0, &[])).additional(edns(1232, 1, &[])).bytes()
    }),
    bad("with an address of the wrong length", DnsError::RecordData, |family| {
        github(family).answer(record(&pointer(FIRST_NAME), family.kind(), 300, &[1, 2, 3, 4, 5])).bytes()
    }),
    bad("with an address of no length", DnsError::RecordData, |family| {
        github(family).answer(record(&pointer(FIRST_NAME), family.kind(), 300, &[])).bytes()
    }),
    bad("with an alias that is longer than its data", DnsError::RecordData, |family| {
        // It goes on with the owner of the next record.
        let alias = record(&pointer(FIRST_NAME), CNAME, 300, b"\x04evil");
        github(family).answer(alias).answer(address(family, 66)).bytes()
    }),
    bad("with bytes behind an alias", DnsError::RecordData, |family| {
        let data = [name("evil.example"), vec![0]].concat();
        github(family).answer(record(&pointer(FIRST_NAME), CNAME, 300, &data)).bytes()
    }),
    bad("with a record whose data are not all there", DnsError::Truncated, |family| {
        let bytes = honest(family).bytes();
        let short = bytes.len() - 1;
        cut(bytes, short)
    }),
    bad("with records announced that are not there", DnsError::Truncated, |family| {
        patch(honest(family).bytes(), 6, &[0xff, 0xff])
    }),
    bad("with bytes behind its end", DnsError::Trailing, |family| [honest(family).bytes(), vec![0; 5]].concat()),
    bad("with a record that no section counts", DnsError::Trailing, |family| patch(honest(family).bytes(), 6, &[0, 0])),
    bad("with an owner compressed onto itself", DnsError::Compression, |family| {
        let here = u16::try_from(github(family).bytes().len()).unwrap();
        github(family).answer(record(&pointer(here), family.kind(), 300, &family.data(66))).bytes()
    }),
    bad("with an owner compressed forwards", DnsError::Compression, |family| {
        let behind = u16::try_from(github(family).bytes().len()).unwrap() + 2;
        github(family).answer(record(&pointer(behind), family.kind(), 300, &family.data(66))).bytes()
    }),
    bad("with an owner compressed into the header", DnsError::Compression, |family| {
        github(family).answer(record(&pointer(2), family.kind(), 300, &family.data(66))).bytes()
    }),
    bad("with an owner of a label type that nobody knows", DnsError::LabelType, |family| {
        github(family).answer(record(&[0x81, 1, 0], family.kind(), 300, &family.data(66))).bytes()
    }),
    bad("with an owner of 256 octets, compressed", DnsError::NameTooLong, |family| {
        let long = labels_to_name(&[&[b'a'; 63], &[b'b'; 63], &[b'c'; 63], &[b'd'; 61]]);
        let owner = [&[1, b'x'][..], &pointer(FIRST_NAME)].concat();
        Message::new(ANSWER, entry(&long, family.kind(), INTERNET))
            .answer(record(&owner, family.kind(), 300, &family.data(66)))
            .bytes()
    }),
];

/// All of them.
pub const ALL: [&[Case]; 6] = [PLAIN, OUTSIDE, CODES, TYPES, NAMES, BROKEN];

/// The question that an answer says it answers.
pub fn question_of(bytes: &[u8]) -> Vec<u8> {
    let parsed = dns::answer(bytes).unwrap();
    let mut asked =
        Message::new(QUESTION, entry(parsed.question.name.as_bytes(), parsed.question.qtype, parsed.question.qclass));
    asked.id = parsed.question.id;
    asked.bytes()
}
