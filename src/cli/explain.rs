use std::io::Write;
use std::process::ExitCode;

use crate::control::{Client, Request};
use crate::daemon::offline;
use crate::decide::{Connected, Explanation};
use crate::model::{Reason, Upstream, Verdict};

use super::args::{Explain, Place};
use super::check::load;
use super::failure::Failure;
use super::{output, style, who};

pub fn run(args: &Explain, place: &Place) -> Result<ExitCode, Failure> {
    let explanation = match &args.file {
        None => {
            let request = Request::Explain { client: args.client, dst: args.dst, port: args.port };
            Client::connect(&place.socket)?.call(&request)?
        }
        Some(file) => {
            let spec = load(file)?;
            offline::explain(spec, &place.state_dir, args.client, args.dst, args.port)
                .map_err(|error| Failure::from_start(&error))?
        }
    };
    if args.output.json {
        output::json(&explanation)?;
    } else {
        output::write(|out| print(out, args, &explanation))?;
    }
    Ok(match explanation.verdict {
        Verdict::Allow => ExitCode::SUCCESS,
        Verdict::Deny | Verdict::Audit => ExitCode::from(1),
    })
}

fn print(out: &mut impl Write, args: &Explain, explanation: &Explanation) -> std::io::Result<()> {
    let verdict = style::of_verdict(explanation.verdict);
    let dst = std::net::SocketAddr::new(args.dst, args.port);
    writeln!(
        out,
        "{verdict}{}{verdict:#} {} -> {dst}: {} ({})",
        explanation.verdict, args.client, explanation.meaning, explanation.reason
    )?;
    for (number, step) in explanation.steps.iter().enumerate() {
        writeln!(out, "  {}. {:<12} {}", number + 1, step.what, step.found)?;
    }
    if let (Some(mark), Some(port)) = (&explanation.mark, explanation.listener_port) {
        let to = if explanation.reason == Reason::AllowedResolver {
            format!("decider's relay on port {port}")
        } else {
            format!("Envoy's listener on port {port}, {}", upstream(explanation, dst))
        };
        writeln!(out, "  => mark {mark}, to {to}")?;
    }
    if !explanation.names.is_empty() {
        writeln!(out, "  known about {}:", args.dst)?;
    }
    for name in &explanation.names {
        let held = if name.flows > 0 { format!(", connections: {}", name.flows) } else { String::new() };
        writeln!(
            out,
            "    {:<32} {:<8} asked by {}, {} s ago, {} s left{held}",
            name.name, name.state, name.asked_by, name.age_s, name.left_s
        )?;
    }
    for Connected { client_port, who } in &explanation.connected {
        let who = who::words(who).unwrap_or_else(|| "somebody".to_owned());
        writeln!(out, "  connected now from port {client_port}: {who}")?;
    }
    if let Some(advice) = &explanation.advice {
        let strong = style::STRONG;
        writeln!(out, "  {strong}what to do{strong:#}: {advice}")?;
    }
    Ok(())
}

/// Where Envoy goes from there.
fn upstream(explanation: &Explanation, dst: std::net::SocketAddr) -> String {
    match (explanation.upstream, &explanation.domain) {
        (Some(Upstream::Original), _) => format!("which connects to {dst}"),
        (Some(Upstream::Resolve), Some(name)) => format!("which looks {name} up"),
        (Some(Upstream::Resolve) | None, _) => "which looks the name up".to_owned(),
    }
}
