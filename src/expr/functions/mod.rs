//! Built-in functions: one table per family, one row per overload.
//!
//! A row is all there is to a function. From the rows come overload resolution, `SHOW FUNCTIONS`,
//! `DESCRIBE FUNCTION`, "did you mean" and the tests, which evaluate every example.

mod array;
mod bytes;
mod cache;
mod conditional;
mod fast_date;
mod json;
mod json_write;
mod lambda;
mod map;
mod mask;
mod math;
mod misc;
mod order;
mod regex;
mod regex_java;
mod registry;
mod resolve;
mod signature;
mod strict_math;
mod string;
mod test_functions;
mod time;
mod url;

use crate::expr::{EvalContext, EvalError};
use crate::types::{SqlType, Value};

pub use registry::{Function, Overload, Resolved, TableResolved};
pub use registry::{describe, enable_test_functions, lambda_inputs, list, resolve, resolve_table};
pub(in crate::expr) use resolve::resolve as resolve_overload;
pub use resolve::{ArgType, FunctionError};
pub use signature::{ParamType, Parameter, Signature, SignatureError};

/// The function of a row: the arguments of one record in, the result out.
pub type Eval = for<'a> fn(&Call<'_, 'a>) -> Result<Value<'a>, EvalError>;

/// The type of a result that depends on more than the letters of a signature.
pub type Returns = fn(&[ArgType]) -> Result<SqlType, String>;

/// An overload of a scalar function.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    /// The name, the arguments and the result, as [`Signature::parse`] reads them.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Expressions and what they evaluate to.
    pub examples: &'static [(&'static str, &'static str)],
    /// How ksqlDB's messages spell the name, where that is not in small letters.
    pub shown_as: Option<&'static str>,
    /// What it does, in Rust.
    pub eval: Eval,
    /// Whether the result is NULL as soon as an argument is, without a call of `eval`.
    pub strict: bool,
    /// Whether equal arguments always give equal results.
    pub deterministic: bool,
    /// The type of the result, where the signature does not tell.
    pub returns: Option<Returns>,
    /// The same function over plain numbers, for loops over whole columns.
    pub double_kernel: Option<fn(f64) -> f64>,
}

impl Scalar {
    /// The start of every row whose function sees NULLs.
    pub const LENIENT: Self = Self {
        signature: "",
        summary: "",
        examples: &[],
        shown_as: None,
        eval: |_| Ok(Value::Null),
        strict: false,
        deterministic: true,
        returns: None,
        double_kernel: None,
    };

    /// The start of every row whose function is NULL as soon as an argument is.
    pub const STRICT: Self = Self { strict: true, ..Self::LENIENT };

    /// Evaluates the function for the arguments of one record. A result that is too large fails:
    /// arguments of a few bytes can ask for any number of them, and so can one call within another.
    pub fn call<'a>(&self, call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
        if self.strict && call.args.iter().any(Value::is_null) {
            return Ok(Value::Null);
        }
        (self.eval)(call).and_then(checked)
    }
}

/// The rows a table function makes of one record.
pub type TableEval = for<'a> fn(&Call<'_, 'a>) -> Result<Vec<Value<'a>>, EvalError>;

/// An overload of a table function.
#[derive(Clone, Copy, Debug)]
pub struct TableFunction {
    /// The name, the arguments and the type of each row, as [`Signature::parse`] reads them.
    pub signature: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Expressions and the rows they make.
    pub examples: &'static [(&'static str, &'static str)],
    /// What it does, in Rust.
    pub eval: TableEval,
    /// The type of each row, where the signature does not tell.
    pub returns: Option<Returns>,
}

/// The most bytes that a result takes, with all its parts.
const RESULT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The most items or entries of a result.
const RESULT_ITEMS_MAX: usize = 4 * 1024 * 1024;

/// Fails as Java does where its memory runs out, if a result is to take more bytes than it may.
pub(in crate::expr) fn check_size(bytes: usize) -> Result<(), EvalError> {
    if bytes > RESULT_BYTES_MAX { Err(EvalError::out_of_memory()) } else { Ok(()) }
}

/// The same of the items of a list or the entries of a map.
fn check_items(items: usize) -> Result<(), EvalError> {
    if items > RESULT_ITEMS_MAX { Err(EvalError::out_of_memory()) } else { Ok(()) }
}

