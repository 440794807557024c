mod texts;

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::model::DomainName;

use texts::{ALLOW, EXIT_CODES, FILTER, LEARN, LOCKDOWN, REPLAY};

/// Name-aware egress firewall: each connection is decided by the DNS name that its client asked for.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Args {
    #[command(flatten)]
    pub place: Place,
    #[command(subcommand)]
    pub command: Command,
}

/// Where a decider keeps its things.
#[derive(Debug, Clone, clap::Args)]
pub struct Place {
    /// Control socket
    #[arg(long, global = true, value_name = "PATH", default_value = "/run/decider/control.sock")]
    pub socket: PathBuf,
    /// Directory of what must outlive a restart
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/decider")]
    pub state_dir: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a policy file: every problem at once, with its line
    Check(Check),
    /// Print what a policy turns into, without touching the system
    Render(Render),
    /// Enforce a policy until told to stop
    Run(Run),
    /// Close the door before decider runs, as the policy will have it: for the boot
    #[command(long_about = LOCKDOWN)]
    Lockdown(Lockdown),
    /// Show whether all is in force, and the counters
    Status(Json),
    /// Print recent decisions
    #[command(after_help = FILTER)]
    Events(Events),
    /// Show connections and refusals as they happen, in a terminal
    #[command(after_help = FILTER)]
    Top(Top),
    /// Say what would become of a connection, and why
    Explain(Explain),
    /// List the names that are known, with their addresses
    Cache(Cache),
    /// List the rules in force, with their marks and listeners
    Rules(Json),
    /// Put the policy file in force again, as it is now, while decider runs
    Reload(Reload),
    /// Let a name through for a while, beside what the policy file says
    #[command(long_about = ALLOW)]
    Allow(Allow),
    /// Say what two policies say otherwise, and which recorded decisions would be others
    Diff(Diff),
    /// Say what a policy would have decided of captured traffic
    #[command(long_about = REPLAY)]
    Replay(Replay),
    /// Propose the rules that let through what was seen
    #[command(long_about = LEARN, after_help = FILTER)]
    Learn(Learn),
    /// Say what this host lacks, what gets in the way, and what mends it
    Doctor(Doctor),
    /// Stop decider and its Envoy, and remove every trace from the kernel
    Down(Json),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Write one page a command into this directory instead
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Json {
    /// Print JSON with stable field names
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub struct Check {
    /// Policy file
    pub file: PathBuf,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Render {
    /// What to print
    pub what: Rendered,
    /// Policy file
    pub file: PathBuf,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rendered {
    /// The nftables ruleset
    Nft,
    /// The routing rules and routes
    Routes,
    /// What holds the door of this host while the ruleset is gone: filters of traffic control
    Backstop,
    /// Envoy's bootstrap, listeners and clusters
    Envoy,
    /// All of them
    All,
}

#[derive(Debug, clap::Args)]
pub struct Run {
    /// Policy file
    pub file: PathBuf,
    /// First of the NFQUEUE numbers to use
    #[arg(long, value_name = "N", default_value_t = 5300)]
    pub first_queue: u16,
    /// Threads that decide connections, one queue each [default: one a processor, 8 at most]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub workers: Option<u16>,
    /// How packets are received from the queues, and answered
    #[arg(long, value_name = "HOW", value_enum, default_value_t = QueueBackend::Netlink)]
    pub queue_backend: QueueBackend,
    /// NFLOG group by which the kernel reports what it refused alone
    #[arg(long, value_name = "N", default_value_t = 5300)]
    pub log_group: u16,
    /// Group whose members may look: status, events, explain, cache, rules, top [default: decider, if there is one]
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// Group whose members may give commands, too: reload, allow, down [default: none, root alone may]
    #[arg(long, value_name = "NAME")]
    pub command_group: Option<String>,
    /// Reload whenever the policy file changes
    #[arg(long)]
    pub watch: bool,
    /// What a clean stop leaves behind
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = OnExit::Closed)]
    pub on_exit: OnExit,
    /// Whether decider gives up the files, system calls and capabilities that it does not need
    #[arg(long, value_name = "WHETHER", value_enum, default_value_t = Switch::On)]
    pub sandbox: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueueBackend {
    /// All that wait together: as many as there are by one system call
    Netlink,
    /// One by one, by the `nfq` library
    Nfq,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// It does
    On,
    /// It keeps all that it was started with
    Off,
}

#[derive(Debug, clap::Args)]
pub struct Lockdown {
    /// Policy file
    pub file: PathBuf,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnExit {
    /// The closed door: no new connection of a covered client gets out
    Closed,
    /// Nothing: every trace is removed
    Open,
}

#[derive(Debug, clap::Args)]
pub struct Reload {
    /// Only say what would be changed, and which connections would be cut
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Allow {
    /// What is to be allowed: NAME, NAME:PORT, NAME/PROTO or NAME:PORT/PROTO
    #[arg(value_name = "TARGET", required_unless_present_any = ["list", "revoke"], conflicts_with_all = ["list", "revoke"])]
    pub target: Option<String>,
    /// For how long, from 1s to 7d: 90s, 10m, 1h30m
    #[arg(long = "for", value_name = "TIME", required_unless_present_any = ["list", "revoke"], conflicts_with_all = ["list", "revoke"])]
    pub time: Option<String>,
    /// Only for this client, by the address that its packets come from [default: everybody]
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["list", "revoke"])]
    pub client: Option<IpAddr>,
    /// Only say what would be allowed
    #[arg(long, conflicts_with_all = ["list", "revoke"])]
    pub dry_run: bool,
    /// List the temporary rules
    #[arg(long, conflicts_with = "revoke")]
    pub list: bool,
    /// End temporary rules now: the one with this id, or all for this name
    #[arg(long, value_name = "ID|NAME")]
    pub revoke: Option<String>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Events {
    /// Only what fits: words such as verdict:deny, port:22 or name:*.example.com
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Go on with new ones
    #[arg(short, long)]
    pub follow: bool,
    /// How many of the past to begin with [default: 100; with a filter or --since all that are kept]
    #[arg(short = 'n', long, value_name = "N")]
    pub last: Option<usize>,
    /// Only what is no older: a time back (10m, 2h, 1d), or a moment (12:00, 2027-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Top {
    /// Only what fits: words such as verdict:deny, port:22 or name:*.example.com
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Print the table once and end: for scripts
    #[arg(long)]
    pub once: bool,
    /// Milliseconds between two looks at connections and counters; decisions are shown as they come
    #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub interval: u64,
    /// Show a file that `decider events --json` has written, instead of a running decider
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Explain {
    /// Who connects
    #[arg(long, value_name = "ADDRESS")]
    pub client: IpAddr,
    /// Where to
    #[arg(long, value_name = "ADDRESS")]
    pub dst: IpAddr,
    /// Destination port
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,
    /// Ask this policy and the saved observations, not the running decider
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Cache {
    /// Only what this client asked
    #[arg(long, value_name = "ADDRESS")]
    pub client: Option<IpAddr>,
    /// Only this name
    #[arg(long, value_name = "NAME", value_parser = DomainName::parse)]
    pub name: Option<DomainName>,
    /// How many at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// Policy file to look for [default: /etc/decider/policy.yaml]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Replay {
    /// Capture file
    pub capture: PathBuf,
    /// Policy file
    #[arg(long, value_name = "FILE")]
    pub policy: PathBuf,
    /// Only what this client does; may be given again
    #[arg(long, value_name = "ADDRESS")]
    pub client: Vec<IpAddr>,
    /// An address of the host that decider is to run on; may be given again
    #[arg(long, value_name = "ADDRESS")]
    pub here: Vec<IpAddr>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Learn {
    /// Only from what fits: words such as client:10.77.1.2, -verdict:deny or port:22
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Learn from a file that `decider events --json` has written
    #[arg(long, value_name = "FILE", conflicts_with = "pcap")]
    pub from: Option<PathBuf>,
    /// Learn from captured traffic, pcap or pcapng
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// Take all but the rules from this policy
    #[arg(long, value_name = "POLICY", conflicts_with = "merge")]
    pub policy: Option<PathBuf>,
    /// Print what this policy lacks, as a diff for `patch`
    #[arg(long, value_name = "POLICY")]
    pub merge: Option<PathBuf>,
    /// How many names right below another become a wildcard; 0: none ever do
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub wildcards: usize,
    /// Only from what is no older: a time back (10m, 2h, 1d), or a moment (12:00, 2027-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Whose answers count in a capture; may be given again [default: the policy's, else all who answer there]
    #[arg(long, value_name = "ADDRESS", requires = "pcap", conflicts_with_all = ["policy", "merge"])]
    pub resolver: Vec<IpAddr>,
    /// Of a capture: only what this client does; may be given again
    #[arg(long, value_name = "ADDRESS", requires = "pcap")]
    pub client: Vec<IpAddr>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, clap::Args)]
pub struct Diff {
    /// Policy file
    pub old: PathBuf,
    /// Policy file that it is compared with
    pub new: PathBuf,
    /// Decisions to be made again by both, as `events --json` or `replay --json` prints them
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    #[command(flatten)]
    pub output: Json,
}
