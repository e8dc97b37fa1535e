//! How expressions are built: ksqlDB's rules of types, and its words where one is broken.
//!
//! A constructor takes typed operands and gives a typed expression or a [`TypeError`]. Operands
//! should be [`labelled`](Expr::labelled) with their printed form, which some messages quote.

mod arithmetic;
mod call;
mod case;
mod cast;
mod castable;
mod coercion;
mod comparison;
mod reasons;

pub(super) use arithmetic::digits;
pub use reasons::a as with_article;

use super::tree::{Expr, Node};
use super::type_error::TypeError;
use crate::types::{Decimal, OwnedValue, SqlType};

impl Expr {
    /// The column at `index` of the input, called `name` in messages.
    pub fn column(index: usize, name: impl Into<Box<str>>, ty: SqlType) -> Self {
        Self::new(Node::Column { index, name: name.into() }, Some(ty))
    }

    /// A variable of an enclosing lambda. Slots are counted from 0 at the outermost lambda on, so
    /// a lambda's first slot is the number of variables that are already bound around it.
    pub fn variable(slot: usize, name: impl Into<Box<str>>, ty: SqlType) -> Self {
        Self::new(Node::Variable { slot, name: name.into() }, Some(ty))
    }

    /// The literal NULL, which has no type.
    pub fn null() -> Self {
        Self::new(Node::Literal(OwnedValue::Null), None)
    }

    /// TRUE or FALSE.
    pub fn boolean(value: bool) -> Self {
        Self::new(Node::Literal(OwnedValue::Boolean(value)), Some(SqlType::Boolean))
    }

    /// A whole number that fits INT.
    pub fn int(value: i32) -> Self {
        Self::new(Node::Literal(OwnedValue::Int(value)), Some(SqlType::Int))
    }

    /// A whole number that does not fit INT.
    pub fn bigint(value: i64) -> Self {
        Self::new(Node::Literal(OwnedValue::Bigint(value)), Some(SqlType::Bigint))
    }

    /// A number with an exponent.
    pub fn double(value: f64) -> Self {
        Self::new(Node::Literal(OwnedValue::Double(value)), Some(SqlType::Double))
    }

    /// A number with a point; its type has just the digits that it needs.
    pub fn decimal(value: Decimal) -> Self {
        let ty = decimal_type(&value);
        Self::new(Node::Literal(OwnedValue::Decimal(Box::new(value))), Some(ty))
    }

    /// A text.
    pub fn string(value: impl Into<Box<str>>) -> Self {
        Self::new(Node::Literal(OwnedValue::String(value.into())), Some(SqlType::String))
    }

    /// A value of any type, for instance of a magic timestamp or of a prepared statement.
    pub fn literal(value: OwnedValue, ty: SqlType) -> Self {
        Self::new(Node::Literal(value), Some(ty))
    }

    /// `value IS NULL`, or `value IS NOT NULL` if `negated`.
    ///
    /// ksqlDB refuses arithmetic there, since Java cannot compare a number with null.
    pub fn is_null(value: Expr, negated: bool) -> Result<Self, TypeError> {
        if let Node::Arithmetic { .. } | Node::Sign { .. } | Node::Comparison { .. } = &value.node
            && !matches!(value.ty, Some(SqlType::Decimal { .. } | SqlType::String))
        {
            let java = java_primitive(value.ty.as_ref());
            let sign = if negated { "!=" } else { "==" };
            return Err(TypeError::code(format!(
                "Incompatible comparison operand types for \"{sign}\": \"{java}\" and \"void\""
            ))
            .because("ksqlDB cannot ask what is computed for NULL")
            .help("ask the columns that it is computed of"));
        }
        Ok(Self::new(Node::IsNull { value: Box::new(value), negated }, Some(SqlType::Boolean)))
    }

    /// `left AND right`.
    pub fn and(left: Expr, right: Expr) -> Result<Self, TypeError> {
        check_truth(0, &left, ("&&", "AND"))?;
        check_truth(1, &right, ("&&", "AND"))?;
        Ok(Self::new(Node::And(Box::new(left), Box::new(right)), Some(SqlType::Boolean)))
    }

