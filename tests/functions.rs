//! Every built-in function's examples, evaluated through the real parser and planner.

use millstream::expr::functions::{Call, Function, list};
use millstream::expr::{EvalContext, RandomSource};
use millstream::java::double_to_string;
use millstream::plan::{
    Catalog, NoSchemas, NoTopics, Node, NodeKind, PlanConfig, PlanContext, plan_create_as,
    plan_create_source,
};
use millstream::sql::ast::Statement;
use millstream::types::{Arena, Timestamp, Value};

/// The clock of the examples.
const NOW: Timestamp = Timestamp(1_700_000_000_000);

#[derive(Debug)]
struct Fixed;

impl RandomSource for Fixed {
    fn next_u64(&self) -> u64 {
        0x0123_4567_89AB_CDEF
    }
}

/// The nodes of a query that selects `expression`.
fn plan(expression: &str) -> Result<Vec<Node>, String> {
    let config = PlanConfig::default();
    let mut catalog = Catalog::default();
    let text = format!(
        "CREATE STREAM s (k INT) WITH (kafka_topic='s', value_format='JSON');
         CREATE STREAM o AS SELECT k, {expression} AS r FROM s;"
    );
    let statements = millstream::sql::parse(&text, &millstream::sql::ParseOptions::default())
        .map_err(|errors| format!("{errors:?}"))?;
    let mut nodes = Vec::new();
    for parsed in statements {
        let known = catalog.clone();
        let ctx = PlanContext {
            catalog: &known,
            config: &config,
            text: &text.as_str().into(),
            topics: &NoTopics,
            schemas: &NoSchemas,
        };
        match &parsed.statement {
            Statement::CreateSource(create) => {
                let (source, _) =
                    plan_create_source(create, &text, &ctx).map_err(|error| error.to_string())?;
                catalog.put_source(source);
            }
            Statement::CreateAs(create) => {
                let sink =
                    plan_create_as(create, &text, &ctx).map_err(|error| error.to_string())?;
                nodes = sink.query.nodes;
            }
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(nodes)
}

/// What an example evaluates to: the values of its rows.
fn evaluate(expression: &str) -> Result<String, String> {
    let arena = Arena::new();
    let context =
        EvalContext { arena: &arena, now: NOW, random: &Fixed, nested_error_set_null: false };
    let row = [Value::Int(1), Value::Bigint(0), Value::Int(0), Value::Bigint(0)];
    for step in plan(expression)? {
        match step.kind {
            NodeKind::FlatMap { functions } => {
                let table = functions.first().ok_or("no table function")?;
                let args: Vec<_> =
                    table.args.iter().map(|arg| arg.evaluate_row(&row, &context).0).collect();
                let call = Call {
                    args: &args,
                    arg_types: &table.arg_types,
                    return_type: &table.function.return_type,
                    context: &context,
                };
                let rows = (table.function.row.eval)(&call).map_err(|error| error.to_string())?;
                let shown: Vec<_> = rows.into_iter().map(show).collect();
                return Ok(shown.join(", "));
            }
            NodeKind::Select { columns } => {
                let column = columns.last().ok_or("no column")?;
                let (value, errors) = column.expr.evaluate_row(&row, &context);
                return match errors.first() {
                    Some(error) => Err(error.error.to_string()),
                    None => Ok(show(value)),
                };
            }
            _ => {}
        }
    }
    Err("nothing is selected".to_owned())
}

/// A value as SQL.
fn show(value: Value<'_>) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => value.to_string().to_uppercase(),
        Value::Int(value) => value.to_string(),
        Value::Bigint(value) => value.to_string(),
        Value::Double(value) => double_to_string(value),
        Value::Decimal(value) => value.to_string(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().copied().map(show).collect();
            format!("ARRAY[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(k, v)| format!("{} := {}", show(*k), show(*v))).collect();
            format!("MAP({})", entries.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn overloads() -> impl Iterator<Item = (&'static Function, usize)> {
    list().flat_map(|function| (0..function.overloads.len()).map(move |index| (function, index)))
}

#[test]
fn every_example_holds() {
    let mut faults = Vec::new();
    for (function, index) in overloads() {
        for (expression, expected) in function.overloads[index].examples {
            match evaluate(expression) {
                Ok(found) if found == *expected => {}
                Ok(found) => faults.push(format!("{expression} is {found}, not {expected}")),
                Err(error) => faults.push(format!("{expression} fails: {error}")),
            }
        }
    }
    assert!(faults.is_empty(), "{} examples:\n{}", faults.len(), faults.join("\n"));
}

/// A few bytes can ask for any number of them. Java's memory would be used up, and says so.
#[test]
fn results_beyond_all_memory_are_errors_of_their_rows() {
    let long = |n: u32| format!("RPAD('a', {n}, 'a')");
    let (few, many) = (long(100_000), long(1_000_000));
    let heap = [
        "RPAD('x', 2147483647, 'ab')".to_owned(),
        "LPAD(TO_BYTES('x', 'utf8'), 2147483647, TO_BYTES('ab', 'utf8'))".to_owned(),
        format!("REPLACE({many}, 'a', {few})"),
        format!("REPLACE({many}, '', {few})"),
        format!("REGEXP_REPLACE({many}, 'a', {few})"),
        format!("REGEXP_REPLACE({many}, '.*', RPAD('', 1000000, '$0'))"),
        format!("ARRAY_JOIN(GENERATE_SERIES(1, 1000), {many})"),
        format!("CONCAT_WS({many}, {})", vec!["'a'"; 100].join(", ")),
        "GENERATE_SERIES(1, 2147483647)".to_owned(),
        "GENERATE_SERIES(CAST(1 AS BIGINT), CAST(2147483647 AS BIGINT))".to_owned(),
        format!("TRANSFORM(GENERATE_SERIES(1, 1000), x => {many})"),
        format!("SPLIT({}, '')", long(5_000_000)),
        "REDUCE(GENERATE_SERIES(1, 64), 'ab', (s, x) => CONCAT(s, s))".to_owned(),
        "REDUCE(GENERATE_SERIES(1, 64), 'ab', (s, x) => s + s)".to_owned(),
        "REDUCE(GENERATE_SERIES(1, 64), ARRAY[1], (s, x) => ARRAY_CONCAT(s, s))".to_owned(),
        "CUBE_EXPLODE(GENERATE_SERIES(1, 17))".to_owned(),
        "CUBE_EXPLODE(ARRAY_CONCAT(GENERATE_SERIES(1, 16), \
         TRANSFORM(GENERATE_SERIES(1, 1000), x => CAST(NULL AS INT))))"
            .to_owned(),
        "JSON_ITEMS(CONCAT('[', RPAD('', 7992, '1e90000,'), '0]'))".to_owned(),
    ];
    for expression in heap {
        assert_eq!(evaluate(&expression), Err("Java heap space".to_owned()), "{expression}");
    }
    let exponents = ["JSON_ITEMS('[1e2000000000]')", "JSON_CONCAT('1e-2000000000', '1')"];
    for expression in exponents {
        let expected = Err("BigInteger would overflow supported range".to_owned());
        assert_eq!(evaluate(expression), expected, "{expression}");
    }
}

/// Equal keys and items are found by hash: a text of a megabyte has hundreds of thousands of them.
#[test]
fn many_items_take_little_time() {
    let series = "TRANSFORM(GENERATE_SERIES(1, 200000), x => CAST(x AS STRING))";
    let length = |list: &str| evaluate(&format!("ARRAY_LENGTH({list})"));
    let all = Ok("200000".to_owned());
    assert_eq!(length(&format!("ARRAY_DISTINCT({series})")), all);
    assert_eq!(length(&format!("ARRAY_INTERSECT({series}, {series})")), all);
    assert_eq!(length(&format!("ARRAY_UNION({series}, {series})")), all);
    assert_eq!(length(&format!("ARRAY_EXCEPT({series}, {series})")), Ok("0".to_owned()));
    assert_eq!(length(&format!("MAP_KEYS(AS_MAP({series}, {series}))")), all);
    let text = format!("ARRAY_JOIN(TRANSFORM({series}, x => CONCAT(x, '=1')))");
    assert_eq!(length(&format!("MAP_KEYS(SPLIT_TO_MAP({text}, ',', '='))")), all);
}

#[test]
fn every_row_says_what_it_does() {
    for (function, index) in overloads() {
        let overload = &function.overloads[index];
        let (signature, summary) = (&overload.signature, overload.summary);
        assert!(!overload.examples.is_empty(), "{signature} has no example");
        let starts = summary.starts_with(|c: char| c.is_ascii_uppercase());
        assert!(starts && summary.ends_with('.'), "{signature}: {summary}");
        assert!(!summary.contains("  "), "{signature}: {summary}");
    }
}

#[test]
fn all_names_are_there() {
    let scalars = list().filter(|function| !function.is_table).count();
    assert_eq!((scalars, list().count()), (129, 131));
}
