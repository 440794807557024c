use std::io;
use std::net::{IpAddr, SocketAddr};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::clock;
use crate::kernel::Connection;
use crate::model::Who;
use crate::record::Record;
use crate::who::Owners;

/// Questions that may wait; whoever asks then waits, too.
const WAITING: usize = 16;

/// Who began what, asked of a thread of its own: where this host is covered, that one still sees other processes when decider
/// has given up its files, since the kernel (Landlock) hides all processes from whoever has.
#[derive(Clone)]
pub struct Registry(Sender<Question>);

enum Question {
    Of(Connection, u32, Sender<Who>),
    Connected(IpAddr, SocketAddr, Sender<Vec<(u16, Who)>>),
}

impl Registry {
    /// Starts the thread. It sees what whoever calls this sees.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start() -> io::Result<Self> {
        let (ask, asked) = bounded(WAITING);
        thread::Builder::new().name("who".to_owned()).spawn(move || answer(&asked))?;
        Ok(Self(ask))
    }

    /// Finds out who began what records tell of: only for packets of which the kernel itself said whose they are, so that
    /// nobody else's connection is taken for one of this host.
    #[must_use]
    pub fn identify(&self) -> Box<dyn FnMut(&Record) -> Who + Send> {
        let registry = self.clone();
        Box::new(move |record| {
            let Some(uid) = record.uid else { return Who::default() };
            let connection = Connection { transport: record.transport, local: record.client, remote: record.dst };
            registry
                .ask(|reply| Question::Of(connection, uid, reply))
                .unwrap_or_else(|| Who { uid: Some(uid), ..Who::default() })
        })
    }

    /// Who has a connection from an address of this host to there now, each with its port here.
    #[must_use]
    pub fn connected(&self, from: IpAddr, to: SocketAddr) -> Vec<(u16, Who)> {
        self.ask(|reply| Question::Connected(from, to, reply)).unwrap_or_default()
    }

    /// None if the thread has ended.
    fn ask<T>(&self, question: impl FnOnce(Sender<T>) -> Question) -> Option<T> {
        let (reply, answer) = bounded(1);
        self.0.send(question(reply)).ok()?;
        answer.recv().ok()
    }
}

/// Answers until nobody can ask any more.
fn answer(asked: &Receiver<Question>) {
    let mut owners = Owners::open(clock::now())
        .inspect_err(|error| tracing::warn!(%error, "sockets cannot be asked for: processes are not named"))
        .ok();
    for question in asked {
        let now = clock::now();
        // Whoever asked may have ended meanwhile.
        match (question, &mut owners) {
            (Question::Of(connection, uid, reply), Some(owners)) => {
                drop(reply.send(owners.of(&connection, Some(uid), now)));
            }
            (Question::Of(_, uid, reply), None) => drop(reply.send(Who { uid: Some(uid), ..Who::default() })),
            (Question::Connected(from, to, reply), _) => {
                // With a budget of its own.
                let found = Owners::open(now).and_then(|mut owners| owners.connected(from, to, now));
                let found = found.inspect_err(|error| tracing::warn!(%error, "sockets cannot be asked for"));
                drop(reply.send(found.unwrap_or_default()));
            }
        }
    }
}
