//! What has to become of a SYN, told from who was told what and when, and from nothing of decider's code.
//!
//! An answer is learned at some moment between its question and its coming, and a SYN is decided between its sending and
//! what comes back. Where these moments decide the outcome, each outcome that fits them is right.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use decider::model::{Moment, Reason};

/// A name, by its number.
pub type Name = u16;

/// How long an observation that has expired is kept here: longer than anything is under way.
const KEPT: Duration = Duration::from_secs(20);
/// How long after a connection's end decider may hear of it.
const NEWS: Duration = Duration::from_secs(1);

/// Something that happened between two readings of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: Moment,
    pub last: Moment,
}

impl Span {
    fn after(self, time: Duration) -> Self {
        Self { first: self.first.after(time), last: self.last.after(time) }
    }
}

/// What a rule says of a name on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Allow,
    Deny,
}

/// `dns.min_ttl`, `dns.max_ttl` and `dns.grace`.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    pub min: Duration,
    pub max: Duration,
    pub grace: Duration,
}

/// All that clients were told, and the rules.
pub struct Truth {
    lifetimes: Lifetimes,
    /// By name and port.
    rules: HashMap<Name, HashMap<u16, Action>>,
    /// By client and address.
    own: HashMap<(IpAddr, IpAddr), Vec<Observed>>,
    /// By address, whoever asked.
    shared: HashMap<IpAddr, Vec<Observed>>,
    /// Connections by client and address, each with the name that let it through.
    flows: HashMap<(IpAddr, IpAddr), Vec<(Name, Span)>>,
}

#[derive(Clone, Copy)]
struct Observed {
    name: Name,
    learned: Span,
    expires: Span,
}

/// What may become of a SYN; mostly just one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// By the rule of one of these names.
    pub allowed: BTreeSet<Name>,
    /// For one of these reasons.
    pub refused: BTreeSet<Reason>,
}

impl Expected {
    /// Whether both are right.
    pub fn is_open(&self) -> bool {
        !self.allowed.is_empty() && !self.refused.is_empty()
    }
}

/// A name that may be known for an address.
struct Behind {
    name: Name,
    /// When it was asked for last.
    newest: Span,
    /// Whether it is known for certain.
    surely: bool,
}

impl Truth {
    pub fn new(lifetimes: Lifetimes, rules: HashMap<Name, HashMap<u16, Action>>) -> Self {
        Self { lifetimes, rules, own: HashMap::new(), shared: HashMap::new(), flows: HashMap::new() }
    }

    /// A client was told that a name is at an address.
    pub fn told(&mut self, client: IpAddr, addr: IpAddr, name: Name, ttl: Duration, learned: Span) {
        let Lifetimes { min, max, grace } = self.lifetimes;
        let observed = Observed { name, learned, expires: learned.after(ttl.clamp(min, max) + grace) };
        for list in [self.own.entry((client, addr)).or_default(), self.shared.entry(addr).or_default()] {
            list.retain(|old| old.expires.last.after(KEPT) > learned.first);
            list.push(observed);
        }
    }

    /// A client was connected to an address by the rule of that name. While it is, the name counts for this client.
    pub fn connected(&mut self, client: IpAddr, addr: IpAddr, name: Name, during: Span) {
        let flows = self.flows.entry((client, addr)).or_default();
        flows.retain(|(_, old)| old.last.after(KEPT) > during.first);
        flows.push((name, during));
    }

    /// What may become of a SYN of a client that is decided in that time.
    pub fn expected(&self, client: IpAddr, addr: IpAddr, port: u16, decided: Span) -> Expected {
        let mut own = behind(self.own.get(&(client, addr)), decided);
        self.add_connected(client, addr, decided, &mut own);
        let all = behind(self.shared.get(&addr), decided);
        let mut expected = Expected::default();
        if !own.is_empty() {
            self.judge(&own, true, port, &mut expected);
        }
        if !own.iter().any(|known| known.surely) {
            self.judge(&all, false, port, &mut expected);
        }
        expected
    }

    /// Names that a connection may keep alive for its client, also if somebody else had asked for them.
    fn add_connected(&self, client: IpAddr, addr: IpAddr, decided: Span, own: &mut Vec<Behind>) {
        for &(name, during) in self.flows.get(&(client, addr)).into_iter().flatten() {
            // Earlier ones only: none gives the reason for itself.
            let lives = during.first < decided.first && during.last.after(NEWS) >= decided.first;
            if lives && !own.iter().any(|known| known.name == name) {
                own.push(Behind { name, newest: Span { first: Moment::ZERO, last: during.first }, surely: false });
            }
        }
    }

