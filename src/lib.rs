//! decider: a name-aware egress firewall for Linux.
//!
//! The life of one connection, in the order of the modules: a client's DNS answer is held in a queue
//! and learned (`dns`); its SYN is held in another (`queue`), read (`packet`) and decided (`decide`) by the
//! compiled [`policy`]; the verdict's mark leads it, by the state that `kernel` keeps, to the rule's listener
//! (`envoy`). `daemon` is the only place that wires these together.

pub mod cli;
pub mod clock;
pub mod control;
pub mod daemon;
pub mod decide;
pub mod dns;
pub mod doctor;
pub mod envoy;
pub mod fast;
pub mod filter;
pub mod kernel;
pub mod learn;
pub mod metrics;
pub mod model;
pub mod nss;
pub mod packet;
pub mod policy;
pub mod queue;
pub mod record;
pub mod relay;
pub mod replay;
pub mod review;
pub mod say;
pub mod survey;
pub mod top;
pub mod who;
