//! All functions by name, with their parsed signatures.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use strsim::levenshtein;

use super::families::{FAMILIES, TABLE_FUNCTIONS};
use super::resolve::{self, ArgType, Bound, FunctionError};
use super::row::{Returns, Scalar, TableFunction};
use super::signature::{ParamType, Signature};
use super::test_functions;
use crate::types::SqlType;

/// All that is known of a function, for SHOW and DESCRIBE FUNCTION.
#[derive(Debug)]
pub struct Function {
    /// The name in capitals.
    pub name: &'static str,
    /// The family it belongs to.
    pub category: &'static str,
    /// Whether it makes rows instead of a value.
    pub is_table: bool,
    /// How messages spell the name.
    shown_as: String,
    /// Its overloads, in the order that ksqlDB lists them.
    pub overloads: Vec<Overload>,
}

/// One signature of a function.
#[derive(Debug)]
pub struct Overload {
    /// The parsed signature.
    pub signature: Signature,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Expressions and what they evaluate to.
    pub examples: &'static [(&'static str, &'static str)],
    row: Row,
}

#[derive(Clone, Copy, Debug)]
enum Row {
    Scalar(&'static Scalar),
    Table(&'static TableFunction),
}

/// The overload that a call means.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The row.
    pub row: &'static Scalar,
    /// The type of the result.
    pub return_type: SqlType,
    /// The type that each argument is to be converted to first, where it is another.
    pub coercions: Vec<Option<SqlType>>,
}

/// The overload that a call of a table function means.
#[derive(Clone, Debug)]
pub struct TableResolved {
    /// The row.
    pub row: &'static TableFunction,
    /// The type of each row that it makes.
    pub return_type: SqlType,
    /// The type that each argument is to be converted to first, where it is another.
    pub coercions: Vec<Option<SqlType>>,
}

type Functions = BTreeMap<&'static str, Function>;

/// Whether this process knows the functions of ksqlDB's test cases.
static WITH_TEST_FUNCTIONS: AtomicBool = AtomicBool::new(false);

static TEST_FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let scalars = test_functions::SCALARS.iter().map(|row| ("TEST", Row::Scalar(row)));
    index(scalars.chain(test_functions::TABLES.iter().map(|row| ("TEST", Row::Table(row)))))
});

/// Makes the functions of ksqlDB's test cases known to this process, for its case runner; a case
/// begins as if none had been called on this thread.
pub fn enable_test_functions() {
    test_functions::forget_calls();
    WITH_TEST_FUNCTIONS.store(true, Ordering::Relaxed);
}

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let scalars = FAMILIES
        .iter()
        .flat_map(|family| family.functions.iter().map(|row| (family.category, Row::Scalar(row))));
    let to_double = super::math::TO_DOUBLE.iter().copied().flatten();
    let scalars = scalars.chain(to_double.map(|row| ("MATHEMATICAL", Row::Scalar(row))));
    let tables = TABLE_FUNCTIONS.iter().map(|row| ("TABLE", Row::Table(row)));
    index(scalars.chain(tables))
});

fn index(rows: impl Iterator<Item = (&'static str, Row)>) -> Functions {
    let mut functions = Functions::new();
    for (category, row) in rows {
        let (text, summary, examples, shown_as) = match row {
            Row::Scalar(row) => (row.signature, row.summary, row.examples, row.shown_as),
            Row::Table(row) => (row.signature, row.summary, row.examples, None),
        };
        // A signature that does not parse is left out here; a test parses every one.
        let Ok(signature) = Signature::parse(text) else { continue };
        let name = text.split('(').next().unwrap_or_default();
        let function = functions.entry(name).or_insert_with(|| Function {
            name,
            category,
            is_table: matches!(row, Row::Table(_)),
            shown_as: shown_as.map_or_else(|| name.to_ascii_lowercase(), str::to_owned),
            overloads: Vec::new(),
        });
        function.overloads.push(Overload { signature, summary, examples, row });
    }
    functions
}

/// All scalar and table functions, by name.
pub fn list() -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.values()
}

/// The function called `name`, in whatever case.
pub fn describe(name: &str) -> Option<&'static Function> {
    let name = name.to_ascii_uppercase();
    let of_tests = || {
        WITH_TEST_FUNCTIONS.load(Ordering::Relaxed).then(|| TEST_FUNCTIONS.get(&*name)).flatten()
    };
    FUNCTIONS.get(&*name).or_else(of_tests)
}

/// Finds the scalar function that a call means.
pub fn resolve(name: &str, args: &[ArgType]) -> Result<Resolved, FunctionError> {
    let (overload, bound) = bound(name, args)?;
    let Row::Scalar(row) = overload.row else { return Err(unknown(name)) };
    let return_type = return_type(row.returns, overload, &bound, args)?;
    Ok(Resolved { row, return_type, coercions: bound.coercions })
}

/// Finds the table function that a call means.
pub fn resolve_table(name: &str, args: &[ArgType]) -> Result<TableResolved, FunctionError> {
    let (overload, bound) = bound(name, args)?;
    let Row::Table(row) = overload.row else { return Err(unknown(name)) };
    let return_type = return_type(row.returns, overload, &bound, args)?;
    Ok(TableResolved { row, return_type, coercions: bound.coercions })
}

