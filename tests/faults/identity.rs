//! Statements find their queries again, changed ones are refused, and what is reset begins anew.

use std::collections::BTreeSet;
use std::process::Command;

use millstream::kafka::admin::Admin;
use millstream::kafka::group::GroupOffsets;
use millstream::runtime::{PlanRecord, decode_metadata, plans_topic};

use crate::restarts::{ALERTS, COUNTS, Truth, statements};
use crate::support::{PARTITIONS, World};

/// A world in which the two queries have run.
async fn have_run(name: &str) -> (World, Truth) {
    let world = World::start(name).await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let mut truth = Truth::default();
    truth.send(&world, 100).await;
    let run = world.run(&statements(&world), &[]);
    world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), &run).await;
    run.stop().await;
    (world, truth)
}

/// The lines of a dry run about a query or a topic.
fn line<'l>(log: &'l str, about: &str) -> &'l str {
    let line = log.lines().find(|line| line.starts_with(about));
    line.unwrap_or_else(|| panic!("nothing about {about}:\n{log}"))
}

/// Statements with another one before their queries.
fn behind_another(sql: &str, name: &str) -> String {
    let (source, queries) = sql.split_once(';').unwrap();
    format!(
        "{source}; CREATE STREAM copy WITH (KAFKA_TOPIC='{name}-copy') AS SELECT * FROM readings;\n{queries}"
    )
}

