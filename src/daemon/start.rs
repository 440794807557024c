use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use crossbeam_channel::{Receiver, bounded};
use nix::unistd::Gid;
use tokio::sync::{mpsc, watch};

use crate::clock;
use crate::control::{Groups, Server};
use crate::dns::Record as Observed;
use crate::envoy::{EnvoyState, Launch, Listener, Started, Steering, Supervisor};
use crate::kernel::{
    FastMaps, Features, Local, Presence, RefusalLog, Routing, Ruleset, monitor, table_exists, teardown,
};
use crate::metrics;
use crate::model::Epoch;
use crate::policy::temporary::{Merged, Temporaries};
use crate::policy::{Policy, SlotTable, Spec};
use crate::queue::{Ended, Knowledge, Published, Readiness, Shared};
use crate::record::{Recorder, RecorderHandle};
use crate::relay::{self, Listeners, RelayCounters};

use super::backend::{Health, View};
use super::backstop::BackstopKeeper;
use super::event_file::EventWriter;
use super::firewall::Firewall;
use super::flows::FlowWatch;
use super::journal::Journal;
use super::offline::limits;
use super::options::{Options, StartError};
use super::reload::{self, Reloader, Skew};
use super::running::{Daemon, Failures};
use super::sandbox::Sandbox;
use super::sandbox::probe::probe;
use super::state_dir::{LastRun, StateDir};
use super::who::Registry;
use super::workers::Workers;
use super::{fast, interfaces, local, notify, pace, policy_watch, preflight, refusals, temporary};

/// Observations that may wait for the journal.
const JOURNAL_CHANNEL: usize = 65_536;

/// Brings a policy into force, in an order in which nothing is let through before it is decided on: what can fail
/// without a trace comes first, then the queues, then the kernel's state, then Envoy.
///
/// # Errors
/// What is missing. Then the kernel is as it was found: without a trace, or closed by the decider of before.
pub async fn start(spec: Spec, options: Options, sandbox: Sandbox, who: Registry) -> Result<Daemon, StartError> {
    preflight::rights_and_numbers(&options)?;
    let features = Features::probe()?;
    let groups = Groups::find(options.group.as_deref(), options.command_group.as_deref()).map_err(StartError::Group)?;
    let server = Server::bind(&options.socket, groups)?;
    let lookers = groups.lookers();
    let metrics = spec.metrics.as_ref().map(|listen| metrics::Server::bind(listen, lookers)).transpose()?;
    let state = StateDir::open(&options.state_dir)?;
    let Compiled { policy, rules } = compile(spec, &state)?;
    let launch = Launch::prepare(&policy).await?;
    state.save_last_run(&LastRun { envoy_dir: policy.spec().envoy.config_dir.clone() })?;
    if !launch.is_running() {
        preflight::listener_ports(&policy)?;
    }
    let relay_listeners = Listeners::bind(policy.spec().envoy.listen, policy.spec().envoy.relay_port())?;
    preflight::room_for_files();
    let local = local::local(policy.spec())?;
    let ruleset = Ruleset::plan(&policy, &options.queues(), features, options.log_group, &local);
    let log = RefusalLog::open(options.log_group, !policy.spec().host)?;
    let (recorder, event_file) = start_recorder(policy.spec(), &who, lookers)?;
    let (shared, journalled) = share(policy, &recorder);
    let (journal_works, flows_unknown) = take_over(&state, &shared, journalled)?;
    let (workers, ended) = start_workers(&options, &shared)?;
    let relay = start_relay(relay_listeners, &shared)?;
    refusals::follow(log, Arc::clone(&shared)).map_err(|source| StartError::system("start a thread", source))?;

    let mut backstop = BackstopKeeper::connect()?;
    let maps = FastMaps::open()?;
    let in_force = enforce(&shared, &ruleset, launch, maps.port()).await?;
    let InForce { firewall, changes, envoy, steering, envoy_state, before } = in_force;
    let running = Running {
        who,
        options,
        features,
        recorder,
        shared,
        workers,
        relay,
        journal_works,
        event_file,
        flows_unknown,
        envoy_state,
    };
    let (view, Asked { down, reloads }) = running.view();
    backstop.keep(&view).await;
    view.sandbox.get_or_init(|| sandbox.shut());
    probe(&view.options.state_dir);
    let firewall = Arc::new(tokio::sync::Mutex::new(firewall));
    let reloader = rules.reloader(Arc::clone(&view), Arc::clone(&firewall), local, steering, state);
    if let Some(listeners) = before {
        reloader.judge_what_was_left(&listeners).await;
    }
    view.follow_envoy();
    fast::start(maps, Arc::clone(&view.shared)).map_err(|source| StartError::system("start a thread", source))?;
    let reloader = tokio::spawn(reloader.run(reloads));
    if view.options.watch {
        policy_watch::start(&view)?;
    }
    let backend = Arc::clone(&view);
    let control = tokio::spawn(async move { server.serve(backend).await });
    let metrics = super::metrics::serve(metrics, &view);
    let failures = Failures::default();
    notify::ready();
    let (policy, backend) = (view.options.policy_file.display(), view.options.backend.as_str());
    tracing::info!(%policy, queueing = features.queueing.as_str(), backend, "in force");
    Ok(Daemon { view, firewall, backstop, envoy, changes, ended, down, control, metrics, reloader, failures })
}

