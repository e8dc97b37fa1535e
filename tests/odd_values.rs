//! What holds for any values: functions, aggregates, casts and operators give a value of their type
//! or an error, whatever they are given. They never panic, nor use up the stack or the memory.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[path = "odd/values.rs"]
mod values;

use millstream::expr::aggregates::{
    Aggregate, AggregateLimits, AggregateSettings, Aggregates, Resolved, Sequence, State,
};
use millstream::expr::functions::{self, ArgType, Call, ParamType, Signature};
use millstream::expr::{
    ArithmeticOp, Comparison, EvalContext, Expr, Frame, RandomSource, Selection, Sign,
};
use millstream::types::{Arena, Column, OwnedValue, SqlType, StructType, Timestamp};
use proptest::prelude::*;
use values::{any_type, is_of, scalar_type, value};

#[derive(Debug)]
struct Fixed;

impl RandomSource for Fixed {
    fn next_u64(&self) -> u64 {
        u64::MAX
    }
}

fn context(arena: &Arena) -> EvalContext<'_> {
    let now = Timestamp(1_700_000_000_000);
    EvalContext { arena, now, random: &Fixed, nested_error_set_null: false }
}

/// An argument: what resolution knows of it, and its value.
type Argument = (ArgType, OwnedValue);

/// The types that letters stand for, by their place in the alphabet.
type Letters = Vec<SqlType>;

fn letters() -> impl Strategy<Value = Letters> {
    prop::collection::vec(any_type(), 26)
}

/// A type that fits a parameter; `None` for what is no value.
fn fitting(ty: &ParamType, letters: &Letters) -> Option<SqlType> {
    Some(match ty {
        ParamType::Sql(ty) => ty.clone(),
        ParamType::Decimal => SqlType::Decimal { precision: 38, scale: 5 },
        ParamType::Generic(letter) => letters.get(*letter as usize - 'A' as usize)?.clone(),
        ParamType::Any => letters.first()?.clone(),
        ParamType::Array(item) => SqlType::array(fitting(item, letters)?),
        ParamType::Map(key, value) => {
            SqlType::map(fitting(key, letters)?, fitting(value, letters)?)
        }
        ParamType::Struct(fields) => {
            let field =
                |(name, ty): &(String, ParamType)| Some((name.clone(), fitting(ty, letters)?));
            SqlType::Struct(StructType::new(fields.iter().map(field).collect::<Option<Vec<_>>>()?))
        }
        ParamType::IntervalUnit | ParamType::Lambda(..) => return None,
    })
}

/// Arguments that a signature takes; those that vary come 0 to 3 times.
fn arguments(signature: &Signature) -> BoxedStrategy<Option<Vec<Argument>>> {
    let signature = signature.clone();
    let more = signature.parameters.len() - usize::from(signature.variadic().is_some());
    (letters(), 0_usize..4)
        .prop_flat_map(move |(letters, varying)| {
            let count = if signature.variadic().is_some() { more + varying } else { more };
            let parameters = signature.expand(count).unwrap();
            let types: Option<Vec<_>> = parameters
                .iter()
                .map(|parameter| match &parameter.ty {
                    ParamType::IntervalUnit => Some((ArgType::IntervalUnit, SqlType::String)),
                    ty => fitting(ty, &letters).map(|ty| (ArgType::Value(ty.clone()), ty)),
                })
                .collect();
            match types {
                None => Just(None).boxed(),
                Some(types) => types
                    .into_iter()
                    .map(|(arg, ty)| (Just(arg), value(&ty)))
                    .collect::<Vec<_>>()
                    .prop_map(Some)
                    .boxed(),
            }
        })
        .boxed()
}

fn scalar_call() -> impl Strategy<Value = (&'static str, Option<Vec<Argument>>)> {
    let overloads: Vec<_> = functions::list()
        .flat_map(|function| function.overloads.iter().map(move |overload| (function, overload)))
        .collect();
    prop::sample::select(overloads)
        .prop_flat_map(|(function, overload)| (Just(function.name), arguments(&overload.signature)))
}

