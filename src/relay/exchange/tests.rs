//! Connections in memory, with time that passes only when all wait.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf, duplex, split};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{End, Inspect, exchange};
use crate::queue::Passage;
use crate::relay::framing::send;
use crate::relay::limits::{CONNECT, FIRST_QUESTION, IDLE, OUTSTANDING, WRITE};

/// Refuses what begins with `-`, answers what begins with `!` by itself.
struct ByFirstLetter;

impl ByFirstLetter {
    fn passage(message: &[u8]) -> Passage {
        match message {
            [b'-', ..] => Passage::Discard,
            [b'!', rest @ ..] => Passage::Reply([b"!!", rest].concat()),
            _ => Passage::Forward,
        }
    }
}

impl Inspect for ByFirstLetter {
    fn question(&self, message: &[u8]) -> Passage {
        Self::passage(message)
    }

    fn answer(&self, message: &[u8]) -> Passage {
        Self::passage(message)
    }
}

/// One end of a connection, and its other end in two halves.
struct Wire {
    reader: ReadHalf<DuplexStream>,
    writer: WriteHalf<DuplexStream>,
}

/// What a wire holds that nobody has read yet.
const WIRE: usize = 4_096;

fn wire() -> (Wire, DuplexStream) {
    let (near, far) = duplex(WIRE);
    let (reader, writer) = split(near);
    (Wire { reader, writer }, far)
}

impl Wire {
    async fn says(&mut self, messages: &[&str]) {
        for message in messages {
            send(&mut self.writer, message.as_bytes()).await.unwrap();
        }
    }

    async fn hears(&mut self) -> String {
        String::from_utf8(self.hears_bytes().await).unwrap()
    }

    async fn hears_bytes(&mut self) -> Vec<u8> {
        let length = self.reader.read_u16().await.unwrap();
        let mut message = vec![0; length.into()];
        self.reader.read_exact(&mut message).await.unwrap();
        message
    }

    async fn hears_the_end(&mut self) {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest).await.unwrap();
        assert!(rest.is_empty(), "{rest:?}");
    }
}

/// A client and a resolver with the relay between them.
struct Scene {
    client: Wire,
    resolver: Wire,
    relay: JoinHandle<End>,
    began: Instant,
}

impl Scene {
    fn new() -> Self {
        let (resolver, far) = wire();
        let (client, relay) = Self::with(async { Ok(split(far)) });
        Self { client, resolver, relay, began: Instant::now() }
    }

    fn with(
        connect: impl Future<Output = io::Result<(ReadHalf<DuplexStream>, WriteHalf<DuplexStream>)>> + Send + 'static,
    ) -> (Wire, JoinHandle<End>) {
        let (client, near) = wire();
        (client, tokio::spawn(exchange(split(near), connect, &ByFirstLetter)))
    }

    async fn ends(self, end: End) -> Duration {
        let Self { relay, began, .. } = self;
        assert_eq!(relay.await.unwrap(), end);
        began.elapsed()
    }
}

