//! Logs that are torn, damaged and compacted.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const TOPIC: TopicId = [7; 16];

/// What the logs here mirror.
fn mirrored(partition: i32) -> Mirrored {
    Mirrored { topic: TOPIC, store: "store".to_owned(), partition }
}

type Owned = (Vec<u8>, Option<Vec<u8>>, i64);

fn change(key: &str, value: Option<&str>, timestamp_ms: i64) -> Owned {
    (key.into(), value.map(Into::into), timestamp_ms)
}

fn append(log: &mut ChangeLog, changes: &[Owned]) {
    for (key, value, timestamp_ms) in changes {
        let value = value.as_deref();
        log.append(&Change { key, value, timestamp_ms: *timestamp_ms });
    }
}

fn mark(log: &mut ChangeLog, offset: i64) {
    log.write_mark(Mark { offset, at_ms: offset * 10 }).unwrap();
}

fn read(log: &ChangeLog) -> Vec<Owned> {
    let mut all = Vec::new();
    let count = log.read(|change| {
        all.push((change.key.to_vec(), change.value.map(<[u8]>::to_vec), change.timestamp_ms));
        Ok::<_, CheckpointError>(())
    });
    assert_eq!(count.unwrap(), all.len() as u64);
    all
}

fn rows(changes: &[Owned]) -> BTreeMap<Vec<u8>, (Vec<u8>, i64)> {
    let mut rows = BTreeMap::new();
    for (key, value, timestamp_ms) in changes {
        match value {
            Some(value) => drop(rows.insert(key.clone(), (value.clone(), *timestamp_ms))),
            None => drop(rows.remove(key)),
        }
    }
    rows
}

fn new_log() -> (TempDir, PathBuf, ChangeLog) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store.0.log");
    let (log, found) = ChangeLog::open(path.clone(), mirrored(0)).unwrap();
    assert_eq!((found, log.mark()), (Found::Nothing, None));
    (directory, path, log)
}

#[test]
fn a_log_is_what_stands_before_its_last_mark() {
    let (_directory, path, mut log) = new_log();
    let first = [change("a", Some("1"), 1), change("b", None, 2)];
    append(&mut log, &first);
    mark(&mut log, 2);
    append(&mut log, &[change("a", Some("2"), 3)]);
    log.write_out().unwrap();
    append(&mut log, &[change("c", Some(""), 4)]);
    assert!(log.has_changes());
    drop(log);
    let (mut log, found) = ChangeLog::open(path.clone(), mirrored(0)).unwrap();
    assert_eq!(found, Found::Whole(Mark { offset: 2, at_ms: 20 }));
    assert_eq!(read(&log), first);
    let more = [change("", Some("x"), 5)];
    append(&mut log, &more);
    mark(&mut log, 3);
    let (log, found) = ChangeLog::open(path, mirrored(0)).unwrap();
    assert_eq!(found, Found::Whole(Mark { offset: 3, at_ms: 30 }));
    assert_eq!(read(&log), [&first[..], &more].concat());
}

/// What a log holds up to a byte, and the offset of its mark there.
type Section = (usize, i64, Vec<Owned>);

/// The log that is torn and damaged, and its sections.
fn sections() -> (Vec<u8>, Vec<Section>) {
    let (_directory, path, mut log) = new_log();
    let mut all = Vec::new();
    let mut ends = Vec::new();
    for section in 0..3_i64 {
        let key = format!("key {section}");
        let changes =
            [change(&key, Some("value"), section), change("same", None, -section)].to_vec();
        append(&mut log, &changes);
        all.extend(changes);
        mark(&mut log, section + 1);
        ends.push((fs::metadata(&path).unwrap().len() as usize, section + 1, all.clone()));
    }
    append(&mut log, &[change("unmarked", Some("value"), 9)]);
    log.write_out().unwrap();
    (fs::read(path).unwrap(), ends)
}

fn check(bytes: &[u8], expected: Option<&Section>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    fs::write(&path, bytes).unwrap();
    let (log, found) = ChangeLog::open(path.clone(), mirrored(0)).unwrap();
    match expected {
        None => assert!(matches!(found, Found::Useless(_)), "{found:?}"),
        Some((end, offset, changes)) => {
            assert_eq!(found, Found::Whole(Mark { offset: *offset, at_ms: offset * 10 }));
            assert_eq!(&read(&log), changes);
            assert_eq!(fs::metadata(path).unwrap().len(), *end as u64);
        }
    }
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_off() {
    let (bytes, ends) = sections();
    for len in 0..=bytes.len() {
        check(&bytes[..len], ends.iter().rev().find(|(end, ..)| *end <= len));
    }
}

#[test]
fn a_damaged_byte_cuts_off_its_section_and_all_after_it() {
    let (bytes, ends) = sections();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        let is_header = at < mirrored(0).header_bytes() as usize;
        check(&damaged, ends.iter().rev().find(|(end, ..)| *end <= at && !is_header));
    }
}

