# shellcheck shell=bash disable=SC2154
# decider is killed, hangs, and loses its Envoy: systemd and decider put it right, an open connection goes on, and meanwhile
# nothing leaves.

pid() { systemctl show --value --property MainPID decider; }
another_pid() { [ "$(pid)" != "$1" ] && [ "$(pid)" != 0 ]; }

scenario() {
    local before envoy
    reaches client github.com
    keep_open

    before=$(pid)
    envoy=$(pgrep --oldest --exact envoy)
    kill -KILL "$before"
    nothing_leaves
    wait_for "systemd starts decider again" another_pid "$before"
    ready
    equal "Envoy is the same" "$(pgrep --oldest --exact envoy)" "$envoy"
    stays_open
    reaches client github.com
    nothing_leaves

    before=$(pid)
    kill -STOP "$before"
    at_end kill -CONT "$before"
    nothing_leaves
    wait_for "systemd ends a decider that hangs, and starts it again" another_pid "$before"
    ready
    stays_open
    reaches client gitlab.com
    nothing_leaves

    kill -KILL "$envoy"
    nothing_leaves
    wait_for "decider starts Envoy again" pgrep --exact envoy
    ready
    reaches client github.com
    nothing_leaves
}
