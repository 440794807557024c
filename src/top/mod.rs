//! `top`: what is decided, live. It sees the control socket only; everything but `live` and `terminal` is pure.

mod group;
mod history;
mod keys;
mod live;
mod permit;
mod row;
mod sort;
mod state;
mod terminal;
mod update;
mod view;

pub use keys::{Action, Key, on_key};
pub use live::{Live, explain, snapshot};
pub use row::Row;
pub use state::State;
pub use terminal::{End, run, signals};
pub use update::{Input, update};
pub use view::{Look, draw, plain};
