use std::process::ExitCode;
use std::time::Duration;

use crate::control::{Client, Request, RuleView};
use crate::policy::{written_client, written_duration, written_ports};

use super::args::{Json, Place};
use super::failure::Failure;
use super::{output, table};

pub fn run(output: Json, place: &Place) -> Result<ExitCode, Failure> {
    let rules: Vec<RuleView> = Client::connect(&place.socket)?.call(&Request::Rules {})?;
    if output.json {
        output::json(&rules)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown =
        table::table(&["rule", "action", "domain", "ports", "proto", "upstream", "mark", "listener", "state"]);
    for rule in &rules {
        shown.add_row([
            rule.id.to_string(),
            rule.action.clone(),
            rule.domain.to_string(),
            written_ports(&rule.ports),
            rule.proto.to_string(),
            rule.upstream.map_or("-".into(), |upstream| upstream.to_string()),
            rule.mark.clone().unwrap_or_else(|| "-".into()),
            rule.listener_port.map_or("-".into(), |port| port.to_string()),
            state(rule),
        ]);
    }
    table::print(&shown)?;
    Ok(ExitCode::SUCCESS)
}

fn state(rule: &RuleView) -> String {
    let ready = match rule.ready {
        Some(true) => "ready",
        Some(false) => "not ready",
        None => "-",
    };
    let clients: Vec<String> = rule.clients.iter().map(written_client).collect();
    let clients = if clients.is_empty() { String::new() } else { format!(", for {} only", clients.join(", ")) };
    let expires = rule.expires.map_or(String::new(), |expires| format!(", until {expires}"));
    let Some(temporary) = &rule.temporary else { return format!("{ready}{clients}{expires}") };
    let left = written_duration(Duration::from_secs(temporary.left_s));
    let client = temporary.client.map_or(String::new(), |client| format!(", for {client} only"));
    format!("{ready}, temporary, {left} left{client}")
}
