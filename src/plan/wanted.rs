//! Which rows of a store a condition can be true of, as far as that shows in their keys and windows.
//!
//! It is a way to look at fewer rows: the condition itself is asked of each that is found, unless it says nothing but which
//! keys are wanted ([`says_only_keys`]); then these have to be exactly those.

use std::ops::RangeInclusive;

use super::Source;
use crate::java::{DEFAULT_CAPACITY, hash_code, hash_map_order};
use crate::sql::ast::{Comparison, Expr, ExprKind, Literal, LogicalOp};
use crate::types::{ColumnDef, OwnedValue, SqlType};

/// How many keys are looked up one by one before all rows are looked at.
const KEYS_MAX: usize = 10_000;

/// The rows of a store that may be asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Their keys, a value for each column; `None` for all.
    pub keys: Option<Vec<Vec<OwnedValue>>>,
    /// When their windows begin, in milliseconds.
    pub starts: RangeInclusive<i64>,
    /// When these end.
    pub ends: RangeInclusive<i64>,
}

/// All times.
const ALWAYS: RangeInclusive<i64> = i64::MIN..=i64::MAX;

impl Default for Wanted {
    /// All rows.
    fn default() -> Self {
        Self { keys: None, starts: ALWAYS, ends: ALWAYS }
    }
}

/// The rows of which a condition over the columns of a table can be true.
pub(super) fn wanted(filter: &Expr, source: &Source) -> Wanted {
    Wanted {
        keys: keys(filter, source),
        starts: times(filter, "WINDOWSTART"),
        ends: times(filter, "WINDOWEND"),
    }
}

fn keys(filter: &Expr, source: &Source) -> Option<Vec<Vec<OwnedValue>>> {
    let mut keys: Vec<Vec<OwnedValue>> = vec![Vec::new()];
    for column in &source.schema.key {
        let mut values = values(filter, &column.name, &column.ty)?;
        let mut distinct: Vec<OwnedValue> = Vec::with_capacity(values.len());
        for value in values.drain(..) {
            if !distinct.contains(&value) {
                distinct.push(value);
            }
        }
        if keys.len().saturating_mul(distinct.len()) > KEYS_MAX {
            return None;
        }
        let longer = keys.iter().flat_map(|key| {
            distinct.iter().map(move |value| [&**key, std::slice::from_ref(value)].concat())
        });
        keys = longer.collect();
    }
    Some(in_set_order(keys))
}

/// Whether a condition says nothing but which keys are wanted, so that it is true of every row that has one of them.
pub(super) fn says_only_keys(filter: &Expr, source: &Source) -> bool {
    let mut said = Vec::new();
    let key = &source.schema.key;
    are_keys(filter, key, &mut said) && said.len() == key.len()
}

/// Whether a condition is one of different columns of the key, each of which is added to `said`.
fn are_keys<'e>(filter: &'e Expr, key: &[ColumnDef], said: &mut Vec<&'e str>) -> bool {
    let of = |column: &'e Expr, values: &[&Expr]| {
        let ExprKind::Column { name, .. } = &column.kind else { return None };
        let ty = &key.iter().find(|column| *column.name == *name.text)?.ty;
        values.iter().all(|value| constant(value, ty).is_some()).then_some(name.text.as_str())
    };
    let column = match &filter.kind {
        ExprKind::Logical { op: LogicalOp::And, left, right } => {
            return are_keys(left, key, said) && are_keys(right, key, said);
        }
        ExprKind::Comparison { op: Comparison::Equal, left, right } => {
            of(left, &[right]).or_else(|| of(right, &[left]))
        }
        ExprKind::In { value, list } => of(value, &list.iter().collect::<Vec<_>>()),
        _ => None,
    };
    let is_new = column.is_some_and(|column| !said.contains(&column));
    said.extend(column);
    is_new
}

/// Keys in the order in which ksqlDB looks them up: that of a Java `HashSet` of them. Where a key has a value whose hash
/// is not known here, they stay as they were given.
fn in_set_order(keys: Vec<Vec<OwnedValue>>) -> Vec<Vec<OwnedValue>> {
    let list = |key: &Vec<OwnedValue>| {
        key.iter().try_fold(1, |hash, value| Some(next_hash(hash, value_hash(value)?)))
    };
    // A key of a query holds the key of a row, which holds a list.
    let within = |hash| next_hash(1, hash);
    let hashes: Option<Vec<i32>> =
        keys.iter().map(|key| list(key).map(within).map(within)).collect();
    let Some(hashes) = hashes else { return keys };
    let mut keys: Vec<Option<Vec<OwnedValue>>> = keys.into_iter().map(Some).collect();
    let order = hash_map_order(&hashes, DEFAULT_CAPACITY).into_iter();
    order.filter_map(|at| keys[at].take()).collect()
}

