//! Each screen as text, compared with the files in `screens/`. `DECIDER_SCREENS=write` writes them anew.

use std::path::{Path, PathBuf};

use decider::top::{Look, State, draw};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::scene::{busy, detail, now, permit, press, temporary};

pub const PLAIN: Look = Look { colour: false, unicode: true };
pub const COLOUR: Look = Look { colour: true, unicode: true };
pub const SMALL: (u16, u16) = (80, 24);
pub const WIDE: (u16, u16) = (120, 40);
pub const WIDEST: (u16, u16) = (160, 24);

pub fn drawn(state: &State, look: Look, (width, height): (u16, u16)) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, state, look)).unwrap();
    terminal.backend().buffer().clone()
}

pub fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let lines =
        buffer.content.chunks(width).map(|cells| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>());
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n") + "\n"
}

fn is_like(name: &str, state: &State, look: Look, size: (u16, u16)) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/top/screens/{name}.txt"));
    let found = text(&drawn(state, look, size));
    if std::env::var_os("DECIDER_SCREENS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, wanted, "{name} looks otherwise: see tests/top/screens.rs\n{found}");
}

fn grouped() -> State {
    let mut state = busy();
    press(&mut state, "c");
    state
}

fn helped() -> State {
    let mut state = busy();
    press(&mut state, "?");
    state
}

fn typing() -> State {
    let mut state = busy();
    press(&mut state, "/verdict:deny port:");
    state
}

#[test]
fn each_screen_is_as_it_was_looked_at() {
    is_like("empty-80x24", &State::new(now()), PLAIN, SMALL);
    for (name, state) in [
        ("table", busy()),
        ("groups", grouped()),
        ("help", helped()),
        ("filter", typing()),
        ("detail", detail()),
        ("allow", permit()),
        ("temporary", temporary()),
    ] {
        is_like(&format!("{name}-80x24"), &state, PLAIN, SMALL);
        is_like(&format!("{name}-120x40"), &state, PLAIN, WIDE);
    }
    is_like("table-160x24", &busy(), PLAIN, WIDEST);
    is_like("table-ascii-80x24", &busy(), Look { colour: false, unicode: false }, SMALL);
}

#[test]
fn colours_change_no_letter_and_can_be_left_out() {
    let (plain, coloured) = (drawn(&busy(), PLAIN, WIDE), drawn(&busy(), COLOUR, WIDE));
    assert_eq!(text(&plain), text(&coloured));
    let colours =
        |buffer: &Buffer| buffer.content.iter().filter(|cell| cell.fg != ratatui::style::Color::Reset).count();
    assert_eq!(colours(&plain), 0);
    assert!(colours(&coloured) > 20);
    let backgrounds = coloured.content.iter().filter(|cell| cell.bg != ratatui::style::Color::Reset).count();
    assert_eq!(backgrounds, 0, "the background is the terminal's own");
}

#[test]
fn ascii_is_ascii_and_no_size_is_too_small() {
    for state in [State::new(now()), busy(), grouped(), helped(), typing(), detail(), permit(), temporary()] {
        let screen = text(&drawn(&state, Look { colour: false, unicode: false }, WIDE));
        assert!(screen.is_ascii(), "{screen}");
        for size in [(1, 1), (5, 3), (20, 5), (79, 23), (300, 100)] {
            drawn(&state, PLAIN, size);
        }
    }
}
