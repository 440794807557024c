//! What a client may send to its resolver, and whether it is a question.

use decider::dns::DnsError;

use super::bytes::{
    A, ANSWER, ANY, CHAOS, FIRST_NAME, HTTPS, INTERNET, Message, PTR, QUESTION, SOA, TXT, address, cut, edns, entry,
    labels_to_name, longest_name, name, patch, pointer, question, record,
};
use crate::Family;

/// What a client sends to its resolver, and why it is no question; `None`: it is one.
pub struct Case {
    pub name: &'static str,
    pub bytes: fn(Family) -> Vec<u8>,
    pub error: Option<DnsError>,
}

const fn fine(name: &'static str, bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, error: None }
}

const fn bad(name: &'static str, error: DnsError, bytes: fn(Family) -> Vec<u8>) -> Case {
    Case { name, bytes, error: Some(error) }
}

fn ask(name: &[u8], kind: u16, class: u16) -> Message {
    Message::new(QUESTION, entry(name, kind, class))
}

fn github(family: Family) -> Message {
    question(family, "github.com")
}

fn with_flags(family: Family, flags: u16) -> Vec<u8> {
    Message { flags, ..github(family) }.bytes()
}

pub const CASES: &[Case] = &[
    fine("a plain question", |family| github(family).bytes()),
    fine("without recursion", |family| with_flags(family, 0)),
    fine("with the AD and CD bits", |family| with_flags(family, QUESTION | 0x0030)),
    fine("with the reserved bit", |family| with_flags(family, QUESTION | 0x0040)),
    fine("in mixed case", |family| question(family, "GiThUb.CoM").bytes()),
    fine("for HTTPS", |_| ask(&name("github.com"), HTTPS, INTERNET).bytes()),
    fine("for TXT", |_| ask(&name("github.com"), TXT, INTERNET).bytes()),
    fine("for PTR", |_| ask(&name("10.2.0.192.in-addr.arpa"), PTR, INTERNET).bytes()),
    fine("for anything", |_| ask(&name("github.com"), ANY, INTERNET).bytes()),
    fine("for a type that nobody knows", |_| ask(&name("github.com"), 0xfffe, INTERNET).bytes()),
    fine("of class chaos", |_| ask(&name("version.bind"), TXT, CHAOS).bytes()),
    fine("for the root", |_| ask(&[0], SOA, INTERNET).bytes()),
    fine("for a name of 255 octets", |_| ask(&longest_name(), A, INTERNET).bytes()),
    fine("for a name of 127 labels", |_| ask(&labels_to_name(&[&b"a"[..]; 127]), A, INTERNET).bytes()),
    fine("for a name with every kind of octet", |_| ask(&labels_to_name(&[b"a.b\0\\\xff \n"]), A, INTERNET).bytes()),
    fine("with EDNS", |family| github(family).additional(edns(1232, 0, &[])).bytes()),
    fine("with EDNS, 4096 bytes and a cookie", |family| {
        github(family).additional(edns(4096, 0, &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])).bytes()
    }),
    fine("with EDNS options that lie about their length", |family| {
        github(family).additional(edns(1232, 0, &[0, 10, 0xff, 0xff])).bytes()
    }),
    bad("with two OPT records", DnsError::RepeatedOpt, |family| {
        github(family).additional(edns(1232, 0, &[])).additional(edns(1232, 0, &[])).bytes()
    }),
    bad("for a name of 256 octets", DnsError::NameTooLong, |_| {
        ask(&labels_to_name(&[&[b'a'; 63], &[b'b'; 63], &[b'c'; 63], &[b'd'; 62]]), A, INTERNET).bytes()
    }),
    bad("for a name of 128 labels", DnsError::NameTooLong, |_| {
        ask(&labels_to_name(&[&b"a"[..]; 128]), A, INTERNET).bytes()
    }),
    bad("with a label of 64 octets", DnsError::LabelType, |_| {
        ask(&labels_to_name(&[&[b'a'; 64]]), A, INTERNET).bytes()
    }),
    bad("with an extended label", DnsError::LabelType, |_| ask(&[0x41, 1, 2, 0], A, INTERNET).bytes()),
    bad("with a label of type 10", DnsError::LabelType, |_| ask(&[0x80, 1, 0], A, INTERNET).bytes()),
    bad("compressed onto itself", DnsError::Compression, |_| ask(&pointer(FIRST_NAME), A, INTERNET).bytes()),
    bad("compressed forwards", DnsError::Compression, |_| ask(&pointer(FIRST_NAME + 4), A, INTERNET).bytes()),
    bad("compressed into the header", DnsError::Compression, |_| ask(&pointer(0), A, INTERNET).bytes()),
    bad("compressed beyond the end", DnsError::Compression, |_| ask(&pointer(0x3fff), A, INTERNET).bytes()),
    bad("with a label and then a circle", DnsError::Compression, |_| {
        ask(&[&[1, b'a'][..], &pointer(FIRST_NAME)].concat(), A, INTERNET).bytes()
    }),
    bad("with half a pointer", DnsError::Truncated, |_| [&header(1)[..], &[0xc0]].concat()),
    bad("without a question", DnsError::QuestionCount(0), |family| {
        Message { questions: vec![], ..github(family) }.bytes()
    }),
    bad("with two questions", DnsError::QuestionCount(2), |family| {
        let mut two = github(family);
        two.questions.push(entry(&name("evil.example"), A, INTERNET));
        two.bytes()
    }),
    bad("with 65535 questions announced", DnsError::QuestionCount(0xffff), |family| {
        patch(github(family).bytes(), 4, &[0xff, 0xff])
    }),
    bad("with the response bit", DnsError::NotAQuestion, |family| with_flags(family, QUESTION | 0x8000)),
    bad("that is an answer for an allowed name", DnsError::NotAQuestion, |family| {
        Message { flags: ANSWER, ..github(family) }.answer(address(family, 66)).bytes()
    }),
    bad("of the operation IQUERY", DnsError::Operation(1), |family| with_flags(family, 1 << 11)),
    bad("of the operation STATUS", DnsError::Operation(2), |family| with_flags(family, 2 << 11)),
    bad("of the operation NOTIFY", DnsError::Operation(4), |family| with_flags(family, 4 << 11)),
    bad("of the operation UPDATE", DnsError::Operation(5), |family| with_flags(family, 5 << 11)),
    bad("of the operation DSO", DnsError::Operation(6), |family| with_flags(family, 6 << 11)),
    bad("of the operation 15", DnsError::Operation(15), |family| with_flags(family, 15 << 11)),
    bad("that brings an answer along", DnsError::RecordsInQuestion, |family| {
        github(family).answer(address(family, 66)).bytes()
    }),
    bad("that brings an authority along", DnsError::RecordsInQuestion, |family| {
        github(family).authority(record(&name("github.com"), SOA, 0, &[])).bytes()
    }),
    bad("of no bytes", DnsError::Size(0), |_| vec![]),
    bad("of eleven bytes", DnsError::Size(11), |family| cut(github(family).bytes(), 11)),
    bad("of a header alone", DnsError::Truncated, |_| header(1)),
    bad("cut within the name", DnsError::Truncated, |family| cut(github(family).bytes(), 16)),
    bad("cut before the type", DnsError::Truncated, |family| cut(github(family).bytes(), 24)),
    bad("cut within the class", DnsError::Truncated, |family| cut(github(family).bytes(), 27)),
    bad("with a byte too many", DnsError::Trailing, |family| [github(family).bytes(), vec![0]].concat()),
    bad("with another message behind it", DnsError::Trailing, |family| {
        [github(family).bytes(), question(family, "evil.example").bytes()].concat()
    }),
    bad("with records announced that are not there", DnsError::Truncated, |family| {
        patch(github(family).bytes(), 10, &[0xff, 0xff])
    }),
];

/// A question's header alone.
fn header(questions: u8) -> Vec<u8> {
    vec![0x12, 0x34, 1, 0, 0, questions, 0, 0, 0, 0, 0, 0]
}
