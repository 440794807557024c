use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use crate::clock;
use crate::dns::Flow;
use crate::kernel::{Conntrack, FlowNews, KernelError, Life};
use crate::model::{Mark, MarkMask};
use crate::queue::{Holder, Shared};
use crate::record::{Throttle, Told};

use super::pace::REST;

/// How long to wait after news were lost: whatever makes so many of them may go on for a while, and all connections are
/// looked at.
const PAUSE: Duration = Duration::from_millis(500);

/// The connections' news, as they come from now on, and the connections that there are already.
pub struct FlowWatch {
    conntrack: Conntrack,
    living: Vec<FlowNews>,
}

impl FlowWatch {
    /// Listens, then looks: nothing is missed in between.
    ///
    /// # Errors
    /// If the kernel tells nothing of connections.
    pub fn open(marks: MarkMask) -> Result<Self, KernelError> {
        let conntrack = Conntrack::open()?;
        let failed = |source| KernelError::netlink("list the connections that there are", source);
        let living = Conntrack::living(marks).map_err(failed)?;
        Ok(Self { conntrack, living })
    }

    /// Where connections go that an earlier run let through: what is known about these addresses still matters, expired
    /// or not.
    #[must_use]
    pub fn destinations(&self) -> HashSet<IpAddr> {
        self.living.iter().map(|news| news.dst.ip()).collect()
    }

    /// Lets the connections hold the observations that let them through, from now on in a thread of its own.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn follow(self, shared: Arc<Shared>) -> io::Result<()> {
        let Self { conntrack, living } = self;
        let mut keeper = Keeper { holder: Holder::new(Arc::clone(&shared)), shared };
        for news in &living {
            keeper.take(news);
        }
        thread::Builder::new().name("flows".into()).spawn(move || keeper.listen(conntrack))?;
        Ok(())
    }
}

/// Keeps what is known in step with the connections.
struct Keeper {
    shared: Arc<Shared>,
    holder: Holder,
}

impl Keeper {
    fn listen(mut self, mut conntrack: Conntrack) {
        let (mut losses, mut failures) = (Throttle::default(), Throttle::default());
        loop {
            match conntrack.receive(|news| self.take(news)) {
                Ok(()) => {
                    losses.works();
                    thread::sleep(REST);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if let Some(Told { left_out }) = losses.fails(&error.to_string(), clock::now()) {
                        tracing::warn!(%error, left_out, "news of connections were lost: all of them are looked at");
                    }
                    thread::sleep(PAUSE);
                    if let Err(error) = self.look_at_all(&conntrack) {
                        if let Some(Told { left_out }) = failures.fails(&error.to_string(), clock::now()) {
                            tracing::error!(%error, left_out, "connections cannot be listed");
                        }
                    } else {
                        failures.works();
                    }
                }
            }
        }
    }

    fn look_at_all(&mut self, conntrack: &Conntrack) -> io::Result<()> {
        // What waits is older than the look, and may tell of a beginning whose end was lost.
        conntrack.skip()?;
        let living = Conntrack::living(self.marks())?;
        self.holder.end_all_but(&living.iter().map(flow).collect());
        for news in &living {
            self.take(news);
        }
        Ok(())
    }

    fn take(&mut self, news: &FlowNews) {
        match news.life {
            Life::Unsaid => {}
            Life::Over => self.holder.end(flow(news)),
            Life::Lives => self.holder.begin(flow(news), Mark(news.mark & self.marks().bits())),
        }
    }

    fn marks(&self) -> MarkMask {
        self.shared.published.load().policy.spec().marks
    }
}

fn flow(news: &FlowNews) -> Flow {
    Flow { client: news.client, dst: news.dst }
}
