//! Where Envoy may not be led by a name that resolves otherwise for it than it did for the client. Nothing that the cache
//! of names does not believe may be missing here (`tests/kernel/private.rs`).

/// Networks of both families, as sets of nft.
pub struct Networks {
    /// IPv4.
    pub v4: &'static str,
    /// IPv6.
    pub v6: &'static str,
}

/// Private, local, reserved. For IPv6 with the ways to write an IPv4 address in one: compatible, mapped, translated, those
/// of the private networks behind NAT64, and all of 6to4 and Teredo.
pub const PRIVATE: Networks = Networks {
    v4: "{ 0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.0.0.0/24, \
         192.168.0.0/16, 224.0.0.0/3 }",
    v6: "{ ::/96, ::ffff:0.0.0.0/96, ::ffff:0:0:0/96, 64:ff9b::/104, 64:ff9b::a00:0/104, 64:ff9b::6440:0/106, \
         64:ff9b::7f00:0/104, 64:ff9b::a9fe:0/112, 64:ff9b::ac10:0/108, 64:ff9b::c000:0/120, 64:ff9b::c0a8:0/112, \
         64:ff9b::e000:0/99, 64:ff9b:1::/48, 100::/16, 2001::/32, 2002::/16, 5f00::/16, fc00::/7, fe80::/10, fec0::/10, \
         ff00::/8 }",
};

/// Never an upstream, whatever the policy says: nothing that a name could mean is there.
pub const NEVER: Networks = Networks {
    v4: "{ 0.0.0.0/8, 127.0.0.0/8, 224.0.0.0/4, 255.255.255.255/32 }",
    v6: "{ ::/96, ::ffff:0.0.0.0/96, ::ffff:0:0:0/96, 64:ff9b::/104, 64:ff9b::7f00:0/104, 64:ff9b::e000:0/100, \
         64:ff9b::ffff:ffff/128, 2001::/32, 2002::/24, 2002:7f00::/24, 2002:e000::/20, 2002:ffff:ffff::/48, ff00::/8 }",
};