    /// `left OR right`.
    pub fn or(left: Expr, right: Expr) -> Result<Self, TypeError> {
        check_truth(0, &left, ("||", "OR"))?;
        check_truth(1, &right, ("||", "OR"))?;
        Ok(Self::new(Node::Or(Box::new(left), Box::new(right)), Some(SqlType::Boolean)))
    }

    /// `NOT value`.
    #[expect(clippy::should_implement_trait, reason = "it is named after SQL's NOT, and can fail")]
    pub fn not(value: Expr) -> Result<Self, TypeError> {
        check_truth(0, &value, ("!", "NOT"))?;
        Ok(Self::new(Node::Not(Box::new(value)), Some(SqlType::Boolean)))
    }

    /// `value LIKE pattern [ESCAPE escape]`.
    pub fn like(value: Expr, pattern: Expr, escape: Option<char>) -> Result<Self, TypeError> {
        let is_text = |e: &Expr| matches!(e.ty, Some(SqlType::String) | None);
        if !is_text(&value) || !is_text(&pattern) {
            let escape = if escape.is_some() { ", char" } else { "" };
            return Err(TypeError::code(format!(
                "Line 1, Column 15: No applicable constructor/method found for actual parameters \
                 \"{}, {}{escape}\"; candidates are: {LIKE_CANDIDATES}",
                java_type(&value),
                java_type(&pattern),
            ))
            .because(format!(
                "{}: LIKE takes two STRINGs",
                reasons::are((0, &value), (1, &pattern))
            ))
            .maybe_help(
                (!is_text(&value)).then(|| "write CAST({0} AS STRING) LIKE {1}".to_owned()),
            ));
        }
        let node = Node::Like { value: Box::new(value), pattern: Box::new(pattern), escape };
        Ok(Self::new(node, Some(SqlType::Boolean)))
    }

    /// `base[index]` of an array, counted from 1 or from the end by negative numbers, or of a map.
    pub fn subscript(base: Expr, index: Expr) -> Result<Self, TypeError> {
        let ty = match &base.ty {
            Some(SqlType::Array(item)) => (**item).clone(),
            Some(SqlType::Map(_, value)) => (**value).clone(),
            other => {
                let (base, index) = (base.label(), index.label());
                let found = shown(other.as_ref());
                let hint = match other {
                    Some(SqlType::Struct(_)) => {
                        format!(" Use the dereference operator for STRUCTS: {base}->{index}")
                    }
                    _ => String::new(),
                };
                let error = TypeError::rule(format!(
                    "Subscript expression ({base}[{index}]) do not apply to {found}.{hint}"
                ));
                let ty = other.as_ref().map_or_else(|| "no value".to_owned(), reasons::a);
                return Err(error
                    .because(format!("{{0}} is {ty}: only an ARRAY or a MAP has elements"))
                    .of_part(0));
            }
        };
        let is_array = matches!(base.ty, Some(SqlType::Array(_)));
        if is_array && !matches!(index.ty, Some(SqlType::Int | SqlType::Bigint | SqlType::Double)) {
            return Err(TypeError::code(format!(
                "Cannot cast \"{}\" to \"int\"",
                java_type(&index)
            ))
            .because(format!("{}: elements of an ARRAY are counted from 1", reasons::is(1, &index)))
            .of_part(1));
        }
        let node = Node::Subscript { base: Box::new(base), index: Box::new(index) };
        Ok(Self::new(node, Some(ty)))
    }

    /// `base->name`.
    pub fn field(base: Expr, name: &str) -> Result<Self, TypeError> {
        let Some(SqlType::Struct(fields)) = &base.ty else {
            let found = shown(base.ty.as_ref());
            let error = TypeError::rule(format!("Expected STRUCT type, got: {found}"));
            let help = (base.ty == Some(SqlType::String)).then(|| {
                format!("EXTRACTJSONFIELD({{0}}, '$.{name}') reads a field of a JSON text")
            });
            return Err(error
                .because(format!("{}: only a STRUCT has fields", reasons::is(0, &base)))
                .maybe_help(help)
                .of_part(0));
        };
        let Some((index, ty)) = fields.field(name) else {
            let base = base.label();
            return Err(TypeError::rule(format!("Could not find field '{name}' in '{base}'.")));
        };
        let ty = ty.clone();
        Ok(Self::new(Node::Field { base: Box::new(base), index, name: name.into() }, Some(ty)))
    }
}

