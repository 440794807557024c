use hickory_proto::op::{Header, Metadata};
use hickory_proto::rr::Name;
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

use super::DnsError;
use super::question::Question;
use super::wire_name::WireName;

/// Octets of a header (RFC 1035, 4.1.1).
const HEADER: usize = 12;
/// Octets of a name at most, the final zero included (RFC 1035, 2.3.4).
const MAX_NAME: usize = 255;
/// Compression pointers within one name at most. An honest name has one, or a few where a compressor points at
/// compressed names; a hostile one could make the reader hop eight thousand times for each record.
const MAX_POINTERS: usize = 64;
/// The record type OPT (RFC 6891, 6.1.2).
const OPT: u16 = 41;

/// A message with one question whose every record lies where it should, read without interpreting what the records say.
///
/// `hickory-proto` reads the header and the names. It never gets to see a name that was not checked before, and the data
/// of records that nobody asks about are not decoded at all: so the work is in proportion to the message's length.
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    /// The header without its counts.
    pub metadata: Metadata,
    /// The one question.
    pub question: Question,
    /// Where its name begins.
    pub question_name: Place,
    /// The answer section.
    pub answers: Vec<RawRecord<'a>>,
    /// Records in the authority section.
    pub authorities: u16,
    /// What its OPT record says, if it has one.
    pub edns: Option<Edns>,
}

/// What the header of an OPT record says (RFC 6891, 6.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edns {
    /// The upper eight bits of the response code.
    pub code_high: u8,
    /// Whether DNSSEC records are wanted.
    pub dnssec_ok: bool,
}

impl Edns {
    fn of(ttl: u32) -> Self {
        let [code_high, _, flags, _] = ttl.to_be_bytes();
        Self { code_high, dnssec_ok: flags & 0x80 != 0 }
    }
}

/// Where a name begins that has been checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(u16);

/// A record whose name and data have not been decoded.
pub(super) struct RawRecord<'a> {
    pub owner: Place,
    pub kind: u16,
    pub class: u16,
    /// Seconds.
    pub ttl: u32,
    pub data: &'a [u8],
    data_start: usize,
}

impl<'a> Message<'a> {
    /// Reads a message from end to end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &'a [u8]) -> Result<Self, DnsError> {
        if bytes.len() < HEADER || bytes.len() > usize::from(u16::MAX) {
            return Err(DnsError::Size(bytes.len()));
        }
        let mut walk = Walk { bytes, at: HEADER };
        let Header { metadata, counts } = Header::read(&mut BinDecoder::new(bytes)).map_err(|_| DnsError::Truncated)?;
        if u8::from(metadata.op_code) != 0 {
            return Err(DnsError::Operation(metadata.op_code.into()));
        }
        if counts.queries != 1 {
            return Err(DnsError::QuestionCount(counts.queries));
        }
        let question_name = walk.name()?;
        let (qtype, qclass) = (walk.number()?, walk.number()?);
        let name = WireName::new(&decode_name(bytes, question_name)?);
        let mut answers = Vec::new();
        for _ in 0..counts.answers {
            answers.push(walk.record()?);
        }
        for _ in 0..counts.authorities {
            walk.record()?;
        }
        let edns = walk.additionals(counts.additionals)?;
        if walk.at != bytes.len() {
            return Err(DnsError::Trailing);
        }
        let question = Question { id: metadata.id, name, qtype, qclass };
        Ok(Self { bytes, metadata, question, question_name, answers, authorities: counts.authorities, edns })
    }

    /// The response code, all twelve bits of it (RFC 6891, 6.1.3).
    pub fn response_code(&self) -> u16 {
        let high = self.edns.map_or(0, |edns| edns.code_high);
        u16::from(high) << 4 | u16::from(self.metadata.response_code.low())
    }

    /// The name that begins there; equal and alike in its hash to any that differs in case only.
    pub fn name_at(&self, place: Place) -> Result<Name, DnsError> {
        decode_name(self.bytes, place)
    }

    /// The name that a record's data consist of.
    pub fn name_in_data(&self, record: &RawRecord<'_>) -> Result<Name, DnsError> {
        let mut walk = Walk { bytes: self.bytes, at: record.data_start };
        let place = walk.name()?;
        if walk.at != record.data_start + record.data.len() {
            return Err(DnsError::RecordData);
        }
        self.name_at(place)
    }
}