/// The types that the lambdas among `args` are called with; `None` for other arguments.
///
/// The lambdas need no result yet: their bodies are typed with what this gives, and the call is
/// then resolved with the types of the bodies.
pub fn lambda_inputs(
    name: &str,
    args: &[ArgType],
) -> Result<Vec<Option<Vec<SqlType>>>, FunctionError> {
    Ok(bound(name, args)?.1.lambda_inputs)
}

fn bound(name: &str, args: &[ArgType]) -> Result<(&'static Overload, Bound), FunctionError> {
    let function = describe(name).ok_or_else(|| unknown(name))?;
    let signatures: Vec<&Signature> = function.overloads.iter().map(|o| &o.signature).collect();
    let bound = resolve::resolve(&function.shown_as, function.is_table, &signatures, args)?;
    Ok((&function.overloads[bound.overload], bound))
}

fn return_type(
    returns: Option<Returns>,
    overload: &Overload,
    bound: &Bound,
    args: &[ArgType],
) -> Result<SqlType, FunctionError> {
    match (returns, &bound.returns) {
        (Some(returns), _) => returns(args).map_err(|message| FunctionError::Type { message }),
        (None, Some(ty)) => Ok(ty.clone()),
        (None, None) => Err(FunctionError::Type {
            message: format!(
                "Could not find mapping for generic type: {}",
                letter(&overload.signature.returns).unwrap_or('T')
            ),
        }),
    }
}

fn letter(ty: &ParamType) -> Option<char> {
    match ty {
        ParamType::Generic(letter) => Some(*letter),
        ParamType::Array(item) => letter(item),
        ParamType::Map(key, value) => letter(key).or_else(|| letter(value)),
        _ => None,
    }
}

fn unknown(name: &str) -> FunctionError {
    let name = name.to_ascii_uppercase();
    let mut near: Vec<(usize, &'static str)> = FUNCTIONS
        .keys()
        .map(|known| (levenshtein(&name, known), *known))
        .filter(|(distance, known)| *distance <= 1 + known.len().min(name.len()) / 4)
        .collect();
    near.sort_unstable();
    let candidates = near.into_iter().map(|(_, known)| known).take(3).collect();
    FunctionError::Unknown { name, candidates }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::functions::math;

    #[test]
    fn every_signature_parses() {
        let texts = FAMILIES
            .iter()
            .flat_map(|family| family.functions)
            .chain(math::TO_DOUBLE.iter().copied().flatten())
            .map(|row| row.signature)
            .chain(TABLE_FUNCTIONS.iter().map(|row| row.signature));
        let mut rows = 0;
        for text in texts {
            assert_eq!(Signature::parse(text).err(), None);
            rows += 1;
        }
        assert_eq!(list().map(|function| function.overloads.len()).sum::<usize>(), rows);
    }

    fn check(name: &str, args: &[ArgType], expected: &str) {
        let shown = match resolve(name, args) {
            Ok(found) => format!("{} {:?}", found.return_type, found.coercions),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn calls_mean_what_they_mean_to_ksqldb() {
        let of = |ty: SqlType| ArgType::Value(ty);
        let (int, bigint) = (of(SqlType::Int), of(SqlType::Bigint));
        let (text, decimal) =
            (of(SqlType::String), of(SqlType::Decimal { precision: 4, scale: 2 }));
        check("abs", std::slice::from_ref(&decimal), "DECIMAL(4, 2) [None]");
        check("Sqrt", std::slice::from_ref(&decimal), "DOUBLE [Some(Double)]");
        check("date_add", &[], "Can't find any functions with the name 'DATE_ADD'");
        check("COALESCE", &[ArgType::Null, int.clone()], "INTEGER [None, None]");
        check("ROUND", &[decimal], "DECIMAL(2, 0) [None]");
        check("UNIX_DATE", std::slice::from_ref(&text), "INTEGER [Some(Date)]");
        check(
            "ROUND",
            &[int.clone(), int.clone()],
            "Function 'Round' cannot be resolved due to ambiguous method parameters (INTEGER, \
             INTEGER).\nUse CAST() to explicitly cast your parameters to one of the supported \
             function calls.\nValid function calls are:\nROUND(DECIMAL val)\n\
             ROUND(DOUBLE val, INT decimalPlaces)\nROUND(DOUBLE val)\n\
             ROUND(DECIMAL val, INT decimalPlaces)\nROUND(INT val)\nROUND(BIGINT val)\n\
             For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;",
        );
        check(
            "ucase",
            &[bigint],
            "Function 'ucase' does not accept parameters (BIGINT).\nValid alternatives are:\n\
             UCASE(VARCHAR input)\n\
             For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;",
        );
        check(
            "AS_MAP",
            &[ArgType::Null, ArgType::Null],
            "Could not find mapping for generic type: T",
        );
    }

    #[test]
    fn similar_names_are_offered() {
        let Err(FunctionError::Unknown { candidates, .. }) = resolve("UCASEE", &[]) else {
            panic!("there is no UCASEE")
        };
        assert_eq!(candidates, ["UCASE", "LCASE"]);
    }
}
