//! Topics that are deleted under a query, and made again: it waits for them alone, says so, and goes on.

use millstream::kafka::admin::{Admin, NewTopic};

use crate::restarts::{ALERTS, COUNTS, Truth, statements};
use crate::support::{PARTITIONS, Run, World};

/// A world with both queries running, and some readings processed.
async fn start(name: &str) -> (World, Run, Truth) {
    let world = World::start(name).await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let run = world.run(&statements(&world), &[]);
    let mut truth = Truth::default();
    truth.send(&world, 100).await;
    world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), &run).await;
    (world, run, truth)
}

async fn delete(world: &World, topic: &str) {
    Admin::new(&world.cluster).delete_topic(topic).await.unwrap();
}

fn changelog(world: &World) -> String {
    format!("{}-Aggregate-Aggregate-Materialize-changelog", world.group(COUNTS))
}

/// What is said of a query that waits for a topic.
fn waits(query: &str, topic: &str) -> String {
    format!("query {query} will be tried again: topic {topic} ")
}

/// Ends it, and sees that no query had failed for good.
async fn end(run: Run) {
    let log = run.stop().await;
    assert!(!log.contains("failed for good"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_made_again_is_read_on_and_state_stays() {
    let (world, mut run, mut truth) = start("source").await;
    let topic = world.topic("in");
    delete(&world, &topic).await;
    for query in [COUNTS, ALERTS] {
        run.wait_for(&waits(query, &topic), 1).await;
    }
    world.create(&topic, PARTITIONS).await;
    truth.send(&world, 70).await;
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    truth.is_exact(&world).await;
    // At once, so that nobody may have missed it.
    delete(&world, &topic).await;
    world.create(&topic, PARTITIONS).await;
    truth.send(&world, 30).await;
    run.wait_for(&format!("query {COUNTS}: topic {topic} was deleted and made again"), 2).await;
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    end(run).await;
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_sink_concerns_its_query_until_it_is_made_again() {
    let (world, mut run, mut truth) = start("sink").await;
    let (topic, sink) = (world.topic("in"), world.topic("alerts"));
    assert_eq!(world.read(&sink).await.len(), 20);
    delete(&world, &sink).await;
    truth.send(&world, 100).await;
    world.wait_for_level(&[COUNTS], &topic, &run).await;
    run.wait_for(&waits(ALERTS, &sink), 1).await;
    truth.send(&world, 100).await;
    world.wait_for_level(&[COUNTS], &topic, &run).await;
    assert_eq!(world.lag(ALERTS, &topic).await, 200);
    world.create(&sink, PARTITIONS).await;
    world.wait_for_level(&[ALERTS], &topic, &run).await;
    assert_eq!(world.read(&sink).await.len(), 40);
    delete(&world, &sink).await;
    world.create(&sink, PARTITIONS).await;
    truth.send(&world, 100).await;
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    end(run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_changelog_concerns_its_query_until_it_is_made_again() {
    let (world, mut run, mut truth) = start("changelog").await;
    let (topic, changelog) = (world.topic("in"), changelog(&world));
    delete(&world, &changelog).await;
    run.wait_for(&waits(COUNTS, &changelog), 1).await;
    truth.send(&world, 100).await;
    world.wait_for_level(&[ALERTS], &topic, &run).await;
    assert_eq!(world.lag(COUNTS, &topic).await, 100);
    // Nothing keeps it from ending.
    end(run).await;
    let mut run = world.run(&statements(&world), &[]);
    run.wait_for(&waits(COUNTS, &changelog), 1).await;
    run.wait_for(&format!("query {ALERTS} is running"), 1).await;
    assert!(run.log().contains("starts anew after millstream reset"), "{}", run.log());
    assert_eq!(world.lag(COUNTS, &topic).await, 100);
    let again = NewTopic::new(&changelog, PARTITIONS).with_config("cleanup.policy", "compact");
    let admin = Admin::new(&world.cluster);
    admin.create_topic(&again).await.unwrap();
    world.wait_for_level(&[COUNTS], &topic, &run).await;
    // Under a running query it is said that state went with it.
    delete(&world, &changelog).await;
    run.wait_for(&waits(COUNTS, &changelog), 2).await;
    admin.create_topic(&again).await.unwrap();
    let said =
        format!("query {COUNTS}: topic {changelog}, a changelog, was deleted and made again");
    run.wait_for(&said, 1).await;
    truth.send(&world, 100).await;
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    end(run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_while_its_queries_wait_for_topics() {
    let (world, mut run, _) = start("waits").await;
    let topics = ["alerts", "counts"].map(|part| world.topic(part));
    for topic in &topics {
        delete(&world, topic).await;
    }
    run.wait_for(&waits(ALERTS, &topics[0]), 1).await;
    run.wait_for(&waits(COUNTS, &topics[1]), 1).await;
    end(run).await;
}
