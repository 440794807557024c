//! One scenario a file.

mod down;
mod envoy_faults;
mod failed_start;
mod forged_dns;
mod forged_sources;
mod healed;
mod killed;
mod no_race;
mod other_dns;
mod private_answers;
mod rotation;
mod shared_address;
mod strangers;
mod two_names;
