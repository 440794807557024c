use std::time::Duration;

use crate::model::{DomainName, Moment, RuleId, Verdict};

use super::Event;

/// Refusals that are logged in a second. A flood fills the counters and the ring, not the disk.
const MOST_A_SECOND: u64 = 500;
/// What that is counted over.
const SECOND: Duration = Duration::from_secs(1);

/// Decisions as lines of the log, at a bounded rate.
#[derive(Debug, Default)]
pub struct DecisionLog {
    began: Moment,
    written: u64,
    left_out: u64,
}

impl DecisionLog {
    /// Logs a decision, unless there were too many of late.
    pub fn take(&mut self, event: &Event, now: Moment) {
        if let Some(left_out) = self.begin_second(now) {
            tracing::warn!(left_out, "decisions were not logged, since there were more than {MOST_A_SECOND} a second");
        }
        if self.has_room() {
            write(event);
        }
    }

    /// Begins to count anew if a second is over; says how many decisions it left out, if any.
    fn begin_second(&mut self, now: Moment) -> Option<u64> {
        if now.since(self.began) < SECOND {
            return None;
        }
        let left_out = self.left_out;
        *self = Self { began: now, written: 0, left_out: 0 };
        (left_out > 0).then_some(left_out)
    }

    fn has_room(&mut self) -> bool {
        let room = self.written < MOST_A_SECOND;
        if room {
            self.written += 1;
        } else {
            self.left_out += 1;
        }
        room
    }
}

/// The other names, if there are any: the log has no lists.
fn also(event: &Event) -> Option<String> {
    let names: Vec<&str> = event.also.iter().map(DomainName::as_str).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

fn write(event: &Event) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "decider::decision",
                ts = %event.ts,
                verdict = event.verdict.as_str(),
                reason = event.reason.as_str(),
                rule = event.rule.as_ref().map(RuleId::as_str),
                domain = event.domain.as_ref().map(DomainName::as_str),
                client = %event.client,
                client_port = event.client_port,
                dst = %event.dst,
                dst_port = event.dst_port,
                proto = event.proto,
                mark = event.mark,
                iface = event.iface,
                path = event.path.as_str(),
                waited_us = event.waited_us,
                uid = event.who.uid,
                pid = event.who.pid,
                exe = event.who.exe,
                cgroup = event.who.cgroup,
                also = also(event),
                hint = event.hint,
                repeated = event.repeated,
            )
        };
    }
    match event.verdict {
        Verdict::Allow => line!(debug),
        Verdict::Deny | Verdict::Audit => line!(info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_left_out_and_told_once_the_second_is_over() {
        let mut log = DecisionLog::default();
        let at = |seconds| Moment::from_secs(seconds);
        assert_eq!(log.begin_second(at(5)), None);
        assert_eq!((0..700).filter(|_| log.has_room()).count(), 500);
        assert_eq!(log.begin_second(at(5)), None);
        assert_eq!(log.begin_second(at(6)), Some(200));
        assert!(log.has_room());
        assert_eq!(log.begin_second(at(7)), None);
    }
}
