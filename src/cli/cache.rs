use std::process::ExitCode;

use crate::control::{CacheEntry, Client, Request};

use super::args::{Cache, Place};
use super::failure::Failure;
use super::table;

pub fn run(args: &Cache, place: &Place) -> Result<ExitCode, Failure> {
    let request = Request::Cache { client: args.client, name: args.name.clone(), limit: args.limit };
    let entries: Vec<CacheEntry> = Client::connect(&place.socket)?.call(&request)?;
    if args.output.json {
        table::print_json(&entries)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut shown = table::table(&["name", "address", "asked by", "ttl", "age", "left", "state"]);
    for entry in &entries {
        shown.add_row([
            entry.name.to_string(),
            entry.address.to_string(),
            entry.client.to_string(),
            format!("{}s", entry.ttl_s),
            format!("{}s", entry.age_s),
            format!("{}s", entry.left_s),
            entry.state.to_string(),
        ]);
    }
    table::print(&shown)?;
    if entries.len() == args.limit {
        anstream::eprintln!("only the first {} are shown: see --limit", args.limit);
    }
    Ok(ExitCode::SUCCESS)
}
