//! Rows as they are made.

use std::time::Duration;

use crate::world::World;

const DEVICES: &str = "
    CREATE STREAM readings (device STRING KEY, x INT)
      WITH (KAFKA_TOPIC='readings', VALUE_FORMAT='JSON', PARTITIONS=3);
    CREATE TABLE owners (device STRING PRIMARY KEY, owner STRING)
      WITH (KAFKA_TOPIC='owners', VALUE_FORMAT='JSON', PARTITIONS=3);";

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_as_they_are_made_and_columns_as_they_are_selected() {
    let mut world = World::start(DEVICES).await;
    let mut rows = world
        .read("SELECT x * 2 AS twice, device, ROWTIME, x FROM readings WHERE x > 1 EMIT CHANGES;");
    world.send("readings", &["a={\"X\":1}", "a={\"X\":2}", "a={\"X\":3}"]).await;
    assert_eq!(rows.take(2).await, ["4 a 1700000001000 2", "6 a 1700000002000 3"]);
    world.send("readings", &["a={\"X\":9}"]).await;
    assert_eq!(rows.take(1).await, ["18 a 1700000000000 9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_at_the_end_sees_only_what_comes_then() {
    let mut world = World::start(&format!("{DEVICES} SET 'auto.offset.reset'='latest';")).await;
    world.send("readings", &["a={\"X\":1}", "b={\"X\":2}"]).await;
    let mut rows = world.read("SELECT device, x FROM readings EMIT CHANGES;");
    // It begins where the topic ends once it has looked, so what comes later is sent until some of it is seen.
    let seen = loop {
        world.send("readings", &["c={\"X\":3}"]).await;
        let some = tokio::time::timeout(Duration::from_millis(200), rows.take(1));
        if let Ok(seen) = some.await {
            break seen;
        }
    };
    assert_eq!(seen, ["c 3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_ends_it() {
    let mut world = World::start(DEVICES).await;
    world.send("readings", &["a={\"X\":1}", "a={\"X\":2}", "a={\"X\":3}"]).await;
    let limited = world.read("SELECT x FROM readings EMIT CHANGES LIMIT 2;");
    assert_eq!(limited.all().await.unwrap(), ["1", "2"]);
    let none = world.read("SELECT x FROM readings EMIT CHANGES LIMIT 0;");
    assert_eq!(none.all().await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_given_at_each_change_whatever_they_are_made_of() {
    let mut world = World::start(DEVICES).await;
    let mut counts =
        world.read("SELECT device, COUNT(*) AS n FROM readings GROUP BY device EMIT CHANGES;");
    let mut all = world.read("SELECT COUNT(*), SUM(x) FROM readings EMIT CHANGES;");
    let mut windows = world.read(
        "SELECT WINDOWSTART, x, COUNT(*), WINDOWEND FROM readings WINDOW TUMBLING (SIZE 2 SECONDS)
         GROUP BY x EMIT CHANGES;",
    );
    world.send("readings", &["a={\"X\":5}", "a={\"X\":5}", "a={\"X\":5}"]).await;
    assert_eq!(counts.take(3).await, ["a 1", "a 2", "a 3"]);
    assert_eq!(all.take(3).await, ["1 5", "2 10", "3 15"]);
    assert_eq!(
        windows.take(3).await,
        [
            "1700000000000 5 1 1700000002000",
            "1700000000000 5 2 1700000002000",
            "1700000002000 5 1 1700000004000"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_begins_with_its_rows_and_says_which_are_gone() {
    let mut world = World::start(&format!("{DEVICES} SET 'auto.offset.reset'='latest';")).await;
    world.send("owners", &["a={\"OWNER\":\"Ann\"}", "b={\"OWNER\":\"Bo\"}"]).await;
    let mut rows = world.read("SELECT owner, device FROM owners EMIT CHANGES;");
    assert_eq!(sorted(rows.take(2).await), ["Ann a", "Bo b"]);
    world.send("owners", &["a", "b={\"OWNER\":\"Cy\"}"]).await;
    assert_eq!(sorted(rows.take(2).await), ["Cy b", "gone - a"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_windows_can_be_looked_at() {
    let statements = format!(
        "{DEVICES} CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings
         WINDOW TUMBLING (SIZE 2 SECONDS) GROUP BY device;"
    );
    let mut world = World::start(&statements).await;
    world.send("readings", &["a={\"X\":5}", "a={\"X\":5}", "a={\"X\":5}"]).await;
    let mut rows = world.read("SELECT * FROM counts EMIT CHANGES;");
    let mut last = std::collections::BTreeMap::new();
    while last.len() < 2
        || last.values().any(|row: &String| !row.ends_with('2') && !row.ends_with("000 1"))
    {
        let row = rows.take(1).await.remove(0);
        last.insert(row.split(' ').nth(1).unwrap().to_owned(), row);
    }
    let last: Vec<&str> = last.values().map(String::as_str).collect();
    assert_eq!(last[1], "a 1700000002000 1700000004000 1");
    assert!(last[0].starts_with("a 1700000000000 1700000002000 "), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn joins_need_no_key_among_what_is_selected() {
    let mut world = World::start(DEVICES).await;
    world.send("owners", &["a={\"OWNER\":\"Ann\"}"]).await;
    let mut rows = world.read(
        "SELECT o.owner, r.x FROM readings r JOIN owners o ON r.device = o.device EMIT CHANGES;",
    );
    world.send("readings", &["a={\"X\":5}", "b={\"X\":6}", "a={\"X\":7}"]).await;
    assert_eq!(rows.take(2).await, ["Ann 5", "Ann 7"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_read_to_its_end() {
    let mut world = World::start(DEVICES).await;
    let none = world.read("SELECT * FROM readings;");
    assert_eq!(none.all().await.unwrap(), [""; 0]);
    world.send("readings", &["a={\"X\":1}", "b={\"X\":2}", "c={\"X\":3}", "d={\"X\":4}"]).await;
    let all = world.read("SELECT * FROM readings;");
    assert_eq!(sorted(all.all().await.unwrap()), ["a 1", "b 2", "c 3", "d 4"]);
    let some = world.read("SELECT device FROM readings WHERE x = 3;");
    assert_eq!(some.all().await.unwrap(), ["c"]);
    let few = world.read("SELECT x FROM readings LIMIT 3;");
    assert_eq!(few.all().await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_stream_without_a_value_is_no_row() {
    let mut world = World::start(DEVICES).await;
    let mut rows = world.read("SELECT * FROM readings EMIT CHANGES;");
    world.send("readings", &["a={\"X\":1}", "a", "a={}"]).await;
    assert_eq!(rows.take(2).await, ["a 1", "a -"]);
    let all = world.read("SELECT * FROM readings;");
    assert_eq!(all.all().await.unwrap(), ["a 1", "a -"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_gone_ends_it_with_the_cause() {
    let mut world = World::start(
        "CREATE STREAM s (x INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);",
    )
    .await;
    world.drop_topic("s").await;
    let error = world.read("SELECT * FROM s EMIT CHANGES;").all().await.unwrap_err();
    assert!(error.to_string().starts_with("topic s does not exist"), "{error}");
}
