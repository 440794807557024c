# shellcheck shell=bash
# A distribution's kernel has what the namespaces of a development machine may lack: the queue statement of nft, and conntrack's
# attributes. decider finds out by itself, uses it, and `doctor` has nothing to mend.

scenario() {
    say "kernel $(uname -r), $(nft --version), systemd $(systemctl --version | sed -n '1s/systemd //p')"
    expect "nft takes the queue statement" nft --check -f - <<'END'
table inet tried {
    chain arriving {
        type filter hook prerouting priority 0
        tcp dport 1 queue flags bypass,fanout to 5-6
    }
}
END
    expect "decider uses it" grep -q native <<<"$(decider status | grep queues)"
    expect "it stands in the ruleset" grep -qE 'queue .*to [0-9]' <<<"$(nft list table inet decider)"
    expect "doctor finds nothing wrong" decider doctor
    rules
}
