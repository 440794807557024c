# shellcheck shell=bash disable=SC2154
# The machine runs out of memory: the kernel ends others first, decider goes on, and nothing leaves.

limit=600

# Reads a line that never ends. Four of them, the first to be ended.
hungry() {
    local number
    for number in 1 2 3 4; do
        systemd-run --quiet --collect --unit "hungry-$number" --property OOMScoreAdjust=1000 --property Restart=always tail /dev/zero
    done
}
killed() { [ "$(awk '/^oom_kill / { print $2 }' /proc/vmstat)" -gt "$1" ]; }

scenario() {
    local before pid
    before=$(awk '/^oom_kill / { print $2 }' /proc/vmstat)
    pid=$(systemctl show --value --property MainPID decider)
    at_end systemctl stop 'hungry-*'
    hungry
    patience=240 wait_for "the kernel ends somebody for want of memory" killed "$before"
    blocked client "$stranger4"
    blocked client "$stranger6"
    systemctl stop 'hungry-*'
    ready
    equal "decider is the same process" "$(systemctl show --value --property MainPID decider)" "$pid"
    reaches client github.com
    refused client "$stranger4"
    refused client "$stranger6"
    no_stranger
}
