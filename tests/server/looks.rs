//! Statements that look at what exists more closely, and at what would be.

use std::time::Duration;

use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::{Value, json};

use crate::world::{Ksql, World};

const CLICKS: &str = "CREATE STREAM clicks (id STRING KEY, page STRING, n INT)
    WITH (kafka_topic='clicks', value_format='JSON', partitions=2);";
const HITS: &str =
    "CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT CHANGES;";

#[tokio::test]
async fn what_a_statement_would_run_is_shown_without_running_it() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(CLICKS).await;
    let explained = ksql.run(&format!("EXPLAIN {HITS}")).await;
    let query = &explained[0]["queryDescription"];
    assert_eq!(query["id"], "CTAS_HITS_1");
    assert_eq!(query["statementText"], HITS);
    assert_eq!(query["sources"], json!(["CLICKS"]));
    assert_eq!(query["sinks"], json!(["HITS"]));
    assert_eq!(query["fields"][0]["type"], "KEY");
    assert_eq!(query["state"], Value::Null);
    let plan = query["executionPlan"].as_str().unwrap();
    let steps: Vec<&str> =
        plan.lines().map(|line| line.trim_start().split(" |").next().unwrap()).collect();
    assert_eq!(
        steps,
        [
            "> [ SINK ]",
            "> [ PROJECT ]",
            "> [ AGGREGATE ]",
            "> [ GROUP_BY ]",
            "> [ PROJECT ]",
            "> [ SOURCE ]"
        ]
    );
    assert!(
        plan.contains("| Schema: PAGE STRING KEY, N BIGINT | Logger: CTAS_HITS_1.HITS\n"),
        "{plan}"
    );
    let topology = query["topology"].as_str().unwrap();
    assert!(topology.contains("Sink: Aggregate-GroupBy-repartition-sink"), "{topology}");
    assert_eq!(ksql.run("SHOW QUERIES;").await[0]["queries"], json!([]));
    ksql.stop().await;
}

#[tokio::test]
async fn a_query_that_runs_tells_how_far_it_is() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(CLICKS).await;
    let made = ksql.run(HITS).await;
    let id = made[0]["commandStatus"]["queryId"].as_str().unwrap();
    ksql.run("INSERT INTO clicks VALUES ('a', '/x', 1); INSERT INTO clicks VALUES ('b', '/y', 2);")
        .await;
    let description = counted(&ksql, "DESCRIBE hits EXTENDED;", 2.0).await;
    let summaries = &description["queryOffsetSummaries"][0];
    assert_eq!(summaries["groupId"], format!("_confluent-ksql-test_query_{id}"));
    assert_eq!(summaries["topicSummaries"][0]["kafkaTopic"], "clicks");
    assert_eq!(summaries["topicSummaries"][0]["offsets"].as_array().unwrap().len(), 2);
    let read = counted(&ksql, "DESCRIBE clicks EXTENDED;", 2.0).await;
    assert_eq!(read["sourceConstraints"], json!(["HITS"]));
    assert_eq!(read["queryOffsetSummaries"], json!([]));
    assert!(read["statistics"].as_str().unwrap().contains("consumer-total-messages:         2"));
    let explained = ksql.run(&format!("EXPLAIN {id};")).await;
    let query = &explained[0]["queryDescription"];
    assert_eq!(query["state"], "RUNNING");
    assert_eq!(query["ksqlHostQueryStatus"], json!({ "localhost:8088": "RUNNING" }));
    assert_eq!(query["tasksMetadata"][0]["taskId"], "0_0");
    let all = ksql.run("SHOW QUERIES EXTENDED;").await;
    assert_eq!(all[0]["queryDescriptions"][0]["id"], id);
    ksql.stop().await;
}

