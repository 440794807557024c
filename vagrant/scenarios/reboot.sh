# shellcheck shell=bash
# At boot nothing leaves before decider is ready: while it is held back by half a minute, a client tries again and again to get
# to the stranger and, by its bare address, to github.com. Then all works, and what was learned before is still known.

delay=30
limit=900
# A whole boot, and the delay.
patience=300

before_reboot() {
    reaches client github.com
    mkdir -p /etc/systemd/system/decider.service.d
    printf '[Service]\nExecStartPre=+/bin/sleep %s\nTimeoutStartSec=300\n' "$delay" >/etc/systemd/system/decider.service.d/late.conf
    cat >/etc/systemd/system/impatient.service <<'END'
[Unit]
Description=A client that does not wait
After=decider-demo.service
Requires=decider-demo.service
[Service]
ExecStart=/bin/sh -c 'while :; do for to in 203.0.113.66 2001:db8:bad::66 192.0.2.10 2001:db8:2::10; do \
    ip netns exec client timeout 2 bash -c "exec 3<>/dev/tcp/$to/22" && echo REACHED $to || echo tried $to; done; sleep 0.2; done'
[Install]
WantedBy=multi-user.target
END
    systemctl daemon-reload
    systemctl enable impatient
}

after_reboot() {
    at_end systemctl daemon-reload
    at_end rm -rf /etc/systemd/system/decider.service.d /etc/systemd/system/impatient.service
    at_end systemctl disable --now impatient
    wait_for "systemd is done" sh -c '! systemctl is-system-running | grep -E "starting|initializing"'
    expect "the demo is there again" sh -c 'systemctl --quiet is-active decider-demo || {
        journalctl --boot --unit decider-demo --no-pager | tail -n 20; exit 1; }'
    ready
    local started tries
    started=$(systemctl show --value --property ActiveEnterTimestamp decider)
    tries=$(journalctl --boot --unit impatient --until "${started#* }" --output cat | grep -c '^tried' || :)
    say "$tries tries before decider was ready, at $started"
    expect "the client has tried meanwhile" test "$tries" -ge 8
    equal "it got nowhere" "$(journalctl --boot --unit impatient --until "${started#* }" --output cat | grep -c '^REACHED' || :)" 0
    no_stranger
    expect "the door was closed before the network" sh -c \
        'systemctl show --property ActiveState,Result decider-lockdown | grep -c -e =active -e =success | grep -q 2'
    rules
}
