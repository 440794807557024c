use std::time::Duration;

/// Who is silent for this long does not come back by itself, ...
const HUNG: Duration = Duration::from_secs(30);
/// ... unless it has since come to memory of its own that the system had taken: then the machine is short of it, and whether it
/// has come to more is looked at so often, ...
const AGAIN: Duration = Duration::from_secs(10);
/// ... but not for longer than this.
const LONGEST: Duration = Duration::from_secs(300);

/// Whether an Envoy that says nothing may still come back by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// When it is looked at again, since it was heard last; none while it is heard.
    next: Option<Duration>,
    /// Its major page faults when it was looked at last.
    faults: u64,
}

impl Silence {
    /// It did not answer; it was heard last so long ago, and has had so many major page faults in its life (proc(5), `majflt`).
    /// Says whether it is to be given up.
    pub fn goes_on(&mut self, lasts: Duration, faults: impl FnOnce() -> Option<u64>) -> bool {
        let Some(next) = self.next else {
            *self = Self { next: Some(HUNG), faults: faults().unwrap_or(u64::MAX) };
            return false;
        };
        if lasts < next {
            return false;
        }
        let faults = faults().unwrap_or_default();
        if faults <= self.faults || lasts >= LONGEST {
            return true;
        }
        *self = Self { next: Some(lasts.saturating_add(AGAIN)), faults };
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many seconds it is given up that has so many faults after so many seconds.
    fn given_up(faults: impl Fn(u64) -> Option<u64>) -> u64 {
        let mut silence = Silence::default();
        (0..1_000).find(|&second| silence.goes_on(Duration::from_secs(second), || faults(second))).unwrap()
    }

    #[test]
    fn who_does_nothing_is_given_up() {
        assert_eq!(given_up(|_| Some(70)), 30);
        assert_eq!(given_up(|_| None), 30);
    }

    #[test]
    fn who_waits_for_memory_is_waited_for_as_long_as_it_gets_some() {
        assert_eq!(given_up(|second| Some(second.min(45))), 60);
        assert_eq!(given_up(|second| Some(70 + second / 8)), 300);
    }
}
