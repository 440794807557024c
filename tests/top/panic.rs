//! What a panic leaves of the terminal.

use std::path::Path;
use std::time::Duration;

use crossbeam_channel::never;
use decider::top::{State, run};

use crate::scene::now;
use crate::screens::PLAIN;
use crate::tmux::Tmux;

/// Set for the one that panics.
const PANICS: &str = "DECIDER_TEST_TOP_PANICS";
const NAME: &str = "panic::the_terminal_is_as_it_was_after_a_panic";

/// The screen, in which a thread panics.
#[expect(clippy::panic, reason = "that is what is tested")]
fn panics() {
    std::thread::spawn(|| {
        std::thread::sleep(Duration::from_secs(2));
        panic!("of this test");
    });
    let _ = run(&mut State::new(now()), None, &never(), Path::new("/"), PLAIN, Duration::from_secs(60));
}

#[test]
fn the_terminal_is_as_it_was_after_a_panic() {
    if std::env::var_os(PANICS).is_some() {
        return panics();
    }
    let folder = tempfile::tempdir().unwrap();
    let tmux = Tmux::start(folder.path());
    let program = std::env::current_exe().unwrap();
    let files = format!("cd {}; stty -g >before", folder.path().display());
    tmux.keys(&[&files, "Enter"]);
    let run = format!("{PANICS}=1 {} --exact {NAME} --nocapture; echo code=$?; stty -g >after", program.display());
    tmux.keys(&[&run, "Enter"]);
    tmux.shows("DESTINATION");
    let screen = tmux.shows("code=101");
    assert!(screen.contains("of this test"), "what went wrong can be read: {screen}");
    let is_alternate = || tmux.ok(&["display-message", "-p", "#{alternate_on} #{cursor_flag}"]);
    assert_eq!(is_alternate().trim(), "0 1", "the other screen is left, and there is a cursor");
    let modes = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    tmux.keys(&["echo do''ne", "Enter"]);
    tmux.shows("done");
    assert_eq!(modes("after"), modes("before"));
    assert!(!modes("before").is_empty());
}
