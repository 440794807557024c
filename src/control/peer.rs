use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::access::Access;

/// Connections served at a time; more are closed at once.
const MAX_CONNECTIONS: usize = 128;
/// Of those, for users who may only look: they never keep an administrator out.
const MAX_READERS: usize = 64;

/// How long a client may take to send its request or to read a reply.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Places for connections: an administrator may have any, others only some.
pub struct Places {
    all: Arc<Semaphore>,
    readers: Arc<Semaphore>,
}

impl Places {
    /// All of them, free.
    pub fn new() -> Self {
        Self::of(MAX_CONNECTIONS, MAX_READERS)
    }

    fn of(all: usize, readers: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), readers: Arc::new(Semaphore::new(readers)) }
    }

    /// A place until it is dropped; none if there is none for whoever asks.
    pub fn take(&self, is_administrator: bool) -> Option<Place> {
        let one = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        let of_readers = if is_administrator { None } else { Some(one(&self.readers)?) };
        Some([of_readers, Some(one(&self.all)?)])
    }
}

/// One of them, until it is dropped.
pub type Place = [Option<OwnedSemaphorePermit>; 2];

/// Who is at the other end.
#[derive(Clone, Copy)]
pub struct Peer {
    /// Its user.
    pub user: u32,
    /// The group that its process runs as.
    pub group: u32,
    /// What it may do, if that is known already.
    pub access: Option<Access>,
}

/// What a peer may do. Where the system's lists have to be asked, a thread of its own does it, which keeps the connection's place
/// for as long as that takes: they may be on a machine that does not answer.
pub async fn access(
    peer: Peer,
    place: &Arc<Place>,
    look_up: impl FnOnce(Peer) -> Access + Send + 'static,
) -> Result<Access, String> {
    if let Some(access) = peer.access {
        return Ok(access);
    }
    let place = Arc::clone(place);
    let asked = tokio::task::spawn_blocking(move || {
        let access = look_up(peer);
        drop(place);
        access
    });
    match timeout(PATIENCE, asked).await {
        Ok(Ok(access)) => Ok(access),
        Ok(Err(_)) | Err(_) => Err(format!("it cannot be found out in time which groups user {} is in", peer.user)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    const PEER: Peer = Peer { user: 65_534, group: 65_534, access: None };

    #[tokio::test(start_paused = true)]
    async fn lists_that_do_not_answer_hold_up_one_peer_and_keep_its_place() {
        let places = Places::of(3, 1);
        let place = Arc::new(places.take(false).unwrap());
        let (answer, lists): (Sender<Access>, _) = channel();
        let hangs = move |_| lists.recv().unwrap();
        let asked = tokio::spawn({
            let place = Arc::clone(&place);
            async move { access(PEER, &place, hangs).await }
        });
        tokio::task::yield_now().await;
        tokio::time::advance(2 * PATIENCE).await;
        assert!(asked.await.unwrap().unwrap_err().contains("user 65534"));
        drop(place);
        assert!(places.take(false).is_none(), "its thread is still there");
        assert!(places.take(true).is_some(), "and no administrator's business");
        answer.send(Access::Read).unwrap();
        while places.take(false).is_none() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_known_already_is_not_looked_up() {
        let place = Arc::new(Places::of(1, 1).take(true).unwrap());
        let known = Peer { access: Some(Access::Command), ..PEER };
        assert_eq!(access(known, &place, |_| Access::None).await, Ok(Access::Command));
        assert_eq!(access(PEER, &place, |_| Access::Read).await, Ok(Access::Read));
    }
}
