use super::Finding;

/// What this process may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Its user.
    pub uid: u32,
    /// Capabilities that decider needs and this process has not.
    pub missing: Vec<&'static str>,
}

pub fn examine(rights: &Rights) -> Finding {
    const NAME: &str = "rights";
    let missing = rights.missing.join(", ");
    match (rights.missing.is_empty(), rights.uid) {
        (true, _) => Finding::ok(NAME, "all that decider needs"),
        (false, 0) => Finding::wrong(
            NAME,
            format!("root is without {missing} here, which decider needs"),
            format!("start the container or service with {missing}"),
        ),
        (false, uid) => Finding::warn(
            NAME,
            format!("user {uid} is without {missing}: not everything can be looked at, and decider itself needs it"),
            "sudo decider doctor",
        ),
    }
}
