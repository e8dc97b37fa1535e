//! Calls of functions: a loop over values, or a kernel where the function has one.

use super::super::EvalError;
use super::super::functions::{self, ArgType};
use super::super::tree::{Argument, Call, Expr, Node};
use super::{Failures, Part, Rows, Run, has_failed, loop_rows, merge};
use crate::types::{Column, Value};

/// The most bytes that functions make for the rows of one chunk; beyond it, calls fail.
const CHUNK_BYTES_MAX: usize = 1024 * 1024 * 1024;

impl<'f, 'a> Run<'_, 'f, 'a> {
    pub(super) fn call(&mut self, call: &Call, rows: Rows<'_>) -> Part<'f, 'a> {
        if call.args.iter().any(|argument| matches!(argument, Argument::Lambda(_))) {
            return self.lambda_call(call, rows);
        }
        let mut failed = Failures::new();
        let mut columns = Vec::with_capacity(call.args.len());
        for argument in &call.args {
            let part = self.argument(argument, &failed, rows);
            failed = merge(failed, part.failed);
            columns.push(part.column);
        }
        if let (Some(kernel), [column], true) =
            (call.function.double_kernel, columns.as_slice(), failed.is_empty())
            && let Column::Doubles(values, valid) = column.as_ref()
        {
            let values = values.iter().map(|value| kernel(*value)).collect();
            return Part::new(Column::Doubles(values, valid.clone()));
        }
        let mut args: Vec<Value<'a>> = Vec::with_capacity(columns.len());
        loop_rows(&call.return_type, rows.len(), failed, |at| {
            if self.context.arena.allocated_bytes() > CHUNK_BYTES_MAX {
                return Err(EvalError::out_of_memory());
            }
            args.clear();
            args.extend(columns.iter().map(|column| column.value(at)));
            call.function.call(&functions::Call {
                args: &args,
                arg_types: &call.arg_types,
                return_type: &call.return_type,
                context: self.context,
            })
        })
    }

    /// Evaluates an argument where those before it have not failed. An error in a call or a field
    /// is caught here; one in anything else makes the whole call fail.
    pub(super) fn argument(
        &mut self,
        argument: &Argument,
        failed: &Failures,
        rows: Rows<'_>,
    ) -> Part<'f, 'a> {
        let value = match argument {
            Argument::Value(value) => value,
            Argument::Unit(unit) => {
                return Part::new(Column::Constant(Value::String(self.context.arena.text(unit))));
            }
            Argument::Lambda(_) => return Part::new(Column::Constant(Value::Null)),
        };
        let part = self.evaluate_unless(value, |at| has_failed(failed, at), rows);
        match catcher(value) {
            Some(name) => self.caught(part, name, rows),
            None => part,
        }
    }
}

/// The name under which an argument catches its own errors.
fn catcher(value: &Expr) -> Option<&str> {
    match &value.node {
        Node::Call(call) => Some(&call.name),
        Node::Field { name, .. } => Some(name),
        _ => None,
    }
}

/// The type of an argument that is a value.
pub(super) fn value_type(ty: Option<&ArgType>) -> Option<&crate::types::SqlType> {
    ty.and_then(ArgType::sql_type)
}
