use std::net::SocketAddr;

use super::Finding;

/// Envoy, as far as it can be seen without starting it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvoyFacts {
    /// The program, if decider is to start it: where it is, or why it cannot be used and what to do.
    pub program: Option<Result<String, (String, Option<String>)>>,
    /// Ports of listeners that somebody has already, and who, if it is known. Empty while a decider runs.
    pub taken: Vec<(SocketAddr, Option<(u32, String)>)>,
    /// Listeners that are up and those that are needed, if a decider runs.
    pub listeners: Option<(usize, usize)>,
}

pub fn examine(facts: &EnvoyFacts) -> Vec<Finding> {
    vec![program(facts), listeners(facts)]
}

fn program(facts: &EnvoyFacts) -> Finding {
    const NAME: &str = "envoy.program";
    match &facts.program {
        None => Finding::ok(NAME, "Envoy is not decider's to start (envoy.manage: false)"),
        Some(Ok(found)) => Finding::ok(NAME, found.clone()),
        Some(Err((why, help))) => {
            let help = help.clone().unwrap_or_else(|| "let `envoy.binary` name the Envoy program itself".to_owned());
            Finding::wrong(NAME, why.clone(), help)
        }
    }
}

fn listeners(facts: &EnvoyFacts) -> Finding {
    const NAME: &str = "envoy.listeners";
    match (facts.listeners, facts.taken.first()) {
        (Some((ready, all)), _) if ready == all => Finding::ok(NAME, format!("all {all} listeners are up")),
        (Some((ready, all)), _) => Finding::wrong(NAME, format!("{ready} of {all} listeners are up"), "decider status"),
        (None, None) => Finding::ok(NAME, "the ports of the listeners are free"),
        (None, Some((address, by))) => {
            let who = by.as_ref().map_or("another program".to_owned(), |(pid, name)| format!("{name} (process {pid})"));
            let mend = by.as_ref().map_or(String::new(), |(pid, _)| format!("kill {pid}, or "));
            Finding::wrong(
                NAME,
                format!("{who} listens on {address}, which a listener needs"),
                format!("{mend}move all listeners with envoy.first_port in the policy"),
            )
        }
    }
}
