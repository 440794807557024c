# shellcheck shell=bash disable=SC2154
# The machine runs out of memory: the kernel ends others first, decider and its Envoy go on however long they have to wait for
# what is theirs, and nothing leaves.

limit=600

# Reads a line that never ends, until the kernel ends it.
hungry() {
    systemd-run --quiet --collect --wait --unit hungry --property OOMScoreAdjust=1000 tail /dev/zero && fail "nobody was ended"
    say "the kernel has ended who took all memory"
}
killed() { awk '/^oom_kill / { print $2 }' /proc/vmstat; }

scenario() {
    local before
    before=$(killed)
    at_end systemctl stop hungry
    keep_open
    hungry
    hungry
    expect "it was for want of memory" test "$(killed)" -ge $((before + 2))
    stays_open
    nothing_leaves
    ready
    # A service manager may take who waits for memory for long for one that hangs, and start it again.
    expect "neither decider nor its Envoy was ended for want of memory" sh -c \
        '! dmesg | grep -E "Killed process [0-9]+ \((decider|envoy)\)"'
    rules
}
