use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use crate::dns::{Flow, Flows, Held};
use crate::kernel::{Conntrack, FlowNews, KernelError, Life};
use crate::model::{Mark, MarkMask};
use crate::policy::NameMatch;
use crate::queue::Shared;

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
        let mut keeper = Keeper { shared, flows: Flows::new() };
        for news in &living {
            keeper.take(news);
        }
        thread::Builder::new().name("flows".into()).spawn(move || keeper.listen(&conntrack))?;
        Ok(())
    }
}

/// Keeps what is known in step with the connections.
struct Keeper {
    shared: Arc<Shared>,
    flows: Flows,
}

impl Keeper {
    fn listen(mut self, conntrack: &Conntrack) {
        loop {
            match conntrack.receive() {
                Ok(news) => {
                    for news in &news {
                        self.take(news);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::warn!(%error, "news of connections were lost: all of them are looked at");
                    thread::sleep(PAUSE);
                    if let Err(error) = self.look_at_all(conntrack) {
                        tracing::error!(%error, "connections cannot be listed");
                    }
                }
            }
        }
    }

    fn look_at_all(&mut self, conntrack: &Conntrack) -> io::Result<()> {
        // What waits is older than the look, and may tell of a beginning whose end was lost.
        conntrack.skip()?;
        let marks = self.shared.published.load().policy.spec().marks;
        let living = Conntrack::living(marks)?;
        let flows = living.iter().map(flow).collect();
        for held in self.flows.end_all_but(&flows) {
            self.release(&held);
        }
        for news in &living {
            self.take(news);
        }
        Ok(())
    }

    fn take(&mut self, news: &FlowNews) {
        match news.life {
            Life::Unsaid => {}
            Life::Over => {
                if let Some(held) = self.flows.end(flow(news)) {
                    self.release(&held);
                }
            }
            Life::Lives => self.lives(news),
        }
    }

    fn lives(&mut self, news: &FlowNews) {
        let published = self.shared.published.load();
        let policy = &published.policy;
        let mark = Mark(news.mark & policy.spec().marks.bits());
        let Some(route) = policy.marked(mark) else { return };
        let (client, addr, port) = (self.shared.client(news.client.ip()), news.dst.ip(), news.dst.port());
        let knowledge = &self.shared.knowledge;
        let released = self.flows.begin(flow(news), mark, || {
            let leads = |name: &_| matches!(policy.lookup(name, port), NameMatch::Allow(to) if to.slot == route.slot);
            knowledge.about(addr).hold(client, addr, policy.spec().dns.scope, leads)
        });
        for held in released {
            self.release(&held);
        }
    }

    fn release(&self, held: &Held) {
        self.shared.knowledge.about(held.addr).release(held);
    }
}

fn flow(news: &FlowNews) -> Flow {
    Flow { client: news.client, dst: news.dst }
}
