//! Which overload a call means, by ksqlDB's rules.
//!
//! Overloads that take the arguments as they are win over those that need a conversion. Among
//! several, one without a variadic argument wins, then the one with more arguments, then the one
//! with fewer generic ones; if two are still level, the call is ambiguous. NULL fits everywhere.

use std::fmt::Write as _;

use super::signature::{ParamType, Parameter, Signature};
use crate::types::{Field, SqlType, StructType};

/// What is known of an argument when a call is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgType {
    /// The literal NULL, or another expression without a type.
    Null,
    /// A value of this type.
    Value(SqlType),
    /// A bare unit of time.
    IntervalUnit,
    /// A lambda; its result is `None` as long as its body is not typed.
    Lambda {
        /// How many arguments it has.
        arity: usize,
        /// The type of its body.
        returns: Option<SqlType>,
    },
}

impl ArgType {
    /// The type of a value; `None` for NULL, units and lambdas.
    pub fn sql_type(&self) -> Option<&SqlType> {
        match self {
            Self::Value(ty) => Some(ty),
            _ => None,
        }
    }
}

/// What an overload makes of the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::expr) struct Bound {
    /// Which overload it is.
    pub(in crate::expr) overload: usize,
    /// The type that each argument is to be converted to first, where it is another.
    pub(in crate::expr) coercions: Vec<Option<SqlType>>,
    /// The types that each lambda is called with.
    pub(in crate::expr) lambda_inputs: Vec<Option<Vec<SqlType>>>,
    /// The type of the result; `None` where a letter is not known, as for NULLs only.
    pub(in crate::expr) returns: Option<SqlType>,
}

/// Why a call means no function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// There is no function of that name.
    #[error("Can't find any functions with the name '{name}'")]
    Unknown {
        /// The name as it is looked up, in capitals.
        name: String,
        /// Functions with a similar name.
        candidates: Vec<&'static str>,
    },
    /// No overload takes such arguments, or several do equally well.
    #[error("{message}")]
    Arguments {
        /// ksqlDB's text, with the types found and all overloads.
        message: String,
        /// The overloads, as ksqlDB lists them.
        alternatives: Vec<String>,
        /// What is wrong with the arguments.
        fault: ArgumentFault,
    },
    /// The arguments do not tell the type of the result.
    #[error("{message}")]
    Type {
        /// ksqlDB's text.
        message: String,
    },
}

/// What is wrong with the arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgumentFault {
    /// No overload takes so many.
    Count {
        /// How many overloads take, in order.
        takes: Vec<usize>,
        /// Whether one takes any number from the greatest of these on.
        or_more: bool,
    },
    /// One has a type that no overload takes there.
    Type {
        /// Which one.
        index: usize,
        /// The types that are taken.
        takes: Vec<ParamType>,
    },
    /// Several overloads take them equally well.
    Ambiguous,
}

type Generics = Vec<(char, SqlType)>;

struct Candidate {
    overload: usize,
    path: Vec<(ParamType, bool)>,
    rank: (bool, usize, std::cmp::Reverse<usize>),
    generics: Generics,
}

/// Finds the overload that a call of `name` with `args` means; table functions show small letters.
pub(in crate::expr) fn resolve(
    name: &str,
    is_table: bool,
    overloads: &[&Signature],
    args: &[ArgType],
) -> Result<Bound, FunctionError> {
    let found = best(overloads, args, Casts::None).or_else(|| best(overloads, args, Casts::All));
    judge(name, is_table, overloads, args, found)
}

/// The same for aggregates, which take arguments as they are. Where a name is shown in small letters, so are overloads.
pub(in crate::expr) fn resolve_as_is(
    name: &str,
    overloads: &[&Signature],
    args: &[ArgType],
) -> Result<Bound, FunctionError> {
    let found = best(overloads, args, Casts::None).or_else(|| best(overloads, args, Casts::Whole));
    judge(name, name == name.to_lowercase(), overloads, args, found)
}

/// Which arguments fit parameters of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Casts {
    /// None.
    None,
    /// An INT fits a BIGINT.
    Whole,
    /// All that are converted without a CAST.
    All,
}

