//! `millstream apply` over streams and tables that change, and over queries that others have paused.

use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::{Value, json};

use crate::applied::{BIG, CLICKS, Files, HITS, expected, program};
use crate::world::{Ksql, World};

/// The queries that there are, by their ids.
async fn queries(ksql: &Ksql) -> Vec<String> {
    let answer = ksql.run("SHOW QUERIES;").await;
    let queries = answer[0]["queries"].as_array().unwrap();
    let mut ids: Vec<String> = queries.iter().map(|query| query["id"].to_string()).collect();
    ids.sort();
    ids
}

const FEW: &str = "CREATE STREAM few (id STRING KEY, page STRING)
  WITH (kafka_topic='few', value_format='JSON', partitions=1);
  INSERT INTO few SELECT id, page FROM clicks WHERE n < 3;\n";

#[tokio::test]
async fn a_column_more_leaves_queries_alone_that_do_not_read_it() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let windowed = "CREATE TABLE by_minute AS SELECT page, COUNT(*) AS n FROM clicks
        WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY page;\n";
    let joined = "CREATE STREAM pairs AS SELECT c.id AS id, c.page AS page, b.page AS other
        FROM clicks c JOIN big b WITHIN 1 HOUR ON c.id = b.id;\n";
    let all = [CLICKS, BIG, HITS, windowed, joined, FEW].concat();
    ksql.applied(&files, &all).await;
    let before = queries(&ksql).await;
    let wider = all.replace("n INT)", "n INT, more INT)");
    let names = ["BIG", "HITS", "BY_MINUTE", "PAIRS", "FEW", "FEW"];
    let kept = names.map(|name| ('=', name));
    assert_eq!(
        ksql.applied(&files, &wider).await,
        expected(&[&[('~', "CLICKS")], &kept[..]].concat())
    );
    assert_eq!(queries(&ksql).await, before);
    assert_eq!(
        ksql.applied(&files, &wider).await,
        expected(&[&[('=', "CLICKS")], &kept[..]].concat())
    );
    // One whose own statement changes as well is compared by that.
    let other = wider
        .replace("n > 5", "n > 6")
        .replace("COUNT(*) AS n FROM clicks\n", "SUM(n) AS n FROM clicks\n");
    let said = ksql.apply(&files.write("file.sql", &other), &[]).await;
    assert_eq!(
        said.verdicts()[1..4],
        [('~', "BIG"), ('=', "HITS"), ('!', "BY_MINUTE")],
        "{}",
        said.out
    );
    ksql.stop().await;
}

#[tokio::test]
async fn what_takes_all_columns_is_told_which_one_is_new() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let views = "CREATE STREAM visits (id STRING KEY, spot INT) WITH (kafka_topic='visits', value_format='JSON', partitions=1);
        CREATE STREAM all_of AS SELECT * FROM clicks;
        CREATE STREAM both AS SELECT * FROM clicks c JOIN visits v WITHIN 1 HOUR ON c.id = v.id;
        CREATE STREAM named AS SELECT c.id AS id, n, spot FROM clicks c JOIN visits v WITHIN 1 HOUR ON c.id = v.id;
        CREATE STREAM copy (id STRING KEY, page STRING, n INT) WITH (kafka_topic='copy', value_format='JSON', partitions=1);
        INSERT INTO copy SELECT * FROM clicks;\n";
    let all = [CLICKS, views].concat();
    ksql.applied(&files, &all).await;
    let before = ksql.state().await;
    // A name that was one column's may be that of two.
    let wider = all.replacen("n INT)", "n INT, spot INT)", 1);
    let said = ksql.apply(&files.write("file.sql", &wider), &[]).await;
    assert_eq!(said.code, 1);
    let expected = [
        ('~', "CLICKS"),
        ('=', "VISITS"),
        ('~', "ALL_OF"),
        ('!', "BOTH"),
        ('!', "NAMED"),
        ('=', "COPY"),
        ('!', "COPY"),
    ];
    assert_eq!(said.verdicts(), expected, "{}", said.out);
    assert_eq!(said.out.matches("stream CLICKS gains column SPOT").count(), 4, "{}", said.out);
    for fault in [
        "Cannot upgrade data source",
        "Column 'SPOT' is ambiguous",
        "Incompatible schema between results and sink",
    ] {
        assert!(said.out.contains(fault), "{}", said.out);
    }
    // The texts are alike, and not shown as if one of them had to be changed.
    assert!(!said.out.contains("there:") && !said.out.contains("left alone"), "{}", said.out);
    let below = said.out.find("\n\n").unwrap();
    assert!(said.out.rfind("refused: stream").unwrap() < below, "why comes last: {}", said.out);
    assert_eq!(ksql.state().await, before);
    let json = ksql.apply(&files.write("file.sql", &wider), &["--output", "json"]).await;
    let object: Value = serde_json::from_str(json.out.lines().nth(3).unwrap()).unwrap();
    let reason = object["reason"].as_str().unwrap();
    assert!(reason.starts_with("stream CLICKS gains column SPOT: Cannot upgrade"), "{reason}");
    assert_eq!(object["there"], Value::Null);
    // A query of INSERT INTO cannot take it up, even where its target can.
    let wider = all.replace("n INT)", "n INT, more INT)");
    let said = ksql.apply(&files.write("file.sql", &wider), &[]).await;
    assert_eq!(
        said.verdicts()[4..],
        [('=', "NAMED"), ('~', "COPY"), ('!', "COPY")],
        "{}",
        said.out
    );
    let cause = "refused: stream CLICKS gains column MORE, stream COPY gains column MORE";
    assert!(
        said.out.contains(cause) && said.out.contains("TERMINATE INSERTQUERY_"),
        "{}",
        said.out
    );
    ksql.stop().await;
}

