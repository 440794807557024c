use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::unistd::Pid;

use crate::load::{Done, Load};
use crate::percentiles::micros;
use crate::setting::Setting;
use crate::world::{Family, Namespace};

/// How long the programs have afterwards to come to the end of what they do beside: records, news of connections. So it is
/// counted as theirs, and is not in the way of who is next.
const SETTLE: Duration = Duration::from_millis(60);

/// One path, for a while.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Connections that came about.
    pub connections: usize,
    /// Connections that came to nothing.
    pub failed: u64,
    /// Connections a second.
    pub rate: f64,
    /// From the call to the connection, in microseconds: half of them, 99 of 100, 999 of 1,000 took no longer.
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    /// SYNs that were sent again.
    pub syn_retransmits: u64,
    /// Packets that a queue of the gateway had no room for.
    pub queue_drops: u64,
    /// What the gateway's programs were on a processor for each connection, in microseconds.
    pub cpu: f64,
    /// The same of the client and the listener too, and of what the kernel did while they were.
    pub all_cpu: f64,
}

/// What is counted over a sample.
#[derive(Clone, Copy)]
struct Counted {
    syn_retransmits: u64,
    queue_drops: u64,
    programs: Duration,
    this: Duration,
}

impl Sample {
    pub fn take(setting: &Setting, family: Family, in_flight: usize, time: Duration) -> Self {
        let work = setting.work(family, in_flight);
        let (gateway, client) = (&setting.world.gateway.namespace, &setting.world.clients[0].namespace);
        let programs = gateway.processes();
        let before = Counted::now(gateway, client, &programs);
        let Done { in_time, lasted, times, failed } = Load::run(client, &work, time);
        std::thread::sleep(SETTLE);
        let after = Counted::now(gateway, client, &programs);
        let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(u32::try_from(times.len()).unwrap());
        let at = |thousandths| micros(&times, thousandths).unwrap_or(f64::NAN);
        let programs = after.programs.saturating_sub(before.programs);
        Self {
            connections: times.len(),
            failed,
            rate: f64::from(in_time) / lasted.as_secs_f64(),
            p50: at(500),
            p99: at(990),
            p999: at(999),
            syn_retransmits: after.syn_retransmits - before.syn_retransmits,
            queue_drops: after.queue_drops - before.queue_drops,
            cpu: each(programs),
            all_cpu: each(programs + after.this.saturating_sub(before.this)),
        }
    }
}

impl Counted {
    fn now(gateway: &Namespace, client: &Namespace, programs: &[Pid]) -> Self {
        Self {
            syn_retransmits: client.enter(syn_retransmits),
            queue_drops: gateway.enter(queue_drops),
            programs: programs.iter().map(|&pid| on_processor(pid)).sum(),
            this: this_process(),
        }
    }
}

/// `TCPSynRetrans` of the namespace that this thread is in.
fn syn_retransmits() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/net/netstat").unwrap();
    let lines: Vec<Vec<&str>> =
        text.lines().filter(|line| line.starts_with("TcpExt:")).map(|line| line.split(' ').collect()).collect();
    let column = lines[0].iter().position(|word| *word == "TCPSynRetrans").unwrap();
    lines[1][column].parse().unwrap()
}

/// Packets that found a full queue, or no room at the socket of who serves it.
fn queue_drops() -> u64 {
    // Without any queue there may be no such file.
    let text = std::fs::read_to_string("/proc/thread-self/net/netfilter/nfnetlink_queue").unwrap_or_default();
    let of_line = |line: &str| {
        let numbers: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
        numbers[5] + numbers[6]
    };
    text.lines().map(of_line).sum()
}

/// How long the threads of a process were on a processor so far.
fn on_processor(pid: Pid) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let times = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("schedstat")).ok());
    times.filter_map(|times| times.split(' ').next()?.parse().ok()).map(Duration::from_nanos).sum()
}

fn this_process() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let of = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(time.tv_sec() * 1_000_000 + time.tv_usec()).unwrap())
    };
    of(usage.user_time()) + of(usage.system_time())
}
