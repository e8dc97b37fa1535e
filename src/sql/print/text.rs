//! Names, strings and lists.

use std::fmt::Write as _;

use crate::sql::keywords::is_reserved;

/// The name, in back-ticks if it would not be read back without them.
pub fn identifier(name: &str) -> String {
    if needs_quotes(name) { format!("`{}`", name.replace('`', "``")) } else { name.to_owned() }
}

/// The text in quotes.
pub fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a name is read back only from within back-ticks: it is not upper-case, or reserved, or no word.
pub fn needs_quotes(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' || c == '@';
    let starts = name.starts_with(|c: char| c != '@');
    !starts || !name.chars().all(fits) || !is_word(name) || is_reserved(name)
}

/// Whether upper-case letters, digits, `_` and `@` are one token that is an identifier, and no number.
fn is_word(name: &str) -> bool {
    if !name.starts_with(|c: char| c.is_ascii_digit()) {
        return true;
    }
    let is_integer = name.chars().all(|c| c.is_ascii_digit());
    let is_float = name.split_once('E').is_some_and(|(a, b)| {
        !b.is_empty() && (a.to_owned() + b).chars().all(|c| c.is_ascii_digit())
    });
    !is_integer && !is_float
}

/// Writes `items` with `separator` between them.
pub(super) fn join<T>(
    out: &mut String,
    items: &[T],
    separator: &str,
    mut write: impl FnMut(&mut String, &T),
) {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        write(out, item);
    }
}

/// Appends formatted text; a `String` takes everything.
pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_have_to_be() {
        let quoted = ["a", "FROM", "A B", "1", "1E5", "", "@A", "É", "SIZE", "A-B"];
        assert!(quoted.into_iter().all(needs_quotes));
        let plain = ["A", "_A1", "1A", "KEY", "DATE", "A@B", "1E"];
        assert!(!plain.into_iter().any(needs_quotes));
        assert_eq!(identifier("a`b"), "`a``b`");
    }
}
