//! Metrics for Prometheus: [`Figures`] as text (pure), and the smallest of servers that gives it to whoever asks.
//!
//! Nothing is counted here: a page is made, when it is asked for, of what `status` shows and of what the recorder counted.

mod families;
mod figures;
mod listener;
mod page;
mod request;
mod server;

pub use figures::{Figures, render};
pub use listener::ListenError;
pub use server::{Server, Source};