/// Fails if a value is larger than a result may be. Items may be one and the same text, which is
/// written as often as it occurs.
pub(in crate::expr) fn checked(value: Value<'_>) -> Result<Value<'_>, EvalError> {
    let mut room = RESULT_BYTES_MAX;
    match value {
        Value::Array(items) => check_items(items.len())?,
        Value::Map(entries) => check_items(entries.len())?,
        _ => {}
    }
    if fits(value, &mut room) { Ok(value) } else { Err(EvalError::out_of_memory()) }
}

/// Takes the size of a value off the room that is left, if there is enough.
fn fits(value: Value<'_>, room: &mut usize) -> bool {
    let size = match value {
        Value::String(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 1,
    };
    let Some(left) = room.checked_sub(size) else { return false };
    *room = left;
    match value {
        Value::Array(items) | Value::Struct(items) => items.iter().all(|item| fits(*item, room)),
        Value::Map(entries) => {
            entries.iter().all(|(key, value)| fits(*key, room) && fits(*value, room))
        }
        _ => true,
    }
}

/// The arguments of one record, and what a function may know besides.
#[derive(Clone, Copy, Debug)]
pub struct Call<'c, 'a> {
    /// The arguments, converted to the types of the signature.
    pub args: &'c [Value<'a>],
    /// Their types.
    pub arg_types: &'c [ArgType],
    /// The type of the result.
    pub return_type: &'c SqlType,
    /// The arena, the clock and random bits.
    pub context: &'c EvalContext<'a>,
}

impl<'a> Call<'_, 'a> {
    /// The argument at `index`; NULL where the call has fewer.
    pub fn arg(&self, index: usize) -> Value<'a> {
        self.args.get(index).copied().unwrap_or_default()
    }

    /// The text at `index`, unless it is NULL.
    fn text(&self, index: usize) -> Option<&'a str> {
        match self.arg(index) {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes at `index`, unless they are NULL.
    fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        match self.arg(index) {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The INT at `index`, unless it is NULL.
    fn int(&self, index: usize) -> Option<i32> {
        match self.arg(index) {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The INT or BIGINT at `index`, unless it is NULL.
    fn long(&self, index: usize) -> Option<i64> {
        match self.arg(index) {
            Value::Int(value) => Some(i64::from(value)),
            Value::Bigint(value) => Some(value),
            _ => None,
        }
    }

    /// The number at `index` as a DOUBLE, unless it is NULL.
    fn double(&self, index: usize) -> Option<f64> {
        match self.arg(index) {
            Value::Int(value) => Some(f64::from(value)),
            Value::Bigint(value) => Some(value as f64),
            Value::Double(value) => Some(value),
            _ => None,
        }
    }

    /// The items at `index`, unless the list is NULL.
    fn items(&self, index: usize) -> Option<&'a [Value<'a>]> {
        match self.arg(index) {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries at `index`, unless the map is NULL.
    fn entries(&self, index: usize) -> Option<&'a [(Value<'a>, Value<'a>)]> {
        match self.arg(index) {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Text as a result.
    fn string(&self, text: &str) -> Value<'a> {
        Value::String(self.context.arena.text(text))
    }

    /// Bytes as a result.
    fn byte_string(&self, bytes: &[u8]) -> Value<'a> {
        Value::Bytes(self.context.arena.bytes(bytes))
    }

    /// A list as a result.
    fn array(&self, items: &[Value<'a>]) -> Value<'a> {
        Value::Array(self.context.arena.values(items))
    }
}

/// A family of functions.
struct Family {
    /// The name of the family in SHOW FUNCTIONS.
    category: &'static str,
    /// Its rows; overloads in the order that ksqlDB lists them.
    functions: &'static [Scalar],
}

static FAMILIES: &[Family] = &[
    Family { category: "ARRAY", functions: array::FUNCTIONS },
    Family { category: "CONDITIONAL", functions: conditional::FUNCTIONS },
    Family { category: "CONVERSIONS", functions: bytes::CONVERSIONS },
    Family { category: "DATE / TIME", functions: time::FUNCTIONS },
    Family { category: "JSON", functions: json::FUNCTIONS },
    Family { category: "LAMBDA", functions: lambda::FUNCTIONS },
    Family { category: "MAP", functions: map::FUNCTIONS },
    Family { category: "MATHEMATICAL", functions: conditional::EXTREMES },
    Family { category: "MATHEMATICAL", functions: math::FUNCTIONS },
    Family { category: "OTHER", functions: misc::FUNCTIONS },
    Family { category: "REGULAR EXPRESSION", functions: regex::FUNCTIONS },
    Family { category: "STRING", functions: string::FUNCTIONS },
    Family { category: "STRING", functions: mask::FUNCTIONS },
    Family { category: "STRING", functions: bytes::FUNCTIONS },
    Family { category: "STRING", functions: map::SPLITTERS },
    Family { category: "URL", functions: url::FUNCTIONS },
];

static TABLE_FUNCTIONS: &[TableFunction] = misc::TABLES;
