use super::Field;

/// Arguments of a command line in which `-field:value` is written `!field:value`: the hyphen would be taken for an option's.
pub fn with_marks(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Vec<std::ffi::OsString> {
    arguments
        .into_iter()
        .map(|argument| argument.to_str().and_then(marked).map_or(argument.clone(), Into::into))
        .collect()
}

fn marked(argument: &str) -> Option<String> {
    let word = argument.strip_prefix('-')?;
    let (field, _) = word.split_once(':')?;
    Field::named(field).map(|_| format!("!{word}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_field_of_the_language_is_no_option() {
        let written =
            ["decider", "events", "-verdict:allow", "-n", "5", "--since", "-1m", "-f", "-x:y", "port:22", "-"];
        let read = ["decider", "events", "!verdict:allow", "-n", "5", "--since", "-1m", "-f", "-x:y", "port:22", "-"];
        assert_eq!(with_marks(written.map(Into::into)), read);
    }
}
