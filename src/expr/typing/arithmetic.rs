//! The types of sums, products and signs.

use std::num::Wrapping;

use super::super::operator::{ArithmeticOp, Sign};
use super::super::tree::{Expr, Node};
use super::super::type_error::TypeError;
use super::{java_type, reasons, shown};
use crate::types::SqlType;

impl Expr {
    /// `left op right`. Numbers widen from INT over BIGINT and DECIMAL to DOUBLE; `+` joins texts.
    pub fn arithmetic(op: ArithmeticOp, left: Expr, right: Expr) -> Result<Self, TypeError> {
        let ty = match (&left.ty, &right.ty) {
            (Some(SqlType::String), Some(SqlType::String)) if op == ArithmeticOp::Add => {
                SqlType::String
            }
            (Some(a), Some(b)) if a.is_numeric() && b.is_numeric() => number_type(op, a, b)
                .map_err(|cause| {
                    let reason = format!("the result has no type: {cause}");
                    arithmetic_error(op, &left, &right, cause).because(reason)
                })?,
            (a, b) => {
                let cause = match (a, b) {
                    (Some(a), Some(b)) => {
                        format!("Unsupported arithmetic types. {} {}", a.base_name(), b.base_name())
                    }
                    _ => format!(
                        "Arithmetic on types {} and {} are not supported.",
                        shown(a.as_ref()),
                        shown(b.as_ref())
                    ),
                };
                return Err(arithmetic_error(op, &left, &right, cause)
                    .because(reasons::arithmetic(op, &left, &right))
                    .maybe_help(reasons::arithmetic_help(op, &left, &right)));
            }
        };
        let node = Node::Arithmetic { op, left: Box::new(left), right: Box::new(right) };
        Ok(Self::new(node, Some(ty)))
    }

    /// `-value` or `+value`.
    pub fn sign(sign: Sign, value: Expr) -> Result<Self, TypeError> {
        match value.ty.clone() {
            Some(ty) if ty.is_numeric() => {
                Ok(Self::new(Node::Sign { sign, value: Box::new(value) }, Some(ty)))
            }
            _ => Err(TypeError::code(format!(
                "Unary numeric promotion not possible on type \"{}\"",
                java_type(&value)
            ))
            .because(format!("{}: a sign stands before a number", reasons::is(0, &value)))
            .of_part(0)),
        }
    }
}

fn arithmetic_error(op: ArithmeticOp, left: &Expr, right: &Expr, cause: String) -> TypeError {
    let text = format!("({} {} {})", left.label(), op.sign(), right.label());
    let unlogged = format!("Error processing expression: {text}. {cause}\nStatement: {text}");
    TypeError {
        cause: Some(cause),
        ..TypeError::statement("Error processing expression.", unlogged)
    }
}

fn number_type(op: ArithmeticOp, left: &SqlType, right: &SqlType) -> Result<SqlType, String> {
    Ok(match (left, right) {
        (SqlType::Double, _) | (_, SqlType::Double) => SqlType::Double,
        (SqlType::Decimal { .. }, _) | (_, SqlType::Decimal { .. }) => {
            decimal_result(op, Digits::of(left), Digits::of(right))?
        }
        (SqlType::Bigint, _) | (_, SqlType::Bigint) => SqlType::Bigint,
        _ => SqlType::Int,
    })
}

/// Precision and scale of a number that is not a DOUBLE; whole numbers have all their digits.
pub(in crate::expr) fn digits(ty: &SqlType) -> (u32, u32) {
    match ty {
        SqlType::Decimal { precision, scale } => (*precision, *scale),
        SqlType::Int => (10, 0),
        _ => (19, 0),
    }
}

/// Precision and scale as Java computes with them: in 32 bits, so that they wrap.
#[derive(Clone, Copy)]
struct Digits {
    precision: Wrapping<i32>,
    scale: Wrapping<i32>,
}

impl Digits {
    fn of(ty: &SqlType) -> Self {
        let (precision, scale) = digits(ty);
        Self { precision: Wrapping(precision as i32), scale: Wrapping(scale as i32) }
    }

    fn whole(self) -> Wrapping<i32> {
        self.precision - self.scale
    }
}

fn decimal_result(op: ArithmeticOp, left: Digits, right: Digits) -> Result<SqlType, String> {
    let one = Wrapping(1);
    let scale = left.scale.max(right.scale);
    let (precision, scale) = match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract => {
            (left.whole().max(right.whole()) + scale + one, scale)
        }
        ArithmeticOp::Multiply => {
            (left.precision + right.precision + one, left.scale + right.scale)
        }
        ArithmeticOp::Divide => {
            let scale = (left.scale + right.precision + one).max(Wrapping(6));
            (left.whole() + right.scale + scale, scale)
        }
        ArithmeticOp::Modulus => (left.whole().min(right.whole()) + scale, scale),
    };
    SqlType::decimal(precision.0, scale.0)
}
