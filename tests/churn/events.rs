use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use decider::record::Event;

use crate::world::Gateway;

/// `decider events -f --json`, read as it comes: nothing is kept that nobody takes.
pub struct EventStream {
    child: Child,
    events: Receiver<Event>,
}

impl EventStream {
    /// From the last 10,000 events on.
    pub fn follow(gateway: &Gateway) -> Self {
        let mut command = gateway.command(&["events", "-f", "--json", "-n", "10000"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = gateway.namespace.enter(|| command.spawn().unwrap());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self { child, events }
    }

    /// The next event, if one comes within that time.
    pub fn next(&self, patience: Duration) -> Option<Event> {
        self.events.recv_timeout(patience).ok()
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        // It ends by itself with decider.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
