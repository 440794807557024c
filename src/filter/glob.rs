/// A text in which `*` stands for anything, also for nothing. Upper and lower case are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    pub fn new(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    pub fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let Some((first, rest)) = self.0.split_once('*') else {
            return self.0 == text;
        };
        let Some(mut left) = text.strip_prefix(first) else {
            return false;
        };
        let (between, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        for part in between.split('*') {
            let Some((_, behind)) = left.split_once(part) else {
                return false;
            };
            left = behind;
        }
        left.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (glob, text) in [
            ("*", ""),
            ("*", "a"),
            ("a", "A"),
            ("*.Example.com", "a.b.example.com"),
            ("a*", "a"),
            ("*a*", "bab"),
            ("a*c*e", "abcde"),
            ("**", "x"),
            ("a*a", "aa"),
            ("/usr/*/ssh", "/usr/bin/ssh"),
        ] {
            assert!(Glob::new(glob).matches(text), "{glob} {text}");
        }
        for (glob, text) in [
            ("", "a"),
            ("a", "ab"),
            ("*.example.com", "example.com"),
            ("*.example.com", "a.example.org"),
            ("a*a", "a"),
            ("a*c*e", "ace-"),
            ("a*b*c", "acb"),
            ("*b", "a"),
        ] {
            assert!(!Glob::new(glob).matches(text), "{glob} {text}");
        }
    }
}
