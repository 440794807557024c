use super::Finding;

/// The decider that runs here, as far as its control socket tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonFacts {
    /// One answers.
    Running(Answer),
    /// There is none.
    None {
        /// Whether an earlier one has left its table in the kernel.
        leftovers: bool,
    },
    /// There is one, which says this instead of an answer.
    Unwell(String),
    /// This user may not ask.
    NotAllowed,
}

/// What a running decider says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// What is missing: a word, and what to do.
    pub problems: Vec<(String, String)>,
    /// Its queues.
    pub queues: Vec<u16>,
}

impl DaemonFacts {
    /// The decider that runs, if one does.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Running(answer) => Some(answer),
            Self::None { .. } | Self::Unwell(_) | Self::NotAllowed => None,
        }
    }
}

pub fn examine(facts: &DaemonFacts, policy: &str) -> Vec<Finding> {
    const NAME: &str = "daemon";
    let start = format!("decider run {policy}");
    match facts {
        DaemonFacts::Running(answer) => {
            let Answer { pid, version, problems, .. } = answer;
            let degraded =
                problems.iter().map(|(word, help)| Finding::wrong(NAME, format!("{word}: {help}"), "decider status"));
            let runs = Finding::ok(NAME, format!("decider {version} runs (process {pid})"));
            std::iter::once(runs).chain(degraded).collect()
        }
        DaemonFacts::None { leftovers: false } => vec![Finding::warn(NAME, "no decider runs here", start)],
        DaemonFacts::None { leftovers: true } => vec![Finding::warn(
            NAME,
            "no decider runs here, and the door is closed by what an earlier one left",
            format!("{start}, or `decider down` to open the door"),
        )],
        DaemonFacts::Unwell(what) => vec![Finding::wrong(NAME, what.clone(), "decider status")],
        DaemonFacts::NotAllowed => {
            vec![Finding::warn(NAME, "only root may ask whether decider runs", "sudo decider doctor")]
        }
    }
}