/// What a policy file comes to with what was saved.
struct Compiled {
    policy: Policy,
    rules: Rules,
}

/// Where the rules in force come from.
struct Rules {
    slots: SlotTable,
    file: Spec,
    temporaries: Temporaries,
}

impl Rules {
    /// What changes them from now on.
    fn reloader(
        self,
        view: Arc<View>,
        firewall: Arc<tokio::sync::Mutex<Firewall>>,
        local: Local,
        steering: Steering,
        state: StateDir,
    ) -> Reloader {
        let Self { slots, file, temporaries } = self;
        let (saved, compared, cannot_end) = (clock::now(), Skew::now(), false);
        Reloader { view, firewall, local, steering, slots, state, file, temporaries, saved, compared, cannot_end }
    }
}

/// Compiles the policy with the slots that its rules had before, and saves the slots.
fn compile(file: Spec, state: &StateDir) -> Result<Compiled, StartError> {
    let mut slots = state.load_slots()?;
    let Merged { spec, kept: temporaries, .. } = temporary::restore(&file, state)?;
    slots.assign(&spec)?;
    let policy = Policy::compile(spec, &slots, Epoch(1))?;
    state.save_slots(&slots)?;
    Ok(Compiled { policy, rules: Rules { slots, file, temporaries } })
}

/// Events from now on, and the file that they are written to, if the policy says where.
fn start_recorder(
    spec: &Spec,
    who: &Registry,
    group: Option<Gid>,
) -> Result<(RecorderHandle, Option<EventWriter>), StartError> {
    let recorder = Recorder::start(Box::new(interfaces::name_of), who.identify(), pace::rest(spec.host))
        .map_err(|source| StartError::system("start the recorder", source))?;
    let event_file = EventWriter::start(spec.events.as_ref(), &recorder, group)
        .map_err(|source| StartError::system("start a thread", source))?;
    Ok((recorder, event_file))
}

fn share(policy: Policy, recorder: &RecorderHandle) -> (Arc<Shared>, Receiver<Observed>) {
    let (journal, journalled) = bounded(JOURNAL_CHANNEL);
    let knowledge = Knowledge::new(limits(&policy.spec().dns));
    let readiness = Readiness::none_of(policy.routes().len());
    let published = Published { policy, readiness };
    let shared = Shared::new(published, knowledge, recorder.records.clone(), journal);
    shared.whereabouts.set(interfaces::own_addresses());
    (Arc::new(shared), journalled)
}

/// Takes over what an earlier run knew, and the connections that it let through. Says whether the journal works, and why
/// connections are not followed, if they are not: then only the time of an observation counts.
fn take_over(
    state: &StateDir,
    shared: &Arc<Shared>,
    journalled: Receiver<Observed>,
) -> Result<(Arc<AtomicBool>, Option<String>), StartError> {
    let watch = FlowWatch::open(shared.published.load().policy.spec().marks);
    let in_use = watch.as_ref().map(FlowWatch::destinations).unwrap_or_default();
    let journal_works = Journal::start(&state.journal(), Arc::clone(shared), journalled, &in_use)?;
    let flows_unknown = match watch {
        Ok(watch) => {
            watch.follow(Arc::clone(shared)).map_err(|source| StartError::system("start a thread", source))?;
            None
        }
        Err(error) => {
            tracing::warn!(%error, "connections are not followed");
            Some(error.to_string())
        }
    };
    Ok((journal_works, flows_unknown))
}

