//! Queries that take nothing for a while: paused, or in trouble.

use std::time::Duration;

use millstream::kafka::admin::Admin;
use serde_json::{Value, json};

use crate::world::{Ksql, PATIENCE, World};

const VISITS: &str = "CREATE STREAM visits (page STRING KEY, is_new BOOLEAN)
    WITH (kafka_topic='visits', value_format='JSON', partitions=2);";

const HITS: &str = "CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM visits GROUP BY page;
    CREATE TABLE others AS SELECT page, COUNT(*) AS n FROM visits GROUP BY page;";

/// The rows of a pull query, or why there are none.
async fn pull(ksql: &Ksql, sql: &str) -> Result<Vec<Value>, Value> {
    let (status, text) = ksql.post("/query-stream", &json!({ "sql": sql }), &[]).await;
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    if status == 200 { Ok(lines.skip(1).collect()) } else { Err(lines.next().unwrap()) }
}

/// Asks until the answer is as it should be.
async fn until(ksql: &Ksql, sql: &str, is_expected: impl Fn(&Result<Vec<Value>, Value>) -> bool) {
    let asking = async {
        loop {
            let answer = pull(ksql, sql).await;
            if is_expected(&answer) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap();
}

async fn comes_to(ksql: &Ksql, table: &str, n: i64) {
    let sql = format!("SELECT n FROM {table} WHERE page = '/x';");
    until(ksql, &sql, |answer| *answer == Ok(vec![json!([n])])).await;
}

#[tokio::test]
async fn what_a_paused_query_keeps_is_read_and_stands_still() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(&format!("{VISITS} {HITS}")).await;
    ksql.run("INSERT INTO visits VALUES ('/x', true);").await;
    comes_to(&ksql, "hits", 1).await;
    ksql.run("PAUSE CTAS_HITS_1;").await;
    ksql.run("INSERT INTO visits VALUES ('/x', true);").await;
    // The other one, which reads the same, has come further.
    comes_to(&ksql, "others", 2).await;
    let (one, all) = ("SELECT n FROM hits WHERE page = '/x';", "SELECT * FROM hits;");
    assert_eq!(pull(&ksql, one).await, Ok(vec![json!([1])]));
    assert_eq!(pull(&ksql, all).await, Ok(vec![json!(["/x", 1])]));
    // Nor is it forgotten by a server that starts anew.
    ksql.stop().await;
    let ksql = world.server().await;
    comes_to(&ksql, "others", 2).await;
    comes_to(&ksql, "hits", 1).await;
    ksql.run("INSERT INTO visits VALUES ('/x', true);").await;
    comes_to(&ksql, "others", 3).await;
    assert_eq!(pull(&ksql, all).await, Ok(vec![json!(["/x", 1])]));
    ksql.run("RESUME CTAS_HITS_1;").await;
    comes_to(&ksql, "hits", 3).await;
    ksql.run("PAUSE ALL; TERMINATE ALL;").await;
    ksql.stop().await;
}

#[tokio::test]
async fn a_paused_query_writes_nothing_and_stays_in_its_group() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(&format!("{VISITS} CREATE STREAM copy AS SELECT * FROM visits;")).await;
    ksql.run("CREATE TABLE others AS SELECT page, COUNT(*) AS n FROM visits GROUP BY page;").await;
    let copied = "SELECT page FROM copy;";
    ksql.run("INSERT INTO visits VALUES ('/x', true);").await;
    until(&ksql, copied, |rows| *rows == Ok(vec![json!(["/x"])])).await;
    let admin = Admin::new(&world.cluster());
    let group = "_confluent-ksql-test_query_CSAS_COPY_1";
    let belongs = async || {
        let found = admin.describe_group(group).await.unwrap().unwrap();
        let members = found.members.into_iter().map(|member| member.member_id);
        (found.state, members.collect::<Vec<_>>())
    };
    let member = belongs().await;
    ksql.run("PAUSE CSAS_COPY_1;").await;
    ksql.run("INSERT INTO visits VALUES ('/x', true);").await;
    comes_to(&ksql, "others", 2).await;
    assert_eq!(pull(&ksql, copied).await, Ok(vec![json!(["/x"])]));
    assert_eq!(belongs().await, member);
    ksql.run("RESUME ALL;").await;
    until(&ksql, copied, |rows| *rows == Ok(vec![json!(["/x"]), json!(["/x"])])).await;
    assert_eq!(belongs().await, member);
    ksql.stop().await;
}

#[tokio::test]
async fn who_takes_a_paused_query_over_lets_it_rest() {
    let world = World::new().await;
    let first = world.server().await;
    first.run(&format!("{VISITS} {HITS}")).await;
    first.run("INSERT INTO visits VALUES ('/x', true);").await;
    comes_to(&first, "hits", 1).await;
    first.run("PAUSE CTAS_HITS_1;").await;
    let second = world.server().await;
    first.run("INSERT INTO visits VALUES ('/x', true);").await;
    comes_to(&first, "others", 2).await;
    // That another one has come to the group changes nothing.
    comes_to(&first, "hits", 1).await;
    first.stop().await;
    comes_to(&second, "others", 2).await;
    comes_to(&second, "hits", 1).await;
    second.run("RESUME CTAS_HITS_1;").await;
    comes_to(&second, "hits", 2).await;
    second.stop().await;
}

#[tokio::test]
async fn who_asks_for_what_a_failed_query_keeps_is_told_why_it_failed() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(VISITS).await;
    ksql.run(
        "CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM visits WHERE is_new GROUP BY page;",
    )
    .await;
    ksql.run("INSERT INTO visits (page) VALUES ('/x');").await;
    until(&ksql, "SELECT n FROM hits WHERE page = '/x';", |answer| {
        let Err(error) = answer else { return false };
        let told = error["message"].as_str().unwrap();
        assert_eq!(error["error_code"], 50000, "{told}");
        told.starts_with("query CTAS_HITS_1 has failed and will be tried again (topic visits")
    })
    .await;
    ksql.stop().await;
}
