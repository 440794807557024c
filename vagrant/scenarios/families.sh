# shellcheck shell=bash disable=SC2154
# A machine with only one family of addresses: decider starts and rules the one that is there.

limit=600

without() { # 6 or 4
    if [ "$1" = 6 ]; then
        at_end sysctl -qw net.ipv6.conf.all.disable_ipv6=0
        sysctl -qw net.ipv6.conf.all.disable_ipv6=1
    fi
}

scenario() {
    # No IPv6: no address, no route; what asks for it gets none.
    at_end systemctl restart decider-demo
    without 6
    systemctl restart decider
    ready
    reaches client github.com 4
    refused client "$stranger4"
    sysctl -qw net.ipv6.conf.all.disable_ipv6=0
    systemctl restart decider-demo
    systemctl restart decider
    ready

    # No IPv4 but the loopback's, on all the way.
    ip address flush dev lan0 scope global -4 2>/dev/null || ip -4 address flush dev lan0
    ip -4 address flush dev wan0
    sed -i 's/\[10.77.2.53, "fd77:2::53"\]/["fd77:2::53"]/' /etc/decider/policy.yaml
    printf 'nameserver fd77:2::53\n' >/etc/netns/client/resolv.conf
    systemctl restart decider
    ready
    reaches client github.com 6
    refused client "$stranger6"
    no_stranger
}
