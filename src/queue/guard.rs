use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::decide::{QueryDecision, decide_query};
use crate::dns::{self, Belief, Found, Miss, Outcome, Pending, Record as Observed, Reply};
use crate::model::{DomainName, Mark, Moment, OtherNames, Reason, Transport, Verdict};
use crate::policy::{Asker, Mode};
use crate::record::{DnsOutcome, PathTaken, Record};

use super::shared::Shared;

/// Says what becomes of each DNS message, whatever carried it, and learns from an answer before that goes on.
///
/// Audit lets everything through; nothing is learned from what enforce would not.
pub struct DnsGuard {
    shared: Arc<Shared>,
}

/// Who talks to whom, and how.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// Who asks.
    pub client: SocketAddr,
    /// Who answers.
    pub resolver: SocketAddr,
    /// What carries the message.
    pub transport: Transport,
    /// Index of the interface that the message came in on; 0 if none.
    pub in_interface: u32,
    /// The user whose process asks, if one of this host does and the kernel says so.
    pub uid: Option<u32>,
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It goes on as it is.
    Forward,
    /// It does not, and the client gets this one.
    Reply(Vec<u8>),
    /// It does not.
    Discard,
}

/// What was found of a message.
struct Finding {
    outcome: DnsOutcome,
    /// If it is refused: why.
    refused: Option<Reason>,
    /// The name in question, if there is one.
    name: Option<DomainName>,
    /// The address that is not believed.
    private: Option<IpAddr>,
    /// What the client is told instead, if anything.
    reply: Option<Reply>,
}

impl DnsGuard {
    /// A guard that learns into `shared`.
    #[must_use]
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// What becomes of a client's question. One that goes on is `pending` then.
    pub fn question(&self, pending: &Mutex<Pending>, ends: &Ends, message: &[u8], now: Moment) -> Passage {
        let Ok(question) = dns::question(message) else { return self.unreadable(ends, now) };
        let published = self.shared.published.load();
        let name = question.host();
        let asker = Asker { client: ends.client.ip(), now };
        let finding = match decide_query(&published.policy, &question, name.as_ref(), asker) {
            QueryDecision::Ask => Finding::passed(DnsOutcome::Question),
            QueryDecision::AskWithinBudget => self.within_budget(ends.client.ip(), name, now),
            QueryDecision::Refuse => Finding::not_asked(name, Reply::QueryNotAllowed),
            QueryDecision::NoSuchName => Finding::not_asked(name, Reply::NoSuchName),
        };
        if finding.refused.is_none() || published.policy.spec().mode == Mode::Audit {
            pending.lock().unwrap_or_else(PoisonError::into_inner).insert(now, ends.client, ends.resolver, &question);
        }
        self.conclude(finding, ends, message, now)
    }

    /// What becomes of an answer for a client. It must answer something that is `pending`, which it then is no more.
    pub fn answer(&self, pending: &Mutex<Pending>, ends: &Ends, message: &[u8], now: Moment) -> Passage {
        let Ok(answer) = dns::answer(message) else { return self.unreadable(ends, now) };
        let asked = pending.lock().unwrap_or_else(PoisonError::into_inner).take(
            now,
            ends.client,
            ends.resolver,
            &answer.question,
        );
        let finding = match (asked, answer.outcome) {
            (Err(Miss::Unasked), _) => {
                Finding::dropped(DnsOutcome::Unasked, Reason::UnaskedAnswer, answer.question.host())
            }
            (Err(Miss::Late), _) => Finding::dropped(DnsOutcome::Late, Reason::UnaskedAnswer, answer.question.host()),
            (Ok(()), Outcome::Nothing(_)) => Finding::passed(DnsOutcome::TaughtNothing),
            (Ok(()), Outcome::Addresses { name, found }) => self.learn(ends.client, name, &found, now),
        };
        self.conclude(finding, ends, message, now)
    }

    /// What becomes of what is no DNS message.
    #[must_use]
    pub fn unreadable(&self, ends: &Ends, now: Moment) -> Passage {
        self.conclude(Finding::dropped(DnsOutcome::Malformed, Reason::Malformed, None), ends, &[], now)
    }

