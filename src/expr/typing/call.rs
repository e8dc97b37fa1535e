//! Calls of scalar functions, and the lambdas among their arguments.
//!
//! A lambda is typed in two steps: `functions::lambda_inputs` tells the types of its variables,
//! the caller types the body with [`Expr::variable`]s of these types, and [`Expr::call`] resolves
//! the call with the type of the body.

use super::super::functions::{
    self, ArgType, FunctionError, ParamType, Parameter, Scalar, Signature,
};
use super::super::tree::{Argument, Call, Expr, Node};
use super::super::type_error::TypeError;
use crate::types::SqlType;

impl Expr {
    /// `name(args)`; arguments are converted where the overload takes a wider type.
    pub fn call(name: &str, args: Vec<Argument>) -> Result<Self, TypeError> {
        let found: Vec<ArgType> = args.iter().map(Argument::arg_type).collect();
        check_lambdas(name, &found)?;
        let resolved =
            functions::resolve(name, &found).map_err(|error| null_letter(error, &found))?;
        check_nulls(resolved.row, &found)?;
        if name.chars().any(char::is_lowercase) {
            // ksqlDB finds the function, but then looks for its code under the name as written;
            // so `||` always fails, which is a call of `concat`.
            return Err(TypeError::code(format!("Cannot get name for `{name}` 0 times")));
        }
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

/// The types that the letters of a signature stand for so far.
type Letters = Vec<(char, SqlType)>;

/// Checks that lambdas give what the overload wants. ksqlDB picks the overload by the number of a
/// lambda's variables alone, and words a wrong result in its own way.
fn check_lambdas(name: &str, args: &[ArgType]) -> Result<(), TypeError> {
    let is_typed = |arg: &ArgType| matches!(arg, ArgType::Lambda { returns: Some(_), .. });
    let (Some(function), true) = (functions::describe(name), args.iter().any(is_typed)) else {
        return Ok(());
    };
    let takes_list = |parameters: &[Parameter]| {
        parameters.len() == args.len()
            && matches!(
                (parameters.first().map(|p| &p.ty), args[0].sql_type()),
                (Some(ParamType::Array(_)), Some(SqlType::Array(_)))
                    | (Some(ParamType::Map(..)), Some(SqlType::Map(..)))
            )
    };
    let mut signatures = function.overloads.iter().map(|overload| &overload.signature);
    let Some(signature) = signatures.find(|signature| takes_list(&signature.parameters)) else {
        return Ok(());
    };
    let mut letters = Letters::new();
    for (parameter, arg) in signature.parameters.iter().zip(args) {
        match (&parameter.ty, arg) {
            (ParamType::Lambda(inputs, output), ArgType::Lambda { returns: Some(returns), .. }) => {
                check_lambda(&parameter.ty, (inputs, output), returns, &mut letters)?;
            }
            (ty, arg) => {
                if let Some(found) = arg.sql_type() {
                    learn(ty, found, &mut letters);
                }
            }
        }
    }
    Ok(())
}

fn check_lambda(
    wanted: &ParamType,
    (inputs, output): (&[ParamType], &ParamType),
    returns: &SqlType,
    letters: &mut Letters,
) -> Result<(), TypeError> {
    let inputs: Vec<String> = inputs
        .iter()
        .map(|input| match input {
            ParamType::Generic(letter) => {
                let known = letters.iter().find(|(other, _)| other == letter);
                known.map_or_else(|| letter.to_string(), |(_, ty)| ty.to_string())
            }
            other => other.to_string(),
        })
        .collect();
    let given = format!("LAMBDA ({}) => {returns}", inputs.join(", "));
    match output {
        ParamType::Generic(letter) => match letters.iter().find(|(other, _)| other == letter) {
            Some((_, known)) if known != returns => Err(TypeError::rule(format!(
                "Found invalid instance of generic schema when mapping {wanted} to {given}. \
                 Cannot map {letter} to both {known} and {returns}"
            ))),
            Some(_) => Ok(()),
            None => {
                letters.push((*letter, returns.clone()));
                Ok(())
            }
        },
        ParamType::Sql(ty) if ty != returns => Err(TypeError::rule(format!(
            "Cannot infer generics for {wanted} from {given} because they do not have the same \
             schema structure."
        ))),
        _ => Ok(()),
    }
}

/// Learns from an argument what letters stand for.
fn learn(parameter: &ParamType, found: &SqlType, letters: &mut Letters) {
    match (parameter, found) {
        (ParamType::Generic(letter), ty) if letters.iter().all(|(other, _)| other != letter) => {
            letters.push((*letter, ty.clone()));
        }
        (ParamType::Array(item), SqlType::Array(ty)) => learn(item, ty, letters),
        (ParamType::Map(key, value), SqlType::Map(key_type, value_type)) => {
            learn(key, key_type, letters);
            learn(value, value_type, letters);
        }
        _ => {}
    }
}

/// What ksqlDB says where a letter is only given by a NULL.
fn null_letter(error: FunctionError, args: &[ArgType]) -> TypeError {
    if let FunctionError::Type { message } = &error
        && args.contains(&ArgType::Null)
        && let Some(letter) = message.strip_prefix("Could not find mapping for generic type: ")
    {
        return TypeError::rule(format!("null value in entry: {letter}=null"));
    }
    error.into()
}

/// Where the type of the result depends on letters, ksqlDB looks at all arguments that have one,
/// and stumbles over the literal NULL; its messages are what its collections say about null.
fn check_nulls(function: &Scalar, args: &[ArgType]) -> Result<(), TypeError> {
    if !args.contains(&ArgType::Null) {
        return Ok(());
    }
    let Ok(signature) = Signature::parse(function.signature) else { return Ok(()) };
    let Some(parameters) = signature.expand(args.len()) else { return Ok(()) };
    if !signature.returns.has_generics() {
        return Ok(());
    }
    for (parameter, arg) in parameters.into_iter().zip(args) {
        match (&parameter.ty, arg) {
            (ParamType::Generic(_), ArgType::Null) if parameter.variadic => {
                return Err(TypeError::rule("itemType"));
            }
            (ParamType::Generic(letter), ArgType::Null) => {
                return Err(TypeError::rule(format!("null value in entry: {letter}=null")));
            }
            _ => {}
        }
    }
    Ok(())
}

impl From<FunctionError> for TypeError {
    fn from(error: FunctionError) -> Self {
        Self::rule(error.to_string())
    }
}
