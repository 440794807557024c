mod place;

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::kernel::QueueStats;
use crate::queue::{
    Backend, DnsWorker, Ended, NetlinkQueue, OpenError, PacketQueue, ReplySocket, Shared, SynWorker, spawn,
};

use super::options::Options;
use place::{Place, Purpose, Queue};

/// How long a packet may take that a worker has received.
const PATIENCE: Duration = Duration::from_secs(2);

/// The queues and the threads that serve them.
pub struct Workers {
    backend: Backend,
    places: Vec<Place>,
    ended: mpsc::UnboundedSender<(usize, Ended)>,
}

/// The sums over the SYN queues that the kernel knows of.
#[derive(Clone, Copy, Debug, Default)]
pub struct KernelTotals {
    /// Packets that a rule sent to them.
    pub queued: u64,
    /// Packets that the kernel dropped.
    pub dropped: u64,
    /// Packets that wait.
    pub waiting: u64,
}

impl Workers {
    /// No worker runs yet. `ended` is told which place lost its worker, and how.
    #[must_use]
    pub fn new(options: &Options, ended: mpsc::UnboundedSender<(usize, Ended)>) -> Self {
        let syn = (0..options.syn_workers).map(|_| Purpose::Syn);
        let purposes = syn.chain((0..options.dns_workers).map(|_| Purpose::Dns));
        let numbered = (options.first_queue..).zip(purposes);
        let places = numbered.map(|(number, purpose)| Place::new(number, purpose)).collect();
        Self { backend: options.backend, places, ended }
    }

    /// Binds every queue and starts its worker. Before any rule sends packets there.
    ///
    /// # Errors
    /// If a queue cannot be had; those that were bound are closed again when their workers' process ends.
    pub fn start_all(&self, shared: &Arc<Shared>) -> Result<(), OpenError> {
        // First all sockets, then threads: a taken number is found before anything runs.
        let queues: Vec<Queue> = self.places.iter().map(|place| place.open(self.backend)).collect::<Result<_, _>>()?;
        for (index, queue) in queues.into_iter().enumerate() {
            self.start(index, queue, shared)?;
        }
        Ok(())
    }

    /// Binds a queue anew whose worker ended.
    ///
    /// # Errors
    /// If the queue cannot be had.
    pub fn restart(&self, index: usize, shared: &Arc<Shared>) -> Result<(), OpenError> {
        let Some(place) = self.places.get(index) else { return Ok(()) };
        place.close_account();
        self.start(index, place.open(self.backend)?, shared)
    }

    /// Notes that a worker ended.
    pub fn note_end(&self, index: usize, ended: &Ended) {
        if let Some(place) = self.places.get(index) {
            place.note_end(ended);
        }
    }

    /// Whether every queue is served: each has its worker, and none has sat on packets since this was asked last.
    #[must_use]
    pub fn are_at_work(&self, stats: &[QueueStats]) -> bool {
        // Each one is looked at, whatever the ones before it do.
        self.places.iter().filter(|place| !place.is_at_work(stats)).count() == 0
    }

    /// Waits until every packet that was received before is done with: what was published in front of this call is what all
    /// later ones are decided by. Says whether that was so in time.
    pub async fn all_before_are_done(&self) -> bool {
        fence(Ordering::SeqCst);
        let under_way: Vec<(&Place, u64)> =
            self.places.iter().map(|place| (place, place.counters.received.value())).collect();
        let all = async {
            for (place, received) in under_way {
                // A worker that has ended is done with everything; what it broke on came to nothing.
                while place.is_up() && place.done() < received {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, all).await.is_ok()
    }

    /// The places, by index.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The sums over the SYN queues.
    #[must_use]
    pub fn totals(&self, stats: &[QueueStats]) -> KernelTotals {
        let mut totals = KernelTotals::default();
        for place in self.places.iter().filter(|place| place.purpose == Purpose::Syn) {
            let of_place = place.totals(stats);
            totals.queued += of_place.queued;
            totals.dropped += of_place.dropped;
            totals.waiting += of_place.waiting;
        }
        totals
    }

    fn start(&self, index: usize, queue: Queue, shared: &Arc<Shared>) -> Result<(), OpenError> {
        match queue {
            Queue::Netlink(bound) => self.serve(index, move || NetlinkQueue::new(bound), shared),
            Queue::Nfq(queue) => self.serve(index, move || queue, shared),
        }
    }

    fn serve<Q: PacketQueue>(
        &self,
        index: usize,
        queue: impl FnOnce() -> Q + Send + 'static,
        shared: &Arc<Shared>,
    ) -> Result<(), OpenError> {
        let Some(place) = self.places.get(index) else { return Ok(()) };
        let counters = Arc::clone(&place.counters);
        let ended = self.ended.clone();
        let shut = place.shutter(shared);
        let report = move |end| {
            shut();
            // The daemon ends by leaving its main loop; then nobody is left to be told.
            drop(ended.send((index, end)));
        };
        let shared = Arc::clone(shared);
        let failed = |operation| move |source| OpenError::System { operation, number: place.number, source };
        // In front of its start: it may end at once.
        let pause = place.take_shut();
        let spawned = match place.purpose {
            Purpose::Syn => spawn(format!("syn-{}", place.number), queue, SynWorker::new(shared), counters, report),
            Purpose::Dns => {
                let replies = ReplySocket::open().map_err(failed("open a raw socket for the replies of"))?;
                spawn(format!("dns-{}", place.number), queue, DnsWorker::new(shared, replies), counters, report)
            }
        };
        if let Err(error) = spawned {
            place.keep_shut(pause);
            return Err(failed("start a thread for")(error));
        }
        drop(pause);
        place.up.store(true, Ordering::Relaxed);
        Ok(())
    }
}
