//! Expressions, constants and types.

use super::text::{identifier, join, put, string};
use crate::sql::ast::{
    ArithmeticOp, Comparison, Expr, ExprKind, Literal, LogicalOp, Name, OrderBy, Over, Primitive,
    RowBound, RowsBetween, Sign, Type, TypeKind, WhenClause,
};

/// Writes an expression.
pub(super) fn write(out: &mut String, expr: &Expr) {
    match &expr.kind {
        ExprKind::Literal(literal) => write_literal(out, literal),
        ExprKind::Column { source: Some(source), name } => {
            put(out, format_args!("{}.{}", identifier(&source.text), identifier(&name.text)));
        }
        ExprKind::Column { source: None, name } => out.push_str(&identifier(&name.text)),
        ExprKind::LambdaVariable(name) => out.push_str(&name.text),
        ExprKind::Unit(unit) => out.push_str(unit.as_str()),
        ExprKind::Sign { sign, value } => write_sign(out, *sign, value),
        ExprKind::Arithmetic { op, left, right } => binary(out, left, arithmetic(*op), right),
        ExprKind::Comparison { op, left, right } => binary(out, left, comparison(*op), right),
        ExprKind::Logical { op: LogicalOp::And, left, right } => binary(out, left, "AND", right),
        ExprKind::Logical { op: LogicalOp::Or, left, right } => binary(out, left, "OR", right),
        ExprKind::Not(value) => {
            out.push_str("(NOT ");
            write(out, value);
            out.push(')');
        }
        ExprKind::IsNull(value) => suffixed(out, value, " IS NULL"),
        ExprKind::IsNotNull(value) => suffixed(out, value, " IS NOT NULL"),
        ExprKind::Between { .. } | ExprKind::In { .. } | ExprKind::Like { .. } => {
            predicate(out, &expr.kind);
        }
        ExprKind::SearchedCase { whens, otherwise } => {
            case(out, None, whens, otherwise.as_deref());
        }
        ExprKind::SimpleCase { operand, whens, otherwise } => {
            case(out, Some(operand), whens, otherwise.as_deref());
        }
        ExprKind::Cast { value, ty } => {
            out.push_str("CAST(");
            write(out, value);
            out.push_str(" AS ");
            write_type(out, ty);
            out.push(')');
        }
        other => composite(out, other),
    }
}

/// Writes what is built of parts without an operator between them.
fn composite(out: &mut String, kind: &ExprKind) {
    match kind {
        ExprKind::Subscript { base, index } => {
            write(out, base);
            out.push('[');
            write(out, index);
            out.push(']');
        }
        ExprKind::Field { base, name } => {
            write(out, base);
            put(out, format_args!("->{}", identifier(&name.text)));
        }
        ExprKind::Array(values) => {
            out.push_str("ARRAY[");
            join(out, values, ", ", write);
            out.push(']');
        }
        ExprKind::Map(entries) => {
            out.push_str("MAP(");
            join(out, entries, ", ", |out, (key, value)| {
                write(out, key);
                out.push_str(":=");
                write(out, value);
            });
            out.push(')');
        }
        ExprKind::Struct(fields) => {
            out.push_str("STRUCT(");
            join(out, fields, ", ", |out, field| {
                put(out, format_args!("{}:=", identifier(&field.name.text)));
                write(out, &field.value);
            });
            out.push(')');
        }
        ExprKind::Call { name, args } => write_call(out, name, args),
        ExprKind::Over(call) => write_over(out, call),
        ExprKind::Lambda { params, body } => {
            out.push('(');
            join(out, params, ", ", |out, name| out.push_str(&name.text));
            out.push_str(") => ");
            write(out, body);
        }
        _ => unreachable!("every other kind of expression is written by its own arm"),
    }
}

/// Writes a call.
fn write_call(out: &mut String, name: &Name, args: &[Expr]) {
    if args.is_empty() && name.text == "COUNT" {
        out.push_str("COUNT(*)");
        return;
    }
    put(out, format_args!("{}(", identifier(&name.text)));
    join(out, args, ", ", write);
    out.push(')');
}