#[test]
fn zeros_at_the_end_are_cut_off() {
    let (mut bytes, ends) = sections();
    bytes.resize(bytes.len() + 10_000, 0);
    check(&bytes, ends.last());
}

#[test]
fn a_topic_that_was_made_again_is_another() {
    let (_directory, path, mut log) = new_log();
    append(&mut log, &[change("a", Some("1"), 1)]);
    mark(&mut log, 1);
    let (log, found) = ChangeLog::open(path, Mirrored { topic: [8; 16], ..mirrored(0) }).unwrap();
    assert!(matches!(found, Found::Useless(cause) if cause.contains("made again")));
    assert_eq!(read(&log), []);
}

#[test]
fn logs_that_changed_places_are_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let of = |name: &str, partition| Mirrored { store: name.to_owned(), ..mirrored(partition) };
    let all = [of("a", 0), of("a", 1), of("b", 0), of("a-longer-name", 0)];
    let path = |at: &Mirrored| directory.path().join(format!("{}.{}", at.store, at.partition));
    for at in &all {
        let (mut log, _) = ChangeLog::open(path(at), at.clone()).unwrap();
        append(&mut log, &[change(&at.store, Some("1"), 1)]);
        mark(&mut log, 1);
    }
    for (one, other) in all.iter().flat_map(|one| all.iter().map(move |other| (one, other))) {
        let copied = directory.path().join("copied");
        fs::copy(path(one), &copied).unwrap();
        let (log, found) = ChangeLog::open(copied, other.clone()).unwrap();
        if one == other {
            assert_eq!(found, Found::Whole(Mark { offset: 1, at_ms: 10 }));
        } else {
            assert!(matches!(found, Found::Useless(cause) if cause.contains("another store")));
            assert_eq!(read(&log), []);
        }
    }
}

#[test]
fn a_log_that_was_taken_away_is_an_error() {
    let (directory, path, mut log) = new_log();
    fs::remove_dir_all(directory.path()).unwrap();
    append(&mut log, &[change("a", Some("1"), 1)]);
    let error = log.write_mark(Mark { offset: 1, at_ms: 1 }).unwrap_err();
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}

#[test]
fn windows_older_than_is_kept_are_forgotten() {
    let (_directory, path, mut log) = new_log();
    let all = [change("older", Some("0"), 99), change("old", Some("1"), 100)];
    append(&mut log, &all);
    append(&mut log, &[change("new", Some("2"), 1_000)]);
    mark(&mut log, 2);
    let mut forget_before = |before_ms| {
        let forgetting =
            Forgetting { time_of: |change| change.timestamp_ms, keep_ms: 500, before_ms };
        let compacted = log.compaction_now(Some(forgetting)).unwrap().run().unwrap();
        assert!(log.adopt(&compacted).unwrap());
        read(&log)
    };
    // What is still needed stays, however old it is.
    assert_eq!(
        forget_before(100),
        [change("old", Some("1"), 100), change("new", Some("2"), 1_000)]
    );
    assert_eq!(forget_before(i64::MAX), [change("new", Some("2"), 1_000)]);
    let (log, _) = ChangeLog::open(path, mirrored(0)).unwrap();
    assert_eq!(read(&log), [change("new", Some("2"), 1_000)]);
}

#[test]
fn only_a_long_log_is_compacted_and_only_at_a_mark() {
    let (_directory, path, mut log) = new_log();
    let large = "x".repeat(1 << 20);
    for offset in 1..=4 {
        assert!(log.compaction(None).is_none());
        append(&mut log, &[change("a", Some(&large), offset)]);
        assert!(log.compaction_now(None).is_none());
        mark(&mut log, offset);
    }
    let compaction = log.compaction(None).unwrap();
    append(&mut log, &[change("b", Some("1"), 6)]);
    let compacted = compaction.run().unwrap();
    assert!(!log.adopt(&compacted).unwrap());
    mark(&mut log, 6);
    assert!(log.adopt(&compacted).unwrap());
    assert!(fs::metadata(&path).unwrap().len() < 2 << 20);
    assert!(log.compaction(None).is_none());
    let expected = [change("a", Some(&large), 4), change("b", Some("1"), 6)];
    assert!(read(&log) == expected);
    let (log, found) = ChangeLog::open(path, mirrored(0)).unwrap();
    assert_eq!(found, Found::Whole(Mark { offset: 6, at_ms: 60 }));
    assert!(read(&log) == expected);
}

