//! The `decider` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    decider::cli::main()
}