fn check_call(name: &str, arguments: &[Argument]) {
    let arena = Arena::new();
    let context = context(&arena);
    let args: Vec<_> = arguments.iter().map(|(_, value)| value.as_value(&arena)).collect();
    let arg_types: Vec<_> = arguments.iter().map(|(ty, _)| ty.clone()).collect();
    if let Ok(table) = functions::resolve_table(name, &arg_types) {
        let call = Call {
            args: &args,
            arg_types: &arg_types,
            return_type: &table.return_type,
            context: &context,
        };
        let rows = (table.row.eval)(&call).unwrap_or_default();
        assert!(rows.iter().all(|row| is_of(*row, &table.return_type)), "{name}");
        return;
    }
    // Some arguments mean another overload, which wants them converted.
    let Ok(found) = functions::resolve(name, &arg_types) else { return };
    if found.coercions.iter().any(Option::is_some) {
        return;
    }
    let call = Call {
        args: &args,
        arg_types: &arg_types,
        return_type: &found.return_type,
        context: &context,
    };
    match found.row.call(&call) {
        Ok(result) => assert!(is_of(result, &found.return_type), "{name} gives {result:?}"),
        Err(error) => assert!(!error.message.is_empty(), "{name}"),
    }
}

/// An aggregate over columns of some types.
#[derive(Clone, Debug)]
struct Made {
    found: Resolved,
    columns: Vec<SqlType>,
    init: Vec<OwnedValue>,
}

impl Made {
    fn aggregate(&self) -> Option<Box<dyn Aggregate>> {
        let limits = AggregateLimits { collect_list: 5, collect_set: 5 };
        let settings = AggregateSettings { limits, ..AggregateSettings::default() };
        self.found.make(&self.columns, &self.init, settings).ok()
    }
}

/// An aggregate, rows, and values that its store might hold.
#[derive(Debug)]
struct Group {
    made: Made,
    rows: Vec<Vec<OwnedValue>>,
    stored: Vec<OwnedValue>,
}

fn made() -> impl Strategy<Value = Made> {
    let all = Aggregates { with_test_functions: true };
    let overloads: Vec<_> = all
        .list()
        .flat_map(|function| {
            function.overloads.iter().map(move |(signature, _)| (function.name, signature))
        })
        .collect();
    let call = prop::sample::select(overloads)
        .prop_flat_map(|(name, signature)| (Just(name), arguments(signature)));
    call.prop_filter_map("no call of an aggregate", move |(name, arguments)| {
        let (types, values): (Vec<_>, Vec<_>) = arguments?.into_iter().unzip();
        let found = all.resolve(name, &types).ok()?;
        let columns = types[..found.columns].iter().map(|ty| ty.sql_type().cloned());
        let columns = columns.collect::<Option<_>>()?;
        let made = Made { init: values[found.columns..].to_vec(), found, columns };
        made.aggregate().map(|_| made)
    })
}

fn group() -> impl Strategy<Value = Group> {
    made().prop_flat_map(|made| {
        let state_type = made.aggregate().unwrap().state_type();
        let row: Vec<_> = made.columns.iter().map(value).collect();
        let rows = prop::collection::vec(row, 0..8);
        let stored = prop::collection::vec(value(&state_type), 2);
        (Just(made), rows, stored).prop_map(|(made, rows, stored)| Group { made, rows, stored })
    })
}

fn check_group(group: &Group) {
    let Group { made, rows, stored } = group;
    let aggregate = made.aggregate().unwrap();
    let (arena, mut sequence) = (Arena::new(), Sequence::default());
    let check = |state: &State| {
        let result = aggregate.result(state, &arena);
        assert!(is_of(result, &aggregate.result_type()), "{aggregate:?} gives {result:?}");
        let stored = aggregate.to_value(state, &arena);
        assert!(is_of(stored, &aggregate.state_type()), "{aggregate:?} stores {stored:?}");
    };
    let starts = stored.iter().map(|value| aggregate.restore(value.as_value(&arena)));
    let mut states: Vec<State> = starts.collect();
    states.push(aggregate.init(&mut sequence));
    for state in &mut states {
        aggregate.observe(state, &mut sequence);
        for row in rows {
            let row: Vec<_> = row.iter().map(|value| value.as_value(&arena)).collect();
            if aggregate.add(state, &row, &mut sequence).is_ok() {
                let mut undone = state.clone();
                let _ = aggregate.undo(&mut undone, &row);
            }
        }
    }
    let merged = states.into_iter().reduce(|a, b| aggregate.merge(a, b.clone()).unwrap_or(b));
    if let Some(state) = merged {
        let arena = Arena::new();
        let _ = (aggregate.result(&state, &arena), aggregate.to_value(&state, &arena));
    }
    let mut state = aggregate.init(&mut sequence);
    check(&state);
    for row in rows {
        let row: Vec<_> = row.iter().map(|value| value.as_value(&arena)).collect();
        if aggregate.add(&mut state, &row, &mut sequence).is_err() {
            return;
        }
        check(&state.clone());
    }
}

