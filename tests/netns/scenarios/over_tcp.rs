//! What the scenarios of DNS over TCP have in common: resolvers with a part to play, and what a client opens and asks.

use std::sync::Arc;

use crate::world::{Answers, Asker, DnsStream, Family, Question, RESOLVER, StreamResolver, World};

/// The trusted resolver, over TCP too: it says what the zone says.
pub fn honest(world: &World) -> StreamResolver {
    let zone = Arc::clone(&world.internet.zone);
    acted(world, move |mut asker| {
        let from = asker.stream.tcp().peer_addr().unwrap().ip();
        while let Some(query) = asker.hears() {
            if let Some(answer) = zone.answer(query, from) {
                asker.answers(&answer);
            }
        }
    })
}

/// A resolver with a part of its own.
pub fn acted(world: &World, part: impl Fn(Asker) + Send + Sync + 'static) -> StreamResolver {
    StreamResolver::start(&world.internet.namespace, &RESOLVER.both(), part)
}

/// The first client's connection to the trusted resolver.
pub fn open(world: &World, family: Family) -> DnsStream {
    DnsStream::open(&world.clients[0], RESOLVER.of(family)).unwrap()
}

pub fn github(family: Family) -> Question {
    Question::new("github.com", family)
}

/// What the relay counted.
pub fn tcp(world: &World, what: &str) -> u64 {
    world.gateway.status()["dns"]["tcp"][what].as_u64().unwrap()
}
