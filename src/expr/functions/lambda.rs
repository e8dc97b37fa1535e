//! Functions with a lambda among their arguments.
//!
//! The rows tell their types and what they do. A lambda is an expression, so the evaluator runs
//! them; called as plain functions they fail.

use super::{Call, Scalar};
use crate::expr::EvalError;
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "TRANSFORM(map MAP<K, V>, biFunction1 LAMBDA(K, V) => R, \
                    biFunction2 LAMBDA(K, V) => T) -> MAP<R, T>",
        summary: "Makes new keys and values of the entries of a map.",
        examples: &[(
            "TRANSFORM(MAP('a' := 1), (p, q) => UCASE(p), (p, q) => ABS(q))",
            "MAP('A' := 1)",
        )],
        eval: not_a_plain_function,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "TRANSFORM(array ARRAY<T>, function LAMBDA(T) => R) -> ARRAY<R>",
        summary: "Makes a new item of each item of a list.",
        examples: &[("TRANSFORM(ARRAY['a', 'b'], x => UCASE(x))", "ARRAY['A', 'B']")],
        eval: not_a_plain_function,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "FILTER(map MAP<K, V>, lambda LAMBDA(K, V) => BOOLEAN) -> MAP<K, V>",
        summary: "Keeps the entries of a map for which a condition holds.",
        examples: &[(
            "FILTER(MAP('a' := 1), (p, q) => ARRAY_CONTAINS(ARRAY['a'], p))",
            "MAP('a' := 1)",
        )],
        eval: not_a_plain_function,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "FILTER(array ARRAY<T>, lambda LAMBDA(T) => BOOLEAN) -> ARRAY<T>",
        summary: "Keeps the items of a list for which a condition holds.",
        examples: &[("FILTER(ARRAY[1, 5], x => ARRAY_CONTAINS(ARRAY[5], x))", "ARRAY[5]")],
        eval: not_a_plain_function,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "REDUCE(map MAP<K, V>, initialState S, triFunction LAMBDA(S, K, V) => S) \
                    -> S",
        summary: "Combines the entries of a map into one value.",
        examples: &[("REDUCE(MAP('a' := 1), '', (s, p, q) => CONCAT(s, p))", "'a'")],
        eval: not_a_plain_function,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "REDUCE(list ARRAY<T>, initialState S, biFunction LAMBDA(S, T) => S) -> S",
        summary: "Combines the items of a list into one value.",
        examples: &[("REDUCE(ARRAY['a', 'b'], '', (s, x) => CONCAT(s, x))", "'ab'")],
        eval: not_a_plain_function,
        ..Scalar::LENIENT
    },
];

fn not_a_plain_function<'a>(_: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    Err(EvalError::new("a function of lambdas is run by the evaluator"))
}
