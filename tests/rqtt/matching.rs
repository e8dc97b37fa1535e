//! Whether an answer has what a case expects of it: more may be there.

use serde_json::Value;

/// What stands behind the name of a field of which the beginning alone is compared.
const STARTS_WITH: &str = "|starts_with";

/// Says where an answer lacks something. Values of rows are left to [`rows`].
pub(crate) fn includes(path: &str, expected: &Value, actual: &Value) -> Result<(), String> {
    match (expected, actual) {
        (Value::Object(fields), Value::Object(_)) => {
            for (name, expected) in fields {
                let is_row = path.is_empty() && name == "row" && expected.is_string();
                if is_row || (path == ".row" && name == "columns") {
                    continue;
                }
                if let Some(name) = name.strip_suffix(STARTS_WITH) {
                    let beginning = expected.as_str().unwrap_or_default();
                    let found = &actual[name];
                    if !found.as_str().is_some_and(|found| found.starts_with(beginning)) {
                        return Err(format!("{path}.{name} is {found}, not {beginning}…"));
                    }
                    continue;
                }
                let Some(found) = actual.get(name) else {
                    return Err(format!("{path}.{name} is missing in {actual}"));
                };
                includes(&format!("{path}.{name}"), expected, found)?;
            }
            Ok(())
        }
        _ if is_same(expected, actual) => Ok(()),
        _ => Err(format!("{path} is {actual}, not {expected}")),
    }
}

/// Says how the rows of an answer differ, which may come in any order.
pub(crate) fn rows(expected: &[Value], actual: &[Value]) -> Result<(), String> {
    let columns = |rows: &[Value]| -> Vec<Value> {
        let of_row = |row: &Value| match row.get("row")? {
            text @ Value::String(_) => Some(text.clone()),
            row => row.get("columns").cloned(),
        };
        rows.iter().filter_map(of_row).collect()
    };
    let mut left = columns(actual);
    for row in columns(expected) {
        match left.iter().position(|found| is_same(&row, found)) {
            Some(at) => drop(left.remove(at)),
            None => return Err(format!("the row {row} is missing; others are {left:?}")),
        }
    }
    Ok(())
}

/// Whether two values are the same; 1.5 and 1.50 are not.
fn is_same(expected: &Value, actual: &Value) -> bool {
    match (expected, actual) {
        (Value::Number(expected), Value::Number(actual)) => {
            decimal(&expected.to_string()) == decimal(&actual.to_string())
        }
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| is_same(expected, actual))
        }
        (Value::Object(expected), Value::Object(actual)) => {
            let same = |(name, expected): (&String, &Value)| {
                actual.get(name).is_some_and(|actual| is_same(expected, actual))
            };
            expected.len() == actual.len() && expected.iter().all(same)
        }
        _ => expected == actual,
    }
}

/// The digits of a number with their sign, and its scale.
fn decimal(text: &str) -> (String, i64) {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let scale = digits.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i64);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let digits = digits.replace('.', "");
    let digits = digits.trim_start_matches('0');
    let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap_or(0);
    (format!("{sign}{digits}"), scale - exponent)
}
