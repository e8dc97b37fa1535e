//! Logs that mirror changelogs, and what they forget.

use super::*;
use crate::operators::Clocks;
use crate::runtime::live::checkpoint::{CheckpointDirectory, CommitMarks};

#[test]
fn a_log_belongs_to_a_changelog_that_it_lies_within_and_that_still_has_its_tombstones() {
    let misfit = |offset, at_ms| misfit(Mark { offset, at_ms }, (10, 20), 1_000, 500);
    assert_eq!(misfit(10, 900), None);
    assert_eq!(misfit(20, 501), None);
    assert!(misfit(9, 900).is_some_and(|cause| cause.contains("begins at 10")));
    assert!(misfit(21, 900).is_some_and(|cause| cause.contains("ends at 20")));
    assert!(misfit(20, 500).is_some_and(|cause| cause.contains("tombstones")));
    assert!(misfit(20, 1_500).is_some_and(|cause| cause.contains("tombstones")));
}

fn directory(root: &Path) -> CheckpointDirectory {
    let directory = StateDirectory::open(root, "app_").unwrap();
    CheckpointDirectory::new(Arc::new(directory), "CTAS_A_0", "f00d")
}

fn changelog() -> Changelog {
    Changelog {
        topic: "A-changelog".to_owned(),
        store: "A".to_owned(),
        kind: StoreKind::Aggregate,
        retention_ms: None,
        is_final: false,
        id: [1; 16],
        kept_ms: i64::MAX,
        tombstones_ms: 1_000,
        extents: BTreeMap::from([(0, (0, i64::MAX))]),
    }
}

fn changelogs() -> Arc<[Changelog]> {
    Arc::new([changelog()])
}

const MINUTE_MS: i64 = 60_000;

/// That of windows of a minute.
fn windows(is_final: bool) -> Changelog {
    let (kind, retention_ms) = (StoreKind::WindowAggregate, Some(MINUTE_MS));
    Changelog { kind, retention_ms, is_final, ..changelog() }
}

/// Closed windows were given up to this minute.
fn given_to(minute: i64) -> ShardClocks {
    let emitted_to = Some(minute * MINUTE_MS);
    let clocks = Clocks { emitted_to, ..Clocks::default() };
    ShardClocks { store: StoreId(0), partition: Partition(0), clocks }
}

async fn commit(checkpoint: &mut Checkpoint, value: &[u8], offset: i64) {
    let change = Change { key: b"key", value: Some(value), timestamp_ms: offset };
    commit_change(checkpoint, &change, offset, &[]).await;
}

async fn commit_change(
    checkpoint: &mut Checkpoint,
    change: &Change<'_>,
    offset: i64,
    clocks: &[ShardClocks],
) {
    checkpoint.append((0, 0), change).unwrap();
    let marks = CommitMarks { at_ms: 0, offsets: vec![((0, 0), offset)] };
    checkpoint.commit(marks, clocks).await.unwrap();
}