#[tokio::test]
async fn law_10_a_statement_finds_its_query_wherever_it_stands() {
    let (world, mut truth) = have_run("moved").await;
    let (name, sql) = (&world.name, statements(&world));
    let moved = behind_another(&sql, name);
    let mut dry = world.run(&moved, &["--dry-run"]);
    assert_eq!(dry.code().await, 0, "{}", dry.log());
    let log = dry.log();
    assert!(line(&log, "CSAS_COPY_2").contains("starts new"), "{log}");
    for query in [COUNTS, ALERTS] {
        let line = line(&log, query);
        assert!(line.contains("keeps") && line.contains(&world.group(query)), "{log}");
    }
    assert!(line(&log, &world.topic("copy")).contains("new topic"), "{log}");
    let admin = Admin::new(&world.cluster);
    assert_eq!(admin.describe_topic(&world.topic("copy")).await.unwrap(), None);

    let run = world.run(&moved, &[]);
    truth.send(&world, 50).await;
    world.wait_for_level(&[COUNTS, ALERTS, "CSAS_COPY_2"], &world.topic("in"), &run).await;
    let log = run.stop().await;
    assert!(log.contains("CTAS_COUNTS_0: 50 records in"), "{log}");
    truth.is_covered(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_with_different_files_agree_on_what_they_share() {
    let world = World::start("files").await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let (name, sql) = (&world.name, statements(&world));
    let mut truth = Truth::default();
    let mut first = world.run(&sql, &[]);
    first.wait_for("is running", 2).await;
    let mut second = world.run(&behind_another(&sql, name), &[]);
    second.wait_for("stands by", 2).await;
    second.wait_for("is running", 1).await;
    truth.send(&world, 100).await;
    let admin = Admin::new(&world.cluster);
    let prefix = world.group("");
    let groups = admin.list_groups().await.unwrap().into_iter();
    let ids: BTreeSet<String> =
        groups.filter_map(|group| Some(group.group.strip_prefix(&prefix)?.to_owned())).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(ids, [ALERTS, "CSAS_COPY_2", COUNTS]);
    world.wait_for_level(&ids, &world.topic("in"), &second).await;
    first.stop().await;
    truth.send(&world, 100).await;
    world.wait_for_level(&ids, &world.topic("in"), &second).await;
    second.stop().await;
    truth.is_exact(&world).await;
}

#[tokio::test]
async fn law_10_a_statement_that_has_changed_is_refused_before_anything_is_written() {
    let (world, _) = have_run("changed").await;
    let name = &world.name;
    let changed = statements(&world).replace("x > 0.5", "x > 0.8")
        + &format!(
            "CREATE STREAM copy WITH (KAFKA_TOPIC='{name}-copy') AS SELECT * FROM readings;"
        );
    for (args, name) in
        [(&["--dry-run"][..], "changed  "), (&[][..], "error: query CSAS_ALERTS_1 was another one")]
    {
        let mut run = world.run(&changed, args);
        assert_eq!(run.code().await, 1, "{}", run.log());
        let log = run.log();
        assert!(log.contains(name) && log.contains("X > 0.5") && log.contains("X > 0.8"), "{log}");
    }
    let mut run = world.run(&changed, &[]);
    run.code().await;
    assert!(run.log().contains("millstream reset FILE CSAS_ALERTS_1"), "{}", run.log());
    let admin = Admin::new(&world.cluster);
    assert_eq!(admin.describe_topic(&world.topic("copy")).await.unwrap(), None);

    // So is one whose source is another one now: the difference is what is shown.
    let other_source = statements(&world).replace("x DOUBLE", "x DOUBLE, y INT");
    let mut run = world.run(&other_source, &[]);
    assert_eq!(run.code().await, 1, "{}", run.log());
    let log = run.log();
    assert!(
        log.contains("was: CREATE STREAM readings (id BIGINT, device VARCHAR, x DOUBLE)"),
        "{log}"
    );
    assert!(
        log.contains("now: CREATE STREAM readings (id BIGINT, device VARCHAR, x DOUBLE, y"),
        "{log}"
    );

    // The old statement goes on; one without a query of the service is listed.
    let alone = statements(&world).split(';').take(2).collect::<Vec<_>>().join(";") + ";";
    let run = world.run(&alone, &["--dry-run"]);
    let log = ended(run).await;
    assert!(line(&log, COUNTS).contains("keeps") && line(&log, ALERTS).contains("gone"), "{log}");
}

/// The fingerprints beside the offsets of a query; an empty one for an offset without.
async fn fingerprints(world: &World, query: &str) -> BTreeSet<String> {
    let offsets = GroupOffsets::new(&world.cluster, &world.group(query));
    let committed = offsets.committed(None).await.unwrap();
    assert_eq!(committed.len(), PARTITIONS as usize);
    let metadata = committed.values().map(|committed| decode_metadata(&committed.metadata));
    metadata.map(|metadata| metadata.fingerprint().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn law_9_what_a_query_is_travels_with_its_offsets() {
    let (world, _) = have_run("noted").await;
    let noted = world.read(&plans_topic(&world.name)).await;
    let noted: Vec<_> = noted
        .iter()
        .filter_map(|(key, value)| PlanRecord::decode(key.as_ref()?, value.as_ref()?))
        .collect();
    for (query, text) in [(COUNTS, "COUNT(*) N"), (ALERTS, "X > 0.5")] {
        let beside = fingerprints(&world, query).await;
        let of_query: Vec<_> = noted.iter().filter(|noted| noted.query == query).collect();
        assert_eq!(of_query.len(), 1, "{noted:?}");
        assert_eq!(beside, BTreeSet::from([of_query[0].fingerprint.clone()]));
        let details = &of_query[0].details;
        assert!(details.statement.contains(text), "{details:?}");
        assert_eq!(details.sources[0].topic, world.topic("in"));
    }

    let counts = GroupOffsets::new(&world.cluster, &world.group(COUNTS));
    let before = counts.committed(None).await.unwrap();
    let times = before.values().map(|at| decode_metadata(&at.metadata).partition_time);
    assert!(times.into_iter().all(|time| time > Some(1_700_000_000_000)), "{before:?}");

    // As ksqlDB leaves them.
    let offsets = GroupOffsets::new(&world.cluster, &world.group(ALERTS));
    let mut bare = offsets.committed(None).await.unwrap();
    for committed in bare.values_mut() {
        committed.metadata.clear();
    }
    offsets.commit(&bare.into_iter().collect::<Vec<_>>()).await.unwrap();
    assert_eq!(fingerprints(&world, ALERTS).await, BTreeSet::from([String::new()]));
    let mut run = world.run(&statements(&world), &[]);
    run.wait_for("is running", 2).await;
    let log = run.stop().await;
    assert!(log.contains(&format!("query {ALERTS} goes on from offsets that do not say")), "{log}");
    assert!(log.contains(&format!("{ALERTS}: 0 records in")), "{log}");
    assert!(!log.contains(&format!("query {COUNTS} goes on from offsets")), "{log}");
    assert_eq!(fingerprints(&world, ALERTS).await.into_iter().next().unwrap().len(), 32);
    assert_eq!(counts.committed(None).await.unwrap(), before, "nothing was read");
}

#[tokio::test]
async fn law_11_state_without_offsets_stops_its_query_alone() {
    let (world, mut truth) = have_run("alone").await;
    let admin = Admin::new(&world.cluster);
    admin.delete_group(&world.group(COUNTS)).await.unwrap();
    let dry = ended(world.run(&statements(&world), &["--dry-run"])).await;
    assert!(line(&dry, COUNTS).contains("stops"), "{dry}");
    let mut run = world.run(&statements(&world), &[]);
    run.wait_for(&format!("query {COUNTS} has failed for good"), 1).await;
    truth.send(&world, 50).await;
    world.wait_for_level(&[ALERTS], &world.topic("in"), &run).await;
    let log = run.stop().await;
    let help = format!("its group has no offsets; millstream reset FILE {COUNTS}");
    assert!(log.contains(&help), "{log}");

    let (code, told) = reset(&world, &statements(&world), &[COUNTS, "--yes"]).await;
    assert_eq!(code, 0, "{told}");
    let run = world.run(&statements(&world), &[]);
    world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), &run).await;
    run.stop().await;
    truth.is_exact(&world).await;
}

#[tokio::test]
async fn law_11_a_source_that_was_made_again_goes_on_with_the_state() {
    let (world, mut truth) = have_run("remade").await;
    let admin = Admin::new(&world.cluster);
    admin.delete_topic(&world.topic("in")).await.unwrap();
    // As Kafka does with the offsets of a topic that goes.
    for query in [COUNTS, ALERTS] {
        admin.delete_group(&world.group(query)).await.unwrap();
    }
    world.create(&world.topic("in"), PARTITIONS).await;
    truth.send(&world, 40).await;
    let run = world.run(&statements(&world), &[]);
    world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), &run).await;
    let log = run.stop().await;
    assert!(
        log.contains(&format!("topic {} was deleted and made again", world.topic("in"))),
        "{log}"
    );
    truth.is_exact(&world).await;
}

