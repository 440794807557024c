/// What a SYN passes on the gateway before it reaches a listener there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// Nothing: the listener has the address itself.
    None,
    /// A look-up in a set of nftables: address and port.
    NftSet,
    /// A queue, and a program in C by `libnetfilter_queue` that accepts everything.
    QueueC,
    /// A queue, and a program by the `nfq` crate that accepts everything.
    QueueNfq,
    /// decider with `fast_path: false`, by the `nfq` crate.
    Nfq,
    /// decider with `fast_path: false`, by its own messages.
    Batched,
    /// decider as it is, which has decided already.
    Fast,
    /// Address translation to a listener of Envoy, which connects to the server.
    DnatEnvoy,
    /// decider, and the listener of Envoy for the rule, which connects to the server.
    Envoy,
}

impl Path {
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::NftSet,
        Self::QueueC,
        Self::QueueNfq,
        Self::Nfq,
        Self::Batched,
        Self::Fast,
        Self::DnatEnvoy,
        Self::Envoy,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NftSet => "nftset",
            Self::QueueC => "queue-c",
            Self::QueueNfq => "queue-nfq",
            Self::Nfq => "nfq",
            Self::Batched => "batched",
            Self::Fast => "fast",
            Self::DnatEnvoy => "dnat-envoy",
            Self::Envoy => "envoy",
        }
    }

    /// Whether the client waits for the server's first byte, which comes by way of Envoy; else only for the handshake.
    pub fn waits_for_server(self) -> bool {
        matches!(self, Self::DnatEnvoy | Self::Envoy)
    }

    pub fn is_decider(self) -> bool {
        matches!(self, Self::Nfq | Self::Batched | Self::Fast | Self::Envoy)
    }

    /// Whether it looks the destination up: among decider's observations, or in a set.
    pub fn knows(self) -> bool {
        self.is_decider() || self == Self::NftSet
    }
}
