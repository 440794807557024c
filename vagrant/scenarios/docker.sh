# shellcheck shell=bash disable=SC2154
# A container reaches what the policy allows and nothing else, also after Docker was restarted and has written its rules anew.

limit=600

tried() {
    reaches container github.com 4
    refused container "$stranger4"
    reaches client gitlab.com
    no_stranger
}

scenario() {
    start_container
    ready
    tried
    systemctl restart docker
    docker start demo >/dev/null
    wait_for "the container runs" docker exec demo sh -c true
    ready
    expect "Docker's own rules are there" sh -c 'nft list ruleset | grep -q DOCKER'
    tried
    docker rm --force demo >/dev/null
    systemctl stop docker.service docker.socket
    ready
    reaches client github.com
}
