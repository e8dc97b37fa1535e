//! The same input gives the same rows, however many workers there are and however they are scheduled (law F 6).
//!
//! A random query over a random backlog runs on workers that exist in name only: which of them does what next is
//! random too. The tasks of each run are those of the product, and so are the ways between them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;
mod told;
mod world;

use std::collections::BTreeMap;

use millstream::kafka::partitioner::partition_for_key;
use millstream::runtime::DriverRecord;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use program::{Program, TOPICS, program};
use world::{Backlog, Outcome, Produced, Schedule, run};

/// Records for all topics: few keys, times that jump a little, NULLs, rows that are gone, bad bytes.
/// Streams have no records without a value, which end some queries.
fn backlog() -> impl Strategy<Value = Backlog> {
    let key = prop::option::weighted(0.95, 0..6_u8);
    let value = prop_oneof![
        1 => Just(None),
        1 => Just(Some("{bad".to_owned())),
        12 => (prop::option::weighted(0.9, 0..5_u8), 0..9_i32).prop_map(|(group, number)| {
            let group = group.map_or("null".to_owned(), |group| format!("\"k{group}\""));
            Some(format!("{{\"G\":{group},\"N\":{number}}}"))
        }),
    ];
    let records = prop::collection::vec((key, value, 0..2_500_i64), 0..50);
    (1..4_i32, [records.clone(), records.clone(), records.clone(), records]).prop_map(
        |(partitions, topics)| {
            let topics = TOPICS.iter().zip(topics).map(|(topic, records)| {
                let mut all = vec![Vec::new(); partitions as usize];
                let is_table = matches!(*topic, "t" | "u");
                for (at, (key, value, jitter)) in records.into_iter().enumerate() {
                    if value.is_none() && !is_table {
                        continue;
                    }
                    let key = key.map(|key| format!("k{key}").into_bytes());
                    let partition = match &key {
                        Some(key) => partition_for_key(key, partitions),
                        None => at as i32 % partitions,
                    };
                    all[partition as usize].push(DriverRecord {
                        key,
                        value: value.map(String::into_bytes),
                        timestamp_ms: at as i64 * 400 + jitter,
                        headers: Vec::new(),
                    });
                }
                (*topic, all)
            });
            Backlog(topics.collect())
        },
    )
}

fn choices() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 7..60)
}

/// Each topic in order.
fn by_topic(records: Vec<Produced>) -> BTreeMap<(String, i32), Vec<Produced>> {
    let mut all: BTreeMap<_, Vec<Produced>> = BTreeMap::new();
    for record in records {
        all.entry((record.topic.clone(), record.partition)).or_default().push(record);
    }
    all
}

/// What all give together: each partition of a changelog and each key of a table in order, as each is
/// one task's. Rows of a stream may come from several, so they have no order.
fn ordered(program: &Program, outcome: Outcome) -> BTreeMap<(String, i32), Vec<Produced>> {
    let mut all = by_topic(outcome.produced.into_iter().flatten().collect());
    if let Some(sink) = all.get_mut(&("sink".to_owned(), -1)) {
        if program.sql.starts_with("CREATE TABLE") {
            sink.sort_by(|one, other| one.key.cmp(&other.key));
        } else {
            sink.sort();
        }
    }
    all
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(200))]

    /// Each task gives the same rows, one after the other, whatever happens when.
    #[test]
    fn law_6_each_task_gives_the_same_rows(
        program in program(), backlog in backlog(), one in choices(), other in choices(),
    ) {
        let run = |choices| run(&program, &backlog, &Schedule { workers: None, choices });
        let (one, other) = (run(one), run(other));
        prop_assert_eq!(one.skipped, other.skipped);
        prop_assert_eq!(&one.log, &other.log);
        // Tasks that ask each other run on one worker, where nothing tells their rows apart.
        if one.is_together {
            prop_assert_eq!(ordered(&program, one), ordered(&program, other));
        } else {
            for (one, other) in one.produced.into_iter().zip(other.produced) {
                prop_assert_eq!(by_topic(one), by_topic(other));
            }
        }
    }

    /// And so does the query as a whole, on one, two and four workers.
    #[test]
    fn law_6_one_two_and_four_workers_give_the_same(
        program in program(), backlog in backlog(), choices in choices(),
    ) {
        let run = |workers| run(&program, &backlog, &Schedule { workers, choices: choices.clone() });
        let alone = ordered(&program, run(Some(1)));
        for workers in [Some(2), Some(4), None] {
            let several = ordered(&program, run(workers));
            prop_assert_eq!(&alone, &several, "{:?} workers", workers);
        }
    }
}

proptest! {
    #![proptest_config(config(200))]

    /// What is said of a record that was skipped is true of it, wherever its row was by then.
    #[test]
    fn skipped_records_are_named(
        program in prop_oneof![program(), Just(late_program())],
        backlog in backlog(), choices in choices(), workers in prop::option::of(1..4_usize),
    ) {
        let outcome = run(&program, &backlog, &Schedule { workers, choices });
        for told in &outcome.told {
            told::check(&program, &backlog, told).map_err(TestCaseError::fail)?;
        }
    }
}

/// A program that some records come too late for, once they have a new key.
fn late_program() -> Program {
    let sql = "CREATE TABLE sink AS SELECT g, COUNT(*) AS c FROM r
        WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 0 SECONDS) GROUP BY g EMIT CHANGES;";
    Program { sql: sql.to_owned(), cached_groups: 0, kept: None }
}

/// Not every random program may be empty-handed.
#[test]
fn programs_give_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut given = 0;
    for _ in 0..50 {
        let (program, backlog): (Program, Backlog) =
            (program(), backlog()).new_tree(&mut runner).unwrap().current();
        let outcome =
            run(&program, &backlog, &Schedule { workers: Some(2), choices: vec![1, 2, 3] });
        given += usize::from(outcome.produced.iter().any(|records| !records.is_empty()));
    }
    assert!(given > 25, "only {given} of 50 programs gave a row");
}
