//! `CREATE OR REPLACE` of a query that runs.

use crate::world::World;

const READINGS: &str = "CREATE STREAM readings (device STRING KEY, x INT)
    WITH (KAFKA_TOPIC='readings', VALUE_FORMAT='JSON', PARTITIONS=3);";

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_replaced_goes_on_where_it_stopped_with_what_it_had() {
    let mut world = World::start(&format!(
        "{READINGS} CREATE TABLE sums AS SELECT device, SUM(x) AS sum FROM readings WHERE x > 0
           GROUP BY device;"
    ))
    .await;
    world.send("readings", &["a={\"X\":1}", "a={\"X\":-5}", "b={\"X\":2}", "a={\"X\":3}"]).await;
    world.pulls("SELECT * FROM sums;", &["a 4", "b 2"]).await;
    // Another condition on the same column, and one more column.
    world
        .execute(
            "CREATE OR REPLACE TABLE sums AS SELECT device, SUM(x) AS sum, AS_VALUE(device) AS more
               FROM readings WHERE x > 2 GROUP BY device;",
        )
        .await;
    world.send("readings", &["a={\"X\":2}", "b={\"X\":7}", "c={\"X\":1}"]).await;
    world.pulls("SELECT * FROM sums;", &["a 4 a", "b 9 b"]).await;
    assert_eq!(world.engine.queries().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_the_state_is_refused_and_the_query_stays() {
    let world = World::start(&format!(
        "{READINGS} CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings GROUP BY device;
         CREATE TABLE per_minute AS SELECT device, COUNT(*) AS n FROM readings
           WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY device;"
    ))
    .await;
    for (sql, reason) in [
        (
            "CREATE OR REPLACE TABLE counts AS SELECT device, COUNT(x) AS n FROM readings GROUP BY device;",
            "StreamAggregate must have matching columns not part of aggregate. Values differ: [`DEVICE`, \
             `ROWTIME`] vs. [`DEVICE`, `X`]",
        ),
        (
            "CREATE OR REPLACE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings WHERE x > 0
               GROUP BY device;",
            "StreamAggregate must have matching columns not part of aggregate. Values differ: [`DEVICE`, \
             `ROWTIME`] vs. [`DEVICE`, `ROWTIME`, `X`]",
        ),
        (
            "CREATE OR REPLACE TABLE per_minute AS SELECT device, COUNT(*) AS n FROM readings
               WINDOW TUMBLING (SIZE 1 MINUTE) WHERE x > 0 GROUP BY device;",
            "Upgrades not yet supported for StreamWindowedAggregate",
        ),
        (
            "CREATE OR REPLACE TABLE counts AS SELECT device, SUM(x) AS s FROM readings GROUP BY device;",
            "Cannot upgrade data source: DataSource '`COUNTS`' has schema = ",
        ),
    ] {
        let refused = world.refusal(sql);
        assert!(refused.starts_with(reason), "{refused}");
    }
    world.send("readings", &["a={\"X\":1}"]).await;
    world.pulls("SELECT * FROM counts;", &["a 1"]).await;
}
