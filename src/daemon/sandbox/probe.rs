//! For the tests: tries what the sandbox is to refuse, and what it is not to. Release builds do nothing.

#[cfg(debug_assertions)]
mod tried {
    use std::io;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::thread;

    use nix::sched::{CloneFlags, unshare};

    /// `DECIDER_FAULT=probe-sandbox:DIRECTORY`: a thread that begins now tries things in there, and logs what comes of each.
    pub fn probe(state_dir: &Path) {
        let told = std::env::var("DECIDER_FAULT").unwrap_or_default();
        let Some(directory) = told.strip_prefix("probe-sandbox:").map(PathBuf::from) else { return };
        let state_dir = state_dir.to_owned();
        let tried = thread::spawn(move || {
            let namespace = unshare(CloneFlags::CLONE_NEWUSER).map_err(io::Error::from);
            let results = [
                ("write", std::fs::write(directory.join("written"), "")),
                ("read", std::fs::read(directory.join("secret")).map(drop)),
                ("list", std::fs::read_dir(&directory).map(drop)),
                ("shadow", std::fs::read("/etc/shadow").map(drop)),
                ("exec", Command::new(directory.join("program")).status().map(drop)),
                ("namespace", namespace),
                ("packet-socket", socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW, None).map(drop)),
                ("own-file", std::fs::write(state_dir.join("probe"), "")),
                ("own-program", Command::new("nft").arg("--version").output().map(drop)),
            ];
            for (what, result) in results {
                let answer = result.map_or_else(|error| error.raw_os_error().unwrap_or(-1), |()| 0);
                tracing::info!(what, answer, "sandbox probe");
            }
        });
        // It logs what it has to say.
        let _ = tried.join();
    }
}

#[cfg(not(debug_assertions))]
mod tried {
    pub fn probe(_state_dir: &std::path::Path) {}
}

pub use tried::probe;
