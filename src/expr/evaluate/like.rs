//! LIKE patterns.
//!
//! ksqlDB turns `%` into the regular expression `.*` and `_` into `.`, so neither matches the end
//! of a line. The last `%` is always tried longest from the left: an earlier one never has to give
//! more, since no `%` can reach beyond a line end.

use super::super::EvalError;

/// One step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// This character.
    Exactly(char),
    /// Any character but a line end.
    One,
    /// Any number of characters but line ends.
    Many,
}

/// A pattern, read once and used for many texts.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    steps: Vec<Step>,
}

impl Pattern {
    /// Reads a pattern; the escape character makes the next one stand for itself.
    pub(super) fn parse(pattern: &str, escape: Option<char>) -> Result<Self, EvalError> {
        let mut steps = Vec::with_capacity(pattern.len());
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            steps.push(match c {
                c if Some(c) == escape => Step::Exactly(chars.next().ok_or_else(|| {
                    EvalError::new("LIKE pattern must not end with escape character")
                })?),
                '%' => Step::Many,
                '_' => Step::One,
                c => Step::Exactly(c),
            });
        }
        Ok(Self { steps })
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut steps = self.steps.as_slice();
        let mut rest = text.chars();
        // Where to go on when the last `%` takes one character more.
        let mut retry: Option<(&[Step], std::str::Chars<'_>)> = None;
        loop {
            if let [Step::Many, after @ ..] = steps {
                retry = Some((after, rest.clone()));
                steps = after;
                continue;
            }
            let mut ahead = rest.clone();
            match (steps, ahead.next()) {
                ([], None) => return true,
                ([step, after @ ..], Some(c)) if step.takes(c) => {
                    steps = after;
                    rest = ahead;
                    continue;
                }
                _ => {}
            }
            let Some((after, mut from)) = retry else { return false };
            match from.next() {
                Some(c) if !is_line_end(c) => {}
                _ => return false,
            }
            steps = after;
            rest = from.clone();
            retry = Some((after, from));
        }
    }
}

impl Step {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Exactly(exactly) => *exactly == c,
            Self::One => !is_line_end(c),
            Self::Many => false,
        }
    }
}

/// What `.` does not match in Java.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn like(text: &str, pattern: &str, escape: Option<char>) -> bool {
        Pattern::parse(pattern, escape).is_ok_and(|pattern| pattern.matches(text))
    }

    #[test]
    fn patterns_match_whole_texts() {
        let cases = [
            ("abcabc", "a%c", true),
            ("abcab", "a%c", false),
            ("a😀c", "a_c", true),
            ("a\nc", "a_c", false),
            ("a\nc", "a%", false),
            ("a\nc", "a\n%", true),
            ("", "%%", true),
            ("", "_", false),
            ("xaaab", "%aab", true),
            ("a.c", "a.c", true),
            ("abc", "a.c", false),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(like(text, pattern, None), expected, "{text:?} LIKE {pattern:?}");
        }
    }

    #[test]
    fn an_escape_makes_a_wildcard_a_character() {
        assert!(like("a_c", "%!_%", Some('!')).then_some(()).is_some());
        assert!(!like("abc", "%!_%", Some('!')));
        assert!(like("a!c", "a!!c", Some('!')));
        assert!(Pattern::parse("a!", Some('!')).is_err());
    }

    proptest! {
        #[test]
        fn it_agrees_with_a_regular_expression(text in "[ab\n]{0,9}", pattern in "[ab\n%_]{0,7}") {
            let source: String = pattern
                .chars()
                .map(|c| match c {
                    '%' => "[^\n]*".to_owned(),
                    '_' => "[^\n]".to_owned(),
                    c => c.to_string(),
                })
                .collect();
            let expected = regex::Regex::new(&format!("^(?:{source})$"))
                .is_ok_and(|regex| regex.find(&text).is_some_and(|m| m.end() == text.len()));
            prop_assert_eq!(like(&text, &pattern, None), expected);
        }
    }
}
