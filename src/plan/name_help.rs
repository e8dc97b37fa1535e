//! What may help whoever named a field or a function that is not there.

use crate::expr::Expr;
use crate::expr::aggregates::Aggregates;
use crate::expr::functions;
use crate::sql::ast::Name;
use crate::sql::suggest::{self, NameKind};
use crate::types::SqlType;

/// What may help whoever named a field that is not there.
pub(super) fn field_help(base: &Expr, name: &Name) -> Option<String> {
    let Some(SqlType::Struct(ty)) = base.ty() else { return None };
    let fields: Vec<&str> = ty.fields.iter().map(|field| &*field.name).collect();
    suggest::help(NameKind::Field, &name.text, &fields)
}

/// What may help whoever called a function that is not there.
pub(super) fn function_help(name: &str) -> Option<String> {
    if Aggregates::default().find(name).is_some() {
        return Some(format!(
            "{name} is an aggregate: it stands in SELECT or HAVING, over rows that GROUP BY groups"
        ));
    }
    let aggregates = Aggregates::default().list().map(|function| function.name);
    let names: Vec<&str> =
        functions::list().map(|function| function.name).chain(aggregates).collect();
    suggest::help(NameKind::Function, name, &names)
}
