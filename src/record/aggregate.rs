use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

use crate::model::{DomainName, Moment, Reason, RuleId, Verdict};

use super::Event;

/// Equal decisions within one window that are shown one by one before the rest becomes one event.
const SHOWN_EACH: u64 = 20;
/// How long equal decisions are put together.
const WINDOW: Duration = Duration::from_secs(1);
/// Kinds of decisions that are watched at a time.
const KINDS: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Turns a burst of equal decisions into one event that says how many it stands for.
pub struct Aggregator {
    kinds: LruCache<Kind, Burst>,
    held_back: usize,
    ticked: Moment,
}

/// What makes two decisions equal: everything but the client's port and process, the time and the wait.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    verdict: Verdict,
    reason: Reason,
    rule: Option<RuleId>,
    domain: Option<DomainName>,
    client: IpAddr,
    dst: IpAddr,
    dst_port: u16,
    proto: String,
    uid: Option<u32>,
    exe: Option<String>,
    cgroup: Option<String>,
}

struct Burst {
    began: Moment,
    shown: u64,
    held_back: Option<(Event, u64)>,
}

impl Aggregator {
    /// Nothing watched yet.
    #[must_use]
    pub fn new() -> Self {
        Self { kinds: LruCache::new(KINDS), held_back: 0, ticked: Moment::ZERO }
    }

    /// Takes an event and emits what is to be shown now.
    pub fn take(&mut self, event: Event, now: Moment, mut emit: impl FnMut(Event)) {
        // While events come all the time, nobody has time for a tick.
        if self.holds_back() && now.since(self.ticked) >= WINDOW {
            self.tick(now, &mut emit);
        }
        let kind = Kind::of(&event);
        if let Some(burst) = self.kinds.get_mut(&kind) {
            if now.since(burst.began) >= WINDOW {
                self.held_back -= burst.release(&mut emit);
                (burst.began, burst.shown) = (now, 0);
            }
            if burst.shown >= SHOWN_EACH {
                self.held_back += burst.hold_back(event);
                return;
            }
            burst.shown += 1;
        } else if let Some((_, mut displaced)) = self.kinds.push(kind, Burst { began: now, shown: 1, held_back: None })
        {
            self.held_back -= displaced.release(&mut emit);
        }
        emit(event);
    }

    /// Emits what has been held back for a whole window; call it about once a second.
    pub fn tick(&mut self, now: Moment, mut emit: impl FnMut(Event)) {
        self.ticked = now;
        for (_, burst) in &mut self.kinds {
            if now.since(burst.began) >= WINDOW {
                self.held_back -= burst.release(&mut emit);
            }
        }
    }

    /// Whether anything waits for a tick.
    #[must_use]
    pub fn holds_back(&self) -> bool {
        self.held_back > 0
    }
}

impl Burst {
    /// How many events more are held back: 1 or 0.
    fn hold_back(&mut self, event: Event) -> usize {
        let weight = event.weight();
        let first = self.held_back.is_none();
        let pid = event.who.pid;
        let (held, count) = self.held_back.get_or_insert((event, 0));
        // One event for several processes is of none of them.
        held.who.pid = held.who.pid.filter(|held| Some(*held) == pid);
        *count = count.saturating_add(weight);
        usize::from(first)
    }

    /// How many events less are held back: 1 or 0.
    fn release(&mut self, emit: &mut impl FnMut(Event)) -> usize {
        let Some((mut event, count)) = self.held_back.take() else {
            return 0;
        };
        event.repeated = (count > 1).then_some(count);
        emit(event);
        1
    }
}

impl Kind {
    fn of(event: &Event) -> Self {
        Self {
            verdict: event.verdict,
            reason: event.reason,
            rule: event.rule.clone(),
            domain: event.domain.clone(),
            client: event.client,
            dst: event.dst,
            dst_port: event.dst_port,
            proto: event.proto.clone(),
            uid: event.who.uid,
            exe: event.who.exe.clone(),
            cgroup: event.who.cgroup.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Who;
    use crate::record::PathTaken;

    fn event(dst_port: u16) -> Event {
        Event {
            ts: jiff::Timestamp::UNIX_EPOCH,
            verdict: Verdict::Deny,
            reason: Reason::NoObservation,
            rule: None,
            domain: None,
            client: [10, 0, 0, 1].into(),
            client_port: 1,
            dst: [192, 0, 2, 1].into(),
            dst_port,
            proto: "tcp".into(),
            mark: "0x0".into(),
            iface: None,
            path: PathTaken::Queue,
            waited_us: 0,
            who: Who::default(),
            also: vec![],
            hint: None,
            repeated: None,
        }
    }

    #[test]
    fn a_burst_adds_up_and_other_events_pass() {
        let mut aggregator = Aggregator::new();
        let mut shown = Vec::new();
        for _ in 0..1000 {
            aggregator.take(event(22), Moment::from_secs(5), |event| shown.push(event));
        }
        aggregator.take(event(23), Moment::from_secs(5), |event| shown.push(event));
        assert_eq!(shown.len(), 21);
        assert!(aggregator.holds_back());
        aggregator.tick(Moment::from_secs(6), |event| shown.push(event));
        assert!(!aggregator.holds_back());
        assert_eq!(shown.iter().map(Event::weight).sum::<u64>(), 1001);
        assert_eq!(shown.last().unwrap().repeated, Some(980));
    }

    #[test]
    fn a_burst_is_told_even_if_other_events_never_pause() {
        let mut aggregator = Aggregator::new();
        let mut told = Vec::new();
        for _ in 0..100 {
            aggregator.take(event(22), Moment::from_secs(5), |_| {});
        }
        for second in 6..9 {
            aggregator.take(event(80), Moment::from_secs(second), |event| told.push(event.weight()));
        }
        assert_eq!(told.iter().sum::<u64>(), 80 + 3, "{told:?}");
        assert!(!aggregator.holds_back());
    }

    #[test]
    fn a_displaced_burst_is_not_lost() {
        let mut aggregator = Aggregator::new();
        let mut weight = 0;
        for _ in 0..30 {
            aggregator.take(event(1), Moment::ZERO, |event| weight += event.weight());
        }
        for port in 2..=5000 {
            aggregator.take(event(port), Moment::ZERO, |event| weight += event.weight());
        }
        assert_eq!(weight, 30 + 4999);
    }

    #[test]
    fn what_stands_for_several_processes_names_none_and_programs_stay_apart() {
        let mut aggregator = Aggregator::new();
        let mut shown = Vec::new();
        for pid in 0..100 {
            for (uid, exe) in [(1, "/a"), (2, "/b")] {
                let who = Who {
                    uid: Some(uid),
                    pid: Some(if uid == 1 { pid } else { 7 }),
                    exe: Some(exe.into()),
                    cgroup: None,
                };
                aggregator.take(Event { who, ..event(22) }, Moment::from_secs(5), |_| {});
            }
        }
        aggregator.tick(Moment::from_secs(6), |event| shown.push((event.who.uid, event.who.pid, event.repeated)));
        shown.sort_unstable();
        assert_eq!(shown, [(Some(1), None, Some(80)), (Some(2), Some(7), Some(80))]);
    }
}
