use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::KernelError;
use super::listing::Listing;
use super::names::{DNS_QUEUE_CHAIN, SYN_QUEUE_CHAIN, TABLE};
use super::queue_target;
use super::ruleset::{QueueStatement, Ruleset};

/// Lines of nft's complaint that are passed on.
const LINES_SHOWN: usize = 4;

/// A ruleset in force: applied, read back, and kept to compare with.
#[derive(Clone, Debug)]
pub struct Nft {
    ruleset: Ruleset,
    in_force: Listing,
}

/// What came of a change of the ruleset.
#[derive(Clone, Debug)]
pub struct Update {
    /// What is in force now.
    pub nft: Nft,
    /// Whether the table was replaced as a whole, and its counters with it.
    pub replaced: bool,
}

impl Nft {
    /// Which way of queueing this kernel has: the native statement, else the target.
    ///
    /// # Errors
    /// If it has neither, or nft cannot be run.
    pub fn probe() -> Result<QueueStatement, KernelError> {
        let native = "table inet decider_probe {\n\tchain c {\n\t\tqueue num 0\n\t}\n}\n";
        match run(&["--check", "--file", "-"], native)?.refusal() {
            None => Ok(QueueStatement::Native),
            Some(native) => match queue_target::probe() {
                Ok(()) => Ok(QueueStatement::Target),
                Err(error) => Err(KernelError::NoQueue { native, target: error.to_string() }),
            },
        }
    }

    /// Replaces the table in one transaction and reads it back.
    ///
    /// # Errors
    /// If nft refuses it (then nothing has changed), or what is read back is not what was applied.
    pub fn apply(ruleset: &Ruleset) -> Result<Self, KernelError> {
        if let Some(message) = run(&["--file", "-"], &ruleset.to_string())?.refusal() {
            return Err(KernelError::Nft { operation: "apply the ruleset", message });
        }
        if let Some(queues) = &ruleset.targets {
            // Until these are there, what should be queued is dropped.
            queue_target::add(queues)?;
        }
        Self::read_back(ruleset)
    }

    /// Makes another ruleset of the one in force, in one transaction that touches nothing that both have, and reads it
    /// back. The counters go on, and packets are queued without a pause. Where the table is not as it was applied, or
    /// cannot become what it should be, it is replaced as a whole.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn update(&self, ruleset: &Ruleset) -> Result<Update, KernelError> {
        let update = if self.difference()?.is_none() { ruleset.update(&self.ruleset) } else { None };
        let Some(text) = update else { return Ok(Update { nft: Self::apply(ruleset)?, replaced: true }) };
        if !text.is_empty()
            && let Some(message) = run(&["--file", "-"], &text)?.refusal()
        {
            return Err(KernelError::Nft { operation: "change the ruleset", message });
        }
        Ok(Update { nft: Self::read_back(ruleset)?, replaced: false })
    }

    fn read_back(ruleset: &Ruleset) -> Result<Self, KernelError> {
        let added: &[&str] = if ruleset.targets.is_some() { &[SYN_QUEUE_CHAIN, DNS_QUEUE_CHAIN] } else { &[] };
        let in_force = list(ruleset)?;
        in_force.matches(&ruleset.table, added).map_err(KernelError::Differs)?;
        Ok(Self { ruleset: ruleset.clone(), in_force })
    }

    /// How the kernel's table differs from what was applied, in a few words; none if it does not.
    ///
    /// # Errors
    /// If the table cannot be listed.
    pub fn difference(&self) -> Result<Option<String>, KernelError> {
        Ok(self.in_force.difference(&list(&self.ruleset)?))
    }

    /// What was applied.
    #[must_use]
    pub fn ruleset(&self) -> &Ruleset {
        &self.ruleset
    }
}

/// Whether decider's table is there.
///
/// # Errors
/// If nft cannot be run.
pub fn table_exists() -> Result<bool, KernelError> {
    let tables = run(&["list", "tables", "inet"], "")?.stdout;
    Ok(String::from_utf8_lossy(&tables).lines().any(|line| line == format!("table inet {TABLE}")))
}

/// Deletes decider's table; says whether there was one.
///
/// # Errors
/// If it is there and cannot be deleted.
pub fn delete_table() -> Result<bool, KernelError> {
    if !table_exists()? {
        return Ok(false);
    }
    match run(&["delete", "table", "inet", TABLE], "")?.refusal() {
        None => Ok(true),
        Some(message) => Err(KernelError::Nft { operation: "delete the table", message }),
    }
}

/// Packets that the ruleset refused by itself, by reason; since it was applied.
///
/// # Errors
/// If the counters cannot be listed.
pub fn refusal_counters() -> Result<BTreeMap<String, u64>, KernelError> {
    let output = run(&["--json", "list", "counters", "table", "inet", TABLE], "")?;
    if let Some(message) = output.refusal() {
        return Err(KernelError::Nft { operation: "list the counters", message });
    }
    let listing: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let items = listing.get("nftables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let counters = items.iter().filter_map(|item| item.get("counter"));
    Ok(counters
        .filter_map(|counter| {
            let name = counter.get("name")?.as_str()?;
            Some((name.to_owned(), counter.get("packets")?.as_u64()?))
        })
        .collect())
}

fn list(ruleset: &Ruleset) -> Result<Listing, KernelError> {
    let output = run(&["--json", "list", "table", "inet", TABLE], "")?;
    match output.refusal() {
        None => Listing::parse(&output.stdout, &ruleset.table).map_err(KernelError::Differs),
        Some(_) if !table_exists()? => Ok(Listing::empty()),
        Some(message) => Err(KernelError::Nft { operation: "list the table", message }),
    }
}

pub(super) trait Refusal {
    fn refusal(&self) -> Option<String>;
}

impl Refusal for Output {
    /// What nft complained of, if it did.
    fn refusal(&self) -> Option<String> {
        if self.status.success() {
            return None;
        }
        let complaint = String::from_utf8_lossy(&self.stderr);
        let lines: Vec<&str> = complaint.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Some(match lines.get(..LINES_SHOWN) {
            _ if lines.is_empty() => self.status.to_string(),
            Some(first) => first.join(" / "),
            None => lines.join(" / "),
        })
    }
}

pub(super) fn run<S: AsRef<OsStr>>(args: &[S], input: &str) -> Result<Output, KernelError> {
    let mut child = Command::new("nft")
        .args(args)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(KernelError::NoNft)?;
    // nft reads all of its input before it writes, so this cannot block both; if it ends early its output says why.
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait_with_output().map_err(KernelError::NoNft)
}
