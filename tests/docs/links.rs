use crate::{documents, markdown, root};

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        for link in markdown::links(&document) {
            seen += 1;
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let Ok(text) = std::fs::read_to_string(&target)
                .or_else(|error| if target.is_dir() { Ok(String::new()) } else { Err(error) })
            else {
                wrong.push(format!("{}: {link}: no such file", path.display()));
                continue;
            };
            if !anchor.is_empty() && !markdown::anchors(&text).iter().any(|known| known == anchor) {
                wrong.push(format!("{}: {link}: no such heading", path.display()));
            }
        }
    }
    assert!(seen > 5, "only {seen} links found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_are_named_exist() {
    let mut wrong = Vec::new();
    for path in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        for span in markdown::code_spans(&document) {
            let of_the_project = ["src/", "tests/", "docs/", "policy/"].iter().any(|folder| span.starts_with(folder));
            let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if of_the_project && plain && !root().join(&span).exists() {
                wrong.push(format!("{}: `{span}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
