//! What a function is called with.

use super::resolve::ArgType;
use crate::expr::EvalContext;
use crate::types::{SqlType, Value};

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
    pub(super) fn text(&self, index: usize) -> Option<&'a str> {
        match self.arg(index) {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes at `index`, unless they are NULL.
    pub(super) fn bytes(&self, index: usize) -> Option<&'a [u8]> {
        match self.arg(index) {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The INT at `index`, unless it is NULL.
    pub(super) fn int(&self, index: usize) -> Option<i32> {
        match self.arg(index) {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The INT or BIGINT at `index`, unless it is NULL.
    pub(super) fn long(&self, index: usize) -> Option<i64> {
        match self.arg(index) {
            Value::Int(value) => Some(i64::from(value)),
            Value::Bigint(value) => Some(value),
            _ => None,
        }
    }

    /// The number at `index` as a DOUBLE, unless it is NULL.
    pub(super) fn double(&self, index: usize) -> Option<f64> {
        match self.arg(index) {
            Value::Int(value) => Some(f64::from(value)),
            Value::Bigint(value) => Some(value as f64),
            Value::Double(value) => Some(value),
            _ => None,
        }
    }

    /// The items at `index`, unless the list is NULL.
    pub(super) fn items(&self, index: usize) -> Option<&'a [Value<'a>]> {
        match self.arg(index) {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries at `index`, unless the map is NULL.
    pub(super) fn entries(&self, index: usize) -> Option<&'a [(Value<'a>, Value<'a>)]> {
        match self.arg(index) {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Text as a result.
    pub(super) fn string(&self, text: &str) -> Value<'a> {
        Value::String(self.context.arena.text(text))
    }

    /// Bytes as a result.
    pub(super) fn byte_string(&self, bytes: &[u8]) -> Value<'a> {
        Value::Bytes(self.context.arena.bytes(bytes))
    }

    /// A list as a result.
    pub(super) fn array(&self, items: &[Value<'a>]) -> Value<'a> {
        Value::Array(self.context.arena.values(items))
    }
}