/// Writes a call with its `OVER`.
fn write_over(out: &mut String, over: &Over) {
    write_call(out, &over.name, &over.args);
    out.push_str(" OVER (");
    let start = out.len();
    if !over.partition_by.is_empty() {
        out.push_str("PARTITION BY ");
        join(out, &over.partition_by, ", ", write);
    }
    if !over.order_by.is_empty() {
        separate(out, start);
        out.push_str("ORDER BY ");
        join(out, &over.order_by, ", ", write_order);
    }
    if let Some(rows) = &over.rows {
        separate(out, start);
        write_rows(out, rows);
    }
    out.push(')');
}

/// Writes a space, unless nothing stands since `start`.
fn separate(out: &mut String, start: usize) {
    if out.len() > start {
        out.push(' ');
    }
}

fn write_order(out: &mut String, order: &OrderBy) {
    write(out, &order.expr);
    out.push_str(if order.is_descending { " DESC" } else { "" });
}

fn write_rows(out: &mut String, rows: &RowsBetween) {
    out.push_str("ROWS BETWEEN ");
    write_bound(out, rows.start);
    out.push_str(" AND ");
    write_bound(out, rows.end);
}

fn write_bound(out: &mut String, bound: RowBound) {
    match bound {
        RowBound::UnboundedPreceding => out.push_str("UNBOUNDED PRECEDING"),
        RowBound::Preceding(rows) => put(out, format_args!("{rows} PRECEDING")),
        RowBound::CurrentRow => out.push_str("CURRENT ROW"),
        RowBound::Following(rows) => put(out, format_args!("{rows} FOLLOWING")),
        RowBound::UnboundedFollowing => out.push_str("UNBOUNDED FOLLOWING"),
    }
}

fn binary(out: &mut String, left: &Expr, op: &str, right: &Expr) {
    out.push('(');
    write(out, left);
    put(out, format_args!(" {op} "));
    write(out, right);
    out.push(')');
}

fn suffixed(out: &mut String, value: &Expr, suffix: &str) {
    out.push('(');
    write(out, value);
    put(out, format_args!("{suffix})"));
}

fn predicate(out: &mut String, kind: &ExprKind) {
    out.push('(');
    match kind {
        ExprKind::Between { value, low, high } => {
            write(out, value);
            out.push_str(" BETWEEN ");
            write(out, low);
            out.push_str(" AND ");
            write(out, high);
        }
        ExprKind::In { value, list } => {
            write(out, value);
            out.push_str(" IN (");
            join(out, list, ", ", write);
            out.push(')');
        }
        ExprKind::Like { value, pattern, escape } => {
            write(out, value);
            out.push_str(" LIKE ");
            write(out, pattern);
            if let Some(escape) = escape {
                put(out, format_args!(" ESCAPE {}", string(&escape.to_string())));
            }
        }
        _ => unreachable!("only predicates come here"),
    }
    out.push(')');
}

/// Two minus signs in a row would start a comment.
fn write_sign(out: &mut String, sign: Sign, value: &Expr) {
    out.push(if sign == Sign::Minus { '-' } else { '+' });
    let at = out.len();
    write(out, value);
    if sign == Sign::Minus && out[at..].starts_with('-') {
        out.insert(at, ' ');
    }
}

fn case(out: &mut String, operand: Option<&Expr>, whens: &[WhenClause], otherwise: Option<&Expr>) {
    out.push_str("(CASE");
    if let Some(operand) = operand {
        out.push(' ');
        write(out, operand);
    }
    for when in whens {
        out.push_str(" WHEN ");
        write(out, &when.condition);
        out.push_str(" THEN ");
        write(out, &when.result);
    }
    if let Some(otherwise) = otherwise {
        out.push_str(" ELSE ");
        write(out, otherwise);
    }
    out.push_str(" END)");
}