/// The hash of a list that has one more element, as `List.hashCode` and `Objects.hash` have it.
fn next_hash(hash: i32, element: i32) -> i32 {
    hash.wrapping_mul(31).wrapping_add(element)
}

/// Java's hash of a value.
fn value_hash(value: &OwnedValue) -> Option<i32> {
    let folded = |bits: i64| (bits ^ ((bits as u64) >> 32) as i64) as i32;
    Some(match value {
        OwnedValue::Null => 0,
        OwnedValue::Boolean(value) => {
            if *value {
                1_231
            } else {
                1_237
            }
        }
        OwnedValue::Int(value) => *value,
        OwnedValue::Bigint(value) => folded(*value),
        OwnedValue::Double(value) => folded(value.to_bits() as i64),
        OwnedValue::String(text) => hash_code(text),
        _ => return None,
    })
}

/// The values that a column can have where a condition is true; `None` if it says nothing of them.
fn values(filter: &Expr, column: &str, ty: &SqlType) -> Option<Vec<OwnedValue>> {
    match &filter.kind {
        ExprKind::Comparison { op: Comparison::Equal, left, right } => {
            let value = if is_column(left, column) {
                right
            } else if is_column(right, column) {
                left
            } else {
                return None;
            };
            Some(vec![constant(value, ty)?])
        }
        ExprKind::In { value, list } if is_column(value, column) => {
            list.iter().map(|item| constant(item, ty)).collect()
        }
        ExprKind::Logical { op: LogicalOp::And, left, right } => {
            let sides = [values(left, column, ty), values(right, column, ty)];
            sides.into_iter().flatten().min_by_key(Vec::len)
        }
        ExprKind::Logical { op: LogicalOp::Or, left, right } => {
            let mut all = values(left, column, ty)?;
            all.extend(values(right, column, ty)?);
            (all.len() <= KEYS_MAX).then_some(all)
        }
        _ => None,
    }
}

/// The times that a column can have where a condition is true.
fn times(filter: &Expr, column: &str) -> RangeInclusive<i64> {
    match &filter.kind {
        ExprKind::Comparison { op, left, right } => {
            let (op, value) = if is_column(left, column) {
                (*op, right)
            } else if is_column(right, column) {
                (mirrored(*op), left)
            } else {
                return ALWAYS;
            };
            let Some(OwnedValue::Bigint(at)) = constant(value, &SqlType::Bigint) else {
                return ALWAYS;
            };
            match op {
                Comparison::Equal => at..=at,
                Comparison::Less => i64::MIN..=at.saturating_sub(1),
                Comparison::LessOrEqual => i64::MIN..=at,
                Comparison::Greater => at.saturating_add(1)..=i64::MAX,
                Comparison::GreaterOrEqual => at..=i64::MAX,
                _ => ALWAYS,
            }
        }
        ExprKind::Between { value, low, high } if is_column(value, column) => {
            let bound = |expr| match constant(expr, &SqlType::Bigint) {
                Some(OwnedValue::Bigint(at)) => Some(at),
                _ => None,
            };
            bound(low).unwrap_or(i64::MIN)..=bound(high).unwrap_or(i64::MAX)
        }
        ExprKind::Logical { op, left, right } => {
            let (left, right) = (times(left, column), times(right, column));
            let (starts, ends) = ((*left.start(), *right.start()), (*left.end(), *right.end()));
            match op {
                LogicalOp::And => starts.0.max(starts.1)..=ends.0.min(ends.1),
                LogicalOp::Or => starts.0.min(starts.1)..=ends.0.max(ends.1),
            }
        }
        _ => ALWAYS,
    }
}

/// The same comparison with its sides changed.
fn mirrored(op: Comparison) -> Comparison {
    match op {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        other => other,
    }
}

fn is_column(expr: &Expr, column: &str) -> bool {
    matches!(&expr.kind, ExprKind::Column { name, .. } if name.text == column)
}

