use super::code::Code;
use super::problems::Fault;

/// What people mostly did when the parser says so: (part of what it says, what is wrong, what to write).
const KNOWN: &[(&str, &str, &str)] = &[
    ("tab", "a tab stands where YAML wants blanks", "indent with blanks"),
    (
        "did not find expected ',' or '}'",
        "a `,` or the closing `}` is missing before this",
        "write `{ key: value, key: value }`",
    ),
    ("expected ',' or ']'", "a `,` or the closing `]` is missing before this", "write `[first, second]`"),
    (
        "did not find expected key",
        "this is indented unlike the keys above it",
        "give keys that belong together the same indentation, and put texts with `:`, `#` or quotes in quotes",
    ),
    (
        "did not find expected '-' indicator",
        "this is indented unlike the list above it",
        "begin each entry of the list with `- `, all at the same indentation, and its other keys below its first one",
    ),
    (
        "mapping values are not allowed",
        "a `key: value` cannot begin here",
        "write a blank behind every `:`, one key on each line, and texts with `: ` in quotes",
    ),
    ("simple key expect", "the `:` of a key is missing before this", "write `key: value`, with a blank behind the `:`"),
    ("illegal placement of ':'", "a `:` cannot stand here", "is a bracket above not closed, or a `,` missing?"),
    ("unexpected end of stream", "these quotes are never closed", "close them on the same line"),
    ("unknown escape character", "these quotes hold a `\\` that means nothing", "write the text in single quotes"),
    ("invalid trailing content", "something stands behind closed quotes", "put the whole text in one pair of quotes"),
    ("sequence entries are not allowed", "a list cannot begin here", "begin it on the next line"),
];

/// Says what is wrong with a text that is not YAML. `info` is what the parser says of it, `rest` the text from the
/// place on.
pub fn explain(info: &str, rest: &str) -> Fault {
    if rest.starts_with('*') || info.contains("anchor") {
        return Fault::new(Code::Syntax, "a text that begins with `*` or `&` means something else in YAML")
            .help("put it in quotes, as in \"*.example.com\"");
    }
    if let Some(odd) = rest.chars().next().filter(|_| info.starts_with("unexpected character")) {
        return Fault::new(Code::Syntax, format!("a text cannot begin with `{odd}`")).help("put it in quotes");
    }
    if info.contains("recursion limit") {
        return Fault::new(Code::TooDeep, "brackets are nested too deep")
            .help("a policy needs no more than four levels");
    }
    if rest.is_empty() && info.contains("node content") {
        return Fault::new(Code::Syntax, "the file ends within a list or mapping").help("close it");
    }
    match KNOWN.iter().find(|(part, ..)| info.contains(part)) {
        Some((_, message, help)) => Fault::new(Code::Syntax, *message).help(*help),
        None => Fault::new(Code::Syntax, format!("this is not YAML: {info}")),
    }
}
