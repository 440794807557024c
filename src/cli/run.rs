use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::daemon::{self, Options};

use super::args::{OnExit, Place, QueueBackend, Run, Switch};
use super::check::load;
use super::failure::Failure;

pub fn run(args: &Run, place: &Place) -> Result<ExitCode, Failure> {
    let spec = load(&args.file)?;
    start_logging()?;
    let default = Options::default();
    let workers = args.workers.unwrap_or(default.syn_workers);
    let options = Options {
        // It is read again later, wherever decider stands by then.
        policy_file: std::path::absolute(&args.file).unwrap_or_else(|_| args.file.clone()),
        socket: place.socket.clone(),
        group: args.group.clone(),
        command_group: args.command_group.clone(),
        state_dir: place.state_dir.clone(),
        first_queue: args.first_queue,
        syn_workers: workers,
        backend: match args.queue_backend {
            QueueBackend::Netlink => daemon::QueueBackend::Netlink,
            QueueBackend::Nfq => daemon::QueueBackend::Nfq,
        },
        log_group: args.log_group,
        watch: args.watch,
        on_exit: match args.on_exit {
            OnExit::Closed => daemon::OnExit::Closed,
            OnExit::Open => daemon::OnExit::Open,
        },
        sandbox: args.sandbox == Switch::On,
        ..default
    };
    daemon::run(spec, options).map_err(|error| Failure::from_start(&error))?;
    Ok(ExitCode::SUCCESS)
}

/// For people on a terminal, fields in the journal, JSON lines otherwise. `DECIDER_LOG` sets the level (`info` if unset).
fn start_logging() -> Result<(), Failure> {
    let filter = match std::env::var("DECIDER_LOG") {
        Ok(level) => EnvFilter::try_new(level).map_err(|error| Failure::usage(format!("DECIDER_LOG: {error}")))?,
        Err(_) => EnvFilter::new("info"),
    };
    if let Some(journal) = journal() {
        // A second start in one process (tests) keeps the first one's log.
        let _ = tracing_subscriber::registry().with(filter).with(journal).try_init();
        return Ok(());
    }
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // It would tell a broken log pipe on the standard error, which is that pipe, and panic in whoever logs.
    let builder = builder.log_internal_errors(false);
    // A second start in one process (tests) keeps the first one's log.
    let _ = if terminal {
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        builder.with_ansi(colours).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    Ok(())
}

/// The journal, if that is what the standard error is connected to (`JOURNAL_STREAM`, `systemd.exec(5)`).
fn journal() -> Option<tracing_journald::Layer> {
    let wanted = std::env::var("JOURNAL_STREAM").ok()?;
    let stderr = File::from(std::io::stderr().as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    let layer = (wanted == format!("{}:{}", stderr.dev(), stderr.ino())).then(tracing_journald::layer)?.ok()?;
    Some(layer.with_field_prefix(Some("DECIDER".to_owned())).with_syslog_identifier("decider".to_owned()))
}
