# shellcheck shell=bash disable=SC2154
# firewalld beside decider, as docs/operations.md has it: the clients' side in its trusted zone, and its look-up of the way back off.

limit=600

reload_and_try() {
    firewall-cmd --quiet --reload
    rules
}

scenario() {
    cp /etc/firewalld/firewalld.conf "$world/"
    at_end cp "$world/firewalld.conf" /etc/firewalld/
    at_end rm -f /etc/firewalld/zones/trusted.xml
    at_end systemctl stop firewalld
    sed -i 's/^IPv6_rpfilter=.*/IPv6_rpfilter=no/' /etc/firewalld/firewalld.conf
    systemctl start firewalld
    firewall-cmd --quiet --permanent --zone trusted --add-interface lan0
    reload_and_try
    expect "doctor has nothing to say" decider doctor
    reload_and_try
    systemctl restart firewalld
    nothing_leaves
    rules
}
