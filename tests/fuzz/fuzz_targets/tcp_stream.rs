//! What a client sends to the relay for DNS over TCP, in pieces of any size: what reaches the resolver, and how it ends, is
//! what a slow and simple reader says, whatever the pieces are.

#![no_main]

use std::io;
use std::sync::Mutex;

use decider::dns::{self, Pending, PendingLimits};
use decider::model::Moment;
use decider::queue::Passage;
use decider::relay::{End, Inspect, exchange};
use libfuzzer_sys::fuzz_target;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, duplex, split};

/// What fits between two of the three at a time.
const WIRE: usize = 4_096;

/// Refuses what the guard cannot read. Answers are only looked at: what comes back must not decide what goes on.
struct Readable(Mutex<Pending>);

impl Inspect for Readable {
    fn question(&self, message: &[u8]) -> Passage {
        let Ok(question) = dns::question(message) else { return Passage::Discard };
        let (client, resolver) = ends();
        self.0.lock().unwrap().insert(Moment::ZERO, client, resolver, &question);
        Passage::Forward
    }

    fn answer(&self, message: &[u8]) -> Passage {
        if let Ok(answer) = dns::answer(message) {
            let (client, resolver) = ends();
            let asked = self.0.lock().unwrap().take(Moment::ZERO, client, resolver, &answer.question);
            assert_eq!(asked, Ok(()), "it answers a question that went on");
        }
        Passage::Forward
    }
}

fn ends() -> (std::net::SocketAddr, std::net::SocketAddr) {
    (([192, 0, 2, 7], 40_000).into(), ([192, 0, 2, 53], 53).into())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&count, rest)) = bytes.split_first() else { return };
    let Some((sizes, stream)) = rest.split_at_checked(count.into()) else { return };
    let (messages, left) = simple(stream);
    let readable: Vec<&[u8]> = messages.iter().copied().take_while(|message| dns::question(message).is_ok()).collect();
    let end = match (readable.len() < messages.len(), left.is_empty()) {
        (true, _) => End::Refused,
        (false, true) => End::Over,
        (false, false) => End::ClientFailed,
    };
    let answers = if end == End::Over { Some(readable.len()) } else { None };

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let carried = runtime.block_on(carry(stream, sizes));
    assert_eq!(carried.end, end);
    assert_eq!(carried.heard, readable);
    if let Some(answers) = answers {
        assert_eq!(carried.answers, answers);
    }
});

/// The whole messages, and what is left.
fn simple(mut stream: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut messages = Vec::new();
    while let [high, low, rest @ ..] = stream {
        let Some((message, behind)) = rest.split_at_checked(u16::from_be_bytes([*high, *low]).into()) else { break };
        messages.push(message);
        stream = behind;
    }
    (messages, stream)
}

struct Carried {
    end: End,
    heard: Vec<Vec<u8>>,
    answers: usize,
}

async fn carry(stream: &[u8], sizes: &[u8]) -> Carried {
    let (client, near) = duplex(WIRE);
    let (far, resolver) = duplex(WIRE);
    let (client_reader, client_writer) = split(client);
    let inspect = Readable(Mutex::new(Pending::new(PendingLimits { capacity: 128, per_client: 128, ..PendingLimits::default() })));
    let relay = exchange(split(near), async { Ok::<_, io::Error>(split(far)) }, &inspect);
    let (end, heard, answers, ()) =
        tokio::join!(relay, answer_all(split(resolver)), count(client_reader), say(client_writer, stream, sizes));
    Carried { end, heard, answers }
}

/// The client says everything in pieces of these sizes, again and again.
async fn say<W: AsyncWriteExt + Unpin>(mut writer: W, mut stream: &[u8], sizes: &[u8]) {
    let mut sizes = sizes.iter().cycle();
    while !stream.is_empty() {
        let size = sizes.next().map_or(stream.len(), |&size| usize::from(size).clamp(1, stream.len()));
        let (piece, rest) = stream.split_at(size);
        if writer.write_all(piece).await.is_err() {
            return;
        }
        stream = rest;
        tokio::task::yield_now().await;
    }
    let _ = writer.shutdown().await;
}

/// Answers each question by itself, with the response bit, as long as anybody listens; gives the questions.
async fn answer_all<S>((mut reader, mut writer): (ReadHalf<S>, WriteHalf<S>)) -> Vec<Vec<u8>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite,
{
    let mut heard = Vec::new();
    while let Ok(length) = reader.read_u16().await {
        let mut message = vec![0; length.into()];
        reader.read_exact(&mut message).await.expect("whole messages only");
        heard.push(message.clone());
        if let Some(flags) = message.get_mut(2) {
            *flags |= 0x80;
        }
        let framed = [&length.to_be_bytes(), &*message].concat();
        let _ = writer.write_all(&framed).await;
    }
    heard
}

async fn count<R: AsyncReadExt + Unpin>(mut reader: R) -> usize {
    let mut answers = 0;
    while let Ok(length) = reader.read_u16().await {
        let mut message = vec![0; length.into()];
        if reader.read_exact(&mut message).await.is_err() {
            break;
        }
        answers += 1;
    }
    answers
}