    /// Learns what an answer says. Of an allowed name with an address that is not believed nothing is learned but that.
    fn learn(&self, client: SocketAddr, name: DomainName, found: &[Found], now: Moment) -> Finding {
        let published = self.shared.published.load();
        let is_private = |addr: &IpAddr| self.shared.belief(*addr) == Belief::Private;
        let asker = Asker { client: client.ip(), now };
        let is_allowed = published.policy.allows_for(Some(asker), &name);
        let private = if is_allowed { found.iter().map(|found| found.addr).find(is_private) } else { None };
        let mentioned = published.policy.mentions(&name);
        let mut called_in = Vec::new();
        for &Found { addr, ttl } in found {
            let belief = self.shared.belief(addr);
            if private.is_some() && belief == Belief::Believed {
                continue;
            }
            let mut knowledge = self.shared.knowledge.about(addr);
            let (client, name) = (self.shared.client(client.ip()), name.clone());
            if mentioned {
                let observed = knowledge.learn(now, client, addr, name, ttl, belief);
                called_in.extend(knowledge.take_called_in());
                drop(knowledge);
                self.save(observed);
            } else {
                knowledge.note(now, client, addr, name, ttl, belief);
                called_in.extend(knowledge.take_called_in());
            }
        }
        // The answer goes on only when the kernel decides nothing any more by what was known before.
        self.shared.fast.withdraw(&called_in);
        if let Some(addr) = private {
            return Finding::private(name, addr);
        }
        self.shared.ask_ahead(&published.policy, asker, &name, found.iter().map(|found| found.addr));
        Finding::passed(DnsOutcome::Learned)
    }

    fn within_budget(&self, client: IpAddr, name: Option<DomainName>, now: Moment) -> Finding {
        let mut budgets = self.shared.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        match name {
            Some(name) if !budgets.spend(client, &name, now) => Finding {
                refused: Some(Reason::Overload),
                reply: Some(Reply::TooManyQueries),
                name: Some(name),
                ..Finding::passed(DnsOutcome::Refused)
            },
            _ => Finding::passed(DnsOutcome::Question),
        }
    }

    fn save(&self, observed: Observed) {
        if self.shared.journal.try_send(observed).is_err() {
            self.shared.counters.lost_journal.add(1);
        }
    }

    fn conclude(&self, finding: Finding, ends: &Ends, message: &[u8], now: Moment) -> Passage {
        self.shared.counters.dns(finding.outcome).add(1);
        let Some(reason) = finding.refused else { return Passage::Forward };
        let (reply, mode) = (finding.reply, self.shared.published.load().policy.spec().mode);
        self.report(mode.refusal(), reason, finding, ends, now);
        match mode {
            Mode::Audit => Passage::Forward,
            Mode::Enforce => reply.and_then(|reply| reply.to(message)).map_or(Passage::Discard, Passage::Reply),
        }
    }

    fn report(&self, verdict: Verdict, reason: Reason, finding: Finding, ends: &Ends, now: Moment) {
        self.shared.report(Record {
            at: now,
            verdict,
            reason,
            rule: None,
            domain: finding.name,
            also: OtherNames::new(),
            client: ends.client,
            dst: finding.private.map_or(ends.resolver, |addr| SocketAddr::new(addr, 0)),
            transport: ends.transport,
            mark: Mark(0),
            in_interface: ends.in_interface,
            uid: ends.uid,
            path: PathTaken::Queue,
            waited: Duration::ZERO,
        });
    }
}

impl Finding {
    fn passed(outcome: DnsOutcome) -> Self {
        Self { outcome, refused: None, name: None, private: None, reply: None }
    }

    fn dropped(outcome: DnsOutcome, reason: Reason, name: Option<DomainName>) -> Self {
        Self { refused: Some(reason), name, ..Self::passed(outcome) }
    }

    fn not_asked(name: Option<DomainName>, reply: Reply) -> Self {
        let refused = Some(Reason::QueryNotAllowed);
        Self { refused, name, reply: Some(reply), ..Self::passed(DnsOutcome::Refused) }
    }

    fn private(name: DomainName, addr: IpAddr) -> Self {
        Self {
            refused: Some(Reason::PrivateAddress),
            name: Some(name),
            private: Some(addr),
            reply: Some(Reply::PrivateAddress),
            ..Self::passed(DnsOutcome::Private)
        }
    }
}
