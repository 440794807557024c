//! Faults on purpose, for the tests of what happens then. Release builds have none.

#[cfg(debug_assertions)]
mod injected {
    use std::sync::OnceLock;

    /// `DECIDER_FAULT=panic-on-port:N`: the worker that sees a SYN to port N panics.
    pub fn on_syn(port: u16) {
        static PANIC_PORT: OnceLock<Option<u16>> = OnceLock::new();
        let fault = PANIC_PORT
            .get_or_init(|| std::env::var("DECIDER_FAULT").ok()?.strip_prefix("panic-on-port:")?.parse().ok());
        #[expect(clippy::manual_assert, clippy::panic, reason = "this is the fault")]
        if *fault == Some(port) {
            panic!("injected: SYN to port {port}");
        }
    }
}

#[cfg(not(debug_assertions))]
mod injected {
    pub fn on_syn(_port: u16) {}
}

pub use injected::on_syn;
