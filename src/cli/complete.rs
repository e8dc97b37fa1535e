//! What may stand where the cursor is.

use super::names::Names;
use crate::sql::is_reserved;
use crate::sql::tokens::{Token, TokenClass, tokens, words};

/// The shell's own commands.
const COMMANDS: [&str; 11] =
    ["\\?", "\\d", "\\df", "\\dq", "\\ds", "\\dt", "\\i", "\\l", "\\q", "\\timing", "\\x"];
/// Words behind which a stream or a table is named.
const BEFORE_SOURCES: [&str; 7] = ["FROM", "JOIN", "INTO", "DESCRIBE", "STREAM", "TABLE", "\\d"];
/// The most that is offered.
const OFFERED_MAX: usize = 200;

/// What may replace a part of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What may stand there.
    pub text: String,
    /// What it is.
    pub kind: &'static str,
}

/// What may stand at the end of `before`, and where it begins.
pub fn complete(before: &str, names: &Names) -> (usize, Vec<Completion>) {
    if let Some(quote) = open_quote(before) {
        return (quote + 1, in_quotes(&before[..quote], &before[quote + 1..], names));
    }
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\\' | '`');
    let start = before.char_indices().rev().take_while(|(_, c)| is_part(*c)).last();
    let start = start.map_or(before.len(), |(at, _)| at);
    let typed = &before[start..];
    let statement = statement_of(&before[..start]);
    let mut found = Vec::new();
    if typed.starts_with('\\') {
        offer(&mut found, typed, COMMANDS, "command");
        return (start, found);
    }
    let sources: Vec<String> = names.sources.keys().map(|name| written(name)).collect();
    let sources = sources.iter().map(String::as_str);
    if BEFORE_SOURCES.contains(&last_word(statement).as_str()) {
        offer(&mut found, typed, sources, "source");
        return (start, found);
    }
    if !typed.is_empty() || before.ends_with('.') {
        let columns = columns(statement, names);
        offer(&mut found, typed, columns.iter().map(String::as_str), "column");
        offer(&mut found, typed, words(), "");
        offer(&mut found, typed, names.functions.iter().map(String::as_str), "function");
        offer(&mut found, typed, sources, "source");
    }
    (start, found)
}

/// Where a text in quotes has begun that has no end.
fn open_quote(before: &str) -> Option<usize> {
    let strays = tokens(before).into_iter();
    let mut strays =
        strays.filter(|token| token.class == TokenClass::Stray && token.span.text(before) == "'");
    strays.next().map(|token| token.span.start)
}

/// What is named in quotes: properties, and topics.
fn in_quotes(before: &str, typed: &str, names: &Names) -> Vec<Completion> {
    let mut found = Vec::new();
    let statement = statement_of(before);
    match last_word(statement).as_str() {
        "SET" | "UNSET" | "SYSTEM" => {
            offer(&mut found, typed, names.properties.iter().map(String::as_str), "property");
        }
        _ if last_word(statement) == "PRINT"
            || statement.to_uppercase().trim_end().ends_with("KAFKA_TOPIC=") =>
        {
            offer(&mut found, typed, names.topics.iter().map(String::as_str), "topic");
        }
        _ => {}
    }
    found
}

/// The statement that goes on at the end of a text.
fn statement_of(before: &str) -> &str {
    let end = tokens(before)
        .iter()
        .rev()
        .find(|token| token.class == TokenClass::Symbol(";"))
        .map(|token| token.span.end);
    &before[end.unwrap_or(0)..]
}

fn last_word(text: &str) -> String {
    let trimmed = text.trim_end();
    let start = trimmed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    trimmed[start..].to_uppercase()
}

/// The columns of the sources that a statement names; of all where it names none.
fn columns(statement: &str, names: &Names) -> Vec<String> {
    let named = |token: &Token| {
        let text = token.span.text(statement);
        let is_quoted = token.class == TokenClass::Quoted;
        if is_quoted { text.trim_matches('`').to_owned() } else { text.to_uppercase() }
    };
    let all: Vec<String> = tokens(statement).iter().map(named).collect();
    let is_named = |(name, _): &(&String, &Vec<String>)| all.contains(name);
    let mut columns: Vec<&String> =
        names.sources.iter().filter(is_named).flat_map(|(_, columns)| columns).collect();
    if columns.is_empty() {
        columns = names.sources.values().flatten().collect();
    }
    let mut columns: Vec<String> = columns.into_iter().map(|name| written(name)).collect();
    columns.sort();
    columns.dedup();
    columns
}

/// A name as a statement has it: in quotes, where it would mean another one without.
fn written(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let starts_well = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    if is_plain && starts_well && !is_reserved(name) {
        return name.to_owned();
    }
    format!("`{}`", name.replace('`', "``"))
}

/// Offers those that begin as what is typed, in small letters where that is.
fn offer<'a>(
    found: &mut Vec<Completion>,
    typed: &str,
    all: impl IntoIterator<Item = &'a str>,
    kind: &'static str,
) {
    let is_small = typed.chars().any(char::is_lowercase) && !typed.chars().any(char::is_uppercase);
    for one in all {
        let begins = one.get(..typed.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(typed));
        let quoted = one.strip_prefix('`').and_then(|inner| inner.get(..typed.len()));
        let begins = begins
            || (!typed.is_empty() && quoted.is_some_and(|begin| begin.eq_ignore_ascii_case(typed)));
        if !begins || found.len() >= OFFERED_MAX {
            continue;
        }
        let may_be_small = is_small
            && matches!(kind, "" | "function" | "column" | "source")
            && !one.starts_with('`');
        let text = if may_be_small { one.to_lowercase() } else { one.to_owned() };
        if !found.iter().any(|known| known.text == text) {
            found.push(Completion { text, kind });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: &str, expected: &[&str]) {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let names = Names {
            sources: [
                ("HITS".to_owned(), list(&["DEVICE", "COUNT"])),
                ("quotedStream".to_owned(), list(&["DEPTH"])),
            ]
            .into(),
            functions: list(&["UCASE", "UNIX_TIMESTAMP"]),
            properties: list(&["auto.offset.reset"]),
            topics: list(&["hits", "readings"]),
        };
        let (start, found) = complete(before, &names);
        let found: Vec<String> =
            found.iter().map(|one| format!("{}{}", &before[..start], one.text)).collect();
        assert_eq!(found, expected, "{before}");
    }

    #[test]
    fn what_may_follow_depends_on_what_stands_before() {
        check("SELECT * FROM h", &["SELECT * FROM hits"]);
        check("SELECT * FROM ", &["SELECT * FROM HITS", "SELECT * FROM `quotedStream`"]);
        check("describe q", &["describe `quotedStream`"]);
        check("SELECT uc", &["SELECT ucase"]);
        check("SELEC", &["SELECT"]);
        check("SHOW TABLES; selec", &["SHOW TABLES; select"]);
        check("SELECT * FROM hits WHERE dev", &["SELECT * FROM hits WHERE device"]);
        check("SELECT * FROM hits WHERE dep", &[]);
        check("SET 'auto", &["SET 'auto.offset.reset"]);
        check("PRINT 'r", &["PRINT 'readings"]);
        check("\\d", &["\\d", "\\df", "\\dq", "\\ds", "\\dt"]);
        check("SELECT 'é", &[]);
    }
}