/// Asks for a source until one of its figures is this.
async fn counted(ksql: &Ksql, sql: &str, total: f64) -> Value {
    for _ in 0..200 {
        let mut answer = ksql.run(sql).await;
        let description = answer[0]["sourceDescription"].take();
        let figures = description["clusterStatistics"].as_array().unwrap();
        if figures.iter().any(|figure| figure["value"] == total) {
            return description;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{sql} does not come to {total} records");
}

#[tokio::test]
async fn what_cannot_be_explained_is_refused() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(CLICKS).await;
    let refused = [
        ("EXPLAIN SHOW STREAMS;", "The provided statement does not run a ksql query"),
        (
            "EXPLAIN CREATE STREAM s (a INT) WITH (kafka_topic='s', partitions=1, value_format='JSON');",
            "The provided statement does not run a ksql query",
        ),
        (
            "EXPLAIN csas_nothing_7;",
            "Query with id:CSAS_NOTHING_7 does not exist, use SHOW QUERIES to view the full set of queries.",
        ),
        (
            "EXPLAIN SELECT nope FROM clicks EMIT CHANGES;",
            "Line: 1, Col: 16: SELECT column 'NOPE' cannot be resolved.",
        ),
    ];
    for (sql, message) in refused {
        let (status, answer) = ksql.try_run(sql).await;
        assert_eq!((status, answer["message"].as_str()), (400, Some(message)), "{sql}");
    }
    ksql.stop().await;
}

#[tokio::test]
async fn functions_are_described_with_all_their_forms() {
    let world = World::new().await;
    let ksql = world.server().await;
    let described = ksql.run("DESCRIBE FUNCTION instr;").await;
    assert_eq!(described[0]["name"], "INSTR");
    assert_eq!(described[0]["type"], "SCALAR");
    let forms = described[0]["functions"].as_array().unwrap();
    let types: Vec<&Value> = forms.iter().map(|form| &form["argumentTypes"]).collect();
    assert_eq!(types[0], &json!(["VARCHAR", "VARCHAR"]));
    assert_eq!(types[1], &json!(["VARCHAR", "VARCHAR", "INT"]));
    assert_eq!(forms[0]["arguments"][0]["name"], "str");
    let described = ksql.run("DESCRIBE FUNCTION collect_list;").await;
    assert_eq!(described[0]["type"], "AGGREGATE");
    assert_eq!(described[0]["functions"][0]["returnType"], "ARRAY<T>");
    // As all of a batch: nothing of it runs.
    let (status, answer) = ksql.try_run(&format!("{CLICKS} DESCRIBE FUNCTION medium;")).await;
    assert_eq!(status, 400);
    assert_eq!(answer["message"], "Can't find any functions with the name 'medium'");
    assert_eq!(ksql.run("SHOW STREAMS;").await[0]["streams"], json!([]));
    ksql.stop().await;
}

#[tokio::test]
async fn a_schema_is_asserted_by_its_subject_and_its_id() {
    let world = World::new().await;
    let cluster = Cluster::new(ClientConfig::new(&world.brokers()).unwrap()).unwrap();
    let registry =
        EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default()).await.unwrap();
    let url = registry.url();
    let ksql = world.server_with(&[("ksql.schema.registry.url", url.as_str())]).await;
    ksql.run("CREATE STREAM s (a INT) WITH (kafka_topic='s', partitions=1, value_format='AVRO');")
        .await;
    let asserted = ksql.run("ASSERT SCHEMA SUBJECT 's-value';").await;
    assert_eq!(asserted[0]["@type"], "assert_schema");
    assert_eq!(asserted[0]["subject"], "s-value");
    assert_eq!(asserted[0]["exists"], true);
    let asserted = ksql.run("ASSERT SCHEMA SUBJECT 's-value' ID 1;").await;
    assert_eq!(asserted[0]["id"], 1);
    ksql.run("ASSERT NOT EXISTS SCHEMA ID 77 TIMEOUT 100 MILLISECONDS;").await;
    let refused = [
        (
            "SUBJECT 'other' TIMEOUT 200 MILLISECONDS",
            "Schema with subject name other does not exist",
        ),
        ("ID 77 TIMEOUT 200 MILLISECONDS", "Schema with id 77 does not exist"),
        (
            "SUBJECT 's-value' ID 77 TIMEOUT 200 MILLISECONDS",
            "Schema with subject name s-value id 77 does not exist",
        ),
    ];
    for (what, message) in refused {
        let (status, answer) = ksql.try_run(&format!("ASSERT SCHEMA {what};")).await;
        assert_eq!((status, answer["message"].as_str()), (417, Some(message)));
    }
    let (status, answer) =
        ksql.try_run("ASSERT NOT EXISTS SCHEMA SUBJECT 's-value' TIMEOUT 1 SECONDS;").await;
    assert_eq!(
        (status, answer["message"].as_str()),
        (417, Some("Schema with subject name s-value exists"))
    );
    ksql.stop().await;
    registry.shutdown().await;
}
