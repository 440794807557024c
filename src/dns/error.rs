/// Why bytes are not the DNS message that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// Shorter than its header or longer than a message can be; holds its bytes.
    #[error("{0} bytes are no DNS message: it has 12 to 65535")]
    Size(usize),
    /// A question where an answer is expected.
    #[error("the message is a question, not an answer")]
    NotAnAnswer,
    /// An answer where a question is expected.
    #[error("the message is an answer, not a question")]
    NotAQuestion,
    /// Not the operation QUERY; holds its number.
    #[error("the operation is number {0}, not a query")]
    Operation(u8),
    /// Not exactly one question; holds how many.
    #[error("the message has {0} questions, not one")]
    QuestionCount(u16),
    /// Answer or authority records beside a question.
    #[error("the question brings records along")]
    RecordsInQuestion,
    /// A name, record or section reaches beyond the message's end.
    #[error("the message ends too early")]
    Truncated,
    /// More bytes than its counts account for.
    #[error("bytes follow the end of the message")]
    Trailing,
    /// More than 255 octets.
    #[error("a name is longer than 255 octets")]
    NameTooLong,
    /// A label length whose upper two bits are 01 or 10 (RFC 6891, 5 and RFC 2673: not in use).
    #[error("a label is of an unknown type")]
    LabelType,
    /// A compression pointer that does not point back, into the header, or to too many others.
    #[error("a name is compressed in a circle or too deeply")]
    Compression,
    /// Data of an A, AAAA, CNAME, HTTPS or SVCB record that do not fit its type.
    #[error("the data of a record do not fit its type")]
    RecordData,
    /// More CNAME records than any honest chain has.
    #[error("the answer has too many aliases")]
    TooManyAliases,
    /// More than one OPT record (RFC 6891, 6.1.1).
    #[error("the message has more than one OPT record")]
    RepeatedOpt,
}
