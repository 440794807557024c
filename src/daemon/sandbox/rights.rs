use caps::{CapSet, Capability, CapsHashSet};

/// The capabilities of which a running decider, its nft or its Envoy has a use.
const NEEDED: [Capability; 8] = [
    // nft, routes, queues, marks on sockets, transparent listeners.
    Capability::CAP_NET_ADMIN,
    // Raw sockets for replies to DNS questions.
    Capability::CAP_NET_RAW,
    // Envoy under another user: its part in the directory, user, group, bounding set; and its end.
    Capability::CAP_CHOWN,
    Capability::CAP_SETUID,
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,
    Capability::CAP_KILL,
    // A policy and an Envoy in a folder of somebody else's.
    Capability::CAP_DAC_READ_SEARCH,
];

/// The same, where this host itself is covered: the program of the backstop, and other users' processes, to name them.
const NEEDED_FOR_HOST: [Capability; 2] = [Capability::CAP_BPF, Capability::CAP_SYS_PTRACE];

/// Gives up all capabilities that are not needed, for this thread, those that it starts, and the programs that they start.
pub fn give_up(host: bool) {
    let is_needed =
        |capability: &Capability| NEEDED.contains(capability) || host && NEEDED_FOR_HOST.contains(capability);
    for set in [CapSet::Bounding, CapSet::Ambient, CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        let Ok(held) = caps::read(None, set) else { continue };
        let kept: CapsHashSet = held.iter().copied().filter(is_needed).collect();
        let mut given_up = held.difference(&kept);
        let result = match set {
            CapSet::Bounding | CapSet::Ambient => {
                given_up.try_for_each(|&capability| caps::drop(None, set, capability))
            }
            CapSet::Inheritable | CapSet::Effective | CapSet::Permitted => caps::set(None, set, &kept),
        };
        // Without CAP_SETPCAP the bounding set stays; nothing can be got out of it, since no program gains rights any more.
        if let Err(error) = result {
            tracing::debug!(%error, ?set, "capabilities are kept that are not needed");
        }
    }
}

/// What this thread may do, in alphabetical order.
pub fn held() -> Vec<String> {
    let held = caps::read(None, CapSet::Effective).unwrap_or_default();
    let mut names: Vec<String> = held.iter().map(ToString::to_string).collect();
    names.sort();
    names
}
