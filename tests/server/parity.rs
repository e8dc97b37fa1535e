//! `millstream parity`: files on a server and in the program, over one broker.

use std::time::Duration;

use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::records::Headers;
use serde_json::{Value, json};

use crate::applied::{Files, Said, program};
use crate::world::{Ksql, World};

const CLICKS: &str = "CREATE STREAM clicks (id STRING KEY, page STRING, n INT)
  WITH (kafka_topic='clicks', value_format='JSON');\n";

/// Writes clicks of users, each to the partition of its key, and makes their topic.
async fn click(world: &World, partitions: i32, count: i64) {
    let admin = Admin::new(&world.cluster());
    admin.create_topic(&NewTopic::new("clicks", partitions)).await.unwrap();
    let producer = Producer::new(&world.cluster());
    let mut headers = Headers::new();
    headers.push(b"from", Some(b"here"));
    for at in 0..count {
        let (key, page) = (format!("u{}", at % 5), format!("p{}", at % 3));
        let value = json!({ "page": page, "n": at }).to_string();
        let record = NewRecord {
            headers: headers.as_ref(),
            ..NewRecord::new(1_000 * at, Some(key.as_bytes()), Some(value.as_bytes()))
        };
        let partition = partition_for_key(key.as_bytes(), partitions);
        producer.send("clicks", partition, record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

/// Runs `millstream parity` over a text.
async fn parity(world: &World, url: &str, text: &str, flags: &[&str]) -> (Said, Value) {
    let files = Files::new();
    let file = files.write("file.sql", text);
    let report = files.write("report.json", "{}");
    let mut args: Vec<String> = vec!["parity".to_owned(), file.display().to_string()];
    let brokers = world.brokers();
    let more = ["--bootstrap-servers", &brokers, "--against", url, "--timeout", "60"];
    args.extend(more.iter().chain(flags).map(|flag| (*flag).to_owned()));
    args.extend(["--property", "commit.interval.ms=100", "--report"].map(str::to_owned));
    args.push(report.display().to_string());
    let said = program(args).await;
    let report = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
    (said, report)
}

/// Neither side has anything of a comparison.
async fn nothing_is_left(world: &World, ksql: &Ksql) {
    let admin = Admin::new(&world.cluster());
    let is_of_parity = |name: &str| name.to_lowercase().contains("parity_");
    // What is deleted may be seen for a moment.
    for _ in 0..100 {
        let topics = admin.list_topics().await.unwrap();
        if !topics.iter().any(|topic| is_of_parity(&topic.name)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let topics = admin.list_topics().await.unwrap();
    let left: Vec<_> = topics.iter().filter(|topic| is_of_parity(&topic.name)).collect();
    assert!(left.is_empty(), "{left:?}");
    let groups = admin.list_groups().await.unwrap();
    let own = groups.iter().filter(|group| group.group.contains("-parity_"));
    assert_eq!(own.count(), 0, "{groups:?}");
    let shown = ksql.run("SHOW STREAMS; SHOW TABLES; SHOW TYPES; SHOW QUERIES;").await.to_string();
    assert!(!shown.contains("PARITY_"), "{shown}");
}

#[tokio::test]
async fn a_server_of_ours_writes_the_same() {
    let world = World::new().await;
    click(&world, 3, 60).await;
    let ksql = world.server().await;
    // What the user has there of the same name is left as it is.
    ksql.run(CLICKS).await;
    ksql.run("CREATE TABLE hits AS SELECT id, COUNT(*) AS n FROM clicks GROUP BY id;").await;
    let text = format!(
        "{CLICKS}
        CREATE TYPE place AS STRUCT<page STRING>;
        CREATE STREAM big WITH (kafka_topic='my-big') AS
          SELECT id, CAST(STRUCT(page := page) AS place) AS place, n FROM clicks WHERE n > 5;
        CREATE TABLE hits AS SELECT id, COUNT(*) AS n FROM clicks GROUP BY id;
        CREATE TABLE pages AS SELECT page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 10 SECONDS)
          GROUP BY page;
        CREATE STREAM of_big (id STRING KEY, n INT) WITH (kafka_topic='my-big', value_format='JSON');
        CREATE STREAM small AS SELECT big.id AS id, n FROM of_big big WHERE big.n < 20;"
    );
    let (said, report) = parity(&world, &ksql.url(), &text, &[]).await;
    let sinks = report["sinks"].as_array().unwrap();
    let results: Vec<_> = sinks
        .iter()
        .map(|sink| (sink["name"].as_str().unwrap(), sink["result"].as_str().unwrap()))
        .collect();
    // Pages come from users on several partitions, and their order is nobody's.
    let expected =
        [("BIG", "equal"), ("HITS", "equal"), ("PAGES", "not comparable"), ("SMALL", "equal")];
    assert_eq!(results, expected, "{}{}", said.out, said.err);
    assert_eq!(sinks[0]["equal"], 54);
    assert_eq!(sinks[1]["equal"], 60);
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    nothing_is_left(&world, &ksql).await;
    let tables = ksql.run("SHOW TABLES;").await;
    assert_eq!(tables[0]["tables"][0]["name"], "HITS", "{tables}");
    ksql.stop().await;
}

#[tokio::test]
async fn a_topic_of_the_user_that_queries_write_is_left_alone() {
    let world = World::new().await;
    click(&world, 1, 20).await;
    let ksql = world.server().await;
    let all = "CREATE STREAM all_of (id STRING KEY, n INT)
      WITH (kafka_topic='all', value_format='JSON', partitions=2);\n";
    ksql.run(CLICKS).await;
    ksql.run(all).await;
    ksql.run("INSERT INTO all_of (id, n) VALUES ('mine', 1);").await;
    let text = format!(
        "SET 'auto.offset.reset'='latest';
        {CLICKS}{all}
        INSERT INTO all_of SELECT id, n FROM clicks WHERE n < 7;
        CREATE TABLE sums AS SELECT id, SUM(n) AS n FROM all_of GROUP BY id;"
    );
    let (said, report) = parity(&world, &ksql.url(), &text, &[]).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert_eq!(report["result"], "equal");
    let counts: Vec<_> = report["sinks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sink| (sink["name"].as_str().unwrap(), sink["equal"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [("ALL_OF", 7), ("SUMS", 7)]);
    for note in
        ["auto.offset.reset is earliest on both sides", "what topic all holds is neither read"]
    {
        assert!(said.out.contains(note), "{}", said.out);
    }
    nothing_is_left(&world, &ksql).await;
    let isolation = millstream::kafka::config::Isolation::ReadCommitted;
    let latest = millstream::kafka::admin::OffsetSpec::Latest;
    let ends = Admin::new(&world.cluster()).topic_offsets("all", latest, isolation).await.unwrap();
    assert_eq!(ends.iter().sum::<i64>(), 1, "the user's own row and nothing else");
    ksql.stop().await;
}
