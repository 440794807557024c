mod base;
mod report;
mod source;

use std::process::ExitCode;

use similar::TextDiff;

use crate::learn::{self, Proposal, Settings};
use crate::policy::{self, Difference};

use super::args::{Learn, Place};
use super::failure::Failure;
use super::{output, style};

use base::Base;
use report::Report;
use source::{Source, Wanted};

pub fn run(args: &Learn, place: &Place) -> Result<ExitCode, Failure> {
    let wanted = Wanted::read(args)?;
    let mut base = match (&args.merge, &args.policy) {
        (Some(file), _) => Some(Base::read(file, true)?),
        (None, Some(file)) => Some(Base::read(file, false)?),
        (None, None) => None,
    };
    let Source { seen, resolvers } = match (&args.from, &args.pcap) {
        (Some(file), _) => source::file(file, &wanted)?,
        (None, Some(file)) => source::capture(file, args, base.as_ref(), &wanted)?,
        (None, None) => {
            let source = source::daemon(place, &wanted)?;
            base = base.or_else(|| of_daemon(place));
            source
        }
    };
    let base = match base {
        Some(base) => base,
        None => Base::made(Settings::new(&seen, &resolvers).yaml())?,
    };
    let proposal = Proposal::of(&seen, Some(&base.known()), args.wildcards);
    let print = if base.keeps_rules { merge } else { propose };
    print(args, &base, &proposal)?;
    if proposal.is_empty() {
        return Err(Failure::no(nothing(&proposal)).with_help(NOTHING_HELP));
    }
    Ok(ExitCode::SUCCESS)
}

/// The settings of the running decider, if they can be read here.
fn of_daemon(place: &Place) -> Option<Base> {
    let file = source::policy_of_daemon(place)?;
    let base = Base::read(&file, false);
    if base.is_err() {
        let warn = style::WARN;
        let file = file.display();
        output::note(format_args!("{warn}note{warn:#}: {file} cannot be used: all but the rules is made up"));
    }
    base.ok()
}

fn propose(args: &Learn, base: &Base, proposal: &Proposal) -> Result<(), Failure> {
    let head = policy::without_rules(&base.text);
    let text = head.and_then(|head| learn::write(&head, proposal)).ok_or_else(|| does_not_fit("it is no policy"))?;
    policy::load(&text).map_err(|problems| does_not_fit(first(&problems)))?;
    if args.output.json {
        return Ok(output::json(&Report::policy(proposal, &text))?);
    }
    output::bytes(text.as_bytes())?;
    report::note_left_out(proposal, false);
    Ok(())
}

fn merge(args: &Learn, base: &Base, proposal: &Proposal) -> Result<(), Failure> {
    let new =
        policy::with_rules(&base.text, &learn::entries(proposal)).ok_or_else(|| does_not_fit("it is no policy"))?;
    let loaded = policy::load(&new).map_err(|problems| does_not_fit(first(&problems)))?;
    let difference = Difference::between(base.policy.spec(), &loaded.spec);
    let Difference { added, removed, changed, settings } = &difference;
    if added.len() != proposal.rules.len() || !(removed.is_empty() && changed.is_empty() && settings.is_empty()) {
        return Err(does_not_fit("it would not stay as it is"));
    }
    let name = base.file.display().to_string().replace(char::is_control, "?");
    let diff = TextDiff::from_lines(base.text.as_str(), new.as_str());
    let diff = diff.unified_diff().header(&name, &name).to_string();
    if args.output.json {
        return Ok(output::json(&Report::diff(proposal, &diff))?);
    }
    report::print_diff(&diff)?;
    report::note_left_out(proposal, true);
    if proposal.rules.is_empty() && proposal.known > 0 {
        let good = style::GOOD;
        output::note(format_args!(
            "{good}nothing is missing{good:#}: {name} allows all that was seen and could be allowed"
        ));
    }
    Ok(())
}

fn first(problems: &[policy::Diagnostic]) -> &str {
    problems.iter().find(|problem| problem.severity == policy::Severity::Error).map_or("", |problem| &problem.message)
}

fn does_not_fit(why: &str) -> Failure {
    Failure::no(format!("what was seen does not fit into the policy: {why}"))
        .with_help("choose by a FILTER, as in client:10.77.1.2, or raise --wildcards")
}

fn nothing(proposal: &Proposal) -> String {
    match proposal.decisions {
        0 => "nothing was seen".to_owned(),
        _ => "nothing was seen that a rule could be about: no connection over TCP whose name is known".to_owned(),
    }
}

const NOTHING_HELP: &str = "run a session while decider is in audit mode, with names looked up at one of dns.resolvers";
