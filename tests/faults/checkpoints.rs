//! State on disk: only the end of a changelog is read again, and what does not belong is not used.

use std::fs;
use std::path::{Path, PathBuf};

use millstream::kafka::admin::Admin;

use crate::restarts::{ALERTS, COUNTS, Truth, statements};
use crate::support::{PARTITIONS, Run, World};

/// A world with a source topic, and a directory for state.
async fn start(name: &str) -> (World, tempfile::TempDir, Truth) {
    let world = World::start(name).await;
    world.create(&world.topic("in"), PARTITIONS).await;
    (world, tempfile::tempdir().unwrap(), Truth::default())
}

fn run(world: &World, directory: &Path) -> Run {
    run_statements(world, directory, &statements(world))
}

fn run_statements(world: &World, directory: &Path, sql: &str) -> Run {
    world.run(sql, &["--state-dir", directory.to_str().unwrap()])
}

/// Sends several times, each time after the queries have committed what was there.
async fn send(world: &World, truth: &mut Truth, run: &Run, times: usize) {
    for _ in 0..times {
        truth.send(world, 100).await;
        world.wait_for_level(&[COUNTS, ALERTS], &world.topic("in"), run).await;
    }
}

/// How many records of changelogs were to be read.
fn restored(log: &str) -> usize {
    let counts = log.split("restoring up to ").skip(1);
    counts.map(|rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

/// The logs of the table of counts.
fn logs(world: &World, directory: &Path) -> Vec<PathBuf> {
    let query = directory.join(&world.name).join(COUNTS);
    let files = fs::read_dir(query).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "log")).collect()
}