/// The three methods that Java's compiler lists when none takes the operands of a LIKE.
const LIKE_CANDIDATES: &str = "\"default static boolean io.confluent.ksql.execution.codegen.\
    helpers.LikeEvaluator.matches(java.lang.String, java.lang.String, java.util.Optional)\", \
    \"public static boolean io.confluent.ksql.execution.codegen.helpers.LikeEvaluator.matches(\
    java.lang.String, java.lang.String, char)\", \"public static boolean io.confluent.ksql.\
    execution.codegen.helpers.LikeEvaluator.matches(java.lang.String, java.lang.String)\"";

/// ksqlDB leaves it to its Java compiler to find that an operand of AND, OR or NOT is no truth.
fn check_truth(part: usize, value: &Expr, (sign, word): (&str, &str)) -> Result<(), TypeError> {
    match value.ty {
        Some(SqlType::Boolean) | None => Ok(()),
        _ => Err(TypeError::code(format!(
            "Operator \"{sign}\" cannot be applied to operand of type \"{}\"",
            java_type(value)
        ))
        .because(format!("{}: {word} takes conditions", reasons::is(part, value)))
        .help(format!("compare it, as in {{{part}}} = …"))
        .of_part(part)),
    }
}

/// The DECIMAL that just holds `value`; numbers below 1 have a digit before the point.
pub(super) fn decimal_type(value: &Decimal) -> SqlType {
    let scale = value.scale.max(0) as u32;
    let zeros = value.scale.min(0).unsigned_abs();
    let precision = (value.precision() + zeros).max(scale + 1);
    SqlType::Decimal { precision, scale }
}

/// A type as messages print it, `null` for none.
pub(super) fn shown(ty: Option<&SqlType>) -> String {
    ty.map_or_else(|| String::from("null"), ToString::to_string)
}

/// The primitive that Java computes a number or a truth with.
fn java_primitive(ty: Option<&SqlType>) -> &'static str {
    match ty {
        Some(SqlType::Int) => "int",
        Some(SqlType::Bigint) => "long",
        Some(SqlType::Double) => "double",
        _ => "boolean",
    }
}

/// The Java class of an expression's value; literals and arithmetic are primitives.
pub(super) fn java_type(value: &Expr) -> &'static str {
    let primitive = matches!(
        value.node,
        Node::Literal(_) | Node::Arithmetic { .. } | Node::Sign { .. } | Node::Comparison { .. }
    );
    match &value.ty {
        None => "void",
        Some(SqlType::Int | SqlType::Bigint | SqlType::Double | SqlType::Boolean) if primitive => {
            java_primitive(value.ty.as_ref())
        }
        Some(ty) => java_class(ty),
    }
}

/// The Java class that holds values of a type.
pub(super) fn java_class(ty: &SqlType) -> &'static str {
    match ty {
        SqlType::Boolean => "java.lang.Boolean",
        SqlType::Int => "java.lang.Integer",
        SqlType::Bigint => "java.lang.Long",
        SqlType::Double => "java.lang.Double",
        SqlType::Decimal { .. } => "java.math.BigDecimal",
        SqlType::String => "java.lang.String",
        SqlType::Bytes => "java.nio.ByteBuffer",
        SqlType::Date => "java.sql.Date",
        SqlType::Time => "java.sql.Time",
        SqlType::Timestamp => "java.sql.Timestamp",
        SqlType::Array(_) => "java.util.List",
        SqlType::Map(..) => "java.util.Map",
        SqlType::Struct(_) => "org.apache.kafka.connect.data.Struct",
    }
}

#[cfg(test)]
mod tests;
