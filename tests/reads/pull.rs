//! Rows that a table has now.

use crate::world::World;

const DEVICES: &str = "
    CREATE STREAM readings (device STRING KEY, room STRING, x INT)
      WITH (KAFKA_TOPIC='readings', VALUE_FORMAT='JSON', PARTITIONS=3);
    CREATE TABLE owners (device STRING PRIMARY KEY, owner STRING)
      WITH (KAFKA_TOPIC='owners', VALUE_FORMAT='JSON', PARTITIONS=3);";

const READINGS: [&str; 6] = [
    "a={\"ROOM\":\"r1\",\"X\":1}",
    "b={\"ROOM\":\"r2\",\"X\":2}",
    "a={\"ROOM\":\"r1\",\"X\":3}",
    "c={\"ROOM\":\"r1\",\"X\":4}",
    "b={\"ROOM\":\"r2\",\"X\":5}",
    "a={\"ROOM\":\"r2\",\"X\":6}",
];

async fn world(statements: &str) -> World {
    let world = World::start(&format!("{DEVICES}{statements}")).await;
    world.send("readings", &READINGS).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_gives_its_row_and_a_condition_those_it_is_true_of() {
    let world = world(
        "CREATE TABLE counts AS SELECT device, COUNT(*) AS n, SUM(x) * 10 AS sum FROM readings
           GROUP BY device;",
    )
    .await;
    world.pulls("SELECT * FROM counts;", &["a 3 100", "b 2 70", "c 1 40"]).await;
    for (condition, expected) in [
        ("device = 'a'", &["a 3 100"][..]),
        ("'b' = device AND n > 1", &["b 2 70"]),
        ("device = 'b' AND n > 2", &[]),
        ("device IN ('c', 'none', 'a', 'a')", &["a 3 100", "c 1 40"]),
        ("device = 'a' OR device = 'c'", &["a 3 100", "c 1 40"]),
        ("device = 'a' OR sum = 70", &["a 3 100", "b 2 70"]),
        ("device > 'a'", &["b 2 70", "c 1 40"]),
        ("n < 3 AND sum > 40", &["b 2 70"]),
        ("device LIKE '%b%'", &["b 2 70"]),
        ("NOT device = 'a'", &["b 2 70", "c 1 40"]),
    ] {
        let sql = format!("SELECT * FROM counts WHERE {condition};");
        assert_eq!(world.pull(&sql).await, expected, "{condition}");
    }
    let sql = "SELECT n + 1 AS more, UCASE(device), device FROM counts WHERE device = 'a';";
    assert_eq!(world.pull(sql).await, ["4 A a"]);
    assert_eq!(world.pull("SELECT n FROM counts LIMIT 2;").await.len(), 2);
    assert_eq!(
        world.pull("SELECT ROWTIME, n FROM counts WHERE device = 'c';").await,
        ["1700000003000 1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_header_says_which_columns_are_the_key() {
    let world = world(
        "CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings
           WINDOW TUMBLING (SIZE 2 SECONDS) GROUP BY device;",
    )
    .await;
    let read = world.plan("SELECT n, device, n + 1 AS m, WINDOWSTART FROM counts;").unwrap();
    let columns: Vec<(&str, bool)> =
        read.columns.iter().map(|column| (column.name.as_str(), column.is_key)).collect();
    assert_eq!(columns, [("N", false), ("DEVICE", true), ("M", false), ("WINDOWSTART", true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_found_by_their_bounds() {
    let world = world(
        "CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings
           WINDOW TUMBLING (SIZE 4 SECONDS) GROUP BY device;
         CREATE TABLE sessions AS SELECT device, COUNT(*) AS n FROM readings
           WINDOW SESSION (2 SECONDS) GROUP BY device;",
    )
    .await;
    let start = 1_700_000_000_000_i64;
    let row = |key: &str, from: i64, to: i64, n: i64| {
        format!("{key} {} {} {n}", start + from, start + to)
    };
    let all = [row("a", 0, 4_000, 2), row("a", 4_000, 8_000, 1), row("b", 0, 4_000, 1)];
    let all = [&all[..], &[row("b", 4_000, 8_000, 1), row("c", 0, 4_000, 1)]].concat();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    world.pulls("SELECT * FROM counts;", &all).await;
    assert_eq!(world.pull("SELECT * FROM counts WHERE device = 'a';").await, all[..2]);
    for (condition, expected) in [
        (format!("device = 'a' AND WINDOWSTART = {start}"), &all[..1]),
        (format!("device = 'a' AND WINDOWSTART > {start}"), &all[1..2]),
        (format!("WINDOWEND >= {}", start + 8_000), &[all[1], all[3]]),
        (format!("WINDOWSTART < {}", start - 1), &[]),
    ] {
        let sql = format!("SELECT * FROM counts WHERE {condition};");
        assert_eq!(world.pull(&sql).await, expected, "{condition}");
    }
    let sessions = [row("a", 0, 2_000, 2), row("a", 5_000, 5_000, 1)];
    let sessions: Vec<&str> = sessions.iter().map(String::as_str).collect();
    world.pulls("SELECT * FROM sessions WHERE device = 'a';", &sessions).await;
    let sql =
        format!("SELECT n FROM sessions WHERE device = 'a' AND WINDOWEND > {};", start + 2_000);
    assert_eq!(world.pull(&sql).await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_having_leaves_out_is_not_there() {
    let world = world(
        "CREATE TABLE many AS SELECT device, COUNT(*) AS n FROM readings GROUP BY device
           HAVING COUNT(*) > 1;",
    )
    .await;
    world.pulls("SELECT * FROM many;", &["a 3", "b 2"]).await;
    assert_eq!(world.pull("SELECT * FROM many WHERE device = 'c';").await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_several_columns_are_found_together() {
    let world = world(
        "CREATE TABLE counts WITH (KEY_FORMAT='JSON') AS SELECT device, room, COUNT(*) AS n
           FROM readings GROUP BY device, room;",
    )
    .await;
    world.pulls("SELECT * FROM counts;", &["a r1 2", "a r2 1", "b r2 2", "c r1 1"]).await;
    let both = "SELECT * FROM counts WHERE room = 'r2' AND device = 'a';";
    assert_eq!(world.pull(both).await, ["a r2 1"]);
    let one = "SELECT * FROM counts WHERE room = 'r2';";
    assert_eq!(world.pull(one).await, ["a r2 1", "b r2 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_tables_and_joined_ones_can_be_asked_too() {
    let world = world(
        "CREATE TABLE names AS SELECT device, UCASE(owner) AS name FROM owners WHERE owner <> 'Di';
         CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings GROUP BY device;
         CREATE TABLE both AS SELECT n.device AS device, name, n FROM names n
           JOIN counts c ON n.device = c.device;
         CREATE TABLE by_owner AS SELECT owner, COUNT(*) AS devices FROM owners GROUP BY owner;",
    )
    .await;
    world
        .send("owners", &["a={\"OWNER\":\"Ann\"}", "b={\"OWNER\":\"Bo\"}", "c={\"OWNER\":\"Di\"}"])
        .await;
    world.pulls("SELECT * FROM names;", &["a ANN", "b BO"]).await;
    assert_eq!(world.pull("SELECT name FROM names WHERE device = 'b';").await, ["BO"]);
    world.pulls("SELECT * FROM both;", &["a ANN 3", "b BO 2"]).await;
    assert_eq!(world.pull("SELECT n FROM both WHERE device = 'a';").await, ["3"]);
    world.pulls("SELECT * FROM by_owner;", &["Ann 1", "Bo 1", "Di 1"]).await;
    world.send("owners", &["b"]).await;
    world.pulls("SELECT * FROM names;", &["a ANN"]).await;
    world.pulls("SELECT * FROM both;", &["a ANN 3"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_with_a_reason() {
    let world =
        world("CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings GROUP BY device;")
            .await;
    for (sql, reason) in [
        ("SELECT * FROM owners;", "The `OWNERS` table isn't queryable."),
        ("SELECT COUNT(*) FROM counts GROUP BY n;", "Pull queries don't support GROUP BY clauses."),
        ("SELECT COUNT(*) FROM counts;", "Pull queries don't support GROUP BY clauses."),
        (
            "SELECT * FROM counts PARTITION BY n;",
            "Pull queries don't support PARTITION BY clauses.",
        ),
        ("SELECT ROWTIME, * FROM counts;", "Pull queries only support wildcards"),
        ("SELECT ROWPARTITION FROM counts;", "Pull queries don't support the following columns"),
        ("SELECT * FROM counts LIMIT -1;", "Pull queries don't support negative integers"),
        ("SELECT * FROM readings GROUP BY x;", "Pull queries don't support GROUP BY clauses."),
    ] {
        let refused = world.plan(sql).map(|_| ()).unwrap_err();
        assert!(refused.starts_with(reason), "{sql}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_only_looked_up_where_scans_are_switched_off() {
    let world = world(
        "CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings GROUP BY device;
         SET 'ksql.query.pull.table.scan.enabled'='false';",
    )
    .await;
    for (condition, expected) in [
        ("device = 'b'", &["b 2"][..]),
        ("device IN ('a', 'c') AND n > 1", &["a 3"]),
        ("device > 'a' AND n = 1", &["c 1"]),
    ] {
        world.pulls(&format!("SELECT * FROM counts WHERE {condition};"), expected).await;
    }
    for (condition, reason) in [
        ("n = 1", "WHERE clause missing key column for disjunct: (N = 1). "),
        ("device = 'a' OR n = 1", "WHERE clause missing key column for disjunct: (N = 1). "),
        ("device <> 'a'", "Bound on key columns '[`DEVICE` STRING KEY]' must currently be '='. "),
        ("UCASE(device) = 'A'", "A comparison must directly reference a key column. "),
        ("device LIKE 'a%'", "Unsupported expression in WHERE clause: (DEVICE LIKE 'a%'). "),
    ] {
        let sql = format!("SELECT * FROM counts WHERE {condition};");
        let refused = world.plan(&sql).map(|_| ()).unwrap_err();
        assert!(refused.starts_with(reason), "{sql}: {refused}");
    }
    let refused = world.plan("SELECT * FROM counts;").map(|_| ()).unwrap_err();
    assert!(refused.starts_with("Missing WHERE clause. "), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_table_comes_in_portions_and_each_row_once() {
    let world = World::start(
        "CREATE TABLE owners (device STRING PRIMARY KEY, owner STRING)
           WITH (KAFKA_TOPIC='owners', VALUE_FORMAT='JSON', PARTITIONS=2);
         CREATE TABLE names AS SELECT device, UCASE(owner) AS name FROM owners;",
    )
    .await;
    let records: Vec<String> =
        (0..20_000).map(|number| format!("d{number:05}={{\"OWNER\":\"o{number}\"}}")).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    world.send("owners", &records).await;
    let expected: Vec<String> =
        (0..20_000).map(|number| format!("d{number:05} O{number}")).collect();
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    world.pulls("SELECT * FROM names;", &expected).await;
    assert_eq!(world.pull("SELECT * FROM names WHERE name = 'O17711';").await, ["d17711 O17711"]);
    assert_eq!(world.pull("SELECT * FROM names LIMIT 9000;").await.len(), 9_000);
    let portions = world.portions("SELECT * FROM names;").await;
    assert!(portions.len() > 4 && portions.iter().all(|rows| *rows <= 4_096), "{portions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_table_comes_partition_by_partition_in_the_order_of_its_keys() {
    let world = World::start(
        "CREATE STREAM readings (device STRING KEY, x INT)
           WITH (KAFKA_TOPIC='readings', VALUE_FORMAT='JSON', PARTITIONS=1);
         CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings GROUP BY device;
         CREATE TABLE windows AS SELECT device, COUNT(*) AS n FROM readings
           WINDOW TUMBLING (SIZE 2 SECONDS) GROUP BY device;",
    )
    .await;
    world.send("readings", &["c={}", "a={}", "b={}", "a={}"]).await;
    world.pulls("SELECT * FROM counts;", &["a 2", "b 1", "c 1"]).await;
    assert_eq!(world.pull_in_order("SELECT device FROM counts;").await, ["a", "b", "c"]);
    assert_eq!(world.pull_in_order("SELECT device FROM counts LIMIT 2;").await, ["a", "b"]);
    world.pulls("SELECT device FROM windows;", &["a", "a", "b", "c"]).await;
    let windows = world.pull_in_order("SELECT device, WINDOWSTART FROM windows;").await;
    let start = 1_700_000_000_000_i64;
    let expected = [("a", 0), ("a", 2_000), ("b", 2_000), ("c", 0)];
    let expected = expected.map(|(device, from)| format!("{device} {}", start + from));
    assert_eq!(windows, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_table_is_kept_and_ends_with_its_query() {
    let mut world = World::start(
        "CREATE TABLE owners (device STRING PRIMARY KEY, owner STRING)
           WITH (KAFKA_TOPIC='owners', VALUE_FORMAT='JSON', PARTITIONS=3);
         CREATE SOURCE TABLE seen (device STRING PRIMARY KEY, owner STRING)
           WITH (KAFKA_TOPIC='owners', VALUE_FORMAT='JSON');",
    )
    .await;
    world.send("owners", &["a={\"OWNER\":\"Ann\"}", "b={\"OWNER\":\"Bo\"}", "c={}"]).await;
    world.pulls("SELECT * FROM seen;", &["a Ann", "b Bo", "c -"]).await;
    assert_eq!(world.pull("SELECT owner FROM seen WHERE device = 'b';").await, ["Bo"]);
    let time = "SELECT device, ROWTIME FROM seen WHERE owner = 'Bo';";
    assert_eq!(world.pull(time).await, ["b 1700000001000"]);
    world.send("owners", &["b"]).await;
    world.pulls("SELECT * FROM seen;", &["a Ann", "c -"]).await;
    let ids: Vec<&str> = world.engine.queries().iter().map(|query| query.id.as_str()).collect();
    assert_eq!(ids, ["CST_SEEN_0"]);
    let refused = world.plan("SELECT * FROM owners;").map(|_| ()).unwrap_err();
    assert!(refused.starts_with("The `OWNERS` table isn't queryable."), "{refused}");
    world.execute("DROP TABLE seen;").await;
    assert!(world.engine.queries().is_empty());
}
