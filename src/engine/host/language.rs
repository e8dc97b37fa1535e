//! The language as it is here: functions, words, formats and properties, from the tables by which statements are read.

use super::Host;
use super::functions::{AGGREGATE, kind};
use crate::expr::aggregates::Aggregates;
use crate::expr::functions::{self, Signature};
use crate::formats::Format;
use crate::plan::OptionSet;
use crate::sql::suggest::functions_elsewhere;
use crate::sql::{is_reserved, statement_starts, tokens};

/// What can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// The functions, by name.
    pub functions: Vec<FunctionReference>,
    /// Names that functions have in other systems, and what they are here.
    pub elsewhere: &'static [(&'static str, &'static str)],
    /// The words by which statements begin.
    pub statements: &'static [&'static str],
    /// All words that mean something, and whether a name that is one of them needs quotes.
    pub words: Vec<(&'static str, bool)>,
    /// The formats of keys and values.
    pub formats: Vec<&'static str>,
    /// The properties that `WITH` may have, by the statement that it is of.
    pub options: Vec<(&'static str, Vec<&'static str>)>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionReference {
    /// Its name.
    pub name: &'static str,
    /// Whether it is `SCALAR`, `TABLE` or `AGGREGATE`.
    pub kind: &'static str,
    /// What it is listed under.
    pub category: &'static str,
    /// Its forms.
    pub overloads: Vec<OverloadReference>,
}

/// One of the forms of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverloadReference {
    /// How it is called, and with what types.
    pub call: String,
    /// The type of its result.
    pub returns: String,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// What it gives for what: expressions, or of aggregates the arguments of successive rows.
    pub examples: &'static [(&'static str, &'static str)],
}

impl Host {
    /// The language as it is here.
    pub fn language(&self) -> Language {
        let sets = [OptionSet::Source, OptionSet::Sink, OptionSet::Insert];
        let mut words: Vec<_> = tokens::words().map(|word| (word, is_reserved(word))).collect();
        words.sort_unstable();
        Language {
            functions: all_functions(),
            elsewhere: functions_elsewhere(),
            statements: statement_starts(),
            words,
            formats: Format::ALL.iter().map(|format| format.name()).collect(),
            options: sets.map(|set| (set.statement(), set.names().collect())).into(),
        }
    }
}

fn all_functions() -> Vec<FunctionReference> {
    let plain = functions::list().map(|function| FunctionReference {
        name: function.name,
        kind: kind(function.is_table),
        category: function.category,
        overloads: function
            .overloads
            .iter()
            .map(|overload| form(&overload.signature, overload.summary, overload.examples))
            .collect(),
    });
    let aggregates = Aggregates::default().list().map(|function| FunctionReference {
        name: function.name,
        kind: AGGREGATE,
        category: AGGREGATE,
        overloads: function
            .overloads
            .iter()
            .filter(|(_, row)| !row.hidden)
            .map(|(signature, row)| form(signature, row.summary, row.examples))
            .collect(),
    });
    let mut all: Vec<FunctionReference> = plain.chain(aggregates).collect();
    all.sort_by_key(|function| function.name);
    all
}

fn form(
    signature: &Signature,
    summary: &'static str,
    examples: &'static [(&'static str, &'static str)],
) -> OverloadReference {
    let (call, returns) = (signature.to_string(), signature.returns.to_string());
    OverloadReference { call, returns, summary, examples }
}
