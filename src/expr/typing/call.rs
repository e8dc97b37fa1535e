//! Calls of scalar functions, and the lambdas among their arguments.
//!
//! A lambda is typed in two steps: `functions::lambda_inputs` tells the types of its variables,
//! the caller types the body with [`Expr::variable`]s of these types, and [`Expr::call`] resolves
//! the call with the type of the body.

use super::super::functions::{
    self, ArgType, ArgumentFault, FunctionError, ParamType, Parameter, Scalar, Signature,
};
use super::super::tree::{Argument, Call, Expr, Node};
use super::super::type_error::TypeError;
use super::castable::is_castable;
use super::reasons;
use crate::types::SqlType;

impl Expr {
    /// `name(args)`; arguments are converted where the overload takes a wider type.
    pub fn call(name: &str, args: Vec<Argument>) -> Result<Self, TypeError> {
        let found: Vec<ArgType> = args.iter().map(Argument::arg_type).collect();
        check_lambdas(name, &found)?;
        let resolved = functions::resolve(name, &found)
            .map_err(|error| refused(name, null_letter(name, error, &found), &args))?;
        check_nulls(resolved.row, &found)?;
        if name.chars().any(char::is_lowercase) {
            // ksqlDB finds the function, but then looks for its code under the name as written;
            // so `||` always fails, which is a call of `concat`.
            let error = TypeError::code(format!("Cannot get name for `{name}` 0 times"));
            return Err(refused(name, error, &args));
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
        functions::lambda_inputs(name, args).map_err(|error| TypeError::of_call(name, args, error))
    }
}

/// The error, with help that goes with the arguments.
fn refused(name: &str, error: TypeError, args: &[Argument]) -> TypeError {
    let is_literal = |part: u32| {
        let argument = args.get(part as usize);
        matches!(argument, Some(Argument::Value(Expr { node: Node::Literal(_), .. })))
    };
    if name == "concat" {
        // What `||` is a call of.
        let part = |(index, arg): (usize, &Argument)| match arg.arg_type() {
            ArgType::Value(SqlType::String) => format!("{{{index}}}"),
            _ => format!("CAST({{{index}}} AS STRING)"),
        };
        let sum = args.iter().enumerate().map(part).collect::<Vec<_>>().join(" + ");
        return TypeError { reason: None, part: None, ..error }
            .because("ksqlDB has no ||")
            .help(format!("write {sum}"));
    }
    match error.part {
        // A literal would rather be written as another one.
        Some(part) if is_literal(part) => TypeError { help: None, ..error },
        _ => error,
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
    for (index, (parameter, arg)) in signature.parameters.iter().zip(args).enumerate() {
        match (&parameter.ty, arg) {
            (ParamType::Lambda(inputs, output), ArgType::Lambda { returns: Some(returns), .. }) => {
                check_lambda(&parameter.ty, (inputs, output), returns, &mut letters).map_err(
                    |error| {
                        let given = reasons::a(returns);
                        error.because(format!("this gives {given}")).of_part(index)
                    },
                )?;
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
fn null_letter(name: &str, error: FunctionError, args: &[ArgType]) -> TypeError {
    if let FunctionError::Type { message } = &error
        && args.contains(&ArgType::Null)
        && let Some(letter) = message.strip_prefix("Could not find mapping for generic type: ")
    {
        return TypeError::rule(format!("null value in entry: {letter}=null"));
    }
    TypeError::of_call(name, args, error)
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

impl TypeError {
    /// Why a call of `name` with such arguments means no function.
    pub fn of_call(name: &str, args: &[ArgType], error: FunctionError) -> Self {
        let refused = Self::rule(error.to_string());
        let FunctionError::Arguments { fault, .. } = error else { return refused };
        match fault {
            ArgumentFault::Ambiguous => refused
                .because("several overloads take such arguments equally well")
                .help("write CAST(… AS type) around an argument to choose one"),
            ArgumentFault::Count { takes, or_more } => {
                refused.because(count(name, (&takes, or_more), args.len()))
            }
            ArgumentFault::Type { index, takes } => {
                let found = match &args[index] {
                    ArgType::Value(ty) => reasons::a(ty),
                    ArgType::Null => "NULL".to_owned(),
                    ArgType::IntervalUnit => "a unit of time".to_owned(),
                    ArgType::Lambda { arity: 1, .. } => "a lambda of 1 argument".to_owned(),
                    ArgType::Lambda { arity, .. } => format!("a lambda of {arity} arguments"),
                };
                let mut taken: Vec<_> = takes.iter().map(taken).collect();
                taken.dedup();
                let reason = format!("{{{index}}} is {found}: {name} takes {} here", or(&taken));
                refused
                    .because(reason)
                    .maybe_help(conversion(index, &args[index], &takes))
                    .of_part(index)
            }
        }
    }
}

/// How an argument becomes one that is taken.
fn conversion(index: usize, found: &ArgType, takes: &[ParamType]) -> Option<String> {
    let from = found.sql_type()?;
    let targets = takes.iter().filter_map(|taken| match taken {
        ParamType::Sql(to) => Some(to),
        _ => None,
    });
    let rank = |ty: &SqlType| match ty {
        SqlType::Double => 4,
        SqlType::Bigint => 3,
        SqlType::Int => 2,
        _ => 1,
    };
    let castable = targets.filter(|to| is_castable(from, to)).max_by_key(|to| rank(to))?;
    Some(format!("write CAST({{{index}}} AS {castable})"))
}

/// How many arguments a function takes, where there are others.
fn count(name: &str, (takes, or_more): (&[usize], bool), found: usize) -> String {
    let mut counts: Vec<String> = takes.iter().map(usize::to_string).collect();
    if or_more && let Some(last) = counts.last_mut() {
        last.push_str(" or more");
    }
    let plural = if *takes == [1] && !or_more { "argument" } else { "arguments" };
    let is = if found == 1 { "is" } else { "are" };
    format!("{name} takes {} {plural}, here {is} {found}", or(&counts))
}

/// The type of a parameter with its article.
fn taken(ty: &ParamType) -> String {
    match ty {
        ParamType::Sql(ty) => reasons::a(ty),
        ParamType::Decimal => "a DECIMAL".to_owned(),
        ParamType::Generic(_) | ParamType::Any => "a value".to_owned(),
        ParamType::IntervalUnit => "a unit of time such as DAYS".to_owned(),
        ParamType::Array(_) => "an ARRAY".to_owned(),
        ParamType::Map(..) => "a MAP".to_owned(),
        ParamType::Struct(_) => "a STRUCT".to_owned(),
        ParamType::Lambda(inputs, _) => match inputs.len() {
            1 => "a lambda such as x => …".to_owned(),
            2 => "a lambda such as (x, y) => …".to_owned(),
            _ => "a lambda such as (x, y, z) => …".to_owned(),
        },
    }
}

/// `a, b or c`.
fn or(words: &[String]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
