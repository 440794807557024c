use std::process::ExitCode;

use crate::control::{CacheEntry, Client, Request};
use crate::model::ClientId;

use super::args::{Cache, Place};
use super::failure::Failure;
use super::{output, table};

pub fn run(args: &Cache, place: &Place) -> Result<ExitCode, Failure> {
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let name = args.name.as_ref().map(ToString::to_string);
    let request = Request::Cache { client: args.client, name, limit };
    let entries: Vec<CacheEntry> = Client::connect(&place.socket)?.call(&request)?;
    if args.output.json {
        output::json(&entries)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown = table::table(&["name", "address", "asked by", "ttl", "age", "left", "flows", "state"]);
    for entry in &entries {
        shown.add_row([
            entry.name.to_string(),
            entry.address.to_string(),
            ClientId(entry.client).to_string(),
            format!("{}s", entry.ttl_s),
            format!("{}s", entry.age_s),
            format!("{}s", entry.left_s),
            entry.flows.to_string(),
            entry.state.to_string(),
        ]);
    }
    table::print(&shown)?;
    if entries.len() == limit {
        output::note(format_args!("only the first {limit} are shown: see --limit"));
    }
    Ok(ExitCode::SUCCESS)
}
