# shellcheck shell=bash disable=SC2154
# Whoever empties the ruleset, or restarts what else changes it, does not open the door; decider puts its own back.

tables_are_there() { nft list table inet decider >/dev/null; }

tried() { # WHAT
    nothing_leaves
    wait_for "the ruleset is there again after $1" tables_are_there
    rules
}

scenario() {
    local family number
    nft flush ruleset
    tried "nft flush ruleset"

    printf '#!/usr/sbin/nft -f\nflush ruleset\ntable inet own {\n    chain input {\n        type filter hook input priority 0\n    }\n}\n' \
        >/run/own.nft
    mkdir -p /run/systemd/system/nftables.service.d
    printf '[Service]\nExecStart=\nExecStart=/usr/sbin/nft -f /run/own.nft\nExecReload=\n' >/run/systemd/system/nftables.service.d/own.conf
    at_end nft delete table inet own
    at_end systemctl daemon-reload
    at_end rm -r /run/systemd/system/nftables.service.d
    at_end systemctl stop nftables
    systemctl daemon-reload
    systemctl restart nftables
    expect "the other ruleset is in force" nft list table inet own
    tried "a restart of nftables"

    for family in -4 -6; do
        for number in 530 531 532 533 534; do
            while ip "$family" rule delete priority "$number" 2>/dev/null; do :; done
        done
    done
    tried "a loss of routing rules"
}
