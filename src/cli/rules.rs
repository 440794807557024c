use std::process::ExitCode;

use crate::control::{Client, Request, RuleView};

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
        let ports: Vec<String> = rule.ports.iter().map(u16::to_string).collect();
        shown.add_row([
            rule.id.to_string(),
            rule.action.clone(),
            rule.domain.to_string(),
            ports.join(","),
            rule.proto.to_string(),
            rule.upstream.map_or("-".into(), |upstream| upstream.to_string()),
            rule.mark.clone().unwrap_or_else(|| "-".into()),
            rule.listener_port.map_or("-".into(), |port| port.to_string()),
            state(rule).to_owned(),
        ]);
    }
    table::print(&shown)?;
    Ok(ExitCode::SUCCESS)
}

fn state(rule: &RuleView) -> &'static str {
    match rule.ready {
        Some(true) => "ready",
        Some(false) => "not ready",
        None => "-",
    }
}
