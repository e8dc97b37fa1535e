//! Whether a decoded value is what a case expects, by the rules of ksqlDB's test harness.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::actual::Actual;
use super::number::Number;

/// How far apart two DOUBLEs may be.
const TOLERANCE: f64 = 1e-6;

/// Compares values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparator {
    /// Whether the scale of a JSON number counts.
    pub(super) is_exact: bool,
}

impl Comparator {
    /// Says where and how the value differs from what is expected.
    pub(super) fn compare(self, expected: &Json, actual: &Actual) -> Result<(), String> {
        self.at("", expected, actual)
    }

    fn at(self, path: &str, expected: &Json, actual: &Actual) -> Result<(), String> {
        let is_same = match (expected, actual) {
            (Json::Object(fields), Actual::Map(entries)) => {
                return self.fields(path, fields, entries);
            }
            (Json::Array(items), Actual::List(values)) => {
                if items.len() != values.len() {
                    let (items, values) = (items.len(), values.len());
                    return Err(format!("{}expected {items} items but found {values}", at(path)));
                }
                for (index, (item, value)) in items.iter().zip(values).enumerate() {
                    self.at(&format!("{path}[{}]", index + 1), item, value)?;
                }
                return Ok(());
            }
            (Json::Null, Actual::Null) => true,
            (Json::Null, Actual::Bytes(bytes)) => bytes.is_empty(),
            (Json::Bool(expected), Actual::Boolean(actual)) => expected == actual,
            (Json::Number(number), actual) => self.number(&number.to_string(), actual),
            (Json::String(text), actual) => is_text(text, actual),
            _ => false,
        };
        if is_same {
            Ok(())
        } else {
            Err(format!("{}expected {expected} but found {actual}", at(path)))
        }
    }

    fn fields(
        self,
        path: &str,
        fields: &serde_json::Map<String, Json>,
        entries: &[(String, Actual)],
    ) -> Result<(), String> {
        if fields.len() != entries.len() {
            let actual = Actual::Map(entries.to_vec());
            let expected = Json::Object(fields.clone());
            return Err(format!(
                "{}expected {} fields, {expected}, but found {}, {actual}",
                at(path),
                fields.len(),
                entries.len(),
            ));
        }
        for (name, expected) in fields {
            let find = |name: &str| entries.iter().find(|(known, _)| known == name);
            let found = find(name).or_else(|| find(&name.to_uppercase()));
            let actual = found.map_or(&Actual::Null, |(_, actual)| actual);
            self.at(&format!("{path}.{name}"), expected, actual)?;
        }
        Ok(())
    }

    fn number(self, text: &str, actual: &Actual) -> bool {
        let Some(expected) = Number::parse(text) else { return false };
        match actual {
            Actual::Whole(actual) => expected.truncated() == Some(*actual),
            Actual::Double(actual) => (expected.to_double() - actual).abs() < TOLERANCE,
            Actual::Decimal(actual) => {
                let Some(actual) = Number::parse(actual) else { return false };
                let is_whole = !text.contains(['.', 'e', 'E']);
                if is_whole {
                    actual.scale <= 0 && actual.is_same_value(&expected)
                } else if self.is_exact {
                    actual == expected
                } else {
                    (expected.to_double() - actual.to_double()).abs() < TOLERANCE
                }
            }
            // A DELIMITED value is one text, and so may a case's only column be a number.
            Actual::Text(actual) => actual == text,
            _ => false,
        }
    }
}

fn is_text(expected: &str, actual: &Actual) -> bool {
    match actual {
        Actual::Text(actual) => actual == expected,
        Actual::Decimal(actual) => {
            let expected = Number::parse(expected);
            expected.is_some() && expected == Number::parse(actual)
        }
        // KAFKA writes BYTES as they are, and cases write them as text.
        Actual::Bytes(actual) => {
            expected.as_bytes() == actual
                || STANDARD.decode(expected).is_ok_and(|bytes| bytes == *actual)
        }
        _ => false,
    }
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("at {}: ", path.trim_start_matches('.')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &str, actual: &str) -> Result<(), String> {
        let actual: Json = serde_json::from_str(actual).unwrap();
        let expected = serde_json::from_str(expected).unwrap();
        Comparator { is_exact: true }.compare(&expected, &Actual::from_json(&actual))
    }

    #[test]
    fn scales_count_in_json() {
        assert_eq!(check("1.50", "1.50"), Ok(()));
        assert_eq!(check("1.50", "1.5"), Err("expected 1.50 but found 1.5".into()));
        assert_eq!(check("1.0E-4", "0.00010"), Ok(()));
        assert!(check("1", "1.0").is_err());
        assert_eq!(check("1.7", "1"), Ok(()));
        let rough = Comparator { is_exact: false };
        assert!(rough.number("1.50", &Actual::Decimal("1.5".into())));
    }

    #[test]
    fn a_field_that_is_missing_is_not_one_that_is_null() {
        assert_eq!(check(r#"{"a":null}"#, r#"{"A":null}"#), Ok(()));
        assert!(check(r#"{"A":1}"#, r#"{"A":1,"B":null}"#).is_err());
        assert_eq!(
            check(r#"{"A":[1,{"x":2}]}"#, r#"{"A":[1,{"X":3}]}"#),
            Err("at A[2].x: expected 2 but found 3".into())
        );
    }

    #[test]
    fn bytes_are_written_as_base64() {
        let comparator = Comparator { is_exact: true };
        assert_eq!(comparator.compare(&"AQI=".into(), &Actual::Bytes(vec![1, 2])), Ok(()));
        assert_eq!(comparator.compare(&Json::Null, &Actual::Bytes(vec![])), Ok(()));
        assert!(is_text("1.50", &Actual::Decimal("1.50".into())));
    }
}
