//! Nanoseconds a record of each layer of the record path, in memory and in one thread: batches walked, readings decoded,
//! an expression evaluated, aggregates updated.
//!
//! `cargo bench --bench layers [-- DEVICES [LAYER]]`; there are 12 devices unless another number is given, and all
//! layers are measured unless one is named, as for a profiler: `walk`, `decode`, or a query.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures wall-clock time")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use millstream::devices::{Pace, ReadingFormat, Readings};
use millstream::engine::{Engine, Known, PersistentQuery, Properties, Session, TopicShape};
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::records::{Batch, BatchBuilder, BatchOptions, HeadersRef, RawBatch};
use millstream::operators::TopologyOptions;
use millstream::plan::{NodeId, StoreKind};
use millstream::runtime::{
    FaultRules, Layout, LayoutOptions, MaxIdle, Placement, RawRecords, SeededRandom, SourceBatch,
    SourceReader, SourceRecords, Surrounded, Surroundings, Tasks, clock,
};
use millstream::sql;
use millstream::types::Arena;

const RECORDS: usize = 100_000;
const CHUNK_ROWS: usize = 1_000;
const ROUNDS: usize = 5;
const PACE: Pace = Pace { start_ms: 1_700_000_000_000, interval_us: 10_000 };

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let devices = args.first().and_then(|arg| arg.parse().ok()).unwrap_or(12);
    let wants = |layer: &str| args.get(1).is_none_or(|only| layer.contains(only.as_str()));
    let batches = batches(devices)?;
    println!("{RECORDS} readings of {devices} devices");
    if wants("walk") {
        measure("walk", || walk(&batches));
    }
    let chunks = chunks(&batches)?;
    let queries = queries()?;
    let source = SourceReader::new(queries[0].plan.leftmost_source().clone())?;
    let mut used = vec![false; source.frame().len()];
    for query in &queries {
        used.iter_mut()
            .zip(query.plan.used_columns(NodeId(0)))
            .for_each(|(used, new)| *used |= new);
    }
    if wants("decode") {
        measure("decode", || decode(&source, &used, &chunks));
    }
    for query in queries.iter().filter(|query| wants(&query.id)) {
        process(query, &source, &used, &chunks)?;
    }
    Ok(())
}

/// Readings as one partition holds them, a chunk in each batch.
fn batches(devices: u32) -> Result<Vec<Batch>> {
    let mut readings = Readings::new(1, devices.div_ceil(4), PACE);
    let mut batches = Vec::new();
    for start in (0..RECORDS).step_by(CHUNK_ROWS) {
        let mut builder = BatchBuilder::new();
        for reading in readings.by_ref().take(CHUNK_ROWS) {
            let value = ReadingFormat::Json.encode(&reading)?;
            builder.append(reading.arrival_ms, None, Some(&value), HeadersRef::EMPTY);
        }
        let options = BatchOptions { base_offset: start as i64, ..BatchOptions::default() };
        batches.push(RawBatch::parse(builder.finish(&options)?)?.open()?);
    }
    Ok(batches)
}

/// The queries of `device.sql`, the one of `transitions.sql` that gives away every change, and those of `over.sql` that read
/// readings.
fn queries() -> Result<Vec<Arc<PersistentQuery>>> {
    let device = include_str!("../../ksql/device.sql");
    let transitions = include_str!("../../ksql/transitions.sql");
    let mut queries = of_file(device)?;
    queries.extend(of_file(transitions)?.into_iter().take(1));
    let over = of_file(include_str!("../../ksql/over.sql"))?;
    queries.extend(over.into_iter().filter(|query| query.reads("DEVICE_READINGS_BY_ARRIVAL")));
    Ok(queries)
}

