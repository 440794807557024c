//! A real terminal.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// A terminal of its own, with a shell in it.
pub struct Tmux(String);

impl Tmux {
    /// Its socket is in that folder.
    pub fn start(folder: &Path) -> Self {
        let tmux = Self(folder.join("tmux.sock").to_str().unwrap().to_owned());
        tmux.ok(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "/bin/sh"]);
        tmux
    }

    fn call(&self, args: &[&str]) -> Output {
        let mut tmux = Command::new("tmux");
        tmux.args(["-u", "-S", &self.0]).args(args).env("LC_ALL", "C.UTF-8").env_remove("TMUX").env_remove("NO_COLOR");
        tmux.output().unwrap()
    }

    /// What it says; it has to work.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.call(args);
        assert!(output.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types.
    pub fn keys(&self, keys: &[&str]) {
        self.ok(&[&["send-keys"], keys].concat());
    }

    /// Waits until something is on the screen; gives all that is.
    pub fn shows(&self, words: &str) -> String {
        self.shows_if(words, |screen| screen.contains(words))
    }

    /// The same for whatever can be said of a screen.
    pub fn shows_if(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let mut screen = String::new();
        for _ in 0..1200 {
            screen = self.ok(&["capture-pane", "-p"]);
            if is_there(&screen) {
                return screen;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        #[expect(clippy::panic, reason = "a test ends where the screen is not as it should be")]
        {
            panic!("{what:?} is not on\n{screen}");
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.call(&["kill-server"]);
    }
}
