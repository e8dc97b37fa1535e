//! Laws that hold for every row of the table: examples, undo, merge, stored forms, fast paths.

use proptest::prelude::*;

use super::*;
use crate::expr::functions::{ArgType, ParamType, Signature};
use crate::types::{Decimal, OwnedValue};

const ALL: Aggregates = Aggregates { with_test_functions: true };

/// Reads a literal as the examples write it.
fn literal(text: &str) -> OwnedValue {
    let text = text.trim();
    if text == "NULL" {
        OwnedValue::Null
    } else if let Some(text) = text.strip_prefix('\'') {
        OwnedValue::String(text.trim_end_matches('\'').into())
    } else if let Some(items) = text.strip_prefix("ARRAY[") {
        OwnedValue::Array(literals(items.trim_end_matches(']')))
    } else if let Some(entry) = text.strip_prefix("MAP(") {
        let (key, value) = entry.trim_end_matches(')').split_once(":=").unwrap();
        let OwnedValue::Int(value) = literal(value) else { panic!("not a count: {text}") };
        OwnedValue::Map(vec![(literal(key), OwnedValue::Bigint(value.into()))])
    } else if text == "TRUE" || text == "FALSE" {
        OwnedValue::Boolean(text == "TRUE")
    } else if text.contains('E') {
        OwnedValue::Double(text.parse().unwrap())
    } else if let Some((whole, fraction)) = text.split_once('.') {
        let unscaled = format!("{whole}{fraction}").parse().unwrap();
        OwnedValue::Decimal(Box::new(Decimal { unscaled, scale: fraction.len() as i32 }))
    } else {
        let value: i64 = text.parse().unwrap();
        i32::try_from(value).map_or(OwnedValue::Bigint(value), OwnedValue::Int)
    }
}

fn literals(text: &str) -> Vec<OwnedValue> {
    let (mut depth, mut items, mut item) = (0, Vec::new(), String::new());
    for c in text.chars() {
        depth += i32::from(matches!(c, '[' | '(')) - i32::from(matches!(c, ']' | ')'));
        if c == ',' && depth == 0 {
            items.push(literal(&std::mem::take(&mut item)));
        } else {
            item.push(c);
        }
    }
    if !item.trim().is_empty() {
        items.push(literal(&item));
    }
    items
}

fn type_of(value: &OwnedValue) -> Option<SqlType> {
    Some(match value {
        OwnedValue::Int(_) => SqlType::Int,
        OwnedValue::Bigint(_) => SqlType::Bigint,
        OwnedValue::Double(_) => SqlType::Double,
        OwnedValue::Boolean(_) => SqlType::Boolean,
        OwnedValue::String(_) => SqlType::String,
        OwnedValue::Decimal(value) => {
            SqlType::Decimal { precision: 6, scale: value.scale.unsigned_abs() }
        }
        OwnedValue::Array(items) => SqlType::array(type_of(items.first()?)?),
        _ => return None,
    })
}

/// Makes values of an example what a column of type `ty` would hold.
fn widened(value: OwnedValue, ty: &SqlType) -> OwnedValue {
    match (value, ty) {
        (OwnedValue::Int(value), SqlType::Bigint) => OwnedValue::Bigint(value.into()),
        (OwnedValue::Array(items), SqlType::Array(ty)) => {
            OwnedValue::Array(items.into_iter().map(|item| widened(item, ty)).collect())
        }
        (value, _) => value,
    }
}

/// The type that the signature declares for an argument.
fn declared(row: &AggregateRow, count: usize, index: usize) -> Option<SqlType> {
    let signature = Signature::parse(row.signature).ok()?;
    match &signature.expand(count)?[index].ty {
        ParamType::Sql(ty) => Some(ty.clone()),
        ParamType::Decimal => Some(SqlType::Decimal { precision: 6, scale: 2 }),
        _ => None,
    }
}

fn check_example(row: &'static AggregateRow, input: &str, expected: &str) {
    let rows: Vec<Vec<OwnedValue>> = input.split(';').map(literals).collect();
    let count = rows[0].len();
    let types: Vec<Option<SqlType>> = (0..count)
        .map(|index| {
            let types = rows.iter().filter_map(|row| type_of(&row[index]));
            let found = types.reduce(|a, b| if b == SqlType::Bigint { b } else { a });
            found.or_else(|| declared(row, count, index))
        })
        .collect();
    let args: Vec<_> =
        types.iter().map(|ty| ty.clone().map_or(ArgType::Null, ArgType::Value)).collect();
    let found = ALL.resolve(row.name(), &args).unwrap();
    let types: Vec<_> = types.into_iter().map(|ty| ty.unwrap_or(SqlType::Bigint)).collect();
    let (columns, init) = (&types[..found.columns], &rows[0][found.columns..]);
    let aggregate = found.make(columns, init, AggregateSettings::default()).unwrap();
    let (arena, mut sequence) = (Arena::new(), Sequence::default());
    let mut state = aggregate.init(&mut sequence);
    for row in &rows {
        let values: Vec<_> =
            row.iter().zip(columns).map(|(value, ty)| widened(value.clone(), ty)).collect();
        let values: Vec<_> = values.iter().map(|value| value.as_value(&arena)).collect();
        aggregate.add(&mut state, &values, &mut sequence).unwrap();
    }
    let expected = widened(literal(expected), &aggregate.result_type());
    assert_eq!(aggregate.result(&state, &arena).to_owned(), expected, "{} {input}", row.signature);
}