#[tokio::test]
async fn a_log_is_compacted_while_it_is_written_and_opened_again_meanwhile() {
    let root = tempfile::tempdir().unwrap();
    let directory = directory(root.path());
    let mut checkpoint = directory.open(&changelogs(), 0).await.unwrap();
    // The last of these makes the log longer than what is worth to be compacted.
    for offset in 1..=4 {
        commit(&mut checkpoint, &vec![b'x'; 1 << 20], offset).await;
    }
    assert!(checkpoint.compacting.is_some());
    drop(checkpoint);
    let mut checkpoint = directory.open(&changelogs(), 0).await.unwrap();
    assert_eq!(checkpoint.positions().next(), Some(((0, 0), 4)));
    let log = root.path().join("app_/CTAS_A_0/A.0.log");
    let mut offset = 4;
    while std::fs::metadata(&log).unwrap().len() > 2 << 20 {
        offset += 1;
        commit(&mut checkpoint, b"small", offset).await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    drop(checkpoint);
    let checkpoint = directory.open(&changelogs(), 0).await.unwrap();
    assert_eq!(checkpoint.positions().next(), Some(((0, 0), offset)));
}

/// The key of a window's change.
fn window_key(minute: i64) -> Vec<u8> {
    [b"key", &(minute * MINUTE_MS).to_be_bytes()[..], &[0; 4]].concat()
}

/// Commits a change of a window, in whose minute a row came last.
async fn commit_window(checkpoint: &mut Checkpoint, minute: i64, clocks: &[ShardClocks]) {
    let (key, value) = (window_key(minute), vec![b'x'; 100_000]);
    let timestamp_ms = minute * MINUTE_MS;
    let change = Change { key: &key, value: Some(&value), timestamp_ms };
    commit_change(checkpoint, &change, minute, clocks).await;
    while checkpoint.compacting.as_ref().is_some_and(|under_way| !under_way.compacted.is_finished())
    {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// The minutes of the windows in a log, once nothing is left to be compacted.
async fn minutes(
    root: &Path,
    changelogs: &Arc<[Changelog]>,
    mut checkpoint: Checkpoint,
) -> Vec<i64> {
    while let Some(compacting) = checkpoint.compacting.take() {
        let (store, partition) = compacting.at;
        let compacted = compacting.compacted.await.unwrap().unwrap();
        checkpoint.stores[store][partition].adopt(&compacted).unwrap();
    }
    drop(checkpoint);
    let checkpoint = directory(root).open(changelogs, 0).await.unwrap();
    let mut minutes = Vec::new();
    let read = checkpoint.stores[0][0].read(|change| {
        minutes.push(change.timestamp_ms / MINUTE_MS);
        Ok::<_, CheckpointError>(())
    });
    read.unwrap();
    minutes
}

#[tokio::test]
async fn a_log_of_windows_keeps_no_more_than_may_be_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let changelogs: Arc<[Changelog]> = Arc::new([windows(false)]);
    let mut checkpoint = directory(root.path()).open(&changelogs, 0).await.unwrap();
    // Below four megabytes nothing is compacted; all of them are eighteen.
    for minute in 1..=180 {
        commit_window(&mut checkpoint, minute, &[]).await;
    }
    let minutes = minutes(root.path(), &changelogs, checkpoint).await;
    assert!(minutes.len() < 90 && minutes.ends_with(&[178, 179, 180]), "{minutes:?}");
}

#[tokio::test]
async fn windows_that_are_closed_and_not_given_stay_in_the_log() {
    let root = tempfile::tempdir().unwrap();
    let changelogs: Arc<[Changelog]> = Arc::new([windows(true)]);
    let mut checkpoint = directory(root.path()).open(&changelogs, 0).await.unwrap();
    let clocks = [given_to(10)];
    for minute in 1..=180 {
        commit_window(&mut checkpoint, minute, &clocks).await;
    }
    let kept = minutes(root.path(), &changelogs, checkpoint).await;
    let not_given: Vec<_> = (10..=180).collect();
    assert!(kept.ends_with(&not_given), "{kept:?}");
    // Once they are given they go.
    let mut checkpoint = directory(root.path()).open(&changelogs, 0).await.unwrap();
    let clocks = [given_to(540)];
    for minute in 181..=540 {
        commit_window(&mut checkpoint, minute, &clocks).await;
    }
    let kept = minutes(root.path(), &changelogs, checkpoint).await;
    assert!(kept.len() < 360 && kept.ends_with(&[538, 539, 540]), "{kept:?}");
}

#[test]
fn changes_go_by_the_time_that_stands_in_their_key() {
    let key = [&[7; 5][..], &1_000_i64.to_be_bytes(), &2_000_i64.to_be_bytes()].concat();
    let change = Change { key: &key, value: None, timestamp_ms: 3_000 };
    assert_eq!(time_of(StoreKind::SessionAggregate)(&change), 1_000);
    assert_eq!(time_of(StoreKind::JoinWindow)(&change), 3_000);
    let key = [&[7; 5][..], &1_000_i64.to_be_bytes(), &[0; 4]].concat();
    assert_eq!(time_of(StoreKind::WindowAggregate)(&Change { key: &key, ..change }), 1_000);
    assert_eq!(time_of(StoreKind::WindowAggregate)(&Change { key: &[1], ..change }), 3_000);
}
