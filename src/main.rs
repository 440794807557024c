//! The `decider` command.

fn main() {}
