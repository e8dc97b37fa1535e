//! What servers of a service know of each other.

use serde_json::{Value, json};

use crate::world::World;

const HITS: &str = "CREATE STREAM visits (page STRING KEY, n INT)
      WITH (kafka_topic='visits', value_format='JSON', partitions=2);
    CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM visits GROUP BY page;";

#[tokio::test]
async fn a_server_tells_of_itself_and_of_those_who_say_that_they_live() {
    let world = World::new().await;
    let told = [
        ("ksql.heartbeat.enable", "true"),
        ("ksql.lag.reporting.enable", "true"),
        ("ksql.heartbeat.window.ms", "3600000"),
        ("ksql.advertised.listener", "http://one.example:8088"),
    ];
    let ksql = world.server_with(&told).await;
    ksql.run(HITS).await;
    ksql.run("INSERT INTO visits VALUES ('/x', 1);").await;
    let cluster = async || {
        let (status, text) = ksql.get("/clusterStatus").await;
        assert_eq!(status, 200, "{text}");
        let mut cluster = serde_json::from_str::<Value>(&text).unwrap();
        for server in cluster["clusterStatus"].as_object_mut().unwrap().values_mut() {
            server["lastStatusUpdateMs"].take();
            server["hostStoreLags"]["updateTimeMs"].take();
        }
        cluster
    };
    let key = "_confluent-ksql-test_query_CTAS_HITS_1#Aggregate-Aggregate-Materialize";
    let mut own = cluster().await;
    // Once the query has committed its row.
    for _ in 0..200 {
        let lags = &own["clusterStatus"]["one.example:8088"]["hostStoreLags"]["stateStoreLags"];
        let lags = lags[key]["lagByPartition"].as_object();
        let mut lags = lags.into_iter().flat_map(|lags| lags.values());
        if lags.any(|lag| lag["endOffsetPosition"] == 1) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        own = cluster().await;
    }
    let server = own["clusterStatus"]["one.example:8088"].clone();
    assert_eq!(server["hostAlive"], true);
    let active = &server["activeStandbyPerQuery"]["CTAS_HITS_1"];
    let partition = |partition| json!({ "topic": "visits", "partition": partition });
    let expected = json!({
        "activeStores": ["Aggregate-Aggregate-Materialize"],
        "activePartitions": [partition(0), partition(1)],
        "standByStores": [],
        "standByPartitions": [],
    });
    assert_eq!(*active, expected);
    let lags = &server["hostStoreLags"]["stateStoreLags"][key]["lagByPartition"];
    let ends: Vec<i64> =
        ["0", "1"].map(|at| lags[at]["currentOffsetPosition"].as_i64().unwrap()).into();
    assert_eq!(ends.iter().sum::<i64>(), 1, "{lags}");
    assert_eq!(lags["0"]["offsetLag"], 0);
    // Another one says that it lives.
    let heartbeat = json!({ "hostInfo": { "host": "two", "port": 8089 }, "timestamp": 1 });
    let (status, text) = ksql.post("/heartbeat", &heartbeat, &[]).await;
    assert_eq!((status, text.as_str()), (200, "{\"ok\":true}"));
    let lag = json!({ "ksqlHost": { "host": "two", "port": 8089 }, "hostStoreLags": {} });
    assert_eq!(ksql.post("/lag", &lag, &[]).await, (200, "{\"ok\":true}".to_owned()));
    let both = cluster().await;
    assert_eq!(both["clusterStatus"]["two:8089"]["hostAlive"], true);
    assert_eq!(both["clusterStatus"].as_object().unwrap().len(), 2);
    ksql.stop().await;
}

#[tokio::test]
async fn servers_that_do_not_watch_each_other_have_nothing_to_tell() {
    let world = World::new().await;
    let ksql = world.server().await;
    assert_eq!(ksql.get("/clusterStatus").await, (404, String::new()));
    let heartbeat = json!({ "hostInfo": { "host": "two", "port": 8089 }, "timestamp": 1 });
    assert_eq!(ksql.post("/heartbeat", &heartbeat, &[]).await, (404, String::new()));
    let lag = json!({ "ksqlHost": { "host": "two", "port": 8089 }, "hostStoreLags": {} });
    assert_eq!(ksql.post("/lag", &lag, &[]).await, (404, String::new()));
    ksql.stop().await;
}