async fn changelog_records(world: &World) -> usize {
    let group = world.group(COUNTS);
    world.read(&format!("{group}-Aggregate-Aggregate-Materialize-changelog")).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_only_the_end_of_a_changelog_is_read() {
    let (world, directory, mut truth) = start("local").await;
    let first = run(&world, directory.path());
    send(&world, &mut truth, &first, 5).await;
    first.kill();
    let records = changelog_records(&world).await;
    assert!(records >= 5 * 17, "{records}");
    let mut second = run(&world, directory.path());
    second.wait_for("is running", 2).await;
    // The last commit may have had no time to be marked: it is one record for each device.
    let log = second.log();
    assert!(log.contains(&format!("restoring query {COUNTS} from")), "{log}");
    assert!(restored(&log) <= 17, "{log}");
    send(&world, &mut truth, &second, 1).await;
    second.stop().await;
    truth.is_exact(&world).await;
    let mut third = run(&world, directory.path());
    third.wait_for("is running", 2).await;
    assert_eq!(restored(&third.stop().await), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_or_deleted_comes_from_the_changelog() {
    let (world, directory, mut truth) = start("damaged").await;
    let first = run(&world, directory.path());
    send(&world, &mut truth, &first, 2).await;
    first.stop().await;
    let records = changelog_records(&world).await;
    for log in logs(&world, directory.path()) {
        let bytes = fs::read(&log).unwrap();
        fs::write(&log, &bytes[..bytes.len().min(50)]).unwrap();
    }
    let second = run(&world, directory.path());
    send(&world, &mut truth, &second, 1).await;
    let log = second.stop().await;
    assert!(log.contains("is read in full") && restored(&log) == records, "{log}");
    truth.is_exact(&world).await;
    fs::remove_dir_all(directory.path().join(&world.name)).unwrap();
    let third = run(&world, directory.path());
    send(&world, &mut truth, &third, 1).await;
    assert!(restored(&third.stop().await) > records);
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_refused_to_a_second_process_and_to_another_plan() {
    let (world, directory, mut truth) = start("refused").await;
    let first = run(&world, directory.path());
    send(&world, &mut truth, &first, 1).await;
    let mut second = run(&world, directory.path());
    assert_eq!(second.code().await, 1);
    let used = directory.path().join(&world.name).display().to_string();
    let log = second.log();
    assert!(log.contains(&used) && log.contains("in use by another process"), "{log}");
    first.stop().await;
    // With its offsets the statement would be refused before it comes to its directory.
    let admin = Admin::new(&world.cluster);
    let group = world.group(COUNTS);
    admin.delete_group(&group).await.unwrap();
    let changelog = format!("{group}-Aggregate-Aggregate-Materialize-changelog");
    admin.delete_topic(&changelog).await.unwrap();
    let changed = statements(&world).replace("GROUP BY", "WHERE x > 0.2 GROUP BY");
    let mut other = run_statements(&world, directory.path(), &changed);
    other.wait_for("has failed for good", 1).await;
    let log = other.stop().await;
    assert!(log.contains(&used) && log.contains("restore the statement"), "{log}");
    assert_eq!(log.matches(&format!("query {COUNTS} of service {}", world.name)).count(), 2);
    let third = run(&world, directory.path());
    send(&world, &mut truth, &third, 1).await;
    third.stop().await;
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_checkpoint_goes_on_where_another_instance_took_over() {
    let (world, directory, mut truth) = start("old").await;
    let state_dir = ["--state-dir", directory.path().to_str().unwrap()];
    let mut first = world.run_restless(&statements(&world), &state_dir);
    send(&world, &mut truth, &first, 2).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut second = run(&world, elsewhere.path());
    second.wait_for("stands by", 2).await;
    first.wait_for("is running", 2).await;
    first.kill();
    send(&world, &mut truth, &second, 2).await;
    second.stop().await;
    let mut third = run(&world, directory.path());
    third.wait_for("is running", 2).await;
    let read = restored(&third.log());
    assert!((2 * 17..changelog_records(&world).await).contains(&read), "{}", third.log());
    send(&world, &mut truth, &third, 1).await;
    third.stop().await;
    truth.is_exact(&world).await;
}

/// How often a text is in a log.
fn count(log: &str, text: &str) -> usize {
    log.matches(text).count()
}

const WITHOUT: &str = "without a local checkpoint";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_directory_queries_run_all_the_same() {
    let (world, directory, mut truth) = start("unusable").await;
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let service = directory.path().join(&world.name);
    fs::create_dir(&service).unwrap();
    fs::write(service.join(COUNTS), "").unwrap();
    for (root, named, says) in [
        (&*file, file.as_path(), "queries go on without local checkpoints"),
        (directory.path(), &service.join(COUNTS), WITHOUT),
    ] {
        let run = run(&world, root);
        send(&world, &mut truth, &run, 1).await;
        let log = run.stop().await;
        assert!(log.contains(&format!("local state {}", named.display())), "{log}");
        assert_eq!((count(&log, says), count(&log, "has failed")), (1, 0), "{log}");
    }
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_go_while_it_runs_stop_no_query() {
    let (world, directory, mut truth) = start("gone").await;
    let first = run(&world, directory.path());
    send(&world, &mut truth, &first, 1).await;
    let query = directory.path().join(&world.name).join(COUNTS);
    fs::remove_dir_all(&query).unwrap();
    send(&world, &mut truth, &first, 3).await;
    let log = first.stop().await;
    assert!(log.contains(&format!("query {COUNTS}: local state {}", query.display())), "{log}");
    assert_eq!((count(&log, WITHOUT), count(&log, "has failed")), (1, 0), "{log}");
    let second = run(&world, directory.path());
    send(&world, &mut truth, &second, 1).await;
    assert_eq!(logs(&world, directory.path()).len(), PARTITIONS as usize);
    second.stop().await;
    truth.is_exact(&world).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_no_query() {
    let (world, directory, mut truth) = start("full").await;
    let first = run(&world, directory.path());
    send(&world, &mut truth, &first, 2).await;
    // From here on, whatever is written to this log finds no room.
    let logs = logs(&world, directory.path());
    fs::remove_file(&logs[0]).unwrap();
    std::os::unix::fs::symlink("/dev/full", &logs[0]).unwrap();
    send(&world, &mut truth, &first, 3).await;
    let log = first.stop().await;
    let says_so = format!("query {COUNTS}: local state {}: No space left", logs[0].display());
    assert!(log.contains(&says_so), "{log}");
    assert_eq!((count(&log, WITHOUT), count(&log, "has failed")), (1, 0), "{log}");
    // A start finds it as full.
    let second = run(&world, directory.path());
    send(&world, &mut truth, &second, 2).await;
    let log = second.stop().await;
    assert!(log.contains(&says_so), "{log}");
    assert_eq!((count(&log, WITHOUT), count(&log, "has failed")), (1, 0), "{log}");
    // Once there is room again, what the others lack is read.
    fs::remove_file(&logs[0]).unwrap();
    let third = run(&world, directory.path());
    send(&world, &mut truth, &third, 1).await;
    assert_eq!(count(&third.stop().await, WITHOUT), 0);
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_owner_is_no_other_statement() {
    let (world, directory, mut truth) = start("flipped").await;
    let first = run(&world, directory.path());
    send(&world, &mut truth, &first, 2).await;
    first.stop().await;
    let file = directory.path().join(&world.name).join(COUNTS).join("query");
    let mut text = fs::read(&file).unwrap();
    let plan = text.windows(5).position(|bytes| bytes == b"plan ").unwrap();
    text[plan + 7] ^= 1;
    fs::write(&file, text).unwrap();
    let records = changelog_records(&world).await;
    let second = run(&world, directory.path());
    send(&world, &mut truth, &second, 1).await;
    let log = second.stop().await;
    assert!(log.contains("nobody can say whose it was"), "{log}");
    assert_eq!((restored(&log), count(&log, "has failed")), (records, 0), "{log}");
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_that_changed_places_are_not_believed() {
    let (world, directory, mut truth) = start("swapped").await;
    let first = run(&world, directory.path());
    send(&world, &mut truth, &first, 2).await;
    first.stop().await;
    let logs = logs(&world, directory.path());
    let aside = directory.path().join("aside");
    fs::rename(&logs[0], &aside).unwrap();
    fs::rename(&logs[1], &logs[0]).unwrap();
    fs::rename(&aside, &logs[1]).unwrap();
    let second = run(&world, directory.path());
    send(&world, &mut truth, &second, 1).await;
    let log = second.stop().await;
    assert_eq!(count(&log, "it is that of another store or partition"), 2, "{log}");
    truth.is_exact(&world).await;
}