#[tokio::test]
async fn an_insert_into_that_stands_twice_is_one_query() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let twice = [CLICKS, FEW, FEW].concat();
    let verdicts = |sign| expected(&[(sign, "CLICKS"), (sign, "FEW"), (sign, "FEW")]);
    assert_eq!(ksql.applied(&files, &twice).await, verdicts('+'));
    let before = queries(&ksql).await;
    assert_eq!(before.len(), 1);
    assert_eq!(ksql.applied(&files, &twice).await, verdicts('='));
    assert_eq!(queries(&ksql).await, before);
    // Who gives it another id wants another query.
    let other = "INSERT INTO few WITH (query_id='again') SELECT id, page FROM clicks WHERE n < 3;";
    let both = [&twice, other].concat();
    assert_eq!(ksql.applied(&files, &both).await[3..], expected(&[('+', "FEW")]));
    assert_eq!(ksql.applied(&files, &both).await[3..], expected(&[('=', "FEW")]));
    ksql.stop().await;
}

#[tokio::test]
async fn a_paused_query_stays_paused_unless_it_is_replaced() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let all = [CLICKS, BIG, HITS].concat();
    ksql.applied(&files, &all).await;
    ksql.run("PAUSE ALL;").await;
    let changed = all.replace("n > 5", "n > 7");
    let said = ksql.apply(&files.write("file.sql", &changed), &[]).await;
    let told = "replaced: its query, paused so far, runs from then on";
    assert!(
        said.out.contains(told) && said.out.contains("kept: its query is paused"),
        "{}",
        said.out
    );
    let queries = ksql.run("SHOW QUERIES;").await;
    let of = |sink: &str| {
        let mut queries = queries[0]["queries"].as_array().unwrap().iter();
        queries.find(|query| query["sinks"][0] == sink).unwrap()["statusCount"].clone()
    };
    assert_eq!([of("BIG"), of("HITS")], [json!({ "RUNNING": 1 }), json!({ "PAUSED": 1 })]);
    ksql.stop().await;
}

#[tokio::test]
async fn formats_with_schemas_are_refused_where_the_server_knows_no_registry() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let text = [
        CLICKS,
        "CREATE STREAM found WITH (kafka_topic='found', value_format='AVRO');\n",
        "CREATE STREAM given WITH (value_format='PROTOBUF') AS SELECT * FROM clicks;",
    ]
    .concat();
    let said = ksql.apply(&files.write("file.sql", &text), &["--dry-run"]).await;
    assert_eq!(said.verdicts(), [('+', "CLICKS"), ('!', "FOUND"), ('!', "GIVEN")], "{}", said.err);
    for place in ["file.sql:3:61", "file.sql:4:40", "--property ksql.schema.registry.url=URL"] {
        assert!(said.out.contains(place), "{place}: {}", said.out);
    }
    ksql.stop().await;
}

#[tokio::test]
async fn what_the_server_alone_refuses_is_shown_where_it_stands() {
    let (world, files) = (World::new().await, Files::new());
    let cluster = world.cluster();
    let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default()).await;
    let url = registry.as_ref().unwrap().url();
    let ksql = world.server_with(&[("ksql.schema.registry.url", &url)]).await;
    ksql.run(
        "CREATE STREAM s (n INT) WITH (kafka_topic='found', value_format='JSON', partitions=1);",
    )
    .await;
    let text =
        [CLICKS, "CREATE STREAM found WITH (kafka_topic='found', value_format='AVRO');\n"].concat();
    let said = ksql.apply(&files.write("file.sql", &text), &[]).await;
    assert_eq!(said.code, 1);
    assert!(said.out.ends_with("nothing is done yet\n"), "{}", said.out);
    assert!(said.err.contains("file.sql:3:1\n 3 | CREATE STREAM found WITH"), "{}", said.err);
    ksql.stop().await;
}

#[tokio::test]
async fn what_is_over_something_refused_says_so_in_its_line() {
    let (world, files) = (World::new().await, Files::new());
    let ksql = world.server().await;
    let text = [
        CLICKS,
        "CREATE TABLE hits AS SELECT page, SUM(nope) AS n FROM clicks GROUP BY page;\n",
        "CREATE STREAM changes (n INT) WITH (kafka_topic='HITS', value_format='JSON');\n",
        "CREATE STREAM few AS SELECT * FROM changes;\n",
    ]
    .concat();
    let said = ksql.apply(&files.write("file.sql", &text), &[]).await;
    assert_eq!(said.verdicts(), [('+', "CLICKS"), ('!', "HITS"), ('!', "CHANGES"), ('!', "FEW")]);
    for line in ["HITS is refused\n! STREAM", "CHANGES is refused\n\n    error: "] {
        let line = format!("refused: not looked at: the statement that makes {line}");
        assert!(said.out.contains(&line), "{}", said.out);
    }
    assert_eq!(
        said.out.matches("\n    error: ").count(),
        1,
        "one fault is told once: {}",
        said.out
    );
    let said = program(["apply", "http://localhost:1"].map(str::to_owned).to_vec()).await;
    assert!(said.err.contains("a server is named with --server"), "{}", said.err);
    ksql.stop().await;
}