    /// What may become of it if these names count, either the client's own or others'.
    fn judge(&self, names: &[Behind], is_own: bool, port: u16, expected: &mut Expected) {
        let having = |action| names.iter().filter(move |known| self.rule(known.name, port) == Some(action));
        let surely_allowed = having(Action::Allow).any(|known| known.surely);
        if is_own || !surely_allowed {
            let denied = having(Action::Deny).map(|known| known.surely).max();
            expected.refused.extend(denied.map(|_| Reason::DeniedByRule));
            if denied == Some(true) && (is_own || having(Action::Allow).next().is_none()) {
                return;
            }
        }
        let is_first =
            |name: &&Behind| !having(Action::Allow).any(|other| other.surely && other.newest.first > name.newest.last);
        expected.allowed.extend(having(Action::Allow).filter(is_first).map(|known| known.name));
        if !surely_allowed {
            self.judge_unmatched(names, is_own, port, expected);
        }
    }

    fn rule(&self, name: Name, port: u16) -> Option<Action> {
        self.rules.get(&name)?.get(&port).copied()
    }

    /// What is said if no rule for the port has any of these names.
    fn judge_unmatched(&self, names: &[Behind], is_own: bool, port: u16, expected: &mut Expected) {
        let without = || names.iter().filter(|known| self.rule(known.name, port).is_none());
        let mentioned = || without().filter(|known| self.rules.contains_key(&known.name));
        if mentioned().next().is_some() {
            expected.refused.insert(Reason::PortNotAllowed);
        }
        let is_unknown = |known: &Behind| !self.rules.contains_key(&known.name);
        if !mentioned().any(|known| known.surely) && without().any(is_unknown) {
            expected.refused.insert(Reason::NameNotAllowed);
        }
        if !is_own && !names.iter().any(|known| known.surely) {
            // Which of them depends on what is remembered of what has expired.
            expected.refused.extend([Reason::ObservationExpired, Reason::NoObservation]);
        }
    }
}