#[tokio::test(start_paused = true)]
async fn messages_arrive_whole_however_their_bytes_come() {
    let mut scene = Scene::new();
    let bytes: Vec<u8> = ["one", "", "three"].iter().flat_map(|text| framed(text.as_bytes())).collect();
    for cuts in [1, 2, 3, bytes.len()] {
        for part in bytes.chunks(cuts) {
            scene.client.writer.write_all(part).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for expected in ["one", "", "three"] {
            assert_eq!(scene.resolver.hears().await, expected, "{cuts} bytes at a time");
            for part in framed(expected.as_bytes()).chunks(cuts) {
                scene.resolver.writer.write_all(part).await.unwrap();
            }
            assert_eq!(scene.client.hears().await, expected, "{cuts} bytes at a time");
        }
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

#[tokio::test(start_paused = true)]
async fn the_largest_message_arrives_whole_both_ways() {
    let scene = Scene::new();
    let largest = vec![b'x'; usize::from(u16::MAX)];
    let (mut client, mut resolver) = (scene.client, scene.resolver);
    let ask = async {
        send(&mut client.writer, &largest).await.unwrap();
        client.hears_bytes().await
    };
    let answer = async {
        let question = resolver.hears_bytes().await;
        send(&mut resolver.writer, &question).await.unwrap();
    };
    let (answer, ()) = tokio::join!(ask, answer);
    assert!(answer == largest);
}

#[tokio::test(start_paused = true)]
async fn answers_come_in_the_order_of_the_resolver() {
    let mut scene = Scene::new();
    scene.client.says(&["a", "b", "c"]).await;
    for question in ["a", "b", "c"] {
        assert_eq!(scene.resolver.hears().await, question);
    }
    scene.resolver.says(&["C", "A", "B"]).await;
    for answer in ["C", "A", "B"] {
        assert_eq!(scene.client.hears().await, answer);
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_said_all_still_gets_the_outstanding_answers() {
    let mut scene = Scene::new();
    scene.client.says(&["a", "b"]).await;
    scene.client.writer.shutdown().await.unwrap();
    for question in ["a", "b"] {
        assert_eq!(scene.resolver.hears().await, question);
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    for answer in ["A", "B"] {
        scene.resolver.says(&[answer]).await;
        assert_eq!(scene.client.hears().await, answer);
    }
    scene.client.hears_the_end().await;
    scene.ends(End::Over).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_question_has_to_come_soon_and_bytes_are_no_question() {
    let mut scene = Scene::new();
    for byte in [0, 200, b'x', b'x'] {
        scene.client.writer.write_all(&[byte]).await.unwrap();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert_eq!(scene.ends(End::Over).await, FIRST_QUESTION);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection_and_every_message_breaks_it() {
    let mut scene = Scene::new();
    for _ in 0..5 {
        scene.client.says(&["a"]).await;
        assert_eq!(scene.resolver.hears().await, "a");
        tokio::time::sleep(Duration::from_secs(20)).await;
        scene.resolver.says(&["A"]).await;
        assert_eq!(scene.client.hears().await, "A");
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    assert_eq!(scene.ends(End::Over).await, Duration::from_secs(180) + IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_never_answers_holds_nobody_for_ever() {
    let mut scene = Scene::new();
    scene.client.says(&["a"]).await;
    scene.client.writer.shutdown().await.unwrap();
    assert_eq!(scene.ends(End::Over).await, IDLE);
}

#[tokio::test(start_paused = true)]
async fn so_many_questions_wait_and_no_more() {
    let mut scene = Scene::new();
    for number in 0..=OUTSTANDING {
        scene.client.says(&[&number.to_string()]).await;
    }
    for number in 0..OUTSTANDING {
        assert_eq!(scene.resolver.hears().await, number.to_string());
    }
    let too_many = tokio::time::timeout(Duration::from_secs(5), scene.resolver.hears()).await;
    assert!(too_many.is_err(), "{too_many:?}");
    scene.resolver.says(&["A"]).await;
    assert_eq!(scene.client.hears().await, "A");
    assert_eq!(scene.resolver.hears().await, OUTSTANDING.to_string());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_holds_up_no_question_and_is_given_up() {
    let mut scene = Scene::new();
    scene.client.says(&["a"]).await;
    scene.resolver.hears().await;
    let much = "x".repeat(2 * WIRE);
    let answers = tokio::spawn(async move {
        scene.resolver.says(&[&much]).await;
        scene.resolver
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    scene.client.says(&["b"]).await;
    let mut resolver = answers.await.unwrap();
    assert_eq!(resolver.hears().await, "b");
    assert_eq!(scene.relay.await.unwrap(), End::ClientFailed);
    assert_eq!(scene.began.elapsed(), WRITE);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_does_not_read_holds_up_no_answer_and_is_given_up() {
    let scene = Scene::new();
    let (mut client, mut resolver) = (scene.client, scene.resolver);
    client.says(&["a"]).await;
    resolver.hears().await;
    let questions = tokio::spawn(async move {
        let much = "x".repeat(2 * WIRE);
        client.says(&[&much]).await;
        client
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    resolver.says(&["A"]).await;
    let mut client = questions.await.unwrap();
    assert_eq!(client.hears().await, "A");
    assert_eq!(scene.relay.await.unwrap(), End::ResolverFailed);
    assert_eq!(scene.began.elapsed(), WRITE);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_cannot_be_reached_is_the_end() {
    let began = Instant::now();
    let (mut client, relay) = Scene::with(async { Err(io::ErrorKind::ConnectionRefused.into()) });
    client.says(&["a"]).await;
    assert_eq!(relay.await.unwrap(), End::ResolverFailed);
    assert_eq!(began.elapsed(), Duration::ZERO);
    let (mut client, relay) = Scene::with(std::future::pending());
    client.says(&["a"]).await;
    assert_eq!(relay.await.unwrap(), End::ResolverFailed);
    assert_eq!(began.elapsed(), CONNECT);
}

#[tokio::test(start_paused = true)]
async fn what_decider_answers_by_itself_needs_no_resolver() {
    let unreachable = async { Err(io::ErrorKind::ConnectionRefused.into()) };
    let (mut client, relay) = Scene::with(unreachable);
    client.says(&["!a", "!b"]).await;
    client.writer.shutdown().await.unwrap();
    assert_eq!(client.hears().await, "!!a");
    assert_eq!(client.hears().await, "!!b");
    assert_eq!(relay.await.unwrap(), End::Over);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_replaced_is_an_answer() {
    let mut scene = Scene::new();
    scene.client.says(&["a"]).await;
    scene.client.writer.shutdown().await.unwrap();
    scene.resolver.hears().await;
    scene.resolver.says(&["!A"]).await;
    assert_eq!(scene.client.hears().await, "!!A");
    scene.ends(End::Over).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_ends_the_connection_and_is_passed_on_to_nobody() {
    let mut scene = Scene::new();
    scene.client.says(&["a", "-b", "c"]).await;
    assert_eq!(scene.resolver.hears().await, "a");
    scene.resolver.hears_the_end().await;
    scene.ends(End::Refused).await;

    let mut scene = Scene::new();
    scene.client.says(&["a"]).await;
    scene.resolver.says(&["A", "-B", "C"]).await;
    assert_eq!(scene.client.hears().await, "A");
    scene.client.hears_the_end().await;
    scene.ends(End::Refused).await;
}

#[tokio::test(start_paused = true)]
async fn a_resolver_may_end_between_two_answers_but_not_within_one() {
    let mut scene = Scene::new();
    scene.client.says(&["a", "b"]).await;
    scene.resolver.hears().await;
    scene.resolver.says(&["A"]).await;
    scene.resolver.writer.shutdown().await.unwrap();
    assert_eq!(scene.client.hears().await, "A");
    scene.client.hears_the_end().await;
    scene.ends(End::Over).await;

    let mut scene = Scene::new();
    scene.client.says(&["a"]).await;
    scene.resolver.hears().await;
    scene.resolver.writer.write_all(&[0, 9, b'A']).await.unwrap();
    scene.resolver.writer.shutdown().await.unwrap();
    scene.client.hears_the_end().await;
    scene.ends(End::ResolverFailed).await;

    let mut scene = Scene::new();
    scene.client.says(&["a"]).await;
    scene.resolver.hears().await;
    scene.resolver.writer.write_all(&[0, 9]).await.unwrap();
    scene.resolver.writer.shutdown().await.unwrap();
    scene.ends(End::ResolverFailed).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ends_within_a_question_has_broken_off() {
    for part in [&[0][..], &[0, 9], &[0, 9, b'a']] {
        let mut scene = Scene::new();
        scene.client.writer.write_all(part).await.unwrap();
        scene.client.writer.shutdown().await.unwrap();
        scene.ends(End::ClientFailed).await;
    }
}
