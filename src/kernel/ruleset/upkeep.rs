/// Neighbours, routers, multicast listeners, DHCP: what keeps the links of a host up, be it a router or not.
pub fn of_a_host() -> Vec<String> {
    let rules = [
        "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 \
         accept",
        "icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } ip6 hoplimit 1 \
         accept",
        "udp sport { 67, 68 } udp dport { 67, 68 } accept",
    ];
    rules.map(str::to_owned).to_vec()
}

/// Without these a link has no addresses: neighbour discovery, multicast listeners, DHCP. None is ever forwarded.
pub fn of_a_client() -> Vec<String> {
    let rules = [
        "icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept",
        "icmpv6 type { mld-listener-report, mld-listener-done, mld2-listener-report } ip6 hoplimit 1 accept",
        "udp sport 68 udp dport 67 fib daddr type { local, broadcast } accept",
        "udp sport 546 udp dport 547 ip6 daddr ff02::1:2 accept",
    ];
    rules.map(str::to_owned).to_vec()
}
