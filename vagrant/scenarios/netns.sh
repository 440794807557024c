# shellcheck shell=bash disable=SC2154
# The end-to-end tests of namespaces (tests/netns), on this kernel and with the program of the package: a gateway and a host that is
# covered, both over IPv4 and IPv6, by the native queue statement. Built on the host, in payload/netns. Each counts by itself.

limit=900

# Few of many, so that it takes minutes: `make test` has all of them.
tests='
    scenarios::shared_address::the_clients_own_last_question_wins
    scenarios::strangers::a_stranger_on_a_port_with_rules
    scenarios::host::each_name_is_reached
    scenarios::host::clients_and_the_host_are_covered
    scenarios::killed::a_kill_closes_the_door
    scenarios::lockdown::either_layer_holds
'

scenario() {
    local result
    # shellcheck disable=SC2086 # a list of words
    DECIDER_ENVOY=/usr/bin/envoy DECIDER_SLOW=10 /vagrant/target/vm/payload/netns --test-threads 1 $tests 2>&1 | tee /run/netns-tests || :
    result=$(sed -n 's/^test result: .* \([0-9]*\) passed; \([0-9]*\) failed.*/\1 \2/p' /run/netns-tests)
    [ -n "$result" ] || fail "the tests have ended without a result"
    # shellcheck disable=SC2086 # two numbers
    counted $result
}
