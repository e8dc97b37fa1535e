//! The type of a CASE.

use super::super::tree::{Expr, Node};
use super::super::type_error::TypeError;
use super::{reasons, shown};
use crate::types::SqlType;

impl Expr {
    /// `CASE WHEN condition THEN result … [ELSE otherwise] END`: all results are of one type.
    pub fn case(whens: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Result<Self, TypeError> {
        let mut found: Option<&SqlType> = None;
        for (index, (condition, result)) in whens.iter().enumerate() {
            if condition.ty != Some(SqlType::Boolean) {
                return Err(TypeError::rule(format!(
                    "WHEN operand type should be boolean.\nType for '{}' is {}",
                    condition.label(),
                    shown(condition.ty.as_ref())
                ))
                .because(format!("{}: WHEN takes a condition", reasons::is(2 * index, condition)))
                .of_part(2 * index));
            }
            match (found, &result.ty) {
                (_, None) => {}
                (None, Some(ty)) => found = Some(ty),
                (Some(before), Some(ty)) if before == ty => {}
                (Some(before), Some(ty)) => {
                    return Err(TypeError::rule(format!(
                        "Invalid Case expression. Type for all 'THEN' clauses should be the same.\
                         \nTHEN expression 'WHEN {} THEN {}' has type: {ty}.\
                         \nPrevious THEN expression(s) type: {before}.",
                        condition.label(),
                        result.label()
                    ))
                    .because(format!(
                        "{}, the result before it {}",
                        reasons::is(2 * index + 1, result),
                        reasons::a(before)
                    ))
                    .of_part(2 * index + 1));
                }
            }
        }
        let ty = match (found, otherwise.as_ref().and_then(|e| e.ty.as_ref())) {
            (Some(then), Some(other)) if then != other => {
                return Err(TypeError::rule(format!(
                    "Invalid Case expression. Type for the default clause should be the same as \
                     for 'THEN' clauses.\nTHEN type: {then}.\nDEFAULT type: {other}."
                ))
                .because(format!(
                    "{{{0}}} is {1}, the result before it {2}",
                    2 * whens.len(),
                    reasons::a(other),
                    reasons::a(then)
                ))
                .of_part(2 * whens.len()));
            }
            (Some(ty), _) | (None, Some(ty)) => ty.clone(),
            (None, None) => {
                return Err(TypeError::rule(
                    "Invalid Case expression. All case branches have NULL type",
                )
                .help("give one a type, as in CAST(NULL AS STRING)"));
            }
        };
        Ok(Self::new(Node::Case { whens, otherwise: otherwise.map(Box::new) }, Some(ty)))
    }
}
