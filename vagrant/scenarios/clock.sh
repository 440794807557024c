# shellcheck shell=bash disable=SC2154
# The wall clock jumps by hours, forward and back, as after a suspend or a first answer of NTP: names count as long as they did,
# by a clock that does not jump, and nothing is let through that was not. Rules that end at a time end and come back by the wall clock.

# The clock as it would be without the jumps.
true_time() { echo $((boot + $(cut -d . -f 1 /proc/uptime))); }
put_right() { date --set "@$(true_time)" >/dev/null; }

jump() { # SECONDS
    date --set "@$(($(date +%s) + $1))" >/dev/null
    say "the clock is at $(date '+%F %T')"
}

tried() {
    wait_for "decider says that all is in force" decider status
    # Without a look-up: what was learned before the jump still counts.
    answer=$(connect client "$learned4")
    expect "a name learned before the jump still counts over IPv4" grep -q github.com <<<"$answer"
    answer=$(connect client "$learned6")
    expect "a name learned before the jump still counts over IPv6" grep -q github.com <<<"$answer"
    refused client "$stranger4"
    refused client "$stranger6"
    reaches client gitlab.com
}

# A rule that ends in an hour is over after a jump by two, and in force again when the clock is set back.
expiring() {
    use_policy < <(sed "s/domain: github.com, proto: ssh/&, expires: \"$(date --date '1 hour' --iso-8601=seconds)\"/" \
        "$project/vagrant/demo/policy.yaml")
    equal "one rule ends" "$(decider rules --json | grep -c '"expires"')" 1
    reaches client github.com
    jump 7200
    wait_for "the rule is over" sh -c '! decider rules | grep github.com'
    refused client "$(address client 4 github.com)"
    refused client "$(address client 6 github.com)"
    reaches client gitlab.com
    jump -7200
    wait_for "the rule is in force again" sh -c 'decider rules | grep github.com'
    ready
    reaches client github.com
}

scenario() {
    boot=$(($(date +%s) - $(cut -d . -f 1 /proc/uptime)))
    at_end put_right
    systemctl stop systemd-timesyncd 2>/dev/null || :
    learned4=$(address client 4 github.com) learned6=$(address client 6 github.com)
    jump 7200
    tried
    learned4=$(address client 4 github.com) learned6=$(address client 6 github.com)
    jump -14400
    tried
    jump 7200
    tried
    expiring
    no_stranger
}
