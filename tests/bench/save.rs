use std::path::{Path, PathBuf};

use serde_json::Value;

/// Writes figures for programs to `target/bench/NAME.json`.
pub fn save(name: &str, figures: &Value) -> PathBuf {
    save_text(&format!("{name}.json"), &format!("{figures:#}\n"))
}

/// Writes a file to `target/bench`.
pub fn save_text(name: &str, text: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}
