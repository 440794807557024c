# shellcheck shell=bash disable=SC2154
# The end-to-end tests of namespaces (tests/netns), on this kernel and with the program of the package: a gateway and a host that is
# covered, both over IPv4 and IPv6, by the native queue statement. Built on the host, in payload/netns. Each counts by itself.

limit=900

tests='
    scenarios::two_names::
    scenarios::host::each_name_is_reached
    scenarios::host::nobody_can_borrow
    scenarios::strangers::
    scenarios::lockdown::
    scenarios::killed::
    scenarios::shared_address::
'

scenario() {
    local result
    # shellcheck disable=SC2086 # a list of words
    DECIDER_ENVOY=/usr/bin/envoy /vagrant/target/vm/payload/netns --test-threads 2 $tests | tee /run/netns-tests || :
    result=$(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed.*/\1 \2/p' /run/netns-tests)
    [ -n "$result" ] || fail "the tests have ended without a result"
    # shellcheck disable=SC2086 # two numbers
    counted $result
}
