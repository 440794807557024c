# shellcheck shell=bash disable=SC2154
# ufw beside decider: `decider doctor` says what it keeps back, and with the lines that docs/operations.md has one add, all works, also
# after a reload.

# From the document itself, below the line that it names.
add_lines() {
    local lines
    lines=$(grep '^-A ufw-before' "$project/docs/operations.md")
    expect "the document has the lines" test "$(wc -l <<<"$lines")" = 3
    sed -i "/^# End required lines/r /dev/stdin" /etc/ufw/before.rules <<<"$lines"
    sed -i "/^# End required lines/r /dev/stdin" /etc/ufw/before6.rules <<<"${lines//ufw-/ufw6-}"
}

scenario() {
    cp /etc/ufw/before.rules /etc/ufw/before6.rules "$world/"
    at_end cp "$world/before.rules" "$world/before6.rules" /etc/ufw/
    at_end ufw --force reset
    at_end ufw disable
    ufw allow 22/tcp >/dev/null
    ufw --force enable >/dev/null
    expect "ufw is on" sh -c 'ufw status | grep -q "Status: active"'
    expect "doctor says that it stands in the way" sh -c 'decider doctor 2>&1 | grep -q ufw'
    nothing_leaves

    add_lines
    ufw reload >/dev/null
    expect "doctor has nothing to say any more" decider doctor
    rules
    ufw reload >/dev/null
    rules
    systemctl restart decider
    rules
}
