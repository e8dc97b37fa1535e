//! What holds for any text: it is parsed or refused, never more; and what parses survives printing.

use millstream::sql::diagnostic::Color;
use millstream::sql::{
    DEPTH_MAX, ERRORS_MAX, ParseOptions, parse, parse_expression, parse_schema, print,
};
use proptest::prelude::*;

/// Pieces of statements, right and wrong ones.
static PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "CREATE",
    "STREAM",
    "TABLE",
    "AS",
    "WITH",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "<>",
    ",",
    ";",
    ".",
    "*",
    "+",
    "-",
    "=",
    ":=",
    "=>",
    "->",
    "||",
    "AND",
    "OR",
    "NOT",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "ARRAY",
    "MAP",
    "STRUCT",
    "DECIMAL",
    "INT",
    "KEY",
    "PRIMARY",
    "GROUP",
    "BY",
    "PARTITION",
    "WINDOW",
    "TUMBLING",
    "SIZE",
    "SESSION",
    "GRACE",
    "PERIOD",
    "DAYS",
    "DAY",
    "EMIT",
    "CHANGES",
    "LIMIT",
    "INSERT",
    "INTO",
    "VALUES",
    "JOIN",
    "ON",
    "WITHIN",
    "IS",
    "NULL",
    "IN",
    "LIKE",
    "BETWEEN",
    "ESCAPE",
    "EXPLAIN",
    "DESCRIBE",
    "SHOW",
    "ASSERT",
    "AT",
    "a",
    "b",
    "`q`",
    "\"Q\"",
    "'s'",
    "'",
    "1",
    "1.5",
    "1E3",
    "99999999999999999999",
    "${v}",
    "é",
    "--",
    "/*",
    "\n",
    "OVER",
    "ORDER",
    "ROWS",
    "UNBOUNDED",
    "PRECEDING",
    "CURRENT",
    "ROW",
    "IF",
    "EXISTS",
    "DEFINE",
    "ALTER",
    "ADD",
];

fn options() -> ParseOptions {
    let variables = [("v".to_owned(), "w".to_owned())].into();
    ParseOptions {
        variables: Some(variables),
        testing: true,
        is_strict: false,
        ..ParseOptions::default()
    }
}

/// Parses and shows what is wrong, or prints and holds that nothing was lost.
fn check(text: &str) {
    match parse(text, &options()) {
        Err(errors) => {
            assert!(!errors.is_empty());
            for error in errors.iter().take(3) {
                assert!(error.to_diagnostic().render(text, Color::Never).starts_with("error: "));
            }
        }
        Ok(statements) => {
            for one in statements {
                let printed = format!("{};", print::statement(&one.statement));
                let again = parse(&printed, &options())
                    .unwrap_or_else(|e| panic!("{printed}\n{}", e[0].unlogged));
                assert_eq!(print::statement(&again[0].statement) + ";", printed);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,60}") {
        check(&text);
    }

    #[test]
    fn any_pieces_are_parsed_or_refused(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        check(&pieces.join(" "));
        check(&pieces.concat());
    }

    #[test]
    fn any_start_of_a_statement_is_parsed_or_refused(
        end in 0_usize..400,
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..6),
    ) {
        let text = "CREATE TABLE t WITH (x='y') AS SELECT a + b[1]->c AS d, f(g, x => x IN (1, 2), (y, z) => y), \
                    CASE WHEN a THEN MAP('k' := STRUCT(s := 1)) END FROM l JOIN r WITHIN (1 DAYS, 2 DAYS) ON l.a = r.b \
                    WINDOW HOPPING (SIZE 1 DAY, ADVANCE BY 1 HOUR) WHERE NOT a LIKE 'x' ESCAPE '!' GROUP BY (a, b) \
                    HAVING COUNT(*) > 1.5 EMIT FINAL;";
        let text: String = text.chars().take(end).collect();
        check(&format!("{text} {}", pieces.join(" ")));
        let _ = parse_expression(&pieces.join(" "));
        let _ = parse_schema(&pieces.join(" "));
    }
}

/// Texts that would exhaust the stack or the patience of a parser without limits.
#[test]
fn depth_and_length_are_limited() {
    let n = 50_000;
    let nested = [
        format!("SELECT {}a{} FROM s;", "(".repeat(n), ")".repeat(n)),
        format!("SELECT {}a FROM s;", "NOT ".repeat(n)),
        format!("SELECT {}a FROM s;", "- ".repeat(n)),
        format!("SELECT a{} FROM s;", " + a".repeat(n)),
        format!("SELECT a{} FROM s;", "->a".repeat(n)),
        format!("SELECT a{} FROM s;", "[1]".repeat(n)),
        format!("SELECT {}1{} FROM s;", "MAP(".repeat(n), ")".repeat(n)),
        format!("SELECT {}1{} FROM s;", "MAP(1 := ".repeat(n), ")".repeat(n)),
        format!("SELECT {}1{} FROM s;", "f(a, (x) => ".repeat(n), ")".repeat(n)),
        format!("SELECT {}1 FROM s;", "CASE WHEN ".repeat(n)),
        format!("SELECT {}a FROM s;", "f(".repeat(n)),
        format!("CREATE TYPE t AS {}INT{};", "ARRAY<".repeat(n), ">".repeat(n)),
        format!("CREATE TYPE t AS INT{};", " ARRAY".repeat(n)),
        format!("{} SHOW TABLES;", "EXPLAIN ".repeat(n)),
    ];
    for text in nested {
        let errors = parse(&text, &options()).unwrap_err();
        assert!(errors[0].message.contains("too large"), "{}", errors[0].message);
    }
    let errors = parse("x;".repeat(n), &options()).unwrap_err();
    assert_eq!(errors.len(), ERRORS_MAX);
}

/// What is just within the limits parses, prints and is dropped on a thread with the least stack in use.
#[test]
fn what_is_within_the_limits_fits_the_stack() {
    let deep = DEPTH_MAX - 4;
    let chain = 990;
    let texts = [
        format!("SELECT {}a{} FROM s;", "(".repeat(deep), ")".repeat(deep)),
        format!("SELECT {}a{} FROM s;", "f(b, x => ".repeat(deep), ")".repeat(deep)),
        format!("SELECT a{} FROM s;", " + a".repeat(chain)),
        format!("SELECT a FROM s WHERE a = 1{};", " OR a = 2".repeat(chain)),
        format!("SELECT {}1{} FROM s;", "CASE WHEN a THEN ".repeat(deep), " END".repeat(deep)),
        format!("CREATE TYPE t AS {}INT{};", "ARRAY<".repeat(deep), ">".repeat(deep)),
    ];
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let parsing = thread.spawn(move || {
        for text in texts {
            let parsed =
                parse(&text, &options()).unwrap_or_else(|e| panic!("{text}\n{}", e[0].unlogged));
            let _ = print::statement(&parsed[0].statement);
        }
    });
    parsing.unwrap().join().unwrap();
}
