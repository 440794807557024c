//! What holds the door while the ruleset is gone: the program on each interface, tried in a host of its own.

mod cost;
mod door;
mod kept;
mod passes;
mod site;

use site::Site;
