use std::net::UdpSocket;
use std::ops::Range;
use std::time::Duration;

use crate::names;
use crate::world::{Client, Family, Message, Question, RESOLVER};

/// How often a question is sent before that counts as a failure: the machine is busy at times.
const TRIES: usize = 20;

/// The client asks for these of the destinations, one after the other, over the family that it is going to connect over: to
/// decider, its address in the other one is another client's.
pub fn for_destinations(client: &Client, indices: Range<usize>, family: Family) {
    let names = indices.map(|index| (names::name(index), names::address(index, family)));
    client.namespace.enter(|| {
        let socket = UdpSocket::bind((client.address(family), 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        for (number, (name, address)) in names.enumerate() {
            let answer = ask(&socket, number, &name, family);
            assert_eq!(answer.addresses, [address], "{name}");
        }
    });
}

fn ask(socket: &UdpSocket, number: usize, name: &str, family: Family) -> Message {
    let id = u16::try_from(number % 65_536).unwrap();
    let question = Message::query(id, Question::new(name, family)).encode();
    let mut buffer = [0; 1024];
    for _ in 0..TRIES {
        socket.send_to(&question, (RESOLVER.of(family), 53)).unwrap();
        while let Ok(length) = socket.recv(&mut buffer) {
            // One that is late belongs to a question before.
            if let Some(answer) = Message::decode(&buffer[..length]).filter(|answer| answer.id == id) {
                return answer;
            }
        }
    }
    panic!("no answer about {name}");
}
