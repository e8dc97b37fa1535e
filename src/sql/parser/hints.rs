//! What may help where a token is not expected: what was meant by it, or by the one before it.
//!
//! ksqlDB's messages say at most what could stand there. A mistyped word is often taken for a name, so that the
//! token behind it is the first that does not fit.

use super::then::{Then, starts};
use crate::sql::keywords::is_reserved;
use crate::sql::lexer::{Kind, Token};
use crate::sql::suggest::{self, NameKind, did_you_mean};

/// Where a parse stopped.
pub(super) struct Stop<'s> {
    pub(super) source: &'s str,
    /// All tokens of the text.
    pub(super) tokens: &'s [Token],
    /// Which one was not expected.
    pub(super) at: usize,
    /// What could have stood there instead, as far as that is known.
    pub(super) expected: &'s [&'static str],
}

/// Words that begin what may follow a name.
static CLAUSES: &[&str] = &[
    "AS",
    "EMIT",
    "FROM",
    "GROUP",
    "HAVING",
    "JOIN",
    "LIMIT",
    "PARTITION",
    "SELECT",
    "VALUES",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// Words behind which one of a few stands.
static AFTER: &[(&str, &[&str])] =
    &[("EMIT", &["CHANGES", "FINAL"]), ("SHOW", LISTS), ("LIST", LISTS)];

/// What `SHOW` and `LIST` show.
static LISTS: &[&str] = &[
    "CONNECTORS",
    "FUNCTIONS",
    "PROPERTIES",
    "QUERIES",
    "STREAMS",
    "TABLES",
    "TOPICS",
    "TYPES",
    "VARIABLES",
];

const NO_UNION: &str = "there is no UNION: INSERT INTO … SELECT writes another query into a stream";

/// Mistakes that expected tokens do not explain: what stands before, what is found, what follows it (where that
/// matters), and what may help.
static HINTS: &[(&str, &str, &str, &str)] = &[
    (
        "",
        "'",
        "",
        "the text that starts here has no end: close it with ', and double a ' within it",
    ),
    ("", "\"", "", "the name that starts here has no end: close it with \""),
    ("", "`", "", "the name that starts here has no end: close it with `"),
    ("", "=", "", "write a single = to compare"),
    ("", "!", "", "write NOT to negate"),
    ("ORDER", "BY", "", "there is no ORDER BY: rows come in the order of their records"),
    ("(", "DISTINCT", "", "write COUNT_DISTINCT(value), or COLLECT_SET(value) for the values"),
    ("", "DISTINCT", "", "there is no SELECT DISTINCT: use GROUP BY"),
    (
        "",
        "(",
        "PARTITION",
        "OVER stands behind a call, as in LAG(x) OVER (…), and nowhere with ksql.millstream.strict=true",
    ),
    ("", ":", ":", "write CAST(value AS type) to convert"),
    ("", "&", "&", "write AND"),
    (
        "(",
        "SELECT",
        "",
        "a query within another is not possible: name it with CREATE STREAM … AS first",
    ),
    (
        "IN",
        "(",
        "SELECT",
        "a query within another is not possible: name it with CREATE STREAM … AS first",
    ),
    ("", "UNION", "", NO_UNION),
    ("UNION", "ALL", "", NO_UNION),
    ("UNION", "SELECT", "", NO_UNION),
    ("", "INTERSECT", "", "there is no INTERSECT: join the two"),
    ("", "EXCEPT", "", "there is no EXCEPT: join the two, and keep what has no partner"),
    ("", "VIEW", "", "there are no views: CREATE STREAM … AS SELECT keeps the rows of a query"),
    (
        "",
        "MATERIALIZED",
        "",
        "there are no views: CREATE TABLE … AS SELECT keeps the rows of a query",
    ),
    ("", "INDEX", "", "there are no indexes: the key of a table is one"),
    ("", "DATABASE", "", "there are no databases: streams and tables stand side by side"),
    ("", "SCHEMA", "", "there are no schemas of names: streams and tables stand side by side"),
    ("", "NOT", "NULL", "leave it out: a column may always be NULL, but for the key of a table"),
    ("", "NULL", "", "leave it out: a column may always be NULL, but for the key of a table"),
    ("", "DEFAULT", "", "columns have no defaults: write IFNULL(column, value) where it is read"),
    ("", "WITHIN", "", "WITHIN stands before ON"),
    ("IF", "(", "", "write CASE WHEN condition THEN a ELSE b END"),
    ("CROSS", "JOIN", "", "a join needs a key: JOIN … ON left = right"),
    ("NATURAL", "JOIN", "", "a join needs a key: JOIN … ON left = right"),
    ("", "USING", "", "write ON left.column = right.column"),
    ("", "FOR", "", "leave it out"),
    ("", "RANGE", "", "write ROWS: rows are counted, not ranges of values"),
    ("", "OFFSET", "", "there is no OFFSET: a query reads on from where it is"),
];

/// What may help where a parse stopped.
pub(super) fn help(stop: &Stop<'_>) -> Option<String> {
    stop.unseen()
        .or_else(|| stop.quote_in_text())
        .or_else(|| stop.mistyped())
        .or_else(|| stop.table())
        .or_else(|| stop.clause())
        .or_else(|| stop.property())
        .or_else(|| stop.comma())
        .or_else(|| stop.word_for_name())
        .or_else(|| stop.quotes())
}

impl<'s> Stop<'s> {
    fn text(&self, token: Token) -> &'s str {
        token.span.text(self.source)
    }

    fn found(&self) -> Token {
        self.tokens[self.at]
    }

    fn before(&self) -> Option<Token> {
        self.at.checked_sub(1).map(|before| self.tokens[before])
    }

    fn before_text(&self) -> &'s str {
        self.before().map_or("", |token| self.text(token))
    }

    fn next_text(&self) -> &'s str {
        self.tokens.get(self.at + 1).map_or("", |token| self.text(*token))
    }

    fn is_expected(&self, word: &str) -> bool {
        self.expected.contains(&word)
    }

    /// Characters that look like quotes or like nothing.
    fn unseen(&self) -> Option<String> {
        let found = self.found();
        let first = self.text(found).chars().next().filter(|_| found.kind == Kind::Unrecognized)?;
        match first {
            '‘' | '’' | '‚' | '“' | '”' | '„' | '«' | '»' | '´' => {
                Some(format!("{first} is no quote of the language: texts stand in '…'"))
            }
            '–' | '—' | '−' => Some(format!("{first} is no minus: write -")),
            _ if first.is_whitespace() || first.is_control() || is_invisible(first) => {
                Some(format!(
                    "there is a character here that cannot be seen: U+{:04X}",
                    u32::from(first)
                ))
            }
            _ => None,
        }
    }

    /// `'it's'`: the text ends where it should go on.
    fn quote_in_text(&self) -> Option<String> {
        let before = self.before().filter(|before| before.kind == Kind::String)?;
        let found = self.found();
        let is_word = self.text(found).starts_with(char::is_alphanumeric);
        (before.span.end == found.span.start && is_word).then(|| {
            format!("a ' within a text is doubled: {}'{}…", self.text(before), self.text(found))
        })
    }

    /// A word for another, here or before.
    fn mistyped(&self) -> Option<String> {
        let found = self.text(self.found());
        let meant = |word: &str, candidates: &[&'static str]| {
            did_you_mean(&word.to_uppercase(), candidates.iter().copied())
        };
        if is_word(found) {
            let before = self.before_text();
            let known = AFTER.iter().find(|(word, _)| word.eq_ignore_ascii_case(before));
            let candidates = known.map_or(self.expected, |(_, candidates)| *candidates);
            if let Some(meant) = meant(found, candidates) {
                return Some(format!("did you mean {meant}?"));
            }
        }
        let before = self.before().filter(|before| before.kind == Kind::Identifier)?;
        let before = self.text(before);
        let meant = meant(before, self.expected).or_else(|| meant(before, CLAUSES))?;
        Some(format!("did you mean {meant}? {before} is taken for a name"))
    }

    fn table(&self) -> Option<String> {
        let fits = |rule: &str, text: &str| rule.is_empty() || rule.eq_ignore_ascii_case(text);
        let (before, found) = (self.before_text(), self.text(self.found()));
        let row = HINTS.iter().find(|(first, token, after, _)| {
            token.eq_ignore_ascii_case(found)
                && fits(first, before)
                && fits(after, self.next_text())
        });
        row.map(|(_, _, _, help)| (*help).to_owned())
    }

    /// A clause at the wrong place, or one that is not closed.
    fn clause(&self) -> Option<String> {
        let found = self.text(self.found());
        let two_before = self.at.checked_sub(2).map_or("", |at| self.text(self.tokens[at]));
        if found.eq_ignore_ascii_case("EMIT") && self.is_expected(";") {
            return Some("EMIT stands at the end, but before LIMIT".to_owned());
        }
        if self.text(self.found()) == ";" && self.is_expected("FROM") {
            return Some("a SELECT reads a stream or a table: add FROM and its name".to_owned());
        }
        if self.before_text() == "(" && two_before.eq_ignore_ascii_case("KEY") {
            return Some("write PRIMARY KEY behind the type of each column of the key".to_owned());
        }
        if two_before.eq_ignore_ascii_case("INTERVAL") {
            let help =
                "there are no intervals: DATEADD, TIMESTAMPADD and their like move times by a unit";
            return Some(help.to_owned());
        }
        if is_reserved(found) && self.balance("CASE", "END") > 0 {
            return Some("close CASE with END".to_owned());
        }
        None
    }

    /// How many more tokens of the statement so far are `opens` than `closes`.
    fn balance(&self, opens: &str, closes: &str) -> i64 {
        let before = self.tokens[..self.at].iter().rev().map(|token| self.text(*token));
        let is = |word: &str, other: &str| i64::from(word.eq_ignore_ascii_case(other));
        let own = before.take_while(|word| *word != ";");
        own.map(|word| is(word, opens) - is(word, closes)).sum()
    }

    /// A comma too few or too many.
    fn comma(&self) -> Option<String> {
        let found = self.found();
        if self.text(found) == "," && is_reserved(self.next_text()) && !self.is_after_from() {
            return Some(format!("take away the comma before {}", self.next_text()));
        }
        let ends_list =
            self.text(found) == ")" || is_reserved(self.text(found)) && self.balance("(", ")") == 0;
        if self.before_text() == "," && ends_list {
            return Some(format!("take away the comma before {}", self.text(found)));
        }
        let is_clause = CLAUSES.iter().any(|word| word.eq_ignore_ascii_case(self.text(found)));
        if self.is_expected(",")
            && !is_clause
            && (starts(found, Then::Property) || starts(found, Then::Number))
        {
            return Some(format!("write a comma before {}", self.text(found)));
        }
        if self.text(found) == "," && self.is_after_from() {
            return Some("write JOIN … ON … to join another stream or table".to_owned());
        }
        if self.is_expected(")") && (self.text(found) == ";" || is_reserved(self.text(found))) {
            return Some("close what ( opened with )".to_owned());
        }
        None
    }

    /// Whether only names stand between here and `FROM`.
    fn is_after_from(&self) -> bool {
        let before = self.tokens[..self.at].iter().rev();
        let mut words = before.map(|token| self.text(*token)).skip_while(|word| {
            is_word(word) && !is_reserved(word) || word.eq_ignore_ascii_case("AS")
        });
        words.next().is_some_and(|word| word.eq_ignore_ascii_case("FROM"))
    }

    /// A word of the language where the name of a property should be.
    fn property(&self) -> Option<String> {
        let is_name = matches!(self.before_text(), "(" | ",") && self.next_text() == "=";
        let found = self.text(self.found());
        suggest::help(NameKind::Option, found, &[]).filter(|_| is_name && is_word(found))
    }

    /// A word of the language where a name should be.
    fn word_for_name(&self) -> Option<String> {
        let found = self.text(self.found());
        if !is_reserved(found) {
            return None;
        }
        let names = [
            "AS", "FROM", "JOIN", "STREAM", "TABLE", "INTO", "SELECT", ",", "(", ".", "->",
            "EXISTS",
        ];
        let is_name = names.iter().any(|word| word.eq_ignore_ascii_case(self.before_text()));
        is_name.then(|| {
            format!("{found} is a word of the language: write `{found}` to use it as a name")
        })
    }

    /// Quotes that are missing, or are those of names.
    fn quotes(&self) -> Option<String> {
        let (found, text) = (self.found(), self.text(self.found()));
        if matches!(self.before_text().to_ascii_uppercase().as_str(), "SET" | "UNSET") {
            let name = self.tokens[self.at..].iter().take_while(|token| {
                let text = self.text(**token);
                text == "." || is_word(text)
            });
            let name: String = name.map(|token| self.text(*token)).collect();
            return (!name.is_empty()).then(|| format!("write the name in quotes: '{name}'"));
        }
        let is_value = self.before_text() == "=";
        match found.kind {
            Kind::DoubleQuoted if is_value => {
                let inside = text.trim_matches('"').replace('\'', "''");
                Some(format!("\" stands around names: write '{inside}' for the text"))
            }
            Kind::Identifier if is_value => Some(format!("write '{text}' for the text")),
            Kind::Word("-") => {
                Some(format!("a name with - in it stands in quotes: `{}-…`", self.before_text()))
                    .filter(|_| self.before().is_some_and(|before| before.kind == Kind::Identifier))
            }
            _ => None,
        }
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Whether a character takes no place where it is shown.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}
