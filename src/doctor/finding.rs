use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It may get in the way, or could not be looked at.
    Warn,
    /// decider cannot do its work like this, or not all of it.
    Wrong,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check: a stable word, topic first.
    pub name: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What there is, in a sentence.
    pub what: String,
    /// The command that mends it, or else what to do.
    pub fix: Option<String>,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Wrong => "wrong",
        }
    }
}

impl Finding {
    /// All is well.
    pub fn ok(name: &'static str, what: impl Into<String>) -> Self {
        Self { name, level: Level::Ok, what: what.into(), fix: None }
    }

    /// It may get in the way.
    pub fn warn(name: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, level: Level::Warn, what: what.into(), fix: Some(fix.into()) }
    }

    /// It is in the way.
    pub fn wrong(name: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name, level: Level::Wrong, what: what.into(), fix: Some(fix.into()) }
    }

    /// It could not be looked at.
    #[must_use]
    pub fn unseen(name: &'static str, thing: &str, unseen: &Unseen) -> Self {
        let what = format!("{thing} could not be looked at: {}", unseen.0);
        Self { name, level: Level::Warn, what, fix: None }
    }
}

/// Why something could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen(pub String);

/// What was looked at, or why it could not be.
pub type Seen<T> = Result<T, Unseen>;
