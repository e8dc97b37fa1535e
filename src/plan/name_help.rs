//! What may help whoever named something that is not there.

use super::Catalog;
use crate::expr::Expr;
use crate::expr::aggregates::Aggregates;
use crate::expr::functions;
use crate::sql::ast::Name;
use crate::sql::suggest::{self, NameKind};
use crate::types::SqlType;

/// What may help whoever named a stream or table that is not there.
pub fn source_help(catalog: &Catalog, name: &str) -> Option<String> {
    let names: Vec<&str> = catalog.sources().map(|source| source.name.as_str()).collect();
    suggest::help(NameKind::Source, name, &names)
}

/// What may help whoever named a query by an id that none has.
pub fn query_help(catalog: &Catalog, id: &str) -> Option<String> {
    let ids: Vec<&str> = catalog.queries().iter().map(|query| query.id.as_str()).collect();
    suggest::help(NameKind::Query, id, &ids)
}

/// What may help whoever named a field that is not there.
pub(super) fn field_help(base: &Expr, name: &Name) -> Option<String> {
    let Some(SqlType::Struct(ty)) = base.ty() else { return None };
    let fields: Vec<&str> = ty.fields.iter().map(|field| &*field.name).collect();
    suggest::help(NameKind::Field, &name.text, &fields)
}

/// Whether a function is an aggregate.
pub(super) fn is_of_many_rows(name: &str) -> bool {
    Aggregates::default().find(name).is_some()
}

/// What may help whoever called a function that is not there.
pub fn function_help(name: &str) -> Option<String> {
    if is_of_many_rows(name) {
        return Some(format!(
            "{name} is an aggregate: it stands in SELECT or HAVING, over rows that GROUP BY groups"
        ));
    }
    let aggregates = Aggregates::default().list().map(|function| function.name);
    let names: Vec<&str> =
        functions::list().map(|function| function.name).chain(aggregates).collect();
    suggest::help(NameKind::Function, name, &names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of the language that stand in what is to be written.
    const WORDS: [&str; 12] = [
        "AS", "IS", "CASE", "CAST", "DOUBLE", "ELSE", "END", "NOT", "NULL", "STRING", "THEN",
        "WHEN",
    ];

    #[test]
    fn what_functions_elsewhere_are_here_is_there() {
        let is_known = |name: &str| {
            functions::describe(name).is_some() || Aggregates::default().find(name).is_some()
        };
        let is_name = |word: &&str| {
            word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        };
        for (theirs, here) in suggest::functions_elsewhere() {
            assert!(!is_known(theirs), "{theirs} is a function");
            let words =
                here.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(is_name);
            for word in words {
                let is_type = word == "TIMESTAMP";
                assert!(is_known(word) || WORDS.contains(&word) || is_type, "{theirs}: {word}");
            }
        }
    }
}