type Ends = mpsc::UnboundedReceiver<(usize, Ended)>;

fn start_workers(options: &Options, shared: &Arc<Shared>) -> Result<(Arc<Workers>, Ends), StartError> {
    let (report, ended) = mpsc::unbounded_channel();
    let workers = Workers::new(options, report);
    workers.start_all(shared)?;
    Ok((Arc::new(workers), ended))
}

fn start_relay(listeners: Listeners, shared: &Arc<Shared>) -> Result<Arc<RelayCounters>, StartError> {
    let counters = Arc::<RelayCounters>::default();
    relay::spawn(listeners, Arc::clone(shared), Arc::clone(&counters))
        .map_err(|source| StartError::system("start a thread", source))?;
    Ok(counters)
}

/// What leaves a trace.
struct InForce {
    firewall: Firewall,
    changes: mpsc::Receiver<crate::kernel::Change>,
    envoy: Supervisor,
    steering: Steering,
    envoy_state: watch::Receiver<EnvoyState>,
    /// The listeners of an Envoy that was left behind.
    before: Option<BTreeMap<String, Listener>>,
}

/// Everything that leaves a trace. If something of it fails, the door is as it was before: closed by an earlier decider, or
/// without a trace.
async fn enforce(shared: &Shared, ruleset: &Ruleset, launch: Launch, beside: u32) -> Result<InForce, StartError> {
    let was_closed = table_exists()?;
    let in_force = try_to_enforce(shared, ruleset, launch, beside).await;
    if in_force.is_err()
        && !was_closed
        && let Err(left) = teardown().await
    {
        tracing::error!(%left, "not everything could be removed: run `decider down`");
    }
    in_force
}

/// The monitor comes first: no change may go unnoticed.
async fn try_to_enforce(
    shared: &Shared,
    ruleset: &Ruleset,
    launch: Launch,
    beside: u32,
) -> Result<InForce, StartError> {
    let changes = monitor(Some(beside))?;
    let firewall = Firewall::up(Routing::connect()?, Presence::open()?, ruleset, shared).await?;
    let published = shared.published.load_full();
    let Started { supervisor, steering, state, before } = launch.start(&published.policy).await?;
    Ok(InForce { firewall, changes, envoy: supervisor, steering, envoy_state: state, before })
}

/// What has been started, before it is made a [`View`].
struct Running {
    who: Registry,
    options: Options,
    features: Features,
    recorder: RecorderHandle,
    shared: Arc<Shared>,
    workers: Arc<Workers>,
    relay: Arc<RelayCounters>,
    journal_works: Arc<AtomicBool>,
    event_file: Option<EventWriter>,
    flows_unknown: Option<String>,
    envoy_state: watch::Receiver<EnvoyState>,
}

/// Reloads that wait for their turn: whoever asks when there are more waits for a place.
const RELOADS: usize = 64;

/// What is asked for on the control socket.
struct Asked {
    down: mpsc::Receiver<tokio::sync::oneshot::Sender<Result<(), String>>>,
    reloads: mpsc::Receiver<reload::Request>,
}

impl Running {
    fn view(self) -> (Arc<View>, Asked) {
        let (down, down_asked) = mpsc::channel(1);
        let (reloads, reloads_asked) = mpsc::channel(RELOADS);
        let view = View {
            started: clock::now(),
            options: self.options,
            shared: self.shared,
            workers: self.workers,
            relay: self.relay,
            recorder: self.recorder,
            envoy: self.envoy_state,
            features: self.features,
            sandbox: OnceLock::new(),
            who: self.who,
            health: Mutex::new(Health::default()),
            journal_works: self.journal_works,
            event_file: self.event_file,
            flows_unknown: self.flows_unknown,
            reloads,
            changed: tokio::sync::Notify::new(),
            down,
        };
        (Arc::new(view), Asked { down: down_asked, reloads: reloads_asked })
    }
}