/// A way through a message.
struct Walk<'a> {
    bytes: &'a [u8],
    /// Never beyond the end.
    at: usize,
}

impl<'a> Walk<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DnsError> {
        let end = self.at.checked_add(count).ok_or(DnsError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(DnsError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u16, DnsError> {
        self.take(2)?.try_into().map(u16::from_be_bytes).map_err(|_| DnsError::Truncated)
    }

    fn record(&mut self) -> Result<RawRecord<'a>, DnsError> {
        let owner = self.name()?;
        let (kind, class) = (self.number()?, self.number()?);
        let ttl = self.take(4)?.try_into().map(u32::from_be_bytes).map_err(|_| DnsError::Truncated)?;
        let length = usize::from(self.number()?);
        let data_start = self.at;
        Ok(RawRecord { owner, kind, class, ttl, data: self.take(length)?, data_start })
    }

    /// Goes through the additional section and returns what its OPT record says.
    fn additionals(&mut self, count: u16) -> Result<Option<Edns>, DnsError> {
        let mut edns = None;
        for _ in 0..count {
            let record = self.record()?;
            if record.kind == OPT && edns.replace(Edns::of(record.ttl)).is_some() {
                return Err(DnsError::RepeatedOpt);
            }
        }
        Ok(edns)
    }

    /// Checks the name that begins here, follows its pointers to the end, and goes on behind it.
    fn name(&mut self) -> Result<Place, DnsError> {
        let place = Place(u16::try_from(self.at).map_err(|_| DnsError::Truncated)?);
        let mut part = Part { start: self.at, at: self.at };
        let (mut octets, mut pointers, mut behind) = (0, 0, None);
        loop {
            let length = part.octet(self.bytes)?;
            match length >> 6 {
                0b00 => {
                    octets += 1 + usize::from(length);
                    if octets > MAX_NAME {
                        return Err(DnsError::NameTooLong);
                    }
                    if length == 0 {
                        break;
                    }
                    part.at += usize::from(length);
                }
                0b11 => {
                    let low = part.octet(self.bytes)?;
                    behind.get_or_insert(part.at);
                    pointers += 1;
                    part = part.jump(usize::from(u16::from_be_bytes([length & 0x3f, low])))?;
                }
                _ => return Err(DnsError::LabelType),
            }
            if pointers > MAX_POINTERS {
                return Err(DnsError::Compression);
            }
        }
        self.at = behind.unwrap_or(part.at);
        Ok(place)
    }
}

/// A piece of a name, between two compression pointers.
struct Part {
    start: usize,
    at: usize,
}

impl Part {
    fn octet(&mut self, bytes: &[u8]) -> Result<u8, DnsError> {
        let octet = bytes.get(self.at).copied().ok_or(DnsError::Truncated)?;
        self.at += 1;
        Ok(octet)
    }

    /// Each jump leads further back than the one before, so none can lead in a circle.
    fn jump(self, to: usize) -> Result<Self, DnsError> {
        if to < HEADER || to >= self.start { Err(DnsError::Compression) } else { Ok(Self { start: to, at: to }) }
    }
}

/// Lets `hickory-proto` read a name that was checked. It is stricter in one thing: pieces of a name may not overlap.
fn decode_name(bytes: &[u8], place: Place) -> Result<Name, DnsError> {
    Name::read(&mut BinDecoder::new(bytes).clone(place.0)).map_err(|_| DnsError::Compression)
}
