//! Why types do not fit, and what would: said in SQL's words beside ksqlDB's message.
//!
//! `{0}`, `{1}` and so on stand for the parts of the expression as they are written, from the left; whoever has the
//! text puts them in.

use super::super::operator::{ArithmeticOp, Comparison};
use super::super::tree::{Expr, Node};
use super::castable::is_castable;
use crate::types::{OwnedValue, SqlType};

/// The longest type that is shown with all its parts.
const TYPE_SHOWN_MAX: usize = 40;

/// A type with its article, such as `an INTEGER`.
pub fn a(ty: &SqlType) -> String {
    let whole = ty.to_string();
    let shown = if whole.len() > TYPE_SHOWN_MAX { ty.base_name().to_owned() } else { whole };
    if *ty == SqlType::Bytes {
        return shown;
    }
    let article = if shown.starts_with(['A', 'I']) { "an" } else { "a" };
    format!("{article} {shown}")
}

/// What part `index` is.
pub(super) fn is(index: usize, value: &Expr) -> String {
    match &value.ty {
        Some(ty) => format!("{{{index}}} is {}", a(ty)),
        None => format!("{{{index}}} has no type"),
    }
}

/// What two parts are.
pub(super) fn are((i, left): (usize, &Expr), (j, right): (usize, &Expr)) -> String {
    match (&left.ty, &right.ty) {
        (Some(a), Some(b)) if a == b => format!("{}, and so is {{{j}}}", is(i, left)),
        (Some(_), Some(ty)) => format!("{} and {{{j}}} {}", is(i, left), a(ty)),
        _ => format!("{}, {}", is(i, left), is(j, right)),
    }
}

/// Why `left op right` cannot be computed.
pub(super) fn arithmetic(op: ArithmeticOp, left: &Expr, right: &Expr) -> String {
    let takes = if op == ArithmeticOp::Add { "two numbers or two STRINGs" } else { "two numbers" };
    format!("{}: {} takes {takes}", are((0, left), (1, right)), op.sign())
}

/// How `left op right` could be computed.
pub(super) fn arithmetic_help(op: ArithmeticOp, left: &Expr, right: &Expr) -> Option<String> {
    let sign = op.sign();
    match (left.ty.as_ref()?, right.ty.as_ref()?) {
        (SqlType::String, SqlType::String) => None,
        (SqlType::String, number) if op == ArithmeticOp::Add && number.is_numeric() => {
            Some(format!(
                "write {{0}} + CAST({{1}} AS STRING) to join texts, CAST({{0}} AS {number}) + {{1}} to add numbers"
            ))
        }
        (number, SqlType::String) if op == ArithmeticOp::Add && number.is_numeric() => {
            Some(format!(
                "write CAST({{0}} AS STRING) + {{1}} to join texts, {{0}} + CAST({{1}} AS {number}) to add numbers"
            ))
        }
        (SqlType::String, other)
            if op == ArithmeticOp::Add && is_castable(other, &SqlType::String) =>
        {
            Some("write {0} + CAST({1} AS STRING) to join texts".to_owned())
        }
        (other, SqlType::String)
            if op == ArithmeticOp::Add && is_castable(other, &SqlType::String) =>
        {
            Some("write CAST({0} AS STRING) + {1} to join texts".to_owned())
        }
        (SqlType::String, number) if number.is_numeric() => {
            Some(format!("write CAST({{0}} AS {number}) {sign} {{1}}"))
        }
        (number, SqlType::String) if number.is_numeric() => {
            Some(format!("write {{0}} {sign} CAST({{1}} AS {number})"))
        }
        (time, other) if time.is_time() && other.is_numeric() => moved(op, time),
        _ => None,
    }
}

/// How a time is moved by a number of units.
fn moved(op: ArithmeticOp, time: &SqlType) -> Option<String> {
    let verb = match op {
        ArithmeticOp::Add => "ADD",
        ArithmeticOp::Subtract => "SUB",
        _ => return None,
    };
    let unit = if *time == SqlType::Date { "DAYS" } else { "SECONDS" };
    Some(format!("{time}{verb}({unit}, {{1}}, {{0}}) moves a {time} by so many {unit}"))
}

/// Why `left op right` cannot be compared.
pub(super) fn comparison(
    op: Comparison,
    (i, left): (usize, &Expr),
    (j, right): (usize, &Expr),
) -> String {
    let met = are((i, left), (j, right));
    match (&left.ty, &right.ty) {
        (Some(a), Some(b)) if a.base_name() == b.base_name() && !op.is_equality() => {
            format!("{met}: only = and <> compare {}s", a.base_name())
        }
        (Some(_), Some(_)) => met,
        _ => "a comparison with NULL is never true".to_owned(),
    }
}

