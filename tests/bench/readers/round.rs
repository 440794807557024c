use std::time::Duration;

use crate::load::Load;
use crate::reader::{Reader, Told};
use crate::world::World;

/// Events that are asked what their SYN waited: what the ring of recent ones has room for.
const ASKED: usize = 10_000;

/// What came of the load in one round.
pub struct Round {
    /// SYNs a second that were sent.
    pub rate: f64,
    /// How long a SYN waited for its verdict, in microseconds, in ascending order.
    pub waits: Vec<u64>,
    /// SYNs that were decided.
    pub decided: u64,
    /// SYNs that the kernel dropped, since a queue was full.
    pub dropped: u64,
    /// Events that were not recorded.
    pub lost: u64,
    /// What each reader was told. The last one read nothing before the end.
    pub told: Vec<Told>,
}

impl Round {
    pub fn run(world: &World, load: &mut Load, readers: usize, time: Duration) -> Self {
        let before = Counted::now(world);
        let socket = world.gateway.path("control.sock");
        let readers: Vec<Reader> = (1..=readers).map(|number| Reader::start(&socket, number < readers)).collect();
        // Until decider has heard what they want.
        std::thread::sleep(Duration::from_millis(200));
        let (sent, took) = load.run(time);
        let told = readers.into_iter().map(Reader::end).collect();
        world.gateway.adds_up();
        let after = Counted::now(world);
        Self {
            rate: f64::from(sent) / took.as_secs_f64(),
            waits: waits(world, after.denied - before.denied),
            decided: after.denied - before.denied,
            dropped: after.dropped - before.dropped,
            lost: after.lost - before.lost,
            told,
        }
    }
}

/// What decider has counted.
struct Counted {
    denied: u64,
    dropped: u64,
    lost: u64,
}

impl Counted {
    fn now(world: &World) -> Self {
        let status = world.gateway.status();
        let counter = |name: &str| status["counters"][name].as_u64().unwrap();
        Self {
            denied: counter("denied"),
            dropped: counter("dropped_by_kernel"),
            lost: status["lost_records"].as_u64().unwrap(),
        }
    }
}

/// What the last SYNs waited, of this round alone.
fn waits(world: &World, decided: u64) -> Vec<u64> {
    let last = ASKED.min(usize::try_from(decided).unwrap()).to_string();
    let output = world.gateway.cli(&["events", "--json", "-n", &last]);
    let events = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let wait = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).unwrap()["waited_us"].as_u64();
    let mut waits: Vec<u64> = events.filter_map(wait).collect();
    waits.sort_unstable();
    waits
}
