# shellcheck shell=bash
# What `vagrant ssh` greets with is true: the client's traffic is in `decider top` within a minute, and the commands work.

scenario() {
    expect "the greeting tells what to try" grep -q "decider top" /etc/motd
    at_end systemctl stop decider-demo-traffic
    systemctl start decider-demo-traffic
    patience=60
    wait_for "top shows a flow to github.com" sh -c 'decider top --once | grep -w github.com'
    wait_for "top shows the stranger's refusal" sh -c 'decider top --once | grep -F 203.0.113.66'
    expect "an allowed name answers the client" sh -c 'client ssh-keyscan -T 60 -t ed25519 github.com | grep ssh-ed25519'
    expect "explain says why the stranger is refused" sh -c \
        'decider explain --client 10.77.1.2 --dst 203.0.113.66 --port 22 | grep no-observation'
    no_stranger
}
