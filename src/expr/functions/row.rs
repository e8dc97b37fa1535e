//! A row of a table of functions: all there is to an overload.

use super::call::Call;
use super::resolve::ArgType;
use super::size::checked;
use crate::expr::EvalError;
use crate::types::{SqlType, Value};

/// The function of a row: the arguments of one record in, the result out.
pub type Eval = for<'a> fn(&Call<'_, 'a>) -> Result<Value<'a>, EvalError>;

/// The type of a result that depends on more than the letters of a signature.
pub type Returns = fn(&[ArgType]) -> Result<SqlType, String>;

/// An overload of a scalar function.
#[derive(Clone, Copy, Debug)]
pub struct Scalar {
    /// The name, the arguments and the result, as [`Signature::parse`](super::Signature::parse) reads them.
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
    /// The name, the arguments and the type of each row, as [`Signature::parse`](super::Signature::parse) reads them.
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
