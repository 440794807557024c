use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::control::{CallError, Client, EventLine, Request, Status};
use crate::filter::{Fields, Filter, since};
use crate::learn::{Seen, Settings};
use crate::policy::{self, Mode, Policy, Queries};
use crate::record::Event;
use crate::replay::{Clients, Player, Resolvers};

use crate::cli::args::{Learn, Place};
use crate::cli::events::wanted::now;
use crate::cli::failure::Failure;
use crate::cli::{event_file, output, replay, style};

use super::base::{Base, compile};

/// Which events are learned from.
pub struct Wanted {
    filter: Filter,
    since: Option<Timestamp>,
}

impl Wanted {
    pub fn read(args: &Learn) -> Result<Self, Failure> {
        let filter = Filter::parse(&args.filter.join(" ")).map_err(|error| Failure::usage(error.to_string()))?;
        let moment = args.since.as_deref().map(|text| since(text, &now())).transpose();
        Ok(Self { filter, since: moment.map_err(|error| Failure::usage(format!("--since: {error}")))? })
    }

    fn fits(&self, event: &Event) -> bool {
        self.since.is_none_or(|since| event.ts >= since) && self.filter.matches(&Fields::from(event))
    }
}

/// What was seen, and by whose answers, as far as that is known.
pub struct Source {
    pub seen: Seen,
    pub resolvers: Vec<IpAddr>,
}

/// The last decisions of the running decider.
pub fn daemon(place: &Place, wanted: &Wanted) -> Result<Source, Failure> {
    let mut taken = Taken::new(Seen::new(), wanted);
    let client = Client::connect(&place.socket)?;
    client.events(&Request::Events { last: usize::MAX, follow: false }, |line| {
        taken.line(line);
        Ok::<_, CallError>(())
    })?;
    Ok(taken.end())
}

/// The policy file that the running decider has.
pub fn policy_of_daemon(place: &Place) -> Option<PathBuf> {
    let status: Status = Client::connect(&place.socket).ok()?.call(&Request::Status {}).ok()?;
    Some(PathBuf::from(status.policy)).filter(|file| file.is_absolute())
}

/// What `events --json` has written.
pub fn file(file: &Path, wanted: &Wanted) -> Result<Source, Failure> {
    let mut taken = Taken::new(Seen::new(), wanted);
    event_file::each(file, |line| taken.line(line)).map_err(|error| error.failure(file))?;
    Ok(taken.end())
}

/// Captured traffic, played to a policy that refuses nothing and keeps nothing back.
pub fn capture(file: &Path, args: &Learn, base: Option<&Base>, wanted: &Wanted) -> Result<Source, Failure> {
    let resolvers = match base {
        Some(base) => base.policy.spec().dns.resolvers.clone(),
        None if args.resolver.is_empty() => answering(file)?,
        None => args.resolver.clone(),
    };
    let believes_private = base.is_some_and(|base| base.policy.spec().dns.allow_private);
    let mut player = Player::new(looking_on(base, &resolvers)?, Clients::new(args.client.clone(), vec![]));
    let seen = if believes_private { Seen::new() } else { Seen::with_private_apart() };
    let mut taken = Taken::new(seen, wanted);
    replay::play(file, &mut player, |event| {
        taken.event(event);
        Ok(())
    })?;
    replay::notes(player.totals()).iter().for_each(output::note);
    Ok(Source { resolvers, ..taken.end() })
}

/// Who answers in a capture.
fn answering(file: &Path) -> Result<Vec<IpAddr>, Failure> {
    let mut resolvers = Resolvers::default();
    // Where it cannot be read on, playing it says so.
    let _ = replay::open(file)?.each(|captured| resolvers.look_at(&captured));
    Ok(resolvers.found())
}

/// The policy that there is, or one without rules, that only looks on.
fn looking_on(base: Option<&Base>, resolvers: &[IpAddr]) -> Result<Policy, Failure> {
    let mut spec = if let Some(base) = base {
        base.policy.spec().clone()
    } else {
        let text = Settings::new(&Seen::new(), resolvers).yaml();
        policy::load(&text).map_err(|_| Failure::usage("--resolver: this is no address of a resolver"))?.spec
    };
    spec.mode = Mode::Audit;
    spec.dns.queries = Queries::Any;
    spec.dns.allow_private = true;
    compile(spec)
}

/// Takes what fits.
struct Taken<'w> {
    seen: Seen,
    wanted: &'w Wanted,
    missed: u64,
}

impl<'w> Taken<'w> {
    fn new(seen: Seen, wanted: &'w Wanted) -> Self {
        Self { seen, wanted, missed: 0 }
    }

    fn line(&mut self, line: EventLine) {
        match line {
            EventLine::Event(event) => self.event(&event),
            EventLine::Gap(missed) => self.missed = self.missed.saturating_add(missed),
        }
    }

    fn event(&mut self, event: &Event) {
        if self.wanted.fits(event) {
            self.seen.look_at(event);
        }
    }

    fn end(self) -> Source {
        if self.missed > 0 {
            let warn = style::WARN;
            output::note(format_args!("{warn}note{warn:#}: {} decisions are missing among these", self.missed));
        }
        Source { seen: self.seen, resolvers: vec![] }
    }
}