#[test]
fn every_row_has_a_signature_a_sentence_and_an_example_that_holds() {
    let rows = ALL.list().flat_map(|function| &function.overloads);
    for (_, row) in rows {
        assert!(Signature::parse(row.signature).is_ok(), "{}", row.signature);
        assert!(row.summary.ends_with('.') && row.summary.contains(' '), "{}", row.signature);
        assert!(!row.examples.is_empty(), "{}", row.signature);
        for (input, expected) in row.examples {
            check_example(row, input, expected);
        }
    }
    assert_eq!(ALL.list().count(), 18);
}

#[test]
fn a_call_without_an_overload_lists_them_as_ksqldb_does() {
    let error = ALL.resolve("sum", &[ArgType::Value(SqlType::String)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Function 'SUM' does not accept parameters (STRING).\nValid alternatives are:\n\
         SUM(DECIMAL val1)\nSUM(DOUBLE val1)\nSUM(INT val1)\nSUM(BIGINT val1)\n\
         For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;"
    );
    assert!(Aggregates::default().find("VAR_ARG").is_none());
    let args = [SqlType::Bigint, SqlType::String, SqlType::Int, SqlType::Int];
    let found = ALL.resolve("mid_var_arg", &args.map(ArgType::Value)).unwrap();
    assert_eq!(found.columns, 2);
}

#[test]
fn a_count_below_one_is_refused() {
    let args = [SqlType::Int, SqlType::Int].map(ArgType::Value);
    let found = ALL.resolve("LATEST_BY_OFFSET", &args).unwrap();
    let made = found.make(&[SqlType::Int], &[OwnedValue::Int(0)], AggregateSettings::default());
    assert_eq!(made.unwrap_err().message, "latestN must be 1 or greater");
    assert_eq!(
        found.not_a_literal(1, "F0"),
        "Parameter 2 passed to function LATEST_BY_OFFSET must be a literal constant, but was \
         expression: 'F0'"
    );
}

/// Every overload over one column of `ty`, and those with `k = 2`.
fn over(ty: &SqlType, values: &[OwnedValue]) -> Vec<(&'static AggregateRow, Box<dyn Aggregate>)> {
    let mut found = Vec::new();
    for function in ALL.list() {
        // A NULL in a histogram turns into the text `null` on its way through a store.
        if function.name == "HISTOGRAM" && values.contains(&OwnedValue::Null) {
            continue;
        }
        let column = ArgType::Value(ty.clone());
        for init in [vec![], vec![OwnedValue::Int(2)], vec![OwnedValue::Boolean(false)]] {
            let init_types = init.iter().filter_map(type_of).map(ArgType::Value);
            let args: Vec<_> = std::iter::once(column.clone()).chain(init_types).collect();
            let Ok(resolved) = ALL.resolve(function.name, &args) else { continue };
            if resolved.columns != 1 {
                continue;
            }
            let made = resolved.make(std::slice::from_ref(ty), &init, AggregateSettings::default());
            found.push((resolved.row, made.unwrap()));
        }
    }
    found
}

fn column(ty: &SqlType) -> BoxedStrategy<Vec<OwnedValue>> {
    let value = match ty {
        SqlType::Int => (-9_i32..9).prop_map(OwnedValue::Int).boxed(),
        SqlType::Bigint => (-9_i64..9).prop_map(OwnedValue::Bigint).boxed(),
        SqlType::Double => (-9_i32..9).prop_map(|n| OwnedValue::Double(f64::from(n) / 2.0)).boxed(),
        _ => "[a-d]{1,2}".prop_map(|text| OwnedValue::String(text.into())).boxed(),
    };
    let value = prop_oneof![1 => Just(OwnedValue::Null), 4 => value];
    proptest::collection::vec(value, 0..12).boxed()
}

fn typed_column() -> impl Strategy<Value = (SqlType, Vec<OwnedValue>)> {
    let types = [SqlType::Int, SqlType::Bigint, SqlType::Double, SqlType::String];
    proptest::sample::select(types.to_vec()).prop_flat_map(|ty| (Just(ty.clone()), column(&ty)))
}

fn added(aggregate: &dyn Aggregate, values: &[OwnedValue], sequence: &mut Sequence) -> State {
    let arena = Arena::new();
    let mut state = aggregate.init(sequence);
    for value in values {
        aggregate.add(&mut state, &[value.as_value(&arena)], sequence).unwrap();
    }
    state
}

fn result(aggregate: &dyn Aggregate, state: &State) -> OwnedValue {
    match aggregate.result(state, &Arena::new()).to_owned() {
        // A spread that was added and taken back is equal up to rounding.
        OwnedValue::Double(value) => OwnedValue::Double((value * 1e6).round() / 1e6 + 0.0),
        other => other,
    }
}

proptest! {
    #[test]
    fn what_is_undone_was_never_there((ty, values) in typed_column(), extra in 0_usize..12) {
        for (row, aggregate) in over(&ty, &values).into_iter().filter(|(row, _)| row.undoable) {
            let Some(extra) = values.get(extra) else { continue };
            let arena = Arena::new();
            let mut sequence = Sequence::default();
            let before = added(&*aggregate, &values, &mut sequence);
            let mut state = before.clone();
            aggregate.add(&mut state, &[extra.as_value(&arena)], &mut sequence).unwrap();
            aggregate.undo(&mut state, &[extra.as_value(&arena)]).unwrap();
            if row.name() != "COLLECT_LIST" || values.iter().filter(|v| *v == extra).count() < 1 {
                prop_assert_eq!(
                    result(&*aggregate, &state),
                    result(&*aggregate, &before),
                    "{}", row.signature
                );
            }
        }
    }

    #[test]
    fn sessions_that_grow_together_hold_all_rows((ty, values) in typed_column(), at in 0_usize..12) {
        let (first, second) = values.split_at(at.min(values.len()));
        for (row, aggregate) in over(&ty, &values) {
            // ksqlDB keeps the oldest values here.
            if row.name() == "LATEST_BY_OFFSET" && row.init_args > 0 {
                continue;
            }
            // Whole numbers are divided as such where ksqlDB merges variances.
            if row.name() == "STDDEV_SAMP" && ty != SqlType::Double {
                continue;
            }
            let mut sequence = Sequence::default();
            let older = added(&*aggregate, first, &mut sequence);
            let newer = added(&*aggregate, second, &mut sequence);
            let merged = aggregate.merge(older, newer).unwrap();
            let all = added(&*aggregate, &values, &mut Sequence::default());
            if matches!(merged, State::Counts(_)) {
                let order = |state: &State| match result(&*aggregate, state) {
                    OwnedValue::Map(entries) => entries.len(),
                    _ => 0,
                };
                prop_assert_eq!(order(&merged), order(&all));
                continue;
            }
            prop_assert_eq!(
                result(&*aggregate, &merged),
                result(&*aggregate, &all),
                "{}", row.signature
            );
        }
    }

    #[test]
    fn a_state_survives_its_stored_form((ty, values) in typed_column()) {
        for (row, aggregate) in over(&ty, &values) {
            let state = added(&*aggregate, &values, &mut Sequence::default());
            let arena = Arena::new();
            let stored = aggregate.to_value(&state, &arena);
            let restored = aggregate.restore(stored);
            prop_assert_eq!(
                aggregate.result(&restored, &arena),
                aggregate.result(&state, &arena),
                "{}", row.signature
            );
            let mut sequence = Sequence::default();
            aggregate.observe(&restored, &mut sequence);
        }
    }

    #[test]
    fn a_chunk_gives_what_its_rows_give((ty, values) in typed_column()) {
        for (row, aggregate) in over(&ty, &values) {
            let arena = Arena::new();
            let column = Column::from_values(&ty, values.iter().map(|v| v.as_value(&arena)));
            let mut sequence = Sequence::default();
            let mut states = [aggregate.init(&mut sequence), aggregate.init(&mut sequence)];
            let (even, odd) = states.split_at_mut(1);
            let mut groups = [even, odd];
            let members = (0..values.len() as u32).map(|row| Member { row, group: row % 2 });
            let members: Vec<_> = members.collect();
            let rows = Rows { slot: 0, members: &members, args: &[&column] };
            aggregate.add_rows(&mut groups, &rows, &mut sequence).unwrap();
            for (group, state) in states.iter().enumerate() {
                let rows = values.iter().skip(group).step_by(2).cloned().collect::<Vec<_>>();
                let expected = added(&*aggregate, &rows, &mut Sequence::default());
                prop_assert_eq!(
                    aggregate.result(state, &arena),
                    aggregate.result(&expected, &arena),
                    "{}", row.signature
                );
            }
        }
    }
}
