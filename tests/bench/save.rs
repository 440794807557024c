use std::path::{Path, PathBuf};

use serde_json::Value;

/// Writes figures for programs to `target/bench/NAME.json`.
pub fn save(name: &str, figures: &Value) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{name}.json"));
    std::fs::write(&path, format!("{figures:#}\n")).unwrap();
    path
}