/// Evaluates an expression over columns of one row, as batches do and as single rows do.
fn check_expr(expr: &Expr, row: &[OwnedValue], types: &[SqlType]) {
    let arena = Arena::new();
    let context = context(&arena);
    let values: Vec<_> = row.iter().map(|value| value.as_value(&arena)).collect();
    let (one, _) = expr.evaluate_row(&values, &context);
    let columns: Vec<_> = types
        .iter()
        .zip(&values)
        .map(|(ty, value)| Column::from_values(ty, [*value, *value]))
        .collect();
    let both = expr.evaluate(&Frame::new(&columns, 2), Selection::All, &context);
    let ty = expr.ty().cloned();
    for found in [one, both.column.value(0), both.column.value(1)] {
        assert!(ty.as_ref().is_none_or(|ty| is_of(found, ty)), "{expr:?} gives {found:?}");
    }
}

fn columns(types: &[SqlType]) -> Vec<Expr> {
    let column =
        |(index, ty): (usize, &SqlType)| Expr::column(index, format!("C{index}"), ty.clone());
    types.iter().enumerate().map(column).collect()
}

fn casts() -> impl Strategy<Value = (SqlType, SqlType, OwnedValue)> {
    let to = prop_oneof![3 => scalar_type().boxed(), 1 => any_type().boxed()];
    (any_type(), to).prop_flat_map(|(from, to)| {
        let value = value(&from);
        (Just(from), Just(to), value)
    })
}

fn operands() -> impl Strategy<Value = (Vec<SqlType>, Vec<OwnedValue>)> {
    let types = prop_oneof![
        prop::collection::vec(scalar_type(), 3),
        any_type().prop_map(|ty| vec![ty; 3]),
    ];
    types.prop_flat_map(|types| {
        let values: Vec<_> = types.iter().map(value).collect();
        (Just(types), values)
    })
}

/// Every operator between the columns that has a type.
fn operations(types: &[SqlType]) -> Vec<Expr> {
    use ArithmeticOp::{Add, Divide, Modulus, Multiply, Subtract};
    use Comparison::{DistinctFrom, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let c = || columns(types);
    let [a, b, d] = c().try_into().unwrap();
    let mut found = Vec::new();
    for op in [Add, Subtract, Multiply, Divide, Modulus] {
        found.push(Expr::arithmetic(op, a.clone(), b.clone()));
    }
    for op in [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, DistinctFrom] {
        found.push(Expr::comparison(op, a.clone(), b.clone()));
    }
    found.push(Expr::sign(Sign::Minus, a.clone()));
    found.push(Expr::between(a.clone(), b.clone(), d.clone()));
    found.push(Expr::in_list(a.clone(), vec![b.clone(), d.clone()]));
    found.push(Expr::like(a.clone(), b.clone(), Some('a')));
    found.push(Expr::subscript(a.clone(), b.clone()));
    found.push(Expr::array(c()));
    found.push(Expr::map(vec![(a, b), (d.clone(), d)]));
    found.into_iter().flatten().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_function_takes_any_arguments((name, arguments) in scalar_call()) {
        if let Some(arguments) = arguments {
            check_call(name, &arguments);
        }
    }

    #[test]
    fn any_aggregate_takes_any_rows_and_any_stored_state(group in group()) {
        check_group(&group);
    }

    #[test]
    fn any_value_is_cast_or_refused((from, to, value) in casts()) {
        let types = [from];
        if let Ok(cast) = Expr::cast(columns(&types).remove(0), to) {
            check_expr(&cast, &[value], &types);
        }
    }

    #[test]
    fn any_operands_are_combined_or_refused((types, row) in operands()) {
        for expr in operations(&types) {
            check_expr(&expr, &row, &types);
        }
    }
}
