# shellcheck shell=bash disable=SC2154
# The package is upgraded, and reinstalled, while a connection is open: the connection goes on, nothing leaves meanwhile, all
# works after.

limit=600

version() { dpkg-query -W -f '${Version}' decider; }

keep_trying() { # until the file is gone
    local to
    while [ -e "$world/trying" ]; do
        for to in "$stranger4" "$stranger6"; do
            in_ client timeout 2 bash -c 'exec 3<>"/dev/tcp/$0/22" && echo REACHED "$0" || echo tried' "$to" 2>/dev/null || :
        done
    done >"$world/tries"
}

installed() { # FILE
    local before
    before=$(version)
    dpkg --install --force-confold --force-downgrade "/vagrant/target/vm/payload/$1" >"$world/dpkg" 2>&1 || fail "dpkg: $(cat "$world/dpkg")"
    say "$before is $(version) now"
    ready
    stays_open
    reaches client github.com
}

scenario() {
    keep_open
    at_end dpkg --install --force-confold --force-downgrade /vagrant/target/vm/payload/decider.deb
    touch "$world/trying"
    at_end rm -f "$world/trying"
    keep_trying &

    installed upgrade.deb
    equal "the version is the later one" "$(version)" 9999-1
    installed decider.deb
    rm "$world/trying"
    wait $!
    say "$(grep -c tried "$world/tries") tries meanwhile"
    expect "there were tries" test "$(grep -c tried "$world/tries")" -ge 5
    equal "none got anywhere" "$(grep -c REACHED "$world/tries" || :)" 0
    no_stranger
}
