//! The tokens of a text as an editor sees them, and the words of the language.

use super::keywords::WORDS;
use super::lexer::{Kind, each_token, tokenize};
use super::span::Span;

/// What a token is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// A word of the language, in capitals.
    Keyword(&'static str),
    /// A symbol, such as `;`.
    Symbol(&'static str),
    /// A word that is none of the language.
    Name,
    /// A name in quotes.
    Quoted,
    /// `'…'`.
    Text,
    /// A number.
    Number,
    /// `${name}`.
    Variable,
    /// What starts no token, such as a quote without an end.
    Stray,
}

/// A token and its place.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// What it is.
    pub class: TokenClass,
    /// Where it stands.
    pub span: Span,
}

/// How many statements and tokens a text has: what it costs to read it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// What statements end with.
    pub statements: usize,
    /// All tokens.
    pub tokens: usize,
}

/// Measures a text, of which nothing is kept.
pub fn extent(text: &str) -> Extent {
    each_token(text).fold(Extent::default(), |extent, token| Extent {
        statements: extent.statements + usize::from(token.kind == Kind::Word(";")),
        tokens: extent.tokens + 1,
    })
}

/// The tokens of a text; comments and white space are what lies between them.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut all = tokenize(text);
    all.pop();
    all.into_iter().map(|token| Token { class: class(token.kind), span: token.span }).collect()
}

fn class(kind: Kind) -> TokenClass {
    match kind {
        Kind::Word(word) if is_keyword(word) => TokenClass::Keyword(word),
        Kind::Word(symbol) => TokenClass::Symbol(symbol),
        Kind::Identifier | Kind::DigitIdentifier => TokenClass::Name,
        Kind::DoubleQuoted | Kind::BackQuoted => TokenClass::Quoted,
        Kind::String => TokenClass::Text,
        Kind::Integer | Kind::Decimal | Kind::Float => TokenClass::Number,
        Kind::Variable => TokenClass::Variable,
        Kind::Unrecognized | Kind::Eof => TokenClass::Stray,
    }
}

fn is_keyword(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// The words of the language, in capitals.
pub fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().copied().filter(|word| is_keyword(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_a_reader() {
        let text = "select `a`, x -- no\n = '1' + 2.5 * ${v};";
        let found: Vec<_> = tokens(text).iter().map(|token| token.class).collect();
        let expected = [
            TokenClass::Keyword("SELECT"),
            TokenClass::Quoted,
            TokenClass::Symbol(","),
            TokenClass::Name,
            TokenClass::Symbol("="),
            TokenClass::Text,
            TokenClass::Symbol("+"),
            TokenClass::Number,
            TokenClass::Symbol("*"),
            TokenClass::Variable,
            TokenClass::Symbol(";"),
        ];
        assert_eq!(found, expected);
        assert!(words().any(|word| word == "EMIT") && words().all(is_keyword));
    }
}
