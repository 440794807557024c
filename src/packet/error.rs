use crate::model::Reason;

/// Why bytes are not the packet that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// A header reaches beyond the bytes that are there.
    #[error("the packet ends inside its headers")]
    Truncated,
    /// Neither 4 nor 6; holds what it says.
    #[error("there is no IP version {0}")]
    Version(u8),
    /// A length that is shorter than its own header, or that contradicts another one.
    #[error("the length fields contradict each other")]
    Length,
    /// More pieces follow, or pieces came before. The kernel reassembles where decider looks, so this is never needed.
    #[error("the packet is a fragment")]
    Fragment,
    /// The destination is not the last one: an IPv4 source route, or an IPv6 routing header with segments left.
    #[error("the packet has a source route")]
    SourceRoute,
    /// More IPv6 extension headers than any honest packet has, or hop-by-hop options that do not come first.
    #[error("the IPv6 extension headers are out of order or too many")]
    Extensions,
    /// An IPv6 address that stands for an IPv4 one (`::ffff:0:0/96`): it has no place on the wire (RFC 4291, 2.5.5.2).
    #[error("an address is an IPv4 address in IPv6 clothing")]
    MappedAddress,
    /// Another transport protocol than the one looked for; holds its number.
    #[error("the transport protocol is number {0}, which is not the expected one")]
    Transport(u8),
    /// TCP, but not the first packet of a connection.
    #[error("the TCP flags are not those of a clean SYN")]
    NotASyn,
}

impl PacketError {
    /// The word for it in events: [`Reason::NotASyn`] or [`Reason::Malformed`].
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::NotASyn => Reason::NotASyn,
            Self::Truncated
            | Self::Version(_)
            | Self::Length
            | Self::Fragment
            | Self::SourceRoute
            | Self::Extensions
            | Self::MappedAddress
            | Self::Transport(_) => Reason::Malformed,
        }
    }
}
