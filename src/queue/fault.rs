//! Faults on purpose, for the tests of what happens then. Release builds have none.

#[cfg(debug_assertions)]
mod injected {
    use std::sync::OnceLock;

    /// `DECIDER_FAULT=panic-on-port:N`: the worker that sees a SYN to port N panics. `hang-on-port:N`: it does nothing more.
    pub fn on_syn(port: u16) {
        panic_if_told("panic-on-port", port);
        while is_told("hang-on-port", port) {
            std::thread::park();
        }
    }

    /// `DECIDER_FAULT=panic-on-client-port:N`: the relay panics when a connection comes from port N.
    pub fn on_connection(client_port: u16) {
        panic_if_told("panic-on-client-port", client_port);
    }

    fn panic_if_told(word: &str, port: u16) {
        #[expect(clippy::manual_assert, clippy::panic, reason = "this is the fault")]
        if is_told(word, port) {
            panic!("injected: {word} {port}");
        }
    }

    fn is_told(word: &str, port: u16) -> bool {
        static FAULT: OnceLock<Option<(String, u16)>> = OnceLock::new();
        let fault = FAULT.get_or_init(|| {
            let text = std::env::var("DECIDER_FAULT").ok()?;
            let (word, port) = text.split_once(':')?;
            Some((word.to_owned(), port.parse().ok()?))
        });
        fault.as_ref().is_some_and(|(told, on)| told == word && *on == port)
    }
}

#[cfg(not(debug_assertions))]
mod injected {
    pub fn on_syn(_port: u16) {}

    pub fn on_connection(_client_port: u16) {}
}

pub use injected::{on_connection, on_syn};
