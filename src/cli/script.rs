//! A text cut into what is run piece by piece: statements, and commands of the shell, which are a line each.

use super::command;
use crate::sql::tokens::{Token, TokenClass, tokens};

/// A part of a text that is run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A statement with its semicolon.
    Statement(&'a str),
    /// A line with a command of the shell.
    Command(&'a str),
    /// What stands at the end and lacks its semicolon.
    Rest(&'a str),
    /// What lacks its semicolon where the user ends the shell, in the middle of a statement.
    Left(&'a str),
}

impl<'a> Piece<'a> {
    /// Its text.
    pub fn text(self) -> &'a str {
        let (Self::Statement(text) | Self::Command(text) | Self::Rest(text) | Self::Left(text)) =
            self;
        text
    }
}

/// The pieces of a text, in order.
pub fn split(text: &str) -> Vec<Piece<'_>> {
    placed(text).into_iter().map(|(_, piece)| piece).collect()
}

/// The pieces of a text, in order, each with where it begins.
pub fn placed(text: &str) -> Vec<(usize, Piece<'_>)> {
    let tokens = tokens(text);
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(first) = tokens.get(at) {
        let start = first.span.start;
        let line_end = text[start..].find('\n').map_or(text.len(), |end| start + end);
        if command::is_command(&text[start..line_end]) {
            let is_short = text[start..].starts_with('\\');
            let end = tokens[at..].iter().find(|token| is_end(token) && !is_short);
            let end = end.map_or(line_end, |token| token.span.end.min(line_end));
            pieces.push((start, Piece::Command(text[start..end].trim_end())));
            at += tokens[at..].iter().take_while(|token| token.span.start < end).count();
            continue;
        }
        let length = tokens[at..].iter().position(is_end);
        let is_left = |token: &Token| is_quit(text, token.span.start);
        let statement = &tokens[at..length.map_or(tokens.len(), |length| at + length)];
        if let Some(length) = statement.iter().position(is_left) {
            let end = tokens[at + length - 1].span.end;
            pieces.push((start, Piece::Left(&text[start..end])));
            at += length;
            continue;
        }
        let piece = match length {
            Some(length) => Piece::Statement(&text[start..tokens[at + length].span.end]),
            None => Piece::Rest(&text[start..tokens[tokens.len() - 1].span.end]),
        };
        pieces.push((start, piece));
        at += length.map_or(tokens.len(), |length| length + 1);
    }
    pieces.retain(|(_, piece)| *piece != Piece::Statement(";"));
    pieces
}

/// Whether a line begins there that ends the shell, be it in the middle of a statement: no statement has a backslash.
fn is_quit(text: &str, start: usize) -> bool {
    let (before, line) = (&text[..start], text[start..].lines().next().unwrap_or_default());
    let begins_line = before.rsplit('\n').next().unwrap_or_default().trim().is_empty();
    begins_line && start > 0 && line.trim_end_matches([';', ' ', '\t', '\r']) == "\\q"
}

/// What a user has typed of a statement that is not whole yet: its first line.
pub fn unfinished(text: &str) -> Option<&str> {
    let last = split(text).pop()?;
    let is_whole = matches!(last, Piece::Statement(_) | Piece::Command(_)) && is_complete(text);
    (!is_whole).then(|| last.text().lines().next().unwrap_or_default())
}

fn is_end(token: &Token) -> bool {
    token.class == TokenClass::Symbol(";")
}

/// Whether nothing is missing: there is nothing, a command, or statements with their semicolons and closed quotes.
pub fn is_complete(text: &str) -> bool {
    let has_open_quote = tokens(text).iter().any(|token| {
        token.class == TokenClass::Stray && ["'", "\"", "`"].contains(&token.span.text(text))
    });
    let is_command = command::is_command(text.trim_start());
    let is_left = split(text).iter().any(|piece| matches!(piece, Piece::Left(_)));
    is_command
        || is_left
        || (!has_open_quote && !matches!(split(text).last(), Some(Piece::Rest(_))))
}

/// The word, in capitals, that a statement begins with.
pub fn first_word(statement: &str) -> String {
    let first = tokens(statement).first().map(|token| token.span.text(statement).to_uppercase());
    first.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_left_in_the_middle_of_a_statement() {
        let text = "SHOW TABLES; SELECT *\nFROM a\n \\q ;\nSELECT '\n\\q\n';";
        assert_eq!(
            split(text),
            [
                Piece::Statement("SHOW TABLES;"),
                Piece::Left("SELECT *\nFROM a"),
                Piece::Command("\\q ;"),
                Piece::Statement("SELECT '\n\\q\n';"),
            ]
        );
        assert!(is_complete("SELECT *\n\\q") && !is_complete("SELECT *\n\\quit"));
        assert_eq!(unfinished("SELECT *\nFROM"), Some("SELECT *"));
        assert_eq!(unfinished("A; SELECT 'x"), Some("SELECT 'x"));
        assert_eq!(unfinished("SHOW TABLES;"), None);
    }

    #[test]
    fn texts_are_cut_at_semicolons_that_end_statements() {
        assert_eq!(
            split("SELECT ';' FROM a; -- b;\n\\dt\nhelp;\nSHOW\nTABLES;;\nLIST TOPICS"),
            [
                Piece::Statement("SELECT ';' FROM a;"),
                Piece::Command("\\dt"),
                Piece::Command("help;"),
                Piece::Statement("SHOW\nTABLES;"),
                Piece::Rest("LIST TOPICS"),
            ]
        );
        assert_eq!(
            split("output csv; SHOW TABLES;"),
            [Piece::Command("output csv;"), Piece::Statement("SHOW TABLES;")]
        );
        assert_eq!(split(" -- nothing\n"), []);
    }

    #[test]
    fn lines_go_on_until_nothing_is_missing() {
        for complete in ["", "SELECT 1;", "\\d a", "exit", "SELECT ';';", "-- a"] {
            assert!(is_complete(complete), "{complete}");
        }
        for incomplete in ["SELECT 1", "SELECT 'a;", "SHOW TABLES; SELECT"] {
            assert!(!is_complete(incomplete), "{incomplete}");
        }
    }
}