/// How two parts could be compared.
pub(super) fn comparison_help(
    op: Comparison,
    (i, left): (usize, &Expr),
    (j, right): (usize, &Expr),
) -> Option<String> {
    let (Some(a), Some(b)) = (&left.ty, &right.ty) else {
        let tested = if left.ty.is_some() { i } else { j };
        let test = match op {
            Comparison::Equal => "IS NULL",
            Comparison::NotEqual | Comparison::DistinctFrom => "IS NOT NULL",
            _ => return None,
        };
        return Some(format!("write {{{tested}}} {test}"));
    };
    if a.base_name() == b.base_name() {
        return None;
    }
    let is_literal = |value: &Expr| matches!(value.node, Node::Literal(_));
    as_literal((i, left), b).or_else(|| as_literal((j, right), a)).or_else(|| {
        let convert = |index: usize, to: &SqlType| format!("write CAST({{{index}}} AS {to})");
        match (a, b) {
            (SqlType::String, to) if is_castable(a, to) && !is_literal(left) => {
                Some(format!("{} to compare {}s", convert(i, to), to.base_name()))
            }
            (to, SqlType::String) if is_castable(b, to) && !is_literal(right) => {
                Some(format!("{} to compare {}s", convert(j, to), to.base_name()))
            }
            (SqlType::String, _) | (_, SqlType::String) => None,
            (number, time) if number.is_numeric() && time.is_time() => {
                cast_help(number, time).map(|help| help.replace("{0}", &format!("{{{i}}}")))
            }
            (time, number) if number.is_numeric() && time.is_time() => {
                cast_help(number, time).map(|help| help.replace("{0}", &format!("{{{j}}}")))
            }
            (a, b) if is_castable(b, a) => Some(convert(j, a)),
            (a, b) if is_castable(a, b) => Some(convert(i, b)),
            _ => None,
        }
    })
}

/// How a literal would be written as one of another type.
fn as_literal((index, literal): (usize, &Expr), to: &SqlType) -> Option<String> {
    let Node::Literal(value) = &literal.node else { return None };
    let word = |truth: bool| if truth { "TRUE" } else { "FALSE" };
    match (value, to) {
        (OwnedValue::Int(number @ (0 | 1)), SqlType::Boolean) => {
            Some(format!("write {} for {{{index}}}", word(*number == 1)))
        }
        (OwnedValue::String(text), SqlType::Boolean) => {
            let truth = text.trim().to_ascii_lowercase().parse().ok()?;
            Some(format!("write {} without quotes", word(truth)))
        }
        (OwnedValue::String(text), to) if to.is_numeric() => {
            let number = text.trim();
            crate::types::Decimal::parse(number).ok()?;
            Some(format!("write {number} without quotes to compare numbers"))
        }
        (OwnedValue::Int(_) | OwnedValue::Bigint(_) | OwnedValue::Decimal(_), SqlType::String) => {
            Some(format!("write '{{{index}}}' to compare texts"))
        }
        _ => None,
    }
}

/// How a value of one type could become one of another that a CAST does not make.
pub(super) fn cast_help(from: &SqlType, to: &SqlType) -> Option<String> {
    let help = match (from, to) {
        (SqlType::Int | SqlType::Bigint, SqlType::Timestamp) => {
            "FROM_UNIXTIME({0}) makes a TIMESTAMP of milliseconds"
        }
        (SqlType::Int | SqlType::Bigint, SqlType::Date) => "FROM_DAYS({0}) makes a DATE of days",
        (SqlType::Timestamp, SqlType::Int | SqlType::Bigint | SqlType::Double) => {
            "UNIX_TIMESTAMP({0}) gives milliseconds"
        }
        (SqlType::Date, SqlType::Int | SqlType::Bigint | SqlType::Double) => {
            "UNIX_DATE({0}) gives days"
        }
        (SqlType::Boolean, number) if number.is_numeric() => {
            "write CASE WHEN {0} THEN 1 ELSE 0 END"
        }
        (number, SqlType::Boolean) if number.is_numeric() => "write {0} <> 0",
        (SqlType::Bytes, SqlType::String) => "FROM_BYTES({0}, 'utf8') gives text",
        (SqlType::String, SqlType::Array(_)) => "SPLIT({0}, ',') makes an ARRAY of a text",
        _ => return None,
    };
    Some(help.to_owned())
}
