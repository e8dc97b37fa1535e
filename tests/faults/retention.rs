//! Records that are deleted before a query has read them: it goes on and says so, or stops.

use millstream::broker::{EmbeddedConfig, ProduceFault};
use millstream::kafka::ResponseError;
use millstream::kafka::admin::{Admin, OffsetSpec};
use serde_json::json;

use crate::support::{PARTITIONS, Run, World};

const QUERY: &str = "CSAS_COPY_0";

/// A stream that copies another.
fn statements(world: &World) -> String {
    let name = &world.name;
    format!(
        "CREATE STREAM readings (id BIGINT, device VARCHAR)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE STREAM copy WITH (KAFKA_TOPIC='{name}-out') AS
           SELECT * FROM readings EMIT CHANGES;"
    )
}

async fn start(world: &World) {
    world.create(&world.topic("in"), PARTITIONS).await;
}

async fn send(world: &World, count: i64, device: &str) {
    let reading = |id| Some(json!({ "ID": id, "DEVICE": device }).to_string().into_bytes());
    world.send(&world.topic("in"), (0..count).map(reading)).await;
}

/// Deletes all records of the source but the last of each partition.
async fn delete_all_but_the_last(world: &World) {
    let ends = world.offsets(&world.topic("in"), OffsetSpec::Latest).await;
    let before: Vec<_> = ends.into_iter().map(|(at, end)| (at, end - 1)).collect();
    Admin::new(&world.cluster).delete_records(&before).await.unwrap();
}

/// How many records it says are missed.
fn missed(log: &str) -> usize {
    let counts = log.split(" records are missed").map(|text| text.rsplit(' ').next().unwrap());
    counts.filter_map(|count| count.parse::<usize>().ok()).sum()
}

fn run(world: &World, property: &str) -> Run {
    world.run(&statements(world), &["--property", property])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_is_not_retained_goes_on_and_says_what_was_missed() {
    for (reset, written) in [("earliest", 3), ("latest", 0)] {
        let world = World::start("retained").await;
        start(&world).await;
        let first = run(&world, "auto.offset.reset=earliest");
        send(&world, 30, "d").await;
        world.wait_for_level(&[QUERY], &world.topic("in"), &first).await;
        first.stop().await;
        send(&world, 30, "d").await;
        delete_all_but_the_last(&world).await;
        let mut second = run(&world, &format!("auto.offset.reset={reset}"));
        second.wait_for("is running", 1).await;
        world.wait_for_level(&[QUERY], &world.topic("in"), &second).await;
        let log = second.stop().await;
        assert_eq!(missed(&log), 30 - written, "{log}");
        assert_eq!(world.read(&world.topic("out")).await.len(), 30 + written, "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_records_are_deleted_under_it_goes_on() {
    const SENT: usize = 8_000;
    let world = World::embedded("deleted-under", EmbeddedConfig::default()).await;
    start(&world).await;
    let (topic, out) = (world.topic("in"), world.topic("out"));
    send(&world, SENT as i64, &"x".repeat(10_000)).await;
    let faults = world.embedded.as_ref().unwrap().faults();
    // Its sink takes nothing, so that it reads only what its outbox holds, which is far less.
    let refused = ProduceFault::Refused(ResponseError::NotEnoughReplicas);
    faults.on_produce(&out, None, refused);
    let mut run = run(&world, "buffer.memory=2000000");
    run.wait_for("is running", 1).await;
    delete_all_but_the_last(&world).await;
    faults.lift(&out);
    world.wait_for_level(&[QUERY], &topic, &run).await;
    let log = run.stop().await;
    let missed = missed(&log);
    assert!(missed > 0 && !log.contains("has failed"), "{log}");
    assert_eq!(log.matches("is running").count(), 1, "{log}");
    assert_eq!(world.read(&out).await.len() + missed, SENT, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_to_miss_nothing_stops() {
    let world = World::start("stops").await;
    start(&world).await;
    let stops = "ksql.millstream.on.lost.records=stop";
    let first = run(&world, stops);
    send(&world, 30, "d").await;
    world.wait_for_level(&[QUERY], &world.topic("in"), &first).await;
    first.stop().await;
    send(&world, 30, "d").await;
    delete_all_but_the_last(&world).await;
    let mut second = run(&world, stops);
    assert_eq!(second.code().await, 2, "{}", second.log());
    let log = second.log();
    assert!(log.contains("failed for good") && log.contains("9 records are missed"), "{log}");
    assert!(log.contains("ksql.millstream.on.lost.records=continue"), "{log}");
    assert_eq!(world.read(&world.topic("out")).await.len(), 30);
    let mut none = run(&world, "ksql.millstream.on.lost.records=perhaps");
    assert_eq!(none.code().await, 1);
    assert!(none.log().contains("ksql.millstream.on.lost.records"), "{}", none.log());
}