/// The names that may be known for an address while a SYN is decided.
fn behind(list: Option<&Vec<Observed>>, decided: Span) -> Vec<Behind> {
    let mut names: Vec<Behind> = Vec::new();
    let begun = list.into_iter().flatten().filter(|observed| observed.learned.first <= decided.last);
    for observed in begun.clone().filter(|observed| observed.expires.last >= decided.first) {
        if names.iter().any(|known| known.name == observed.name) {
            continue;
        }
        let same = begun.clone().filter(|other| other.name == observed.name);
        let is_learned = |other: &&Observed| other.learned.last <= decided.first;
        names.push(Behind {
            name: observed.name,
            newest: Span {
                first: same.clone().filter(is_learned).map(|other| other.learned.first).max().unwrap_or_default(),
                last: same.clone().map(|other| other.learned.last).max().unwrap_or_default(),
            },
            surely: same.clone().filter(is_learned).any(|other| other.expires.first > decided.last),
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIT: Name = 0;
    const LAB: Name = 1;
    const EVIL: Name = 2;
    const UNKNOWN: Name = 3;
    const ADDR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 0, 1));
    const CLIENTS: [IpAddr; 2] =
        [IpAddr::V4(std::net::Ipv4Addr::new(10, 77, 1, 2)), IpAddr::V4(std::net::Ipv4Addr::new(10, 77, 1, 3))];

    /// TTLs from 1 to 4 seconds, and one second of grace.
    fn truth() -> Truth {
        let seconds = Duration::from_secs;
        let lifetimes = Lifetimes { min: seconds(1), max: seconds(4), grace: seconds(1) };
        let rules = [(GIT, Action::Allow), (LAB, Action::Allow), (EVIL, Action::Deny)];
        Truth::new(lifetimes, rules.map(|(name, action)| (name, [(22, action)].into())).into())
    }

    /// Milliseconds after the first second.
    fn at(first: u64, last: u64) -> Span {
        let moment = |millis| Moment::from_nanos(1_000_000_000 + millis * 1_000_000);
        Span { first: moment(first), last: moment(last) }
    }

    /// One client or the other is told a name, each within a millisecond.
    fn told(things: &[(usize, Name, u64, u64)]) -> Truth {
        let mut truth = truth();
        for &(client, name, ttl, when) in things {
            truth.told(CLIENTS[client], ADDR, name, Duration::from_secs(ttl), at(when, when + 1));
        }
        truth
    }

    fn allowed(names: &[Name]) -> Expected {
        Expected { allowed: names.iter().copied().collect(), refused: BTreeSet::new() }
    }

    fn refused(reasons: &[Reason]) -> Expected {
        Expected { allowed: BTreeSet::new(), refused: reasons.iter().copied().collect() }
    }

    const GONE: [Reason; 2] = [Reason::ObservationExpired, Reason::NoObservation];

    #[test]
    fn a_name_counts_until_ttl_and_grace_are_over() {
        let truth = told(&[(0, GIT, 2, 0)]);
        let expected = |first, last| truth.expected(CLIENTS[0], ADDR, 22, at(first, last));
        assert_eq!(expected(10, 20), allowed(&[GIT]));
        assert_eq!(expected(2_980, 2_990), allowed(&[GIT]));
        assert_eq!(expected(3_010, 3_020), refused(&GONE));
        let both = expected(2_990, 3_005);
        assert!(both.is_open() && both.allowed == [GIT].into(), "{both:?}");
    }

    #[test]
    fn a_ttl_is_raised_and_cut() {
        let truth = told(&[(0, GIT, 0, 0), (1, LAB, 100, 0)]);
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(1_980, 1_990)), allowed(&[GIT]));
        // Then what the other was told counts, for as long as that lives.
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(2_010, 4_990)), allowed(&[LAB]));
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(5_010, 5_020)), refused(&GONE));
    }

    #[test]
    fn the_newest_of_ones_own_names_counts_whatever_others_ask() {
        let truth = told(&[(0, LAB, 4, 0), (0, GIT, 4, 10), (1, LAB, 4, 20)]);
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(30, 40)), allowed(&[GIT]));
        assert_eq!(truth.expected(CLIENTS[1], ADDR, 22, at(30, 40)), allowed(&[LAB]));
        let unknown = told(&[(0, UNKNOWN, 4, 0), (1, LAB, 4, 20)]);
        assert_eq!(unknown.expected(CLIENTS[0], ADDR, 22, at(30, 40)), refused(&[Reason::NameNotAllowed]));
    }

    #[test]
    fn names_asked_for_at_once_may_come_in_either_order() {
        let mut truth = truth();
        for (name, span) in [(GIT, at(0, 10)), (LAB, at(5, 8))] {
            truth.told(CLIENTS[0], ADDR, name, Duration::from_secs(4), span);
        }
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(20, 30)), allowed(&[GIT, LAB]));
    }

    #[test]
    fn asking_again_renews_and_takes_nothing_back() {
        let truth = told(&[(0, GIT, 4, 0), (0, LAB, 4, 10), (0, GIT, 1, 20)]);
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(4_900, 4_910)), allowed(&[GIT]));
    }

    #[test]
    fn a_denied_name_of_ones_own_beats_all_and_one_of_others_only_what_is_unknown() {
        let truth = told(&[(0, EVIL, 2, 0), (0, GIT, 4, 10)]);
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(20, 30)), refused(&[Reason::DeniedByRule]));
        assert_eq!(truth.expected(CLIENTS[1], ADDR, 22, at(20, 30)), allowed(&[GIT]));
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(3_100, 3_110)), allowed(&[GIT]));
        let denied = told(&[(0, EVIL, 2, 0), (0, UNKNOWN, 2, 0)]);
        assert_eq!(denied.expected(CLIENTS[1], ADDR, 22, at(20, 30)), refused(&[Reason::DeniedByRule]));
    }

    #[test]
    fn another_port_and_another_address_are_refused() {
        let truth = told(&[(0, GIT, 4, 0)]);
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 5432, at(20, 30)), refused(&[Reason::PortNotAllowed]));
        assert_eq!(truth.expected(CLIENTS[0], CLIENTS[1], 22, at(20, 30)), refused(&GONE));
    }

    #[test]
    fn a_connection_may_keep_its_name_alive_for_its_client() {
        let mut truth = told(&[(0, GIT, 1, 0)]);
        truth.connected(CLIENTS[1], ADDR, GIT, at(10, 3_000));
        let both = truth.expected(CLIENTS[1], ADDR, 22, at(3_010, 3_020));
        assert!(both.is_open() && both.allowed == [GIT].into(), "{both:?}");
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(3_010, 3_020)), refused(&GONE));
        assert_eq!(truth.expected(CLIENTS[1], ADDR, 22, at(4_010, 4_020)), refused(&GONE));
        truth.connected(CLIENTS[1], ADDR, GIT, at(6_000, 6_010));
        assert_eq!(truth.expected(CLIENTS[1], ADDR, 22, at(6_000, 6_010)), refused(&GONE), "by itself");
    }

    #[test]
    fn what_is_still_under_way_may_or_may_not_be_known() {
        let mut truth = truth();
        truth.told(CLIENTS[0], ADDR, GIT, Duration::from_secs(4), at(0, 10));
        let both = truth.expected(CLIENTS[0], ADDR, 22, at(5, 20));
        assert!(both.is_open(), "{both:?}");
        assert_eq!(truth.expected(CLIENTS[0], ADDR, 22, at(10, 20)), allowed(&[GIT]));
    }
}
