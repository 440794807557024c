//! One round: questions and SYNs under way together, until each has its answer; then each is compared with the truth.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use decider::clock;
use decider::model::{Moment, Verdict};
use decider::record::Event;
use rand::RngExt;
use rand::rngs::StdRng;

use crate::assignment::Assignment;
use crate::crowd::{CLIENTS, Crowd};
use crate::events::EventStream;
use crate::figures::Figures;
use crate::judged::Outcome;
use crate::town::{BUSY_NAMES, BUSY_POOL, DATABASE, NAMES, POOL, SSH, domain, home, name_of_rule, pool, stranger};
use crate::truth::{Name, Span, Truth};
use crate::world::{Family, Heard, OpenFlow, Segment};

/// Questions of a round.
const QUESTIONS: usize = 100;
/// SYNs of a round that follow no answer of it.
const OTHERS: usize = 150;
/// How much is under way at a time: no more than the queues' sockets have room for.
const UNDER_WAY: usize = 100;
/// Names that move in a round.
const MOVES: usize = 20;
/// Of a hundred answers, how many are followed by a SYN at once.
const FOLLOWED: u32 = 90;
/// Of a hundred connections, how many are followed through Envoy.
const VISITS: u32 = 2;
/// How often half a second may pass without any packet before what has no answer is given up.
const SILENCES: u32 = 20;
/// How long an event may take.
const EVENT: Duration = Duration::from_secs(10);

/// All that takes part, from round to round.
pub struct Churn {
    pub crowd: Crowd,
    pub assignment: Arc<Assignment>,
    pub truth: Truth,
    pub events: EventStream,
    pub figures: Figures,
    pub rng: StdRng,
}

/// Client, its family and the message's id.
type AskedKey = (usize, Family, u16);
/// Client and destination.
type FlowKey = (SocketAddr, SocketAddr);

struct Asked {
    name: Name,
    family: Family,
    at: Moment,
}

struct Flow {
    at: Moment,
    seen: Option<(Moment, u8)>,
    event: Option<Event>,
    visit: Option<TcpStream>,
}

#[derive(Default)]
struct Round {
    asked: HashMap<AskedKey, Asked>,
    flows: HashMap<FlowKey, Flow>,
    unseen: usize,
}

impl Churn {
    pub fn round(&mut self) {
        for _ in 0..MOVES {
            let name = self.rng.random_range(0..NAMES);
            self.assignment.move_house(name, &mut self.rng);
        }
        let mut round = Round::default();
        let (mut questions, mut others, mut silences) = (QUESTIONS, OTHERS, 0);
        while questions + others + round.under_way() > 0 && silences < SILENCES {
            while questions + others > 0 && round.under_way() < UNDER_WAY {
                if self.rng.random_range(0..questions + others) < questions {
                    questions -= 1;
                    self.ask(&mut round);
                } else {
                    others -= 1;
                    self.connect_somewhere(&mut round);
                }
            }
            match self.crowd.sniffer.next().map(Heard::read) {
                Some(Some(heard)) => self.hear(heard, &mut round),
                Some(None) => {}
                None => {
                    silences += 1;
                    self.send_again(&round);
                }
            }
        }
        self.take_events(&mut round);
        self.note_connections(&round);
        for (ends, flow) in round.flows {
            self.judge(ends, flow);
        }
    }

    fn ask(&mut self, round: &mut Round) {
        let number = self.rng.random_range(0..CLIENTS);
        let name = if self.rng.random() {
            self.rng.random_range(0..BUSY_NAMES)
        } else {
            self.rng.random_range(BUSY_NAMES..NAMES)
        };
        let [over, family] = [0, 1].map(|_| Family::BOTH[self.rng.random_range(0..2)]);
        let at = clock::now();
        let id = self.crowd.members[number].ask(over, &domain(name), family);
        round.asked.insert((number, over, id), Asked { name, family, at });
    }

    /// To what it was told some time ago, to what somebody else was told perhaps, or to what nobody ever was.
    fn connect_somewhere(&mut self, round: &mut Round) {
        let number = self.rng.random_range(0..CLIENTS);
        let family = Family::BOTH[self.rng.random_range(0..2)];
        let remembered = &self.crowd.members[number].remembered;
        let address = match self.rng.random_range(0..100) {
            0..70 if !remembered.is_empty() => remembered[self.rng.random_range(0..remembered.len())].1,
            70..85 => pool(family, self.rng.random_range(0..BUSY_POOL)),
            85..95 => pool(family, self.rng.random_range(BUSY_POOL..POOL)),
            _ => stranger(family, self.rng.random_range(0..POOL)),
        };
        self.connect(number, address, round);
    }