fn judge(
    name: &str,
    is_small: bool,
    overloads: &[&Signature],
    args: &[ArgType],
    found: Option<Result<Candidate, Ambiguous>>,
) -> Result<Bound, FunctionError> {
    match found {
        Some(Ok(candidate)) => Ok(bind(&candidate, overloads[candidate.overload], args)),
        Some(Err(Ambiguous)) => Err(arguments_error(
            overloads,
            is_small,
            format!(
                "Function '{name}' cannot be resolved due to ambiguous method parameters {}.\n\
                 Use CAST() to explicitly cast your parameters to one of the supported function \
                 calls.\nValid function calls are:\n",
                shown(args)
            ),
            ArgumentFault::Ambiguous,
        )),
        None => Err(arguments_error(
            overloads,
            is_small,
            format!(
                "Function '{name}' does not accept parameters {}.\nValid alternatives are:\n",
                shown(args)
            ),
            fault(overloads, args),
        )),
    }
}

/// What is wrong with arguments that no overload takes: the first that ends the overload which comes furthest.
fn fault(overloads: &[&Signature], args: &[ArgType]) -> ArgumentFault {
    let mut furthest: Option<usize> = None;
    let mut takes: Vec<ParamType> = Vec::new();
    for signature in overloads {
        let Some(parameters) = signature.expand(args.len()) else { continue };
        let mut generics = Generics::new();
        let mut pairs = parameters.iter().zip(args);
        let index = pairs.position(|(p, arg)| !accepts(&p.ty, arg, &mut generics, Casts::All));
        let Some(index) = index.filter(|index| furthest.is_none_or(|far| *index >= far)) else {
            continue;
        };
        if furthest.is_none_or(|far| index > far) {
            takes.clear();
        }
        furthest = Some(index);
        let ty = match &parameters[index].ty {
            ParamType::Generic(letter) => generics
                .iter()
                .find(|(bound, _)| bound == letter)
                .map_or_else(|| parameters[index].ty.clone(), |(_, ty)| ParamType::Sql(ty.clone())),
            ty => ty.clone(),
        };
        if !takes.contains(&ty) {
            takes.push(ty);
        }
    }
    if let Some(index) = furthest {
        return ArgumentFault::Type { index, takes };
    }
    let fixed = |signature: &&Signature| {
        signature.parameters.len() - usize::from(signature.variadic().is_some())
    };
    let mut takes: Vec<usize> = overloads.iter().map(fixed).collect();
    takes.sort_unstable();
    takes.dedup();
    let or_more = overloads.iter().any(|signature| signature.variadic().is_some());
    ArgumentFault::Count { takes, or_more }
}

struct Ambiguous;

fn best(
    overloads: &[&Signature],
    args: &[ArgType],
    casts: Casts,
) -> Option<Result<Candidate, Ambiguous>> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (overload, signature) in overloads.iter().enumerate() {
        let Some(candidate) = candidate(overload, signature, args, casts) else { continue };
        // Overloads that read the same arguments are one node of ksqlDB's index: the better stays.
        match candidates.iter_mut().find(|other| other.path == candidate.path) {
            Some(other) if (candidate.rank.0, candidate.rank.1) > (other.rank.0, other.rank.1) => {
                *other = candidate;
            }
            Some(_) => {}
            None => candidates.push(candidate),
        }
    }
    candidates.sort_by_key(|candidate| candidate.rank);
    let top = candidates.pop()?;
    match candidates.last() {
        Some(second) if second.rank == top.rank => Some(Err(Ambiguous)),
        _ => Some(Ok(top)),
    }
}

fn candidate(
    overload: usize,
    signature: &Signature,
    args: &[ArgType],
    casts: Casts,
) -> Option<Candidate> {
    let parameters = signature.expand(args.len())?;
    let mut generics = Generics::new();
    for (parameter, arg) in parameters.iter().zip(args) {
        if !accepts(&parameter.ty, arg, &mut generics, casts) {
            return None;
        }
    }
    let generic = signature.parameters.iter().filter(|p| p.ty.has_generics()).count();
    Some(Candidate {
        overload,
        path: parameters.iter().map(|p| (p.ty.clone(), p.variadic)).collect(),
        rank: (
            signature.variadic().is_none(),
            signature.parameters.len(),
            std::cmp::Reverse(generic),
        ),
        generics,
    })
}

