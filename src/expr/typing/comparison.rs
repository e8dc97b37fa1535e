//! What can be compared with what.

use super::super::operator::Comparison;
use super::super::tree::{Expr, Node};
use super::super::type_error::TypeError;
use super::{java_type, reasons};
use crate::types::SqlType;

impl Expr {
    /// `left op right`. Text is read as a DATE, TIME or TIMESTAMP where the other side is one.
    pub fn comparison(op: Comparison, left: Expr, right: Expr) -> Result<Self, TypeError> {
        let (Some(a), Some(b)) = (&left.ty, &right.ty) else {
            let name = |e: &Expr| e.ty.as_ref().map_or("NULL", SqlType::base_name);
            return Err(TypeError::rule(format!(
                "Comparison with NULL not supported: {} {} {}\n\
                 Use 'IS NULL' or 'IS NOT NULL' instead.",
                name(&left),
                op.sign(),
                name(&right)
            ))
            .because(reasons::comparison(op, (0, &left), (1, &right)))
            .maybe_help(reasons::comparison_help(op, (0, &left), (1, &right))));
        };
        if !is_comparable(op, a, b) {
            let (text, name) =
                (format!("({} {} {})", left.label(), op.sign(), right.label()), op.name());
            return Err(TypeError::statement(
                format!("Cannot compare {a} to {b} with {name}."),
                format!(
                    "Cannot compare {} ({a}) to {} ({b}) with {name}.\nStatement: {text}",
                    left.label(),
                    right.label()
                ),
            )
            .because(reasons::comparison(op, (0, &left), (1, &right)))
            .maybe_help(reasons::comparison_help(op, (0, &left), (1, &right))));
        }
        let (left, right) = as_times(left, right);
        let node = Node::Comparison { op, left: Box::new(left), right: Box::new(right) };
        Ok(Self::new(node, Some(SqlType::Boolean)))
    }

    /// `value BETWEEN low AND high`, whose types ksqlDB only checks when it generates code.
    pub fn between(value: Expr, low: Expr, high: Expr) -> Result<Self, TypeError> {
        if let Node::Call(call) = &value.node {
            // The call is written out twice, but was counted once.
            let name = &call.name;
            return Err(TypeError::code(format!("Cannot get name for `{name}` 1 times"))
                .because("the call would be made twice, which ksqlDB cannot")
                .help("write {0} >= {1} AND {0} <= {2}")
                .of_part(0));
        }
        for (part, bound, sign) in [(1, &low, ">="), (2, &high, "<=")] {
            check_bound(&value, bound, sign).map_err(|error| {
                let op = Comparison::Less;
                error
                    .because(reasons::comparison(op, (0, &value), (part, bound)))
                    .maybe_help(reasons::comparison_help(op, (0, &value), (part, bound)))
                    .of_part(part)
            })?;
        }
        let (low_value, low) = as_times(value.clone(), low);
        let (high_value, high) = as_times(value, high);
        if low_value.ty != high_value.ty || matches!(low_value.node, Node::ParseTime { .. }) {
            // Bounds of two kinds: the value is read as each of them.
            let from = comparison_node(Comparison::GreaterOrEqual, low_value, low);
            let to = comparison_node(Comparison::LessOrEqual, high_value, high);
            return Ok(Self::new(Node::And(Box::new(from), Box::new(to)), Some(SqlType::Boolean)));
        }
        let (value, low, high) = (Box::new(low_value), Box::new(low), Box::new(high));
        Ok(Self::new(Node::Between { value, low, high }, Some(SqlType::Boolean)))
    }
}

fn comparison_node(op: Comparison, left: Expr, right: Expr) -> Expr {
    let node = Node::Comparison { op, left: Box::new(left), right: Box::new(right) };
    Expr::new(node, Some(SqlType::Boolean))
}

fn check_bound(value: &Expr, bound: &Expr, sign: &str) -> Result<(), TypeError> {
    let (Some(a), Some(b)) = (&value.ty, &bound.ty) else {
        return Err(TypeError::crash(
            "Cannot invoke \"io.confluent.ksql.schema.ksql.types.SqlType.baseType()\" because the \
             return value of \"io.confluent.ksql.util.Pair.getRight()\" is null",
        ));
    };
    let kind = match a {
        // Java's text takes any object to be compared with, and fails for each row.
        SqlType::String if !matches!(b, SqlType::Decimal { .. }) => return Ok(()),
        _ if is_comparable(Comparison::Less, a, b) => return Ok(()),
        SqlType::Boolean => "boolean",
        SqlType::Array(_) => "array",
        SqlType::Map(..) => "map",
        SqlType::Struct(_) => "struct",
        _ => {
            return Err(TypeError::code(format!(
                "Incompatible comparison operand types for \"{sign}\": \"{}\" and \"{}\"",
                java_type(value),
                java_type(bound)
            )));
        }
    };
    Err(TypeError::code(format!("Unexpected {kind} comparison: {sign}")))
}

fn is_comparable(op: Comparison, left: &SqlType, right: &SqlType) -> bool {
    use SqlType::{Array, Boolean, Bytes, Date, Map, String, Struct, Time, Timestamp};
    match (left, right) {
        (Boolean, Boolean) | (Array(_), Array(_)) | (Map(..), Map(..)) | (Struct(_), Struct(_)) => {
            op.is_equality()
        }
        (Bytes, Bytes)
        | (String, String | Date | Time | Timestamp)
        | (Date | Timestamp, Date | Timestamp | String)
        | (Time, Time | String) => true,
        (left, right) => left.is_numeric() && right.is_numeric(),
    }
}

/// Reads text as the kind of time that stands on the other side.
fn as_times(left: Expr, right: Expr) -> (Expr, Expr) {
    let parsed = |text: Expr, to: &SqlType| {
        let to = to.clone();
        Expr::new(Node::ParseTime { value: Box::new(text), to: to.clone() }, Some(to))
    };
    match (&left.ty, &right.ty) {
        (Some(SqlType::String), Some(time)) if time.is_time() => {
            let left = parsed(left, time);
            (left, right)
        }
        (Some(time), Some(SqlType::String)) if time.is_time() => {
            let right = parsed(right, time);
            (left, right)
        }
        _ => (left, right),
    }
}
