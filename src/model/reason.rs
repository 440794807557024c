use super::words;

words! {
    /// Why a decision is what it is. The words are part of the contract: some may be added, none renamed.
    pub enum Reason {
        Allowed = "allowed", "a rule allows this name on this port";
        AllowedNetwork = "allowed-network", "a rule allows this network on this port";
        AllowedResolver = "allowed-resolver", "DNS to one of the policy's resolvers";
        NotIntercepted = "not-intercepted", "the policy does not cover this connection: decider lets it be";
        DeniedByRule = "denied-by-rule", "a rule denies this name on this port";
        NoObservation = "no-observation", "no name is known for this address: no client was seen to look it up";
        NameNotAllowed = "name-not-allowed", "the name behind this address is in no rule";
        PortNotAllowed = "port-not-allowed", "no rule allows this port";
        ObservationExpired = "observation-expired", "the name behind this address was looked up too long ago";
        PrivateAddress = "private-address", "an allowed name resolved to a private, loopback, link-local or own address";
        Ambiguous = "ambiguous", "several allowed names with different routes share this address";
        ListenerNotReady = "listener-not-ready", "the rule's Envoy listener is not up";
        ClientNotCovered = "client-not-covered", "the source address is outside the networks that the policy covers";
        LocalService = "local-service", "the destination is one of this host's own addresses";
        ProtoNotAllowed = "proto-not-allowed", "no rule allows this protocol";
        ResolverNotTrusted = "resolver-not-trusted", "DNS goes to the policy's resolvers only";
        EncryptedDns = "encrypted-dns", "DNS over TLS or QUIC cannot be read";
        QueryNotAllowed = "query-not-allowed", "this name or record type may not be asked for";
        UnaskedAnswer = "unasked-answer", "an answer that fits no question of this client";
        Malformed = "malformed", "the packet cannot be read";
        NotASyn = "not-a-syn", "the first packet of an unknown flow is not a clean SYN";
        Overload = "overload", "a limit was reached";
        PolicyChanged = "policy-changed", "the policy was changed and does not allow this connection any more: it was cut";
    }
}

impl Reason {
    /// What to set up otherwise, where the refusal alone does not say it.
    #[must_use]
    pub const fn hint(self) -> Option<&'static str> {
        match self {
            Self::ResolverNotTrusted => Some("let the client ask a resolver of dns.resolvers, or add this one there"),
            Self::EncryptedDns => Some("let the client ask a resolver of dns.resolvers over UDP or TCP, port 53"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_match_their_json() {
        for &reason in Reason::ALL {
            assert_eq!(Reason::from_word(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.as_str()));
        }
    }
}
