use std::io;

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Mutex, oneshot};
use tokio::time::timeout;

use crate::queue::Passage;

use super::framing::{messages, send};
use super::limits::{CONNECT, OUTSTANDING};
use super::outstanding::Outstanding;
use super::silence::Silence;

/// Says what becomes of each message of a connection.
pub trait Inspect {
    /// What becomes of a client's question.
    fn question(&self, message: &[u8]) -> Passage;

    /// What becomes of a resolver's answer. What it teaches is known when this returns.
    fn answer(&self, message: &[u8]) -> Passage;
}

/// How a connection came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All has been said, or nothing for too long: closed.
    Over,
    /// A message was refused: to be reset.
    Refused,
    /// The client broke off, or does not read: to be reset.
    ClientFailed,
    /// The resolver cannot be reached, broke off, or does not read: to be reset.
    ResolverFailed,
}

/// What both directions of a connection know of each other.
struct Common<'a, I, W> {
    inspect: &'a I,
    to_client: Mutex<W>,
    outstanding: Outstanding,
    silence: Silence,
}

/// Carries the messages between a client and a resolver, which is connected to when the first question goes on.
///
/// The directions do not wait for each other, except that no more questions are read while 128 wait for their answers. Of
/// a client that has said all, the outstanding answers still come.
pub async fn exchange<CR, CW, RR, RW, C>((from_client, to_client): (CR, CW), connect: C, inspect: &impl Inspect) -> End
where
    CR: AsyncRead + Unpin,
    CW: AsyncWrite + Unpin,
    RR: AsyncRead + Unpin,
    RW: AsyncWrite + Unpin,
    C: Future<Output = io::Result<(RR, RW)>>,
{
    let common = Common {
        inspect,
        to_client: Mutex::new(to_client),
        outstanding: Outstanding::default(),
        silence: Silence::new(),
    };
    let (opened, open) = oneshot::channel();
    let end = tokio::select! {
        end = common.questions(from_client, connect, opened) => end,
        end = common.answers(open) => end,
        () = common.silence.too_long() => Err(End::Over),
    };
    end.err().unwrap_or(End::Over)
}

impl<I: Inspect, W: AsyncWrite + Unpin> Common<'_, I, W> {
    /// Client to resolver, until the client has said all and got all.
    async fn questions<RR, RW: AsyncWrite + Unpin>(
        &self,
        from_client: impl AsyncRead + Unpin,
        connect: impl Future<Output = io::Result<(RR, RW)>>,
        opened: oneshot::Sender<RR>,
    ) -> Result<(), End> {
        let mut questions = messages(from_client);
        let mut to_resolver = None;
        let mut opening = Some((connect, opened));
        while let Some(question) = questions.next().await {
            let question = question.map_err(|_| End::ClientFailed)?;
            self.silence.broken();
            match self.inspect.question(&question) {
                Passage::Forward => {
                    if let Some((connect, opened)) = opening.take() {
                        to_resolver = Some(open(connect, opened).await.ok_or(End::ResolverFailed)?);
                    }
                    let to_resolver = to_resolver.as_mut().ok_or(End::ResolverFailed)?;
                    // Before it goes: its answer may be here before `send` is back.
                    self.outstanding.add();
                    send(to_resolver, &question).await.map_err(|_| End::ResolverFailed)?;
                }
                Passage::Reply(reply) => self.tell_client(&reply).await?,
                Passage::Discard => return Err(End::Refused),
            }
            self.outstanding.fewer_than(OUTSTANDING).await;
        }
        self.outstanding.fewer_than(1).await;
        Ok(())
    }

    /// Resolver to client, until the resolver has said all.
    async fn answers<RR: AsyncRead + Unpin>(&self, open: oneshot::Receiver<RR>) -> Result<(), End> {
        let Ok(from_resolver) = open.await else {
            // The other direction is over without a question that went on, and says how it ended.
            return std::future::pending().await;
        };
        let mut answers = messages(from_resolver);
        while let Some(answer) = answers.next().await {
            let answer = answer.map_err(|_| End::ResolverFailed)?;
            self.silence.broken();
            match self.inspect.answer(&answer) {
                Passage::Forward => self.tell_client(&answer).await?,
                Passage::Reply(reply) => self.tell_client(&reply).await?,
                Passage::Discard => return Err(End::Refused),
            }
            self.outstanding.answered();
        }
        Ok(())
    }

    async fn tell_client(&self, message: &[u8]) -> Result<(), End> {
        send(&mut *self.to_client.lock().await, message).await.map_err(|_| End::ClientFailed)
    }
}

/// Connects to the resolver: where to write, while `opened` gets where to read.
async fn open<RR, RW>(connect: impl Future<Output = io::Result<(RR, RW)>>, opened: oneshot::Sender<RR>) -> Option<RW> {
    let (from_resolver, to_resolver) = timeout(CONNECT, connect).await.ok()?.ok()?;
    opened.send(from_resolver).ok()?;
    Some(to_resolver)
}

#[cfg(test)]
mod tests;
