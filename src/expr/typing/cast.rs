//! Which types can be cast to which.

use super::super::tree::{Expr, Node};
use super::super::type_error::TypeError;
use super::castable::is_castable;
use super::reasons;
use crate::types::SqlType;

impl Expr {
    /// `CAST(value AS to)`.
    pub fn cast(value: Expr, to: SqlType) -> Result<Self, TypeError> {
        if let Some(from) = &value.ty
            && !is_castable(from, &to)
        {
            let error = TypeError::code(format!("Cast of {from} to {to} is not supported"));
            return Err(error
                .because(format!(
                    "{}, which cannot be made {}",
                    reasons::is(0, &value),
                    reasons::a(&to)
                ))
                .maybe_help(reasons::cast_help(from, &to)));
        }
        Ok(Self::cast_unchecked(value, to))
    }

    /// A cast that is known to be possible.
    pub(super) fn cast_unchecked(value: Expr, to: SqlType) -> Self {
        let ty = Some(to.clone());
        Self::new(Node::Cast { value: Box::new(value), to }, ty)
    }
}
