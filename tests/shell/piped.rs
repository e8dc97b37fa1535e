//! `millstream sql` without a terminal: statements of the command line, of files and of a pipe.

use std::io::Write as _;

use serde_json::Value;

use super::server::Server;
use super::{failed, millstream, succeeded};

/// Runs `millstream sql` against a server, and says what it was told.
async fn sql(server: &Server, arguments: &[&str], input: &str) -> std::process::Output {
    millstream(&[&["sql", &server.url], arguments].concat(), input).await
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_come_from_arguments_files_and_pipes() {
    let server = Server::start().await;
    let table = "DEVICE | COUNT\n-------+------\na      |     1\n漢字   |    22\n";
    let select = "SELECT * FROM hits";
    assert_eq!(succeeded(&sql(&server, &["-e", select], "").await), table);
    assert_eq!(succeeded(&sql(&server, &[], &format!("-- all\n{select};\n")).await), table);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{select};").unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(succeeded(&sql(&server, &["-f", path], "").await), table);
    assert_eq!(
        succeeded(&sql(&server, &["-e", &format!("RUN SCRIPT '{path}';")], "").await),
        table
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_have_the_format_that_is_asked_for() {
    let server = Server::start().await;
    let show = async |format: &str| {
        succeeded(&sql(&server, &["--output", format, "-e", "SELECT * FROM hits;"], "").await)
    };
    assert_eq!(show("csv").await, "DEVICE,COUNT\na,1\n漢字,22\n");
    assert_eq!(
        show("JSON").await,
        "{\"DEVICE\":\"a\",\"COUNT\":1}\n{\"DEVICE\":\"漢字\",\"COUNT\":22}\n"
    );
    assert_eq!(
        show("markdown").await,
        "| DEVICE | COUNT |\n| --- | --- |\n| a | 1 |\n| 漢字 | 22 |\n"
    );
    assert!(
        show("vertical")
            .await
            .starts_with("-[ ROW 1 ]--------------------\nDEVICE | a\nCOUNT  | 1\n")
    );
    let entities = sql(&server, &["--output", "json", "-e", "SHOW STREAMS;"], "").await;
    let entity: Value = serde_json::from_str(&succeeded(&entities)).unwrap();
    assert_eq!(entity["streams"][0]["name"], "READINGS");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_goes_with_each_statement() {
    let server = Server::start().await;
    let script = "SET 'auto.offset.reset' = '${where}'; DEFINE v = 'x'; UNDEFINE gone;\n\
        CREATE STREAM a (x INT) WITH (kafka_topic='a');\nSELECT * FROM hits; SHOW TABLES;";
    let flags = ["-d", "where=earliest", "-d", "gone='1'", "--property", "linger.ms=1"];
    let told = succeeded(&sql(&server, &flags, script).await);
    assert!(told.contains("Stream created\n"), "{told}");
    let statements = server.asked("/ksql");
    assert_eq!(statements.len(), 2, "SET and DEFINE stay here");
    assert_eq!(statements[0]["streamsProperties"]["auto.offset.reset"], "earliest");
    assert_eq!(statements[0]["streamsProperties"]["linger.ms"], "1");
    assert_eq!(statements[0]["commandSequenceNumber"], Value::Null);
    assert_eq!(statements[1]["commandSequenceNumber"], 7, "it waits for the stream");
    let query = &server.asked("/query-stream")[0];
    assert_eq!(query["properties"]["auto.offset.reset"], "earliest");
    assert_eq!(query["sessionVariables"], serde_json::json!({"v": "x", "where": "earliest"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_pointed_at_and_ends_the_script() {
    let server = Server::start().await;
    let told = failed(&sql(&server, &["-e", "SHOW TABELS; SHOW TABLES;"], "").await);
    assert_eq!(
        told,
        "error: line 1:6: Syntax error at line 1:6\n 1 | SHOW TABELS;\n   |      ^^^^^^ \
         Syntax error at or near 'TABELS' at line 1:6\nhelp: did you mean TABLES?\n"
    );
    assert_eq!(server.asked("/ksql").len(), 1);
    let told = failed(&sql(&server, &["-e", "SELECT nope FROM hits;"], "").await);
    assert!(told.contains(" 1 | SELECT nope FROM hits;\n   |        ^^^^"), "{told}");
    let output = sql(&server, &["-e", "SELECT * FROM broken;"], "").await;
    assert!(failed(&output).contains("error: the query has died"));
    assert!(String::from_utf8(output.stdout).unwrap().contains("a      |     1"));
    let told = failed(&sql(&server, &["-e", "\\nope"], "").await);
    assert!(told.contains("there is no command \\nope"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn print_shows_lines_and_limits_end_queries() {
    let server = Server::start().await;
    let print = sql(&server, &["-e", "PRINT 'hits' FROM BEGINNING LIMIT 1"], "").await;
    assert!(succeeded(&print).ends_with("key: a, value: {\"N\":1}, partition: 0\n"));
    let limited =
        ["--query-row-limit", "2", "--output", "csv", "-e", "SELECT * FROM readings EMIT CHANGES;"];
    assert_eq!(succeeded(&sql(&server, &limited, "").await), "DEVICE,COUNT\na,1\na,2\n");
    assert_eq!(server.asked("/close-query"), [serde_json::json!({"queryId": "q_1"})]);
    let timed = ["--query-timeout", "300", "-e", "SELECT * FROM readings EMIT CHANGES;"];
    assert!(succeeded(&sql(&server, &timed, "").await).contains("a      |     2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_there_or_ask_who_it_is() {
    let told = failed(&millstream(&["sql", "127.0.0.1:1", "-e", "SHOW TABLES;"], "").await);
    assert!(told.starts_with("error: cannot talk to http://127.0.0.1:1: "), "{told}");
    assert!(told.contains("help: "), "{told}");
    let server = Server::start().await;
    let login = |password| ["-u", "ann", "-p", password, "-e", "SHOW TABLES;"];
    assert!(succeeded(&sql(&server, &login("secret"), "").await).contains("HITS"));
    assert!(failed(&sql(&server, &login("wrong"), "").await).contains("--user and --password"));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_there_is_an_engine_to_try() {
    let script = "CREATE STREAM clicks (id VARCHAR KEY, n INT)
          WITH (kafka_topic='clicks', value_format='JSON', partitions=1);
        INSERT INTO clicks VALUES ('a', 1); INSERT INTO clicks VALUES ('b', 2);
        SET 'auto.offset.reset' = 'earliest';
        OUTPUT csv; SELECT id, n FROM clicks EMIT CHANGES LIMIT 2;";
    let told = succeeded(&millstream(&["sql"], script).await);
    assert!(told.ends_with("ID,N\na,1\nb,2\n"), "{told}");
}
