//! Calls of scalar functions, and the lambdas among their arguments.
//!
//! A lambda is typed in two steps: `functions::lambda_inputs` tells the types of its variables,
//! the caller types the body with [`Expr::variable`]s of these types, and [`Expr::call`] resolves
//! the call with the type of the body.

use super::super::functions::{self, ArgType, FunctionError};
use super::super::tree::{Call, Expr, Node};
use super::super::type_error::TypeError;
use crate::types::SqlType;

/// An argument of a call.
#[derive(Clone, Debug)]
pub enum Argument {
    /// A value.
    Value(Expr),
    /// A bare unit of time, in capitals: `DAYS`.
    Unit(Box<str>),
    /// A lambda whose body is typed.
    Lambda(Lambda),
}

/// `(x, y) => body`.
#[derive(Clone, Debug)]
pub struct Lambda {
    /// The slot of its first variable; the others follow.
    pub first_slot: usize,
    /// How many variables it binds.
    pub arity: usize,
    /// What it computes.
    pub body: Expr,
}

impl Argument {
    /// What overload resolution needs to know.
    pub fn arg_type(&self) -> ArgType {
        match self {
            Self::Value(value) => value.ty.clone().map_or(ArgType::Null, ArgType::Value),
            Self::Unit(_) => ArgType::IntervalUnit,
            Self::Lambda(lambda) => {
                ArgType::Lambda { arity: lambda.arity, returns: lambda.body.ty.clone() }
            }
        }
    }
}

impl Expr {
    /// `name(args)`; arguments are converted where the overload takes a wider type.
    pub fn call(name: &str, args: Vec<Argument>) -> Result<Self, TypeError> {
        let found: Vec<ArgType> = args.iter().map(Argument::arg_type).collect();
        let resolved = functions::resolve(name, &found)?;
        let mut arg_types = found;
        let args = args
            .into_iter()
            .zip(&resolved.coercions)
            .zip(&mut arg_types)
            .map(|((argument, to), ty)| match (argument, to) {
                (Argument::Value(value), Some(to)) if value.ty.is_some() => {
                    *ty = ArgType::Value(to.clone());
                    Argument::Value(Self::cast_unchecked(value, to.clone()))
                }
                (argument, _) => argument,
            })
            .collect();
        let return_type = resolved.return_type;
        let call = Call {
            name: name.into(),
            function: resolved.row,
            args,
            arg_types,
            return_type: return_type.clone(),
        };
        Ok(Self::new(Node::Call(Box::new(call)), Some(return_type)))
    }

    /// The types that a lambda of `arity` arguments is called with, by position of the argument.
    pub fn lambda_inputs(
        name: &str,
        args: &[ArgType],
    ) -> Result<Vec<Option<Vec<SqlType>>>, TypeError> {
        Ok(functions::lambda_inputs(name, args)?)
    }
}

impl From<FunctionError> for TypeError {
    fn from(error: FunctionError) -> Self {
        Self::rule(error.to_string())
    }
}
