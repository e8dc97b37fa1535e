//! Records that queries skip are seen: one of each cause at once, all of them counted at the end.

use millstream::kafka::produce::{NewRecord, Producer};

use crate::support::World;

/// The time of the first record: 2023-11-14 22:13:20 UTC.
const START_MS: i64 = 1_700_000_000_000;

/// Writes records without keys to partition 0, each with how many seconds after the first it is.
async fn send(world: &World, topic: &str, records: &[(i64, Option<&str>)]) {
    let producer = Producer::new(&world.cluster);
    for (seconds, value) in records {
        let at = START_MS + seconds * 1_000;
        let record = NewRecord::new(at, None, value.map(str::as_bytes));
        producer.send(topic, 0, record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

/// The warnings of a log, without their times.
/// What it warns of, but for what it says of topics: how long they keep records, and which they do not take.
fn warnings(log: &str) -> Vec<&str> {
    let lines = log.lines().filter_map(|line| line.split_once(" WARN ").map(|(_, line)| line));
    let mut lines: Vec<&str> = lines
        .filter(|line| !line.contains(".ms is raised") && !line.contains("takes no records"))
        .collect();
    lines.sort_unstable();
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn skipped_records_are_told_and_counted() {
    let world = World::start("skipped").await;
    let topic = world.topic("in");
    world.create(&topic, 1).await;
    let tenth = r#"{"ID":2,"V":0}"#;
    let mut records = vec![
        (0, Some(r#"{"ID":1,"V":5}"#)),
        (1, Some("{bad")),
        (2, Some(tenth)),
        (1_000, Some(r#"{"ID":1,"V":1}"#)),
        (3, Some(r#"{"ID":1,"V":1}"#)),
        (1_001, None),
        (1_002, Some(r#"{"ID":1,"V":"many"}"#)),
    ];
    records.extend([(1_003, Some("{bad")); 20]);
    send(&world, &topic, &records).await;
    let sql = format!(
        "CREATE STREAM s (id BIGINT, v INT) WITH (KAFKA_TOPIC='{topic}', VALUE_FORMAT='JSON');
         CREATE STREAM tens WITH (KAFKA_TOPIC='{0}-tens') AS SELECT id, 10 / v AS v FROM s EMIT CHANGES;
         CREATE TABLE counts WITH (KAFKA_TOPIC='{0}-counts', KEY_FORMAT='JSON') AS
           SELECT id, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS)
           GROUP BY id EMIT CHANGES;",
        world.name
    );
    let run = world.run(&sql, &[]);
    world.wait_for_level(&["CSAS_TENS_0", "CTAS_COUNTS_1"], &topic, &run).await;
    let log = run.stop().await;
    let undecodable = |query: &str, count: &str| {
        format!(
            "query {query}: skipped {count} whose value cannot be read: such as topic {topic}, \
             partition 0, offset 1: its value is no JSON of the declared columns ("
        )
    };
    let expected = [
        format!(
            "query CSAS_TENS_0: an expression failed once: topic {topic}, partition 0, offset 2: in \
             step Project (Error computing expression (10 / V) for column V with index 1: "
        ),
        undecodable("CSAS_TENS_0", "22 records"),
        format!(
            "query CTAS_COUNTS_1: skipped 1 record that came too late for a window: topic {topic}, partition \
             0, offset 4: its time is 2023-11-14 22:13:23.000 UTC, and its window from 2023-11-14 \
             22:13:20.000 UTC to 2023-11-14 22:13:30.000 UTC is closed since 2023-11-14 22:30:00.000 \
             UTC, to where topic {topic}, partition 0, offset 3 has moved stream time"
        ),
        format!(
            "query CTAS_COUNTS_1: skipped 1 record without a value: topic {topic}, partition 0, offset \
             5: it has no value, which is needed here"
        ),
        undecodable("CTAS_COUNTS_1", "22 records"),
    ];
    let warnings = warnings(&log);
    assert_eq!(warnings.len(), expected.len(), "{log}");
    for (warning, expected) in warnings.iter().zip(&expected) {
        assert!(warning.starts_with(expected), "{warning}\nis not\n{expected}");
    }
    for end in [
        "query CSAS_TENS_0: 27 records in, 5 out, 22 skipped (22 whose value cannot be read), an \
         expression failed once",
        "query CTAS_COUNTS_1: 27 records in, 3 out, 24 skipped (22 whose value cannot be read, 1 \
         without a value, 1 that came too late for a window)",
    ] {
        assert!(log.contains(end), "{log}\nlacks {end}");
    }
}