fn accepts(param: &ParamType, arg: &ArgType, generics: &mut Generics, casts: Casts) -> bool {
    match (param, arg) {
        (ParamType::Lambda(inputs, output), ArgType::Lambda { arity, returns }) => {
            inputs.len() == *arity
                && returns.as_ref().is_none_or(|returns| unify(output, returns, generics))
        }
        (ParamType::IntervalUnit, ArgType::IntervalUnit) | (_, ArgType::Null) => true,
        (_, ArgType::Lambda { .. } | ArgType::IntervalUnit)
        | (ParamType::Lambda(..) | ParamType::IntervalUnit, ArgType::Value(_)) => false,
        (param, ArgType::Value(ty)) if param.has_generics() => unify(param, ty, generics),
        (param, ArgType::Value(ty)) => fits(param, ty, casts),
    }
}

/// Binds the letters of `param` to parts of `ty`; a letter that is bound must find its type again.
fn unify(param: &ParamType, ty: &SqlType, generics: &mut Generics) -> bool {
    match (param, ty) {
        (ParamType::Generic(letter), ty) => {
            if let Some((_, bound)) = generics.iter().find(|(bound, _)| bound == letter) {
                return bound == ty;
            }
            generics.push((*letter, ty.clone()));
            true
        }
        (ParamType::Array(param), SqlType::Array(item)) => unify(param, item, generics),
        (ParamType::Map(key, value), SqlType::Map(key_ty, value_ty)) => {
            unify(key, key_ty, generics) && unify(value, value_ty, generics)
        }
        (param, ty) => !param.has_generics() && fits(param, ty, Casts::None),
    }
}

fn fits(param: &ParamType, ty: &SqlType, casts: Casts) -> bool {
    match (param, ty) {
        (ParamType::Any, _) | (ParamType::Decimal, SqlType::Decimal { .. }) => true,
        (ParamType::Array(param), SqlType::Array(item)) => fits(param, item, casts),
        (ParamType::Map(key, value), SqlType::Map(key_ty, value_ty)) => {
            fits(key, key_ty, casts) && fits(value, value_ty, casts)
        }
        (ParamType::Struct(params), SqlType::Struct(ty)) => {
            params.len() == ty.fields.len()
                && params.iter().all(|(name, param)| {
                    ty.field(name).is_some_and(|(_, ty)| fits(param, ty, Casts::None))
                })
        }
        (ParamType::Sql(declared), ty) if declared == ty => true,
        (ParamType::Sql(SqlType::Bigint), SqlType::Int) => casts != Casts::None,
        (param, ty) => casts == Casts::All && widens(ty, param),
    }
}

/// Whether a value of type `from` becomes one of type `to` without a CAST.
fn widens(from: &SqlType, to: &ParamType) -> bool {
    let rank = |ty: &SqlType| match ty {
        SqlType::Int => Some(0),
        SqlType::Bigint => Some(1),
        SqlType::Decimal { .. } => Some(2),
        SqlType::Double => Some(3),
        _ => None,
    };
    match (from, to) {
        (SqlType::String, ParamType::Sql(to)) => to.is_time() || *to == SqlType::Bytes,
        (from, ParamType::Decimal) => rank(from).is_some_and(|from| from < 2),
        (from, ParamType::Sql(to)) => rank(from).zip(rank(to)).is_some_and(|(from, to)| from < to),
        _ => false,
    }
}