    fn connect(&mut self, number: usize, address: IpAddr, round: &mut Round) {
        let port = if self.rng.random_ratio(1, 5) { DATABASE } else { SSH };
        let is_visit = self.rng.random_ratio(VISITS, 100);
        let member = &mut self.crowd.members[number];
        let from = SocketAddr::new(member.address(Family::of(address)), member.port());
        let to = SocketAddr::new(address, port);
        let at = clock::now();
        let visit = is_visit.then(|| self.crowd.visit(from, to));
        if !is_visit {
            self.crowd.send(&Segment::syn(from, to));
        }
        round.flows.insert((from, to), Flow { at, seen: None, event: None, visit });
        round.unseen += 1;
    }

    fn hear(&mut self, heard: Heard, round: &mut Round) {
        let now = clock::now();
        match heard {
            Heard::Answer { to, message } => {
                let Some(number) = self.crowd.number_of(to.ip()) else { return };
                let asked = round.asked.remove(&(number, Family::of(to.ip()), message.id));
                let Some(Asked { name, family, at }) = asked else { return };
                let (addresses, ttl) = self.assignment.of(name, family);
                assert_eq!(message.addresses, addresses, "the answer was changed on its way");
                for &address in &addresses {
                    self.truth.told(to.ip(), address, name, ttl, Span { first: at, last: now });
                }
                self.figures.answers += 1;
                self.crowd.members[number].remember(&addresses, now);
                if self.rng.random_ratio(FOLLOWED, 100) {
                    let address = addresses[self.rng.random_range(0..addresses.len())];
                    self.connect(number, address, round);
                }
            }
            Heard::Segment { from, to, flags } => {
                if let Some(flow) = round.flows.get_mut(&(to, from)).filter(|flow| flow.seen.is_none()) {
                    flow.seen = Some((now, flags));
                    round.unseen -= 1;
                }
            }
        }
    }

    /// What a busy machine has lost.
    fn send_again(&mut self, round: &Round) {
        for (&(number, over, id), asked) in &round.asked {
            self.figures.asked_again += 1;
            self.crowd.members[number].ask_again(over, id, &domain(asked.name), asked.family);
        }
        for (&(from, to), flow) in round.flows.iter().filter(|(_, flow)| flow.seen.is_none()) {
            self.figures.sent_again += 1;
            // The kernel does it by itself for a socket.
            if flow.visit.is_none() {
                self.crowd.send(&Segment::syn(from, to));
            }
        }
    }

    fn take_events(&mut self, round: &mut Round) {
        let mut missing = round.flows.len();
        while missing > 0 {
            let Some(event) = self.events.next(EVENT) else { return };
            let ends = (SocketAddr::new(event.client, event.client_port), SocketAddr::new(event.dst, event.dst_port));
            match round.flows.get_mut(&ends) {
                Some(flow) if flow.event.is_none() && event.repeated.is_none() => {
                    flow.event = Some(event);
                    missing -= 1;
                }
                _ => self.figures.strange_events += 1,
            }
        }
    }

    /// Each may live until now: one that is not followed through Envoy is reset as soon as it is answered, but decider has
    /// to hear of that first.
    fn note_connections(&mut self, round: &Round) {
        let last = clock::now();
        for (&(from, to), flow) in &round.flows {
            let allowed = flow.event.as_ref().filter(|event| event.verdict == Verdict::Allow);
            let rule = allowed.and_then(|event| event.rule.as_ref());
            if let Some(name) = rule.and_then(|rule| name_of_rule(rule.as_str())) {
                self.truth.connected(from.ip(), to.ip(), name, Span { first: flow.at, last });
            }
        }
    }

    fn judge(&mut self, (from, to): FlowKey, flow: Flow) {
        let decided = Span { first: flow.at, last: flow.seen.map_or_else(clock::now, |(seen, _)| seen) };
        let expected = self.truth.expected(from.ip(), to.ip(), to.port(), decided);
        let told = flow.event.map(|event| (event.verdict, event.reason, event.rule.map(|rule| rule.to_string())));
        let is_let = matches!(told, Some((Verdict::Allow, ..)));
        let visit = flow.visit.filter(|_| is_let);
        let outcome = Outcome { flags: flow.seen.map(|(_, flags)| flags), told, reached: visit.map(reached) };
        self.figures.add(&outcome, &expected, || format!("{from} to {to}"));
    }
}

impl Round {
    fn under_way(&self) -> usize {
        self.asked.len() + self.unseen
    }
}

/// Whose server is at the other end.
fn reached(stream: TcpStream) -> Result<Name, String> {
    stream.set_nonblocking(false).unwrap();
    let server = OpenFlow::new(stream).server;
    let is_home = |name: &Name| Family::BOTH.iter().any(|&family| home(family, *name) == server);
    (0..NAMES).find(is_home).ok_or_else(|| server.to_string())
}
