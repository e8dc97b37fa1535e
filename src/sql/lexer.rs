//! Text to tokens. Comments and white space vanish; a character that starts no token is one of its own,
//! so the lexer never fails and it is the parser that refuses.

use super::keywords::keyword;
use super::span::Span;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or symbol, by its canonical text.
    Word(&'static str),
    /// A word that is no keyword.
    Identifier,
    /// A digit followed by letters, such as `1a`.
    DigitIdentifier,
    /// `"…"`.
    DoubleQuoted,
    /// `` `…` ``.
    BackQuoted,
    /// `'…'`.
    String,
    /// `12`.
    Integer,
    /// `1.2`, `1.` or `.2`.
    Decimal,
    /// `1E2`.
    Float,
    /// `${name}`.
    Variable,
    /// Any other character.
    Unrecognized,
    /// The end of the text.
    Eof,
}

/// A token and its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

/// The symbols, longest first.
static SYMBOLS: &[(&str, &str)] = &[
    ("<>", "<>"),
    ("!=", "<>"),
    ("<=", "<="),
    (">=", ">="),
    ("||", "||"),
    (":=", ":="),
    ("->", "->"),
    ("=>", "=>"),
    (";", ";"),
    ("(", "("),
    (",", ","),
    (")", ")"),
    (".", "."),
    ("[", "["),
    ("]", "]"),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("%", "%"),
];

/// The tokens of `text`, the last one being [`Kind::Eof`].
pub(super) fn tokenize(text: &str) -> Vec<Token> {
    let end = Token { kind: Kind::Eof, span: Span::new(text.len(), text.len()) };
    each_token(text).chain([end]).collect()
}

/// The tokens of `text`, one after the other.
pub(super) fn each_token(text: &str) -> impl Iterator<Item = Token> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
            let skipped = blank(rest);
            if skipped > 0 {
                at += skipped;
                continue;
            }
            let (kind, length) = token(rest);
            let span = Span::new(at, at + length);
            at += length;
            return Some(Token { kind, span });
        }
    })
}

/// Length of the white space or comment that `rest` starts with.
fn blank(rest: &str) -> usize {
    if rest.starts_with("--") {
        return rest.find('\n').map_or(rest.len(), |end| end + 1);
    }
    if let Some(inside) = rest.strip_prefix("/*") {
        return inside.find("*/").map_or(0, |end| end + 4);
    }
    rest.bytes().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count()
}

/// Kind and length of the token that `rest`, which is not empty, starts with.
fn token(rest: &str) -> (Kind, usize) {
    match rest.as_bytes()[0] {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
            let length = word_length(rest);
            (keyword(&rest[..length]).map_or(Kind::Identifier, Kind::Word), length)
        }
        b'0'..=b'9' => number(rest),
        b'.' if digits(&rest[1..]) > 0 => number(rest),
        b'\'' => quoted(rest, '\'', Kind::String),
        b'"' => quoted(rest, '"', Kind::DoubleQuoted),
        b'`' => quoted(rest, '`', Kind::BackQuoted),
        b'$' => variable(rest),
        _ => symbol(rest),
    }
}

fn symbol(rest: &str) -> (Kind, usize) {
    let found = SYMBOLS.iter().find(|(text, _)| rest.starts_with(text));
    let unknown = || (Kind::Unrecognized, rest.chars().next().map_or(1, char::len_utf8));
    found.map_or_else(unknown, |(text, word)| (Kind::Word(word), text.len()))
}

fn word_length(text: &str) -> usize {
    text.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'@')).count()
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// A number, or an identifier that starts with a digit: whichever is longer.
fn number(rest: &str) -> (Kind, usize) {
    let mut length = digits(rest);
    let mut kind = Kind::Integer;
    if rest[length..].starts_with('.') {
        length += 1 + digits(&rest[length + 1..]);
        kind = Kind::Decimal;
    }
    let exponent = exponent(&rest[length..]);
    if exponent > 0 {
        length += exponent;
        kind = Kind::Float;
    }
    let word = if rest.starts_with('.') { 0 } else { word_length(rest) };
    if word > length { (Kind::DigitIdentifier, word) } else { (kind, length) }
}

/// Length of `E12`, `E+12` or `E-12`, or 0.
fn exponent(text: &str) -> usize {
    let Some(after) = text.strip_prefix(['E', 'e']) else { return 0 };
    let unsigned = after.strip_prefix(['+', '-']).unwrap_or(after);
    match digits(unsigned) {
        0 => 0,
        count => 1 + (after.len() - unsigned.len()) + count,
    }
}

/// A quoted token, in which a doubled quote is a quote. Without an end, the quote alone is unrecognized.
fn quoted(rest: &str, quote: char, kind: Kind) -> (Kind, usize) {
    let mut at = 1;
    while let Some(found) = rest[at..].find(quote) {
        at += found + 1;
        if !rest[at..].starts_with(quote) {
            return (kind, at);
        }
        at += 1;
    }
    (Kind::Unrecognized, 1)
}

/// `${name}`.
fn variable(rest: &str) -> (Kind, usize) {
    let Some(name) = rest.strip_prefix("${") else { return (Kind::Unrecognized, 1) };
    let length = word_length(name);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_name && name[length..].starts_with('}') {
        (Kind::Variable, length + 3)
    } else {
        (Kind::Unrecognized, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(Kind, &str)]) {
        let tokens = tokenize(text);
        let found: Vec<_> = tokens.iter().map(|t| (t.kind, t.span.text(text))).collect();
        let eof = [(Kind::Eof, "")];
        let expected: Vec<_> = expected.iter().chain(&eof).copied().collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn numbers_are_as_long_as_they_can_be() {
        check("12", &[(Kind::Integer, "12")]);
        check("1.5 .5 1.", &[(Kind::Decimal, "1.5"), (Kind::Decimal, ".5"), (Kind::Decimal, "1.")]);
        check(
            "1e5 1.E-2 .5e+3",
            &[(Kind::Float, "1e5"), (Kind::Float, "1.E-2"), (Kind::Float, ".5e+3")],
        );
        check(
            "1e 1a 1e5x",
            &[
                (Kind::DigitIdentifier, "1e"),
                (Kind::DigitIdentifier, "1a"),
                (Kind::DigitIdentifier, "1e5x"),
            ],
        );
        check("1.e", &[(Kind::Decimal, "1."), (Kind::Identifier, "e")]);
    }

    #[test]
    fn quotes_double_inside_and_must_end() {
        check("'it''s'", &[(Kind::String, "'it''s'")]);
        check("`a``b`", &[(Kind::BackQuoted, "`a``b`")]);
        check("'x", &[(Kind::Unrecognized, "'"), (Kind::Identifier, "x")]);
        check("''''", &[(Kind::String, "''''")]);
    }

    #[test]
    fn comments_and_variables() {
        check(
            "-- a\n/* b */ ${x} /* c",
            &[
                (Kind::Variable, "${x}"),
                (Kind::Word("/"), "/"),
                (Kind::Word("*"), "*"),
                (Kind::Identifier, "c"),
            ],
        );
        check("--@test: x", &[]);
        check("é!", &[(Kind::Unrecognized, "é"), (Kind::Unrecognized, "!")]);
    }
}
