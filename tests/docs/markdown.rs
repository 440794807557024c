//! As much of Markdown as the documents use.

/// A fenced block: its language and its text.
pub struct Block {
    pub language: String,
    pub text: String,
}

/// The fenced blocks of a document.
pub fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in document.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some(Block { language: language.to_owned(), text: String::new() }),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fenced block is not closed");
    found
}

/// The document without its fenced blocks.
pub fn prose(document: &str) -> String {
    let mut inside = false;
    let mut prose = String::new();
    for line in document.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            prose.push_str(line);
            prose.push('\n');
        }
    }
    prose
}

/// What stands between single backticks, outside of fenced blocks.
pub fn code_spans(document: &str) -> Vec<String> {
    prose(document)
        .split("\n\n")
        .flat_map(|part| part.split('`').skip(1).step_by(2).map(joined).collect::<Vec<_>>())
        .collect()
}

/// A span that goes over a line's end reads as one line.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rows of the first table behind a heading, each as its cells; without the header.
pub fn table_below(document: &str, heading: &str) -> Vec<Vec<String>> {
    let below = document.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no heading {heading:?}")).1;
    let section = below.split("\n## ").next().unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows: Vec<Vec<String>> = lines
        .skip(2)
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect();
    assert!(!rows.is_empty(), "no table below {heading:?}");
    rows
}

/// The targets of links and their places in the text.
pub fn links(document: &str) -> Vec<String> {
    let prose = prose(document);
    let mut found = Vec::new();
    let mut rest = prose.as_str();
    while let Some((_, behind)) = rest.split_once("](") {
        let (target, behind) = behind.split_once(')').expect("a link is not closed");
        found.push(target.to_owned());
        rest = behind;
    }
    found
}

/// The anchors of a document's headings, as code hosts make them.
pub fn anchors(document: &str) -> Vec<String> {
    prose(document)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}
