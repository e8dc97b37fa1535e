//! Built-in functions: one table per family, one row per overload.
//!
//! A row is all there is to a function. From the rows come overload resolution, `SHOW FUNCTIONS`,
//! `DESCRIBE FUNCTION`, "did you mean" and the tests, which evaluate every example.

mod array;
mod bytes;
mod cache;
mod call;
mod conditional;
mod families;
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
mod row;
mod signature;
mod size;
mod strict_math;
mod string;
mod test_functions;
mod time;
mod url;

pub use call::Call;
pub use registry::{
    Function, Overload, Resolved, TableResolved, describe, enable_test_functions, lambda_inputs,
    list, resolve, resolve_table,
};
pub(in crate::expr) use resolve::resolve_as_is;
pub use resolve::{ArgType, ArgumentFault, FunctionError};
pub use row::{Eval, Returns, Scalar, TableEval, TableFunction};
pub use signature::{ParamType, Parameter, Signature, SignatureError};
use size::check_items;
pub(in crate::expr) use size::{check_size, checked};
