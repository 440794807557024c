# shellcheck shell=bash disable=SC2154
# systemd-resolved is this machine's resolver, with its cache, its stub at 127.0.0.53 and Varlink: what programs are told through it
# counts.

stub_answers() { getent ahostsv4 github.com | grep -q 192.0.2.10; }

scenario() {
    mkdir -p /run/systemd/resolved.conf.d
    printf '[Resolve]\nDNS=10.77.2.53 fd77:2::53\nDomains=~.\nDNSSEC=no\n' >/run/systemd/resolved.conf.d/demo.conf
    cp --remove-destination "$(realpath /etc/resolv.conf)" /run/demo/resolv.conf.before
    at_end cp --remove-destination /run/demo/resolv.conf.before /etc/resolv.conf
    at_end systemctl stop systemd-resolved
    at_end rm /run/systemd/resolved.conf.d/demo.conf
    systemctl restart systemd-resolved
    rm -f /etc/resolv.conf
    ln -s /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
    wait_for "the stub answers" stub_answers
    host_policy
    resolvectl flush-caches
    reaches host github.com
    reaches host gitlab.com
    # From resolved's own cache: no question goes out.
    reaches host github.com
    # Asked while decider does not run, told from the cache after.
    resolvectl query gitlab.com >/dev/null
    systemctl restart decider
    ready
    reaches host gitlab.com
    refused host "$stranger4"
    refused host "$stranger6"
    no_stranger
}
