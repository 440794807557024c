use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::daemon::offline;
use crate::model::Who;
use crate::record::{Event, Record};
use crate::replay::{Capture, CaptureError, Clients, Player, Totals};

use super::args::Replay;
use super::check::load;
use super::events::rows;
use super::failure::Failure;
use super::{output, style};

pub fn run(args: &Replay) -> Result<ExitCode, Failure> {
    let policy = offline::compile_anew(load(&args.policy)?).map_err(|error| Failure::from_start(&error))?;
    let mut player = Player::new(policy, Clients::new(args.client.clone(), args.here.clone()));
    let mut printer = Printer::new(args.output.json);
    printer.begin()?;
    play(&args.capture, &mut player, |event| printer.event(event))?;
    printer.end(player.totals())?;
    Ok(if player.totals().refused + player.totals().audited == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Plays a capture and gives each decision to `take`.
pub fn play(
    capture: &Path,
    player: &mut Player,
    mut take: impl FnMut(&Event) -> io::Result<()>,
) -> Result<(), Failure> {
    let path = capture;
    let mut capture = open(path)?;
    let mut written = Ok(());
    let read = capture.each(|captured| {
        player.play(&captured, |record| {
            if written.is_ok() {
                written = take(&event(record));
            }
        });
    });
    written?;
    match read {
        Ok(()) => Ok(()),
        // As whoever stops a capture leaves it: all of it but the last packet is there.
        Err(CaptureError::CutOff) => {
            player.is_cut_off();
            Ok(())
        }
        Err(error) => {
            Err(unreadable(path, &error).with_help("what came before is above, and nothing is known of the rest"))
        }
    }
}

/// Opens a capture.
pub fn open(path: &Path) -> Result<Capture<'static>, Failure> {
    let file = File::open(path).map_err(|error| Failure::file("read the capture", path, &error))?;
    Capture::open(file).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &CaptureError) -> Failure {
    let message = format!("{} cannot be read: {error}", path.display());
    match error {
        CaptureError::NotACapture => Failure::usage(message),
        CaptureError::CutOff | CaptureError::Damaged(_) | CaptureError::System(_) => Failure::system(message),
    }
}

/// A decision with the capture's time.
fn event(record: Record) -> Event {
    let ts = Timestamp::from_nanosecond(record.at.nanos().into()).unwrap_or_default();
    Event::from_record(record, ts, None, Who::default())
}

/// Prints decisions as they come. Nobody who reads any more (`| head`) is no failure, and all is decided nevertheless.
struct Printer {
    out: BufWriter<anstream::Stdout>,
    json: bool,
}

/// The last line of `--json`.
#[derive(Serialize)]
struct Last<'a> {
    summary: &'a Totals,
}

impl Printer {
    fn new(json: bool) -> Self {
        Self { out: BufWriter::new(anstream::stdout()), json }
    }

    fn begin(&mut self) -> io::Result<()> {
        let faint = style::FAINT;
        if self.json { Ok(()) } else { self.line(&format!("{faint}{}{faint:#}", rows::header())) }
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        let line = if self.json { serde_json::to_string(event)? } else { rows::row(event) };
        self.line(&line)
    }

    fn end(&mut self, totals: &Totals) -> io::Result<()> {
        if self.json {
            self.line(&serde_json::to_string(&Last { summary: totals })?)?;
        } else {
            self.line("")?;
            for line in summary(totals) {
                self.line(&line)?;
            }
        }
        forgive(self.out.flush())
    }

    fn line(&mut self, line: &str) -> io::Result<()> {
        forgive(writeln!(self.out, "{line}"))
    }
}

fn forgive(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

/// What was found, a line each; what there is none of is left out.
fn summary(totals: &Totals) -> Vec<String> {
    let style = if totals.refused + totals.audited == 0 { style::GOOD } else { style::BAD };
    let count = |number: u64, thing: &str| output::count(usize::try_from(number).unwrap_or(usize::MAX), thing);
    let reasons: Vec<String> = totals.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let mut lines = vec![format!(
        "{style}{} allowed, {} refused, {} audited{style:#} in {} of {} seconds",
        totals.allowed,
        totals.refused,
        totals.audited,
        count(totals.packets, "packet"),
        totals.seconds
    )];
    if !reasons.is_empty() {
        lines.push(format!("reasons: {}", reasons.join(", ")));
    }
    lines.extend(notes(totals));
    lines
}

/// What is not whole about a capture, or was not looked at: a line each.
pub fn notes(totals: &Totals) -> Vec<String> {
    let count = |number: u64, thing: &str| output::count(usize::try_from(number).unwrap_or(usize::MAX), thing);
    let mut lines = vec![];
    let warn = style::WARN;
    let mut note = |number: u64, words: String| {
        if number > 0 {
            lines.push(format!("{warn}note{warn:#}: {words}"));
        }
    };
    let others: Vec<String> = totals.others.iter().map(ToString::to_string).collect();
    let (before, of_others) = (totals.begun_before, totals.of_others);
    note(before, format!("{} began before the capture and {} not decided", count(before, "connection"), was(before)));
    let from = others.join(", ");
    note(
        of_others,
        format!("{} of others than clients, such as {from}: name clients by --client", count(of_others, "flow")),
    );
    note(totals.fragments, format!("{} not put together", count(totals.fragments, "fragment")));
    note(
        totals.incomplete,
        format!(
            "{} not captured as a whole: nothing was learned of it",
            count(totals.incomplete, "DNS message or stream")
        ),
    );
    note(totals.unreadable, format!("{} damaged", count(totals.unreadable, "packet")));
    for (link, frames) in &totals.unknown_links {
        note(*frames, format!("{} of link type {link}, which decider cannot read", count(*frames, "frame")));
    }
    note(totals.cut_off.into(), "the capture ends within a packet".to_owned());
    lines
}

fn was(number: u64) -> &'static str {
    if number == 1 { "was" } else { "were" }
}
