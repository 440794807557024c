# shellcheck shell=bash disable=SC2154
# firewalld stands beside decider, the client's side in its trusted zone.

limit=600

scenario() {
    at_end systemctl stop firewalld
    at_end rm -rf /etc/firewalld/zones/trusted.xml
    systemctl start firewalld
    firewall-cmd --quiet --zone trusted --change-interface lan0
    ready
    reaches client github.com
    refused client "$stranger4"
    refused client "$stranger6"
    firewall-cmd --quiet --reload
    firewall-cmd --quiet --zone trusted --change-interface lan0
    ready
    reaches client gitlab.com
    systemctl restart firewalld
    blocked client "$stranger4"
    blocked client "$stranger6"
    firewall-cmd --quiet --zone trusted --change-interface lan0
    ready
    reaches client github.com
    refused client "$stranger4"
    refused client "$stranger6"
    no_stranger
}