proptest! {
    #[test]
    fn compaction_keeps_the_latest_of_each_key_and_no_tombstone(
        before in changes(), meanwhile in changes(), after in changes(),
    ) {
        let (_directory, path, mut log) = new_log();
        append(&mut log, &before);
        mark(&mut log, 1);
        let compaction = log.compaction_now(None).unwrap();
        append(&mut log, &meanwhile);
        mark(&mut log, 2);
        let compacted = compaction.run().unwrap();
        prop_assert!(log.adopt(&compacted).unwrap());
        let expected = [&before[..], &meanwhile].concat();
        prop_assert_eq!(rows(&read(&log)), rows(&expected));
        let kept = &read(&log)[..rows(&before).len()];
        prop_assert!(kept.iter().all(|(_, value, _)| value.is_some()));
        prop_assert_eq!(rows(kept), rows(&before));
        append(&mut log, &after);
        mark(&mut log, 3);
        let (log, found) = ChangeLog::open(path, mirrored(0)).unwrap();
        prop_assert_eq!(found, Found::Whole(Mark { offset: 3, at_ms: 30 }));
        prop_assert_eq!(rows(&read(&log)), rows(&[&expected[..], &after].concat()));
    }
}

fn changes() -> impl Strategy<Value = Vec<Owned>> {
    let value = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..8));
    proptest::collection::vec(("[a-d]".prop_map(String::into_bytes), value, any::<i64>()), 0..24)
}

#[test]
fn a_directory_is_for_one_process_and_one_plan() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDirectory::open(root.path(), "app_").unwrap();
    let error = StateDirectory::open(root.path(), "app_").unwrap_err();
    assert_eq!(error, CheckpointError::InUse { path: root.path().join("app_") });
    StateDirectory::open(root.path(), "other_").unwrap();
    let query = state.query("CTAS_A_0", "f00d");
    assert_eq!(query.claim().unwrap(), Claim::New);
    let log = query.log("Store", 3);
    fs::write(&log, "log").unwrap();
    assert_eq!(query.claim().unwrap(), Claim::Own);
    let error = state.query("CTAS_A_0", "beef").claim().unwrap_err().to_string();
    assert!(error.contains("plan f00d") && error.contains("plan beef"), "{error}");
    fs::create_dir(root.path().join("app_/CTAS_B_1")).unwrap();
    let copied = root.path().join("app_/CTAS_B_1/query");
    fs::copy(query.path().join("query"), &copied).unwrap();
    let error = state.query("CTAS_B_1", "f00d").claim().unwrap_err().to_string();
    assert!(error.contains("CTAS_A_0") && error.contains("CTAS_B_1"), "{error}");
    assert!(log.exists());
    let replacement = state.query("CTAS_A_0", "beef").replacing(true);
    assert_eq!(replacement.claim().unwrap(), Claim::Replaced);
    assert!(!log.exists());
    assert_eq!(replacement.claim().unwrap(), Claim::Own);
    assert!(state.query("CTAS_B_1", "f00d").replacing(true).claim().is_err());
    drop(state);
    StateDirectory::open(root.path(), "app_").unwrap();
}

#[test]
fn a_damaged_owner_is_nobody_and_no_other() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDirectory::open(root.path(), "app_").unwrap();
    let query = state.query("CTAS_A_0", "f00d");
    query.claim().unwrap();
    let (file, log) = (query.path().join("query"), query.log("Store", 0));
    let intact = fs::read(&file).unwrap();
    for at in 0..intact.len() {
        for bit in 0..8 {
            let mut damaged = intact.clone();
            damaged[at] ^= 1 << bit;
            fs::write(&file, &damaged).unwrap();
            fs::write(&log, "log").unwrap();
            assert_eq!(query.claim(), Ok(Claim::Unknown), "bit {bit} of byte {at}");
            assert!(!log.exists() && fs::read(&file).unwrap() == intact);
        }
        fs::write(&file, &intact[..at]).unwrap();
        fs::write(&log, "log").unwrap();
        assert_eq!(query.claim(), Ok(Claim::Unknown), "cut at {at}");
    }
}

#[test]
fn a_directory_that_nobody_owns_loses_its_logs() {
    let root = tempfile::tempdir().unwrap();
    let state = StateDirectory::open(root.path(), "").unwrap();
    let query = state.query("../`a/b`", "f00d");
    assert_eq!(query.path().parent(), Some(root.path().join("%0").as_path()));
    for text in ["", "format 1\nservice \nquery ../`a/b`\n", "format 2\nx\n"] {
        query.claim().unwrap();
        fs::write(query.log("Store", 0), "log").unwrap();
        fs::write(query.path().join("query"), text).unwrap();
        assert_eq!(query.claim().unwrap(), Claim::Unknown);
        assert!(!query.log("Store", 0).exists());
        assert_eq!(query.claim().unwrap(), Claim::Own);
    }
}
