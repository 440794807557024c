//! Ctrl-C: what was built is taken down before the program ends.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on, SIGINT and SIGTERM are a request; the second one is more than that.
pub fn on_request() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let [mut interrupted, mut terminated] =
                [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).unwrap());
            loop {
                tokio::select! { _ = interrupted.recv() => {}, _ = terminated.recv() => {} }
                if ASKED.swap(true, Ordering::Relaxed) {
                    std::process::exit(130);
                }
            }
        });
    });
}

/// Unwinds if it was asked for.
pub fn if_asked() {
    if ASKED.load(Ordering::Relaxed) {
        eprintln!("interrupted: what was built is taken down");
        std::panic::resume_unwind(Box::new("interrupted"));
    }
}
