//! One scenario a file.

mod control_socket;
mod down;
mod envoy_faults;
mod failed_start;
mod floods;
mod forged_dns;
mod forged_sources;
mod healed;
mod killed;
mod large_answers;
mod letter_case;
mod malformed;
mod marks;
mod modes;
mod no_race;
mod open_before;
mod other_dns;
mod private_answers;
mod query_policy;
mod real_resolvers;
mod rotation;
mod shared_address;
mod strangers;
mod stubs;
mod two_names;
mod views;
