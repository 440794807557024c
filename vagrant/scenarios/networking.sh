# shellcheck shell=bash disable=SC2154
# A restart of the network, and an interface that goes away and comes back, leave decider at work.

covered() { decider status --json | grep -q '"state": "ok"'; }

scenario() {
    local unit
    reaches client github.com
    for unit in networking systemd-networkd NetworkManager; do
        systemctl is-active --quiet "$unit" || continue
        systemctl restart "$unit"
        say "$unit was started again"
    done
    wait_for "decider is well" covered
    reaches client github.com
    refused client "$stranger4"

    ip link set lan0 down
    ip link set lan0 up
    # Its IPv6 addresses are gone with it.
    ip address replace fd77:1::1/64 dev lan0 nodad
    wait_for "decider is well" covered
    rules
}