/// A literal as a value of a type; `None` for what has to be computed or cast.
fn constant(expr: &Expr, ty: &SqlType) -> Option<OwnedValue> {
    let ExprKind::Literal(literal) = &expr.kind else { return None };
    Some(match (literal, ty) {
        (Literal::Boolean(value), SqlType::Boolean) => OwnedValue::Boolean(*value),
        (Literal::Integer(value), SqlType::Int) => OwnedValue::Int(*value),
        (Literal::Integer(value), SqlType::Bigint) => OwnedValue::Bigint(i64::from(*value)),
        (Literal::Bigint(value), SqlType::Bigint) => OwnedValue::Bigint(*value),
        (Literal::String(text), SqlType::String) => OwnedValue::String(text.as_str().into()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::ast::Statement;
    use crate::sql::{ParseOptions, parse};

    fn filter(condition: &str) -> Expr {
        let text = format!("SELECT * FROM t WHERE {condition};");
        let parsed = parse(text, &ParseOptions::default()).unwrap().remove(0);
        let Statement::Query(query) = parsed.statement else { panic!("a query") };
        query.filter.unwrap()
    }

    #[test]
    fn keys_show_in_equalities_however_they_are_combined() {
        let keys = |condition: &str| {
            let values = values(&filter(condition), "K", &SqlType::Int)?;
            let number = |value| if let OwnedValue::Int(number) = value { number } else { -1 };
            Some(values.into_iter().map(number).collect::<Vec<_>>())
        };
        assert_eq!(keys("k = 1"), Some(vec![1]));
        assert_eq!(keys("2 = k AND v > 3"), Some(vec![2]));
        assert_eq!(keys("k IN (1, 2) OR k = 3"), Some(vec![1, 2, 3]));
        assert_eq!(keys("k IN (1, 2) AND k = 3"), Some(vec![3]));
        // Of these it is not known which rows they are true of.
        for condition in ["k = 1 OR v = 2", "NOT k = 1", "k > 1", "k = 1 + 1", "v = 1", "k = 5.0"] {
            assert_eq!(keys(condition), None, "{condition}");
        }
    }

    #[test]
    fn a_condition_of_keys_alone_is_true_of_all_that_are_found() {
        let key = [ColumnDef::new("K", SqlType::Int), ColumnDef::new("N", SqlType::String)];
        let says_only_keys = |condition: &str| {
            let (filter, mut said) = (filter(condition), Vec::new());
            are_keys(&filter, &key, &mut said) && said.len() == key.len()
        };
        for condition in ["k = 1 AND n = 'a'", "'a' = n AND k IN (1, 2, 1)"] {
            assert!(says_only_keys(condition), "{condition}");
        }
        for condition in [
            "k = 1",
            "k = 1 AND n = 'a' AND v = 2",
            "k = 1 AND n = 'a' AND k = 2",
            "k = 1 OR n = 'a'",
            "k = 1 AND NOT n = 'a'",
            "k = 1 AND n > 'a'",
            "k = 1.0 AND n = 'a'",
            "k = 1 AND n = UCASE('a')",
        ] {
            assert!(!says_only_keys(condition), "{condition}");
        }
    }

    #[test]
    fn keys_have_the_order_of_a_hash_set() {
        let key = |text: &str| vec![OwnedValue::String(text.into())];
        assert_eq!(in_set_order(vec![key("apple"), key("fig")]), [key("fig"), key("apple")]);
        let bytes = vec![vec![OwnedValue::Bytes([2].into())], vec![OwnedValue::Bytes([1].into())]];
        assert_eq!(in_set_order(bytes.clone()), bytes);
    }

    #[test]
    fn bounds_of_windows_are_as_narrow_as_they_are_known() {
        let times = |condition: &str| times(&filter(condition), "WINDOWSTART");
        assert_eq!(times("WINDOWSTART >= 10 AND 20 > WINDOWSTART"), 10..=19);
        assert_eq!(times("WINDOWSTART = 5 OR WINDOWSTART = 9"), 5..=9);
        assert_eq!(times("WINDOWSTART BETWEEN 3 AND 4 AND v = 1"), 3..=4);
        assert_eq!(times("WINDOWSTART = 5 OR v = 1"), ALWAYS);
        assert!(times("WINDOWSTART < 1 AND WINDOWSTART > 1").is_empty());
    }
}
