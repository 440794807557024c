use super::Namespace;

/// Everything about a namespace's network that decider could change, as text.
#[derive(PartialEq, Eq)]
pub struct KernelState(String);

impl KernelState {
    /// Sees that nothing is different now.
    pub fn is_unchanged(&self, namespace: &Namespace) {
        let now = kernel_state(namespace);
        let only = |one: &Self, other: &Self| {
            let lines = one.0.lines().filter(|line| !other.0.lines().any(|other| other == *line));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(*self == now, "gone: {:#?}\nnew: {:#?}", only(self, &now), only(&now, self));
    }
}

/// Both families, all tables.
pub fn kernel_state(namespace: &Namespace) -> KernelState {
    KernelState(namespace.sh("
        # How long an element has left changes by itself.
        nft list ruleset | sed 's/ expires [0-9a-z]*//g'
        for family in -4 -6; do
            echo \"# $family\"
            ip $family rule
            ip $family route show table all
        done
        ip link | grep -v qdisc
        for link in $(ip -o link | sed 's/^[0-9]*: \\([^:@]*\\).*/\\1/'); do
            tc qdisc show dev $link; tc filter show dev $link egress; tc filter show dev $link ingress
        done
        # What only counts is no setting.
        sysctl -a --pattern '^net[.]' 2>/dev/null | grep -v -e nf_conntrack_count -e nf_conntrack_expect_count
    "))
}