fn of_file(text: &str) -> Result<Vec<Arc<PersistentQuery>>> {
    let mut engine = Engine::new(Properties::default());
    let (mut session, mut known) = (Session::default(), Known::default());
    let parsed = sql::parse(text, &sql::ParseOptions::default());
    for statement in parsed.ok().context("the file does not parse")? {
        // Every topic exists.
        for name in engine.needs(&statement.statement, &session).topics.into_keys() {
            known.add_topic(name, TopicShape { partitions: 3, replicas: 1, retention_ms: None });
        }
        let number = engine.queries().len() as i64;
        engine.run(&statement, &mut session, &known, number)?;
    }
    Ok(engine.queries().to_vec())
}

fn walk(batches: &[Batch]) -> Duration {
    let start = Instant::now();
    for record in batches.iter().flat_map(|batch| batch.records()) {
        let _ = black_box(record);
    }
    start.elapsed()
}

fn chunks(batches: &[Batch]) -> Result<Vec<RawRecords<'_>>> {
    batches.iter().map(chunk).collect()
}

fn chunk(batch: &Batch) -> Result<RawRecords<'_>> {
    let mut chunk = RawRecords::default();
    for record in batch.records() {
        let record = record?;
        chunk.offsets.push(record.offset);
        chunk.timestamps.push(record.timestamp);
        chunk.keys.push(record.key);
        chunk.values.push(record.value);
    }
    Ok(chunk)
}

fn decode(source: &SourceReader, used: &[bool], chunks: &[RawRecords<'_>]) -> Duration {
    let start = Instant::now();
    for chunk in chunks {
        let arena = Arena::new();
        black_box(source.read(chunk, used, &arena).rows.len);
    }
    start.elapsed()
}

/// A whole query over decoded rows, its output encoded but not sent.
fn process(
    query: &PersistentQuery,
    source: &SourceReader,
    used: &[bool],
    chunks: &[RawRecords<'_>],
) -> Result<()> {
    let settings = millstream::engine::settings(&Properties::new(query.overrides.clone()))?;
    let options = LayoutOptions {
        topology: TopologyOptions {
            cached_groups: settings.cached_groups(),
            emit_interval_ms: settings.emit_interval_ms,
        },
        is_in_memory: true,
        partitioner: partition_for_key,
        // All records are those of one partition.
        max_idle: MaxIdle::Never,
        placement: Placement::alone(),
    };
    let random = SeededRandom::new(1);
    let counts = query.plan.partition_counts(|_, _| 3)?;
    let layout = Arc::new(Layout::new(query.plan.clone(), &query.id, counts, options));
    // Readings of another round would be such as have come before.
    let begins_anew = query.plan.stores().any(|(.., store)| store.kind == StoreKind::LastRows);
    let mut tasks = Tasks::new(Arc::clone(&layout), 0)?;
    let mut failure = None;
    let mut round = || -> Result<Duration> {
        let mut spent = Duration::ZERO;
        if begins_anew {
            tasks = Tasks::new(Arc::clone(&layout), 0)?;
        }
        for chunk in chunks {
            let arena = Arena::new();
            let read = source.read(chunk, used, &arena);
            let surroundings = Surroundings {
                now: clock::now(),
                random: &random,
                fault_rules: FaultRules::default(),
            };
            let start = Instant::now();
            let records = SourceRecords { reader: source, records: chunk };
            let batch = SourceBatch { source: NodeId(0), read: &read, records, is_at_end: false };
            tasks.process(batch, Surrounded { surroundings, arena: &arena })?;
            spent += start.elapsed();
            tasks.given.clear();
        }
        let surroundings =
            Surroundings { now: clock::now(), random: &random, fault_rules: FaultRules::default() };
        let start = Instant::now();
        tasks.flush_all(surroundings)?;
        spent += start.elapsed();
        tasks.given.clear();
        Ok(spent)
    };
    measure(&query.id, || round().map_err(|error| failure = Some(error)).unwrap_or_default());
    failure.map_or(Ok(()), Err)
}

/// Prints the best of some rounds.
fn measure(name: &str, mut round: impl FnMut() -> Duration) {
    let best = (0..ROUNDS).map(|_| round()).min().unwrap_or_default();
    println!("  {name:<32}{:>8.1} ns a record", best.as_nanos() as f64 / RECORDS as f64);
}
