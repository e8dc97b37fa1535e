//! What `millstream sql` says of what is wrong: where it stands, in a file too, and what may help.

use std::path::Path;

use serde_json::Value;

use super::server::Server;
use super::{failed, millstream, succeeded};

/// Runs `millstream sql` with an engine of its own.
async fn sql(arguments: &[&str], input: &str) -> std::process::Output {
    millstream(&[&["sql"], arguments].concat(), input).await
}

/// What was wrong.
async fn refused(statement: &str) -> String {
    failed(&sql(&["-e", &format!("{CLICKS} {statement}")], "").await)
}

const CLICKS: &str = "CREATE STREAM clicks (id STRING KEY, page STRING) WITH (kafka_topic='clicks', value_format='JSON', partitions=1);";

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_in_files_are_told_with_file_line_and_column() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.sql", "SHOW TABLES;\n\n  SHOW TABELS;\n");
    let fault = format!(
        "error: line 1:6: Syntax error at line 1:6\n--> {file}:3:8\n 3 |   SHOW TABELS;\n   |        ^^^^^^ "
    );
    let outer =
        write(folder.path(), "outer.sql", &format!("SHOW STREAMS;\nRUN SCRIPT '{file}';\n"));
    let inner = format!("\\i {file}");
    for arguments in [["-f", &file], ["-e", &inner], ["-f", &outer]] {
        let told = failed(&millstream(&[&["sql", &server.url], &arguments[..]].concat(), "").await);
        assert!(told.starts_with(&fault), "{arguments:?}: {told}");
    }
    let piped = failed(&millstream(&["sql", &server.url], "SHOW TABLES;\nSHOW TABELS;").await);
    assert!(piped.contains("--> standard input:2:6\n 2 | SHOW TABELS;"), "{piped}");
    // What the shell itself cannot do stands somewhere too.
    let outer = write(folder.path(), "outer.sql", "SHOW STREAMS;\n\\i gone.sql\n");
    let told = failed(&millstream(&["sql", &server.url, "-f", &outer], "").await);
    assert!(told.contains(&format!("--> {outer}:2:1\n 2 | \\i gone.sql")), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_there_are_pointed_at_with_what_is_near() {
    for (statement, expected) in [
        (
            "SELECT * FROM clickz EMIT CHANGES;",
            "SELECT * FROM clickz EMIT CHANGES;\n   |               ^^^^^^\nhelp: did you mean CLICKS?",
        ),
        ("SELECT pge FROM clicks EMIT CHANGES;", "   |        ^^^\nhelp: did you mean PAGE?"),
        (
            "CREATE STREAM b AS SELECT pge FROM clicks;",
            "   |                           ^^^\nhelp: did you mean PAGE?",
        ),
        (
            "CREATE STREAM b (n STRNG) WITH (kafka_topic='b', value_format='JSON', partitions=1);",
            "   |                    ^^^^^",
        ),
        ("DESCRIBE clickz;", "   |          ^^^^^^\nhelp: did you mean CLICKS?"),
        (
            "EXPLAIN SELECT pge FROM clicks EMIT CHANGES;",
            "   |                ^^^\nhelp: did you mean PAGE?",
        ),
        (
            "INSERT INTO clicks (id, pag) VALUES ('a', 'b');",
            "   |                         ^^^\nhelp: did you mean PAGE?",
        ),
        (
            "INSERT INTO clicks (id, page) VALUES ('a', TRUE);",
            "   |                                            ^^^^",
        ),
        (
            "SHOW TABELS;",
            "   |      ^^^^^^ Syntax error at or near 'TABELS' at line 1:6\nhelp: did you mean TABLES?",
        ),
        (
            "CREATE STREAM b (n INT) WITH (kafka_topic=1, value_format='JSON', partitions=1);",
            "help: write '1': the value is a text",
        ),
        (
            "INSERT INTO clicks VALUES ('a');",
            "help: values of all columns: ID, PAGE; or name some of them behind the name",
        ),
        ("SELECT 1;", "help: a SELECT reads a stream or a table: add FROM and its name"),
        (CLICKS, "help: give it another name; CREATE OR REPLACE changes what is there"),
        ("EXPLAIN csas_nothing_1;", "   |         ^^^^^^^^^^^^^^"),
        ("DESCRIBE FUNCTION ucaze;", "   |                   ^^^^^\nhelp: did you mean UCASE?"),
        ("DROP STREAM clickz;", "   |             ^^^^^^\nhelp: did you mean CLICKS?"),
    ] {
        let told = refused(statement).await;
        assert!(told.contains(expected), "{statement}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_nobody_knows_are_refused_wherever_they_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), "cli.properties", "auto.offset.rest=earliest\n");
    let expected = "Unknown property: auto.offset.rest; did you mean auto.offset.reset?";
    let property = ["--property", "auto.offset.rest=earliest"];
    let file = write(folder.path(), "a.sql", "CREATE TYPE t AS INT;");
    for given in [&property, &["--config-file", config.as_str()]] {
        for command in
            [&["sql", "-e", "SHOW STREAMS;"][..], &["sql", "127.0.0.1:1"], &["apply", &file]]
        {
            let told = failed(&millstream(&[command, given].concat(), "").await);
            assert!(told.contains(expected), "{command:?} {given:?}: {told}");
        }
    }
    let told =
        failed(&sql(&["-e", "SET 'auto.offset.rest' = 'earliest'; SHOW STREAMS;"], "").await);
    assert!(
        told.contains("   |     ^^^^^^^^^^^^^^^^^^\nhelp: did you mean auto.offset.reset?"),
        "{told}"
    );
    let told =
        failed(&sql(&["--property", "auto.offset.reset=soon", "-e", "SHOW STREAMS;"], "").await);
    assert!(told.contains("String must be one of: latest, earliest, none"), "{told}");
    // Brokers of other commands are asked with properties that may be anybody's: they are named.
    let topics = ["topics", "--bootstrap-servers", "127.0.0.1:1", "list"];
    let told = failed(&millstream(&[&topics, &property[..]].concat(), "").await);
    assert!(
        told.contains("mean nothing: auto.offset.rest (did you mean auto.offset.reset?)"),
        "{told}"
    );
    // What a server is told is for the engine of the shell itself.
    let own = ["--property", "ksql.service.id=mine_", "--property", "ksql.hidden.topics=a.*"];
    let told = succeeded(
        &sql(&[&own[..], &["-e", "SHOW PROPERTIES;", "--output", "csv"]].concat(), "").await,
    );
    assert!(told.contains("ksql.service.id,KSQL,SERVER,mine_"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_are_not_set_are_named() {
    let server = Server::start().await;
    let script = "SELECT * FROM hits;\nPRINT '${topik}';";
    let output = millstream(&["sql", &server.url, "-d", "topic=hits"], script).await;
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(
        told,
        "warning: standard input:2:8: there is no variable topik: did you mean topic?; without it, the text \
         stays as it is written\n"
    );
    succeeded(&output);
    let off = "SET 'ksql.variable.substitution.enable' = 'false'; PRINT '${topik}';";
    assert_eq!(millstream(&["sql", &server.url], off).await.stderr, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_for_programs_hold_nothing_else() {
    let server = Server::start().await;
    let script = "\\timing\nSHOW TABLES;\nSELECT * FROM hits;";
    let output = millstream(&["sql", &server.url, "--output", "json"], script).await;
    let objects: Vec<Value> =
        succeeded(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(objects.iter().all(|object| object.get("message") != Some(&"0.0 ms".into())));
    assert_eq!(objects.len(), 4, "{objects:?}");
    assert_eq!(String::from_utf8(output.stderr).unwrap().matches(" ms\n").count(), 3);
    let described = ["sql", &server.url, "--output", "csv", "-e", "DESCRIBE hits;"];
    let told = succeeded(&millstream(&described, "").await);
    assert!(told.starts_with("Column,Type,Role\nDEVICE,STRING,primary key\n"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_indented_and_half_a_statement_is_left_behind() {
    let script = format!(
        "{CLICKS} EXPLAIN SELECT id FROM clicks EMIT CHANGES;\nSELECT *\n  \\q\nFROM clicks;"
    );
    let output = sql(&[], &script).await;
    let told = succeeded(&output);
    assert!(told.contains("\n\t\t > [ SOURCE ]") && !told.contains("\\t"), "{told}");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "not run, as it has no ; at its end: SELECT *\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_of_a_case_are_pointed_at_too() {
    let folder = tempfile::tempdir().unwrap();
    let records = |name: &str| {
        format!(
            "{{\"{name}\":[{{\"topic\":\"clicks\",\"timestamp\":1,\"key\":\"a\",\"value\":{{}}}}]}}"
        )
    };
    write(folder.path(), "input.json", &records("inputs"));
    write(folder.path(), "output.json", &records("outputs"));
    for (statement, expected) in [
        (
            "CREATE STREAM b AS SELECT pge FROM clicks;",
            " 2 | CREATE STREAM b AS SELECT pge FROM clicks;\n   |                           ^^^\nhelp: did you mean PAGE?\n",
        ),
        (
            "CREATE STREAM b AS SELEC page FROM clicks;",
            " 2 | CREATE STREAM b AS SELEC page FROM clicks;\n   |                    ^^^^^ ",
        ),
    ] {
        write(folder.path(), "statements.sql", &format!("{CLICKS}\n{statement}\n"));
        let output = millstream(&["test", &folder.path().display().to_string()], "").await;
        let told = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(told.contains(expected), "{statement}: {told}");
        failed(&output);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_brokers_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "a.sql", CLICKS);
    let away = ["--bootstrap-servers", "127.0.0.1:1", "--property", "default.api.timeout.ms=4000"];
    for command in [&["run", file.as_str()][..], &["check", &file], &["sql", "-e", "SHOW TOPICS;"]]
    {
        let told = failed(&millstream(&[command, &away].concat(), "").await);
        let why = "cannot connect to Kafka at 127.0.0.1:1: ";
        assert!(told.contains(why) && told.contains("; still trying\n"), "{command:?}: {told}");
        assert!(told.contains("error: "), "{command:?}: {told}");
    }
    let told = failed(&millstream(&["run", &file], "").await);
    assert!(told.contains("--bootstrap-servers HOST:PORT"), "{told}");
}
