//! What operators of ksqlDB have suffered from.

use std::collections::BTreeSet;

use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::world::{Ksql, World};

const READINGS: &str = "CREATE STREAM readings (device VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='readings', \
                        PARTITIONS=1, VALUE_FORMAT='JSON');";

/// The ids of the queries that are there.
async fn ids(ksql: &Ksql) -> BTreeSet<String> {
    let answer = ksql.run("SHOW QUERIES;").await;
    let queries = answer[0]["queries"].as_array().unwrap();
    queries.iter().map(|query| query["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_queries_start_and_end() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    let made = |n| format!("CREATE STREAM s{n} AS SELECT * FROM readings WHERE n >= {n};");
    ksql.run(&(0..120).map(made).collect::<Vec<_>>().concat()).await;
    assert_eq!(ids(&ksql).await.len(), 120);
    ksql.run("INSERT INTO readings VALUES ('d1', 119);").await;
    let row = ksql.query("SELECT * FROM s119 EMIT CHANGES LIMIT 1;").await;
    assert_eq!(row[1], json!(["d1", 119]));
    ksql.run("TERMINATE ALL;").await;
    assert!(ids(&ksql).await.is_empty());
    let dropped = |n| format!("DROP STREAM s{n};");
    ksql.run(&(0..120).map(dropped).collect::<Vec<_>>().concat()).await;
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_never_comes_twice() {
    let world = World::new().await;
    let mut seen = BTreeSet::new();
    for round in 0..3 {
        let ksql = world.server().await;
        if round == 0 {
            ksql.run(READINGS).await;
            ksql.run("CREATE STREAM out WITH (KAFKA_TOPIC='out', PARTITIONS=1) AS SELECT * FROM readings;")
                .await;
        }
        for id in ids(&ksql).await {
            seen.insert(id.clone());
            ksql.run(&format!("TERMINATE {id};")).await;
        }
        for _ in 0..2 {
            ksql.run("INSERT INTO out SELECT * FROM readings WHERE n > 1;").await;
            let new = ids(&ksql).await;
            assert_eq!(new.len(), 1);
            assert!(new.is_disjoint(&seen), "{new:?} was there before: {seen:?}");
            seen.extend(new.clone());
            ksql.run(&format!("TERMINATE {};", new.first().unwrap())).await;
        }
        ksql.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_command_costs_nobody_the_server() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    let producer = Producer::new(&world.cluster());
    let key = |name: &str| format!("\"stream/{name}/create\"");
    let version = json!({ "statement": "CREATE STREAM x (n INT) WITH (KAFKA_TOPIC='x', FORMAT='JSON');", "version": 99 });
    let bad = [
        ("no json".to_owned(), "neither".to_owned()),
        (key("A"), json!({ "statement": "CREATE STREAM a AS SELECT * FROM gone;" }).to_string()),
        (key("B"), json!({ "statement": "ERASE EVERYTHING;" }).to_string()),
        (key("C"), version.to_string()),
        (key("D"), "[".repeat(100_000)),
    ];
    for (key, value) in &bad {
        let record = NewRecord::new(0, Some(key.as_bytes()), Some(value.as_bytes()));
        producer.send("_confluent-ksql-test__command_topic", 0, record).await.unwrap();
    }
    producer.flush().await.unwrap();
    ksql.run("CREATE STREAM late AS SELECT * FROM readings WHERE n > 1;").await;
    ksql.stop().await;
    let ksql = world.server().await;
    let streams = ksql.run("SHOW STREAMS;").await;
    let streams = streams[0]["streams"].as_array().unwrap();
    let names: Vec<&Value> = streams.iter().map(|stream| &stream["name"]).collect();
    assert!(names.contains(&&json!("READINGS")) && names.contains(&&json!("LATE")), "{names:?}");
    assert_eq!(ids(&ksql).await.len(), 1);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_ends_with_all_that_it_made() {
    let world = World::new().await;
    let ksql = world.server().await;
    let other = world.server().await;
    ksql.run(READINGS).await;
    for name in ["gone", "kept"] {
        ksql.run(&format!(
            "CREATE TABLE {name} WITH (KAFKA_TOPIC='{name}', PARTITIONS=1) AS SELECT device, COUNT(*) AS n FROM \
             readings GROUP BY device;"
        ))
        .await;
    }
    let (status, told) =
        ksql.post("/ksql/terminate", &json!({ "deleteTopicList": ["["] }), &[]).await;
    assert_eq!(status, 400, "{told}");
    let body = json!({ "deleteTopicList": ["go.*", "read"] });
    let (status, told) = ksql.post("/ksql/terminate", &body, &[]).await;
    assert_eq!(status, 200, "{told}");
    assert!(told.contains("\"commandId\":\"cluster/TerminateCluster/terminate\""), "{told}");
    for server in [&ksql, &other] {
        while !server.get("/info").await.1.contains("\"error_code\":50304") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let topics =
        millstream::kafka::admin::Admin::new(&world.cluster()).list_topics().await.unwrap();
    let names: BTreeSet<&str> = topics.iter().map(|topic| &*topic.name).collect();
    assert!(names.contains("readings") && names.contains("kept"), "{names:?}");
    let left = names.iter().filter(|name| **name == "gone" || name.contains("test_"));
    assert_eq!(left.count(), 0, "{names:?}");
}
