//! Instances that are paused, killed or replaced, and a broker that is away: nobody overwrites what his successor wrote, and
//! each comes back into his own place.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};

use crate::restarts::{ALERTS, COUNTS, Truth, statements};
use crate::support::{BrokerProcess, PARTITIONS, Run, World};

/// How often an instance is paused at another moment.
const TRIALS: u64 = 2;

/// More readings than an instance gets through before it is paused.
const BACKLOG: i64 = 20_000;

/// A world with a source topic and statements over it.
async fn start(name: &str) -> (World, String, Truth) {
    prepared(World::start(name).await).await
}

async fn prepared(world: World) -> (World, String, Truth) {
    world.create(&world.topic("in"), PARTITIONS).await;
    let sql = statements(&world);
    (world, sql, Truth::default())
}

/// Sends readings, and waits until both queries have committed them.
async fn send(world: &World, truth: &mut Truth, run: &Run) {
    truth.send(world, 300).await;
    world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_paused_instance_overwrites_nothing() {
    let mut trials: tokio::task::JoinSet<()> = (0..TRIALS).map(pause_one).collect();
    while let Some(trial) = trials.join_next().await {
        trial.unwrap();
    }
}

/// Pauses the instance that runs the queries in the middle of a backlog, and lets it go on when another one has taken over
/// and read further.
async fn pause_one(trial: u64) {
    let (world, sql, mut truth) = start("paused").await;
    let mut random = rand::rngs::StdRng::seed_from_u64(trial);
    // Each row goes out at once, so that there is always one on its way.
    let busy = ["commit.interval.ms=3000", "cache.max.bytes.buffering=0"];
    let args = busy.map(|property| ["--property", property]).concat();
    let mut first = world.run_restless(&sql, &args);
    first.wait_for("is running", 2).await;
    let mut second = world.run_restless(&sql, &args);
    second.wait_for("stands by", 2).await;
    // Right after a commit, so that none is under way when it is paused.
    truth.send(&world, 300).await;
    world.wait_for_level(&[COUNTS], &world.topic("in"), &first).await;
    truth.send(&world, BACKLOG).await;
    tokio::time::sleep(Duration::from_millis(random.random_range(0..300))).await;
    first.pause();
    second.wait_for("is running", 2).await;
    send(&world, &mut truth, &second).await;
    truth.send(&world, 300).await;
    first.go_on();
    // It has stood longer, so that it takes over again.
    second.wait_for("stands by", 4).await;
    send(&world, &mut truth, &first).await;
    second.stop().await;
    first.stop().await;
    truth.is_exact(&world).await;
    truth.is_taken_over_once(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_12_a_short_pause_makes_nothing_start_again() {
    let (world, sql, mut truth) = start("short-pause").await;
    let mut run = world.run(&sql, &[]);
    send(&world, &mut truth, &run).await;
    truth.send(&world, 300).await;
    run.pause();
    // Many heartbeats, and a small part of a session.
    tokio::time::sleep(Duration::from_secs(2)).await;
    run.go_on();
    // Writing is closed, and open again as soon as the group says that nobody else came.
    run.wait_for("was stopped for a while", 2).await;
    send(&world, &mut truth, &run).await;
    let log = run.stop().await;
    assert!(!log.contains("joins its group again") && !log.contains("restoring"), "{log}");
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_13_a_killed_instance_takes_its_own_place_again() {
    let (world, sql, mut truth) = start("own-place").await;
    let directory = tempfile::tempdir().unwrap();
    let with_state = ["--state-dir", directory.path().to_str().unwrap()];
    let by_name = ["--property", "ksql.millstream.instance.id=one"];
    for how in [with_state, by_name] {
        let first = world.run(&sql, &how);
        send(&world, &mut truth, &first).await;
        first.kill();
        let again = world.run(&sql, &how);
        send(&world, &mut truth, &again).await;
        // A clean stop leaves nobody to be waited for.
        again.stop().await;
        let other = world.run(&sql, &[]);
        send(&world, &mut truth, &other).await;
        other.stop().await;
    }
    truth.is_covered(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_13_an_instance_whose_place_was_taken_says_so_and_writes_nothing_more() {
    let (world, sql, mut truth) = start("fenced").await;
    let args = ["--property", "ksql.millstream.instance.id=one"];
    let mut first = world.run(&sql, &args);
    send(&world, &mut truth, &first).await;
    let second = world.run(&sql, &args);
    assert_eq!(first.code().await, 2, "{}", first.log());
    for query in [COUNTS, ALERTS] {
        let cause = format!(
            "query {query} has failed for good: another process has taken the place of one \
             (group.instance.id) in group {}",
            world.group(query)
        );
        assert!(first.log().contains(&cause), "{}", first.log());
    }
    send(&world, &mut truth, &second).await;
    second.stop().await;
    truth.is_covered(&world).await;
    truth.never_falls(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_nobody_waits_for_himself() {
    let (broker, servers) = BrokerProcess::start().await;
    let (world, sql, mut truth) = prepared(World::on("outage", servers)).await;
    let properties = [
        "delivery.timeout.ms=1500",
        "request.timeout.ms=1000",
        "default.api.timeout.ms=1000",
        // What comes of the last readings waits in the producers when the broker stands still.
        "linger.ms=500",
        "commit.interval.ms=3000",
    ];
    let args = properties.map(|property| ["--property", property]).concat();
    let mut run = world.run(&sql, &args);
    send(&world, &mut truth, &run).await;
    truth.send(&world, 300).await;
    broker.pause();
    // A query gives up what it could not write, and cannot even say that it leaves. The other one does as well unless it
    // has just committed.
    run.wait_for("will be tried again", 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    broker.go_on();
    send(&world, &mut truth, &run).await;
    run.stop().await;
    truth.is_covered(&world).await;
}
