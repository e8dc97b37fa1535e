//! The types of sums, products and signs.

use super::super::operator::{ArithmeticOp, Sign};
use super::super::tree::{Expr, Node};
use super::super::type_error::TypeError;
use super::{java_type, shown};
use crate::types::SqlType;

impl Expr {
    /// `left op right`. Numbers widen from INT over BIGINT and DECIMAL to DOUBLE; `+` joins texts.
    pub fn arithmetic(op: ArithmeticOp, left: Expr, right: Expr) -> Result<Self, TypeError> {
        let ty = match (&left.ty, &right.ty) {
            (Some(SqlType::String), Some(SqlType::String)) if op == ArithmeticOp::Add => {
                SqlType::String
            }
            (Some(a), Some(b)) if a.is_numeric() && b.is_numeric() => number_type(op, a, b),
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
                return Err(arithmetic_error(op, &left, &right, cause));
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
            ))),
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

fn number_type(op: ArithmeticOp, left: &SqlType, right: &SqlType) -> SqlType {
    match (left, right) {
        (SqlType::Double, _) | (_, SqlType::Double) => SqlType::Double,
        (SqlType::Decimal { .. }, _) | (_, SqlType::Decimal { .. }) => {
            decimal_result(op, digits(left), digits(right))
        }
        (SqlType::Bigint, _) | (_, SqlType::Bigint) => SqlType::Bigint,
        _ => SqlType::Int,
    }
}

/// Precision and scale of a number that is not a DOUBLE; whole numbers have all their digits.
pub(in crate::expr) fn digits(ty: &SqlType) -> (u32, u32) {
    match ty {
        SqlType::Decimal { precision, scale } => (*precision, *scale),
        SqlType::Int => (10, 0),
        _ => (19, 0),
    }
}

fn decimal_result(op: ArithmeticOp, (p1, s1): (u32, u32), (p2, s2): (u32, u32)) -> SqlType {
    let (whole1, whole2) = (p1 - s1, p2 - s2);
    let scale = s1.max(s2);
    let (precision, scale) = match op {
        ArithmeticOp::Add | ArithmeticOp::Subtract => (whole1.max(whole2) + scale + 1, scale),
        ArithmeticOp::Multiply => (p1 + p2 + 1, s1 + s2),
        ArithmeticOp::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            (whole1 + s2 + scale, scale)
        }
        ArithmeticOp::Modulus => (whole1.min(whole2) + scale, scale),
    };
    SqlType::Decimal { precision, scale }
}
