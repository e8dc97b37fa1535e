//! Golden files: a script and what comes of it, in one file.
//!
//! The first line says what is shown. Below the script stands a line `---- <section>` and the expected output.
//! `UPDATE_GOLDEN=1` writes the outputs anew, to be read in the diff.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use millstream::plan::explain;
use millstream::runtime::{Driver, DriverOptions, DriverRecord, Target};
use millstream::sql::diagnostic::Color;
use millstream::sql::{ParseOptions, ParsedStatement, parse, print};
use std::path::{Path, PathBuf};

#[path = "golden/batches.rs"]
mod batches;
#[path = "golden/topology.rs"]
mod topology;

/// The files of a folder below `tests/golden`, in order.
fn scripts(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    files
}

/// Holds the output of each script against what its file says.
fn check(folder: &str, section: &str, output: impl Fn(&str) -> String) {
    check_with_input(folder, section, |script, _| output(script));
}

/// The same for outputs that stand beside their input: `output` sees the script and what the file says.
fn check_with_input(folder: &str, section: &str, output: impl Fn(&str, &str) -> String) {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for file in scripts(folder) {
        let text = std::fs::read_to_string(&file).unwrap();
        let mark = format!("---- {section}\n");
        let (script, expected) = text.split_once(&mark).unwrap_or((&text, ""));
        assert!(script.starts_with("-- "), "{}: the first line says what is shown", file.display());
        let found = output(script, expected);
        if found != expected && update {
            std::fs::write(&file, format!("{script}{mark}{found}")).unwrap();
        } else if found != expected {
            wrong.push(format!("{}:\n{found}\ninstead of\n{expected}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "set UPDATE_GOLDEN=1 to accept:\n{}", wrong.join("\n"));
}

fn parse_all(script: &str) -> Vec<ParsedStatement> {
    let options = ParseOptions {
        variables: Some([].into()),
        testing: true,
        is_strict: false,
        ..ParseOptions::default()
    };
    parse(script, &options).unwrap_or_else(|errors| {
        let shown = errors.iter().map(|e| e.to_diagnostic().render(script, Color::Never));
        panic!("{}", shown.collect::<String>())
    })
}

/// Scripts print as ksqlDB prints them, and what is printed is the same script.
#[test]
fn parse_scripts_print() {
    check("parse", "printed", |script| {
        let mut printed = String::new();
        for one in parse_all(script) {
            let text = format!("{};\n", print::statement(&one.statement));
            let again = parse_all(&text);
            assert_eq!(again[0].statement, one.statement, "{text}");
            printed.push_str(&text);
        }
        printed
    });
}

/// What `millstream check` says of a script, and how it ends.
fn check_output(script: &str) -> String {
    check_with(script, &[])
}

/// The same with more arguments.
fn check_with(script: &str, arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("script.sql"), script).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_millstream"));
    let command = command.current_dir(folder.path()).args(["check", "script.sql"]).args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap();
    format!("{}{}exit code {code}\n", text(output.stderr), text(output.stdout))
}

/// `millstream check` tells every fault of a file, with its place, the reason and a hint.
#[test]
fn check_scripts_tell_every_fault() {
    check("check", "check", check_output);
}

/// Of several files, a place is that of its own file, in ksqlDB's message too.
#[test]
fn places_are_those_of_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let first = "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');\n-- the end";
    let second = "\nCREATE STREAM t AS SELECT b FROM s;\nCREATE STREAM u AS SELECT a FORM s;\n";
    std::fs::write(folder.path().join("a.sql"), first).unwrap();
    std::fs::write(folder.path().join("b.sql"), second).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_millstream"));
    let output = command.current_dir(folder.path()).args(["check", "a.sql", "b.sql"]).output();
    let errors = String::from_utf8(output.unwrap().stderr).unwrap();
    let expected = [
        "Line: 2, Col: 27: SELECT column 'B' cannot be resolved.\n--> b.sql:2:27\n 2 | CREATE STREAM t",
        "line 3:34: Syntax error at line 3:34\n--> b.sql:3:34\n 3 | CREATE STREAM u",
    ];
    for expected in expected {
        assert!(errors.contains(expected), "{errors}");
    }
}

/// Properties that do nothing here are named, and values that cannot be are refused.
#[test]
fn properties_that_do_nothing_are_named() {
    let script = "CREATE STREAM s (a INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');";
    let checked = |property: &str| {
        let output = check_with(script, &["--property", property]);
        output.lines().next().unwrap_or_default().to_owned()
    };
    for (property, expected) in [
        (
            "processing.guarantee=exactly_once_v2",
            "assumed: topic s exists (--bootstrap-servers checks it)",
        ),
        (
            "processing.guarantee=exactly_once",
            "note: property processing.guarantee is exactly_once, which is deprecated: it is taken as exactly_once_v2",
        ),
        (
            "auto.ofset.reset=earliest",
            "unknown: property auto.ofset.reset (did you mean auto.offset.reset?)",
        ),
        ("nope.nope=1", "unknown: property nope.nope"),
        ("compression.type=lz5", "error: Invalid value lz5 for configuration compression.type"),
        (
            "linger.ms=soon",
            "error: Invalid value soon for configuration linger.ms: Not a number of type LONG",
        ),
        ("security.protocol=TLS", "error: "),
    ] {
        let found = checked(property);
        assert!(found.starts_with(expected), "{property}: {found}");
    }
}

/// The same for faults of every kind, as people make them.
#[test]
fn error_scripts_point_at_their_faults() {
    check("errors", "check", check_output);
}

/// Each query of a script becomes these steps.
#[test]
fn plan_scripts_become_steps() {
    check("plan", "plan", |script| {
        let plans = topology::queries(script);
        let shown = plans.iter().map(|(id, plan)| format!("{id}\n{}", explain(plan)));
        shown.collect::<Vec<_>>().join("\n")
    });
}

/// Each record of a story gives what stands beside it.
#[test]
fn stories_end_as_they_are_told() {
    check_with_input("topology", "records", |script, told| topology::tell(script, told, 0));
}

/// It gives the same where all queries start again after it, with what their changelogs hold.
#[test]
fn stories_that_start_again_end_as_they_are_told() {
    for (folder, cached_groups) in [("topology", 0), ("cached", 2)] {
        for file in scripts(folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            let (script, told) = text.split_once("---- records\n").unwrap();
            let again = topology::tell_restarted(script, told, cached_groups);
            assert_eq!(again, told, "{}", file.display());
        }
    }
}

/// Changes wait in a record cache of two groups; a third makes it give away.
#[test]
fn stories_with_a_cache_end_as_they_are_told() {
    check_with_input("cached", "records", |script, told| topology::tell(script, told, 2));
}

/// A group that leaves a full cache several times is logged once, with the commit, as it is then.
#[test]
fn a_group_is_logged_once_a_commit() {
    let script = "CREATE STREAM s (k STRING KEY, v INT)
          WITH (kafka_topic='s', value_format='JSON', partitions=1);
        CREATE TABLE sums AS SELECT k, SUM(v) AS sum FROM s GROUP BY k;";
    let (id, plan) = topology::queries(script).remove(0);
    let options = DriverOptions { cached_groups: 1, ..DriverOptions::default() };
    let mut driver = Driver::new(plan, &id, options).unwrap();
    let mut given = Vec::new();
    for round in 1..=3 {
        for key in ["a", "b"] {
            let value = Some(format!(r#"{{"v":{round}}}"#).into_bytes());
            let key = Some(key.as_bytes().to_vec());
            driver.pipe("s", &DriverRecord { key, value, ..DriverRecord::default() }).unwrap();
        }
        given.extend(driver.take_output());
    }
    let is_logged = |(target, _): &&(Target, DriverRecord)| matches!(target, Target::Changelog(_));
    assert_eq!((given.len(), given.iter().filter(is_logged).count()), (5, 0));
    driver.flush().unwrap();
    let flushed = driver.take_output();
    let logged = flushed.iter().filter(is_logged).map(|(_, record)| {
        let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().unwrap()).unwrap();
        let state: serde_json::Value = serde_json::from_str(&text(&record.value)).unwrap();
        (text(&record.key), state["KSQL_AGG_VARIABLE_0"].as_i64().unwrap())
    });
    let mut logged: Vec<_> = logged.collect();
    logged.sort();
    assert_eq!(logged, [("a".to_owned(), 6), ("b".to_owned(), 6)]);
    driver.flush().unwrap();
    assert!(driver.take_output().is_empty());
}

/// Stories give the same in batches of whatever size as record by record.
#[test]
fn stories_in_batches_end_as_they_are_told() {
    let mut wrong = Vec::new();
    // A cache that is full gives away at the end of a batch, so here it never is.
    for (folder, cached_groups) in [("topology", 0), ("cached", 1_000)] {
        for file in scripts(folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            let (script, told) = text.split_once("---- records\n").unwrap();
            for batch_records_max in [2, 3, usize::MAX] {
                let found = batches::difference(script, told, cached_groups, batch_records_max);
                wrong.extend(found.map(|found| format!("{}: {found}", file.display())));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
