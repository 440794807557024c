use std::sync::Arc;

use super::{
    BannerServer, DATABASE, GITHUB, GITLAB, Namespace, OTHER_RESOLVER, RESOLVER, Resolver, SHARED, Wire, Zone,
};

/// Everything beyond the gateway: servers on every address for documentation, two resolvers, and a watch on the wire.
pub struct Internet {
    pub namespace: Namespace,
    pub wire: Wire,
    pub zone: Arc<Zone>,
    /// Held, so that it goes on.
    resolver: Option<Resolver>,
    /// Held, so that they go on.
    servers: Vec<BannerServer>,
}

/// The ports of the servers.
const PORTS: [u16; 4] = [22, 2222, 5432, 8022];

impl Internet {
    /// With servers and resolvers.
    pub fn new() -> Self {
        let mut internet = Self::unresolved();
        let resolvers = [RESOLVER.both(), OTHER_RESOLVER.both()].concat();
        internet.resolver = Some(Resolver::start(&internet.namespace, &resolvers, &internet.zone));
        internet
    }

    /// With servers, and a zone that nobody tells.
    pub fn unresolved() -> Self {
        let mut internet = Self::bare();
        let (zone, namespace) = (&internet.zone, &internet.namespace);
        zone.set_ttl(60);
        zone.put("github.com", &GITHUB.both());
        zone.put("gitlab.com", &GITLAB.both());
        zone.put("db.example.com", &DATABASE.both());
        zone.put("one.example", &SHARED.both());
        zone.put("two.example", &SHARED.both());
        zone.put_fresh("fresh.example");
        zone.silence("silent.example");
        internet.servers = PORTS.iter().map(|&port| BannerServer::start(namespace, port)).collect();
        internet
    }

    /// Addresses, and nobody who answers there.
    pub fn bare() -> Self {
        let namespace = Namespace::new();
        // IPv6 takes no address of a local route for an own one to bind to.
        namespace.sh("
            sysctl -qw net.ipv6.ip_nonlocal_bind=1
            for net in 198.51.100.0/24 203.0.113.0/24 198.18.0.0/15; do ip route add local $net dev lo; done
            for net in 2001:db8:100::/48 2001:db8:53::/48 2001:db8:18::/48; do ip -6 route add local $net dev lo; done
        ");
        let wire = Wire::watch(&namespace);
        Self { namespace, wire, zone: Arc::default(), resolver: None, servers: vec![] }
    }
}
