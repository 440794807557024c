# shellcheck shell=bash disable=SC2154
# This machine's own processes are covered, too: by their own answers, with who they are in the events.

own_ssh() { # FAMILY NAME
    setpriv --reuid vagrant --clear-groups bash -c 'exec 3<>"/dev/tcp/$0/22" && read -r -t 15 line <&3 && echo "$line"' "$(address host "$1" "$2")"
}

scenario() {
    host_asks_the_demo
    host_policy
    reaches host github.com
    reaches host gitlab.com
    refused host "$stranger4"
    refused host "$stranger6"
    expect "another user reaches it" own_ssh 4 github.com
    expect "another user reaches it over IPv6" own_ssh 6 github.com
    wait_for "the event says who it was" sh -c "decider events --last 50 --json | grep -q '\"uid\":$(id -u vagrant)'"
    nft flush ruleset
    blocked host "$stranger4"
    blocked host "$stranger6"
    ready
    reaches host github.com
    reaches client gitlab.com
    refused host "$stranger4"
    refused host "$stranger6"
    no_stranger
}
