//! Answers without a running decider, from a policy and what the last run saved.

use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::Path;

use jiff::Timestamp;

use crate::clock;
use crate::decide::{self, Explanation, KnownName, Scene};
use crate::dns::{Grounds, Limits, Observations};
use crate::kernel::Local;
use crate::model::{ClientId, Epoch, Moment};
use crate::policy::{Dns, InForce, MAX_BYTES, Policy, SlotTable, Spec};
use crate::queue::Whereabouts;

use super::interfaces;
use super::journal;
use super::options::StartError;
use super::state_dir::load_slots;
use super::temporary::in_force;

/// What a policy file holds; no more of it than shows that it is too large.
///
/// # Errors
/// If it cannot be read.
pub fn read_policy(path: &Path) -> io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The policy with the slots that a run with this state directory would give its rules.
///
/// # Errors
/// If the saved slots cannot be read, or there are more rules than slots.
pub fn compile(spec: Spec, state_dir: &Path) -> Result<Policy, StartError> {
    let InForce { spec, .. } = in_force(spec);
    let mut slots = load_slots(state_dir)?;
    slots.assign(&spec)?;
    Ok(Policy::compile(spec, &slots, Epoch::default())?)
}

/// The policy with slots as a first run would give them, for what is judged by the time that it happened at: its moments count
/// from 1970.
///
/// # Errors
/// If there are more rules than slots.
pub fn compile_anew(spec: Spec) -> Result<Policy, StartError> {
    let InForce { spec, .. } = spec.at(Timestamp::UNIX_EPOCH, Moment::ZERO);
    let mut slots = SlotTable::default();
    slots.assign(&spec)?;
    Ok(Policy::compile(spec, &slots, Epoch::default())?)
}

/// What would become of a connection by this policy and the saved observations, if every listener were up.
///
/// # Errors
/// If the state directory cannot be read.
pub fn explain(
    spec: Spec,
    state_dir: &Path,
    client: IpAddr,
    dst: IpAddr,
    port: u16,
) -> Result<Explanation, StartError> {
    let policy = compile(spec, state_dir)?;
    let now = clock::now();
    let mut observations = Observations::new(limits(&policy.spec().dns));
    let here = Whereabouts::default();
    here.set(interfaces::own_addresses());
    let allow_private = policy.spec().dns.allow_private;
    for record in journal::read(&state_dir.join("observations.journal"))?.records {
        let belief = Grounds { allow_private, is_here: here.is_here(record.addr) }.belief(record.addr);
        journal::take_over(&mut observations, &policy, record, belief, now);
    }
    let asker = here.client(client);
    let scene = Scene {
        client,
        client_is_here: asker == ClientId::HOST,
        dst,
        port,
        dst_is_here: here.is_here(dst),
        names: known_names(&observations, dst, now),
    };
    let known = observations.about(dst, asker, policy.spec().dns.scope, now);
    Ok(decide::explain(&policy, scene, &known, |_| true))
}

/// Who on this host is what, as a run would find it; where Envoy's user is not there yet, nobody is let out as Envoy.
#[must_use]
pub fn local(policy: &Policy) -> Local {
    super::local::local(policy.spec()).unwrap_or_default()
}

/// How much is remembered by this policy, and for how long.
#[must_use]
pub fn limits(dns: &Dns) -> Limits {
    Limits::new(dns.capacity, dns.min_ttl, dns.max_ttl, dns.grace)
}

/// All that is known about an address, for people.
#[must_use]
pub fn known_names(observations: &Observations, dst: IpAddr, now: Moment) -> Vec<KnownName> {
    observations
        .at(dst)
        .map(|observed| KnownName {
            name: observed.name.clone(),
            asked_by: observed.client.0,
            age_s: now.since(observed.learned).as_secs(),
            left_s: observed.expires.since(now).as_secs(),
            state: observed.state(now),
            flows: observed.flows,
        })
        .collect()
}
