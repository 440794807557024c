use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use crate::control::{Client, Request};
use crate::daemon::offline;
use crate::decide::Explanation;
use crate::model::Verdict;
use crate::say;

use super::args::{Explain, Place};
use super::check::load;
use super::failure::Failure;
use super::{output, style};

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
    let said = say::explanation(explanation, args.client, SocketAddr::new(args.dst, args.port));
    let verdict = style::of_verdict(said.verdict);
    writeln!(out, "{verdict}{}{verdict:#} {}", said.verdict, said.headline)?;
    said.lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    if let Some(advice) = &said.advice {
        let strong = style::STRONG;
        writeln!(out, "  {strong}what to do{strong:#}: {advice}")?;
    }
    Ok(())
}
