use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use super::args::Args;
use super::failure::Failure;
use super::output;

pub fn completions(shell: clap_complete::Shell) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "decider", &mut script);
    output::bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub fn man(directory: Option<&Path>) -> Result<ExitCode, Failure> {
    let command = Args::command().disable_help_subcommand(true);
    match directory {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            output::bytes(&page)?;
        }
        Some(directory) => clap_mangen::generate_to(command, directory)
            .map_err(|error| Failure::file("write manual pages into", directory, &error))?,
    }
    Ok(ExitCode::SUCCESS)
}