fn bind(candidate: &Candidate, signature: &Signature, args: &[ArgType]) -> Bound {
    let parameters: Vec<&Parameter> = signature.expand(args.len()).unwrap_or_default();
    let generics = &candidate.generics;
    let coercions = parameters
        .iter()
        .zip(args)
        .map(|(parameter, arg)| match arg {
            ArgType::Value(ty) if !parameter.ty.has_generics() => coercion(&parameter.ty, ty),
            _ => None,
        })
        .collect();
    let lambda_inputs = parameters
        .iter()
        .map(|parameter| match &parameter.ty {
            ParamType::Lambda(inputs, _) => {
                inputs.iter().map(|input| apply(input, generics)).collect()
            }
            _ => None,
        })
        .collect();
    Bound {
        overload: candidate.overload,
        coercions,
        lambda_inputs,
        returns: apply(&signature.returns, generics),
    }
}

fn coercion(param: &ParamType, from: &SqlType) -> Option<SqlType> {
    let to = target(param, from);
    (to != *from).then_some(to)
}

/// The type that an argument of type `from` has as `param`.
fn target(param: &ParamType, from: &SqlType) -> SqlType {
    match (param, from) {
        (ParamType::Decimal, SqlType::Int) => SqlType::Decimal { precision: 10, scale: 0 },
        (ParamType::Decimal, SqlType::Bigint) => SqlType::Decimal { precision: 19, scale: 0 },
        (ParamType::Sql(to), _) => to.clone(),
        (ParamType::Array(param), SqlType::Array(item)) => SqlType::array(target(param, item)),
        (ParamType::Map(key, value), SqlType::Map(key_ty, value_ty)) => {
            SqlType::map(target(key, key_ty), target(value, value_ty))
        }
        _ => from.clone(),
    }
}

/// The SQL type that `param` stands for, once its letters are known.
fn apply(param: &ParamType, generics: &Generics) -> Option<SqlType> {
    Some(match param {
        ParamType::Sql(ty) => ty.clone(),
        ParamType::Generic(letter) => generics.iter().find(|(bound, _)| bound == letter)?.1.clone(),
        ParamType::Array(item) => SqlType::array(apply(item, generics)?),
        ParamType::Map(key, value) => SqlType::map(apply(key, generics)?, apply(value, generics)?),
        ParamType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|(name, ty)| Some(Field { name: (**name).into(), ty: apply(ty, generics)? }))
                .collect::<Option<_>>()?;
            SqlType::Struct(StructType { fields })
        }
        ParamType::Decimal | ParamType::Any | ParamType::IntervalUnit | ParamType::Lambda(..) => {
            return None;
        }
    })
}

fn shown(args: &[ArgType]) -> String {
    let mut text = String::from("(");
    for (index, arg) in args.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        match arg {
            ArgType::Null => text.push_str("null"),
            ArgType::Value(ty) => unquoted(ty, &mut text),
            ArgType::IntervalUnit => text.push_str("INTERVALUNIT"),
            ArgType::Lambda { .. } => text.push_str("LAMBDA"),
        }
    }
    text.push(')');
    text
}

/// Writes a type as messages about functions show it: struct fields without back quotes.
fn unquoted(ty: &SqlType, text: &mut String) {
    match ty {
        SqlType::Array(item) => {
            text.push_str("ARRAY<");
            unquoted(item, text);
            text.push('>');
        }
        SqlType::Map(key, value) => {
            text.push_str("MAP<");
            unquoted(key, text);
            text.push_str(", ");
            unquoted(value, text);
            text.push('>');
        }
        SqlType::Struct(ty) => {
            text.push_str("STRUCT<");
            for (index, field) in ty.fields.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}{} ", field.name);
                unquoted(&field.ty, text);
            }
            text.push('>');
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

fn arguments_error(
    overloads: &[&Signature],
    is_table: bool,
    mut message: String,
    fault: ArgumentFault,
) -> FunctionError {
    let shown = |signature: &&Signature| {
        let text = signature.to_string();
        match text.split_once('(') {
            Some((name, rest)) if is_table => format!("{}({rest}", name.to_ascii_lowercase()),
            _ => text,
        }
    };
    let alternatives: Vec<String> = overloads.iter().map(shown).collect();
    for alternative in &alternatives {
        message.push_str(alternative);
        message.push('\n');
    }
    message
        .push_str("For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;");
    FunctionError::Arguments { message, alternatives, fault }
}
