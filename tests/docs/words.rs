//! Reasons, errors, folders and tests that the documents name.

use std::collections::BTreeSet;
use std::path::Path;

use decider::model::Reason;

use crate::{documents, files, markdown, read, root};

fn unquoted(cell: &str) -> String {
    cell.trim_matches('`').to_owned()
}

#[test]
fn every_reason_is_explained_and_no_other() {
    let rows = markdown::table_below(&read("docs/troubleshooting.md"), "## Reasons");
    let told: BTreeSet<String> = rows.iter().map(|row| unquoted(&row[0])).collect();
    let real: BTreeSet<String> = Reason::ALL.iter().map(|reason| reason.as_str().to_owned()).collect();
    assert_eq!(told, real);
}

#[test]
fn errors_that_are_explained_exist() {
    let sources: String =
        files("src", ".rs").iter().map(|path| std::fs::read_to_string(path).unwrap().replace("\\\"", "\"")).collect();
    let rows = markdown::table_below(&read("docs/troubleshooting.md"), "## decider does not start");
    for row in rows {
        for part in unquoted(&row[0]).split("...").map(str::trim).filter(|part| !part.is_empty()) {
            assert!(sources.contains(part), "no error says {part:?}");
        }
    }
}

#[test]
fn the_folders_are_those_of_the_source() {
    let rows = markdown::table_below(&read("docs/architecture.md"), "## Folders");
    let told: BTreeSet<String> = rows.iter().map(|row| unquoted(&row[0]).replace("src/", "")).collect();
    let real: BTreeSet<String> = std::fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert_eq!(told, real);
}

/// A place such as `queue/dns.rs`, also in pictures, where nobody writes `src/` in front.
#[test]
fn sources_in_the_architecture_exist() {
    let architecture = read("docs/architecture.md");
    let words = architecture.split(|c: char| !c.is_ascii_alphanumeric() && !"/_.".contains(c));
    let places: BTreeSet<&str> =
        words.filter(|word| Path::new(word).extension().is_some_and(|extension| extension == "rs")).collect();
    assert!(places.len() > 5, "only {places:?}");
    for place in places {
        let plain = place.trim_start_matches("../");
        assert!(root().join(plain).exists() || root().join("src").join(plain).exists(), "there is no {place}");
    }
}

#[test]
fn the_test_folders_are_those_there_are() {
    let rows = markdown::table_below(&read("docs/architecture.md"), "## Tests");
    let told: BTreeSet<String> = rows.iter().flat_map(|row| row[0].split(", ")).map(unquoted).collect();
    let programs: BTreeSet<String> = read("Cargo.toml")
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"")?.strip_suffix("/main.rs\"").map(str::to_owned))
        .filter(|path| path.starts_with("tests/"))
        .collect();
    assert_eq!(told, programs);
}

/// The test functions there are, each with its place: `netns::scenarios::killed::a_kill_closes_the_door`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["tests", "src"] {
        for path in files(folder, ".rs") {
            let place = path.strip_prefix(root().join(folder)).unwrap().with_extension("");
            let module = place.iter().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("::");
            let text = std::fs::read_to_string(&path).unwrap();
            for behind in text.split("#[test]").skip(1) {
                let name = behind.split_once("fn ").and_then(|(_, name)| name.split_once('(')).map(|(name, _)| name);
                found.extend(name.map(|name| format!("{module}::{name}")));
            }
        }
    }
    found
}

#[test]
fn security_names_real_tests() {
    let tests = tests();
    let security = read("docs/security.md");
    let mut seen = 0;
    for (line, row) in security.lines().enumerate().filter(|(_, line)| line.starts_with("| ")) {
        let shown = row.trim_end_matches('|').rsplit(" | ").next().unwrap();
        for name in shown.split('`').skip(1).step_by(2) {
            seen += 1;
            let exists = tests.iter().any(|test| test == name || test.ends_with(&format!("::{name}")));
            assert!(exists, "docs/security.md:{}: there is no test {name}", line + 1);
        }
    }
    assert!(seen > 20, "docs/security.md names only {seen} tests");
}

/// The number that a test has in its name, if it has one.
fn line_of(test: &str) -> Option<u32> {
    test.rsplit("::").next()?.strip_prefix("line_")?.get(..2)?.parse().ok()
}

#[test]
fn each_line_of_the_threats_has_its_tests() {
    let security = read("docs/security.md");
    let rows = ["### Lies in DNS", "### Confusion about who meant what"]
        .into_iter()
        .flat_map(|heading| markdown::table_below(&security, heading));
    let mut numbers = BTreeSet::new();
    let mut named = BTreeSet::new();
    for row in rows {
        let own: BTreeSet<u32> = row[0].split(", ").filter_map(|number| number.parse().ok()).collect();
        for name in row[3].split('`').skip(1).step_by(2) {
            let line = line_of(name);
            assert!(line.is_none_or(|line| own.contains(&line)), "{name} is not of line {own:?}");
            named.extend(line.map(|_| name.rsplit("::").next().unwrap().to_owned()));
        }
        numbers.extend(own);
    }
    // Behind them the numbers stand in front of the words.
    for heading in ["### Around the connection", "### This host's own processes", "### Load and accidents"] {
        for row in markdown::table_below(&security, heading) {
            let own: Option<u32> = row[0].split_once(": ").and_then(|(number, _)| number.parse().ok());
            numbers.extend(own);
            for name in row[2].split('`').skip(1).step_by(2).filter(|name| line_of(name).is_some()) {
                assert_eq!(line_of(name), own, "{name}");
                named.insert(name.rsplit("::").next().unwrap().to_owned());
            }
        }
    }
    assert!((1..=30).all(|number| numbers.contains(&number)), "only {numbers:?}");
    for test in tests().iter().filter(|test| line_of(test).is_some()) {
        assert!(named.contains(test.rsplit("::").next().unwrap()), "docs/security.md does not name {test}");
    }
}

#[test]
fn documents_are_clean() {
    for path in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        for (line, text) in document.lines().enumerate() {
            let place = format!("{}:{}", path.display(), line + 1);
            assert_eq!(text, text.trim_end(), "{place}: blanks at the end");
            assert!(!text.contains('\t'), "{place}: a tab");
            assert!(!["TODO", "FIXME", "XXX"].iter().any(|word| text.contains(word)), "{place}: {text}");
        }
    }
}