async fn ended(mut run: crate::support::Run) -> String {
    assert_eq!(run.code().await, 0, "{}", run.log());
    run.log()
}

/// Runs `millstream reset` over a file: its exit code, and what it printed.
async fn reset(world: &World, sql: &str, args: &[&str]) -> (i32, String) {
    let file = world.directory.path().join("reset.sql");
    std::fs::write(&file, sql).unwrap();
    let state = world.directory.path().join("state");
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    command.arg("reset").arg(&file).args(args).arg("--state-dir").arg(state);
    command.args(["--bootstrap-servers", &world.servers]);
    command.args(["--property", &format!("ksql.service.id={}", world.name)]);
    command.stdin(std::process::Stdio::null());
    // The broker lives on this thread.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn what_is_reset_begins_anew() {
    let world = World::start("reset").await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let sql = statements(&world);
    let state = world.directory.path().join("state");
    let args = ["--state-dir", state.to_str().unwrap()];
    let mut truth = Truth::default();
    truth.send(&world, 100).await;
    let run = world.run(&sql, &args);
    world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), &run).await;
    let (code, told) = reset(&world, &sql, &["--yes"]).await;
    assert_eq!(code, 1);
    assert!(told.contains(&format!("query {COUNTS} is running")), "{told}");
    run.stop().await;

    let (code, told) = reset(&world, &sql, &[COUNTS]).await;
    assert_eq!(code, 1, "nobody can be asked: {told}");
    assert!(told.contains("--yes deletes without asking"), "{told}");
    let (code, told) = reset(&world, &sql, &["CTAS_NOBODY_7", "--yes"]).await;
    assert_eq!(code, 1);
    assert!(
        told.contains(&format!("there is no query CTAS_NOBODY_7; there are: {COUNTS}, {ALERTS}")),
        "{told}"
    );
    let reader = format!("{sql} CREATE STREAM more AS SELECT * FROM alerts;");
    let (code, told) = reset(&world, &reader, &[ALERTS, "--sinks", "--yes"]).await;
    assert_eq!(code, 1);
    let used = format!("topic {} is used by query CSAS_MORE_2", world.topic("alerts"));
    assert!(told.contains(&used), "{told}");
    let (code, told) = reset(&world, &sql, &[COUNTS, "--sinks", "--yes"]).await;
    assert_eq!(code, 0, "{told}");
    let group = world.group(COUNTS);
    let changelog = format!("{group}-Aggregate-Aggregate-Materialize-changelog");
    for thing in [&group, &changelog, &world.topic("counts")] {
        assert!(told.contains(thing), "{thing}:\n{told}");
    }
    assert!(told.contains("local state"), "{told}");
    let admin = Admin::new(&world.cluster);
    for topic in [&changelog, &world.topic("counts")] {
        assert_eq!(admin.describe_topic(topic).await.unwrap(), None);
    }
    assert!(admin.describe_topic(&world.topic("alerts")).await.unwrap().is_some());
    assert_eq!(GroupOffsets::new(&world.cluster, &group).committed(None).await.unwrap().len(), 0);

    let run = world.run(&sql, &args);
    world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), &run).await;
    let log = run.stop().await;
    assert!(log.contains("CTAS_COUNTS_0: 100 records in"), "{log}");
    assert!(log.contains("CSAS_ALERTS_1: 0 records in"), "{log}");
    truth.is_covered(&world).await;
}
