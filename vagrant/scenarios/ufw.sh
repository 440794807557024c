# shellcheck shell=bash disable=SC2154
# ufw stands beside decider, with forwarding allowed as its own documents say: both rule, each what it rules.

scenario() {
    at_end ufw --force reset
    at_end ufw disable
    ufw --force reset >/dev/null
    ufw allow 22/tcp >/dev/null
    ufw default allow routed >/dev/null
    ufw --force enable >/dev/null
    expect "ufw is on" sh -c 'ufw status | grep -q "Status: active"'
    # What decider's clients are sent to is this machine's own port: ufw has to let the covered interfaces in.
    ufw allow in on lan0 >/dev/null
    ready
    reaches client github.com
    refused client "$stranger4"
    refused client "$stranger6"
    ufw reload >/dev/null
    ready
    reaches client gitlab.com
    refused client "$stranger4"
    no_stranger
}