/// The operator between numbers.
fn arithmetic(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
        ArithmeticOp::Divide => "/",
        ArithmeticOp::Modulus => "%",
    }
}

/// The operator that compares.
fn comparison(op: Comparison) -> &'static str {
    match op {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::DistinctFrom => "IS DISTINCT FROM",
    }
}

/// Writes a constant.
pub(super) fn write_literal(out: &mut String, literal: &Literal) {
    match literal {
        Literal::Null => out.push_str("null"),
        Literal::Boolean(value) => put(out, format_args!("{value}")),
        Literal::Integer(value) => put(out, format_args!("{value}")),
        Literal::Bigint(value) => put(out, format_args!("{value}")),
        // Always with an exponent, so that it is read back as a double.
        Literal::Double(value) => put(out, format_args!("{value:E}")),
        Literal::Decimal(text) => out.push_str(&decimal(text)),
        Literal::String(text) => out.push_str(&string(text)),
    }
}

/// A decimal as Java's `BigDecimal.toString` has it: with an exponent if it is below a millionth.
fn decimal(text: &str) -> String {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let scale = unsigned.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let all: String = unsigned.chars().filter(char::is_ascii_digit).collect();
    let digits = all.trim_start_matches('0');
    let count = digits.len().max(1);
    if scale < count + 6 {
        return text.to_owned();
    }
    let exponent = scale - (count - 1);
    let (first, rest) = if digits.is_empty() { ("0", "") } else { digits.split_at(1) };
    // The sign of a zero is lost.
    let sign = if digits.is_empty() { "" } else { sign };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}E-{exponent}")
}

/// Writes a type.
pub(super) fn write_type(out: &mut String, ty: &Type) {
    match &ty.kind {
        TypeKind::Primitive(primitive) => out.push_str(primitive_name(*primitive)),
        TypeKind::Decimal { precision, scale } => {
            put(out, format_args!("DECIMAL({precision}, {scale})"));
        }
        TypeKind::Array(element) => {
            out.push_str("ARRAY<");
            write_type(out, element);
            out.push('>');
        }
        TypeKind::Map(key, value) => {
            out.push_str("MAP<");
            write_type(out, key);
            out.push_str(", ");
            write_type(out, value);
            out.push('>');
        }
        TypeKind::Struct(fields) => {
            out.push_str("STRUCT<");
            join(out, fields, ", ", |out, field| {
                put(out, format_args!("{} ", identifier(&field.name.text)));
                write_type(out, &field.ty);
            });
            // Two in a row would be an operator.
            out.push_str(if fields.is_empty() { " >" } else { ">" });
        }
        TypeKind::Custom(name) => out.push_str(&identifier(&name.text)),
    }
}

fn primitive_name(primitive: Primitive) -> &'static str {
    match primitive {
        Primitive::Boolean => "BOOLEAN",
        Primitive::Int => "INTEGER",
        Primitive::Bigint => "BIGINT",
        Primitive::Double => "DOUBLE",
        Primitive::String => "STRING",
        Primitive::Bytes => "BYTES",
        Primitive::Date => "DATE",
        Primitive::Time => "TIME",
        Primitive::Timestamp => "TIMESTAMP",
    }
}

/// The constant.
pub fn literal(literal: &Literal) -> String {
    let mut out = String::new();
    write_literal(&mut out, literal);
    out
}

/// The type, such as `ARRAY<INTEGER>`.
pub fn type_(ty: &Type) -> String {
    let mut out = String::new();
    write_type(&mut out, ty);
    out
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn decimals_print_as_java_does() {
        let check = |text, expected| assert_eq!(decimal(text), expected);
        check("1.50", "1.50");
        check("0.000001", "0.000001");
        check("0.0000001", "1E-7");
        check("-0.00000012", "-1.2E-7");
        check("0.0000000", "0E-7");
        check("12", "12");
    }
}
