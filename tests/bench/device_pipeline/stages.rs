//! Where the time goes: the stages of the record path one after another, in one thread.
//!
//! It is the real code, called as a query's reader calls it, with a clock around each stage. A busy machine shows here:
//! the figures are time that passed, and only their proportions are to be trusted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use millstream::engine::{Properties, Services, headless};
use millstream::formats::{Decoder, Encoder, Role, Schemas};
use millstream::kafka::fetch::FetchedPartition;
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::operators::TopologyOptions;
use millstream::plan::{NodeId, Sink};
use millstream::runtime::live::QuerySpec;
use millstream::runtime::{
    CHUNK_ROWS, FaultRules, Layout, LayoutOptions, MaxIdle, OutputRecord, Placement, RawRecords,
    SeededRandom, SourceBatch, SourceReader, SourceRecords, Surrounded, Surroundings, Target,
    Tasks, clock,
};
use millstream::types::Arena;

use crate::readers;

/// How often aggregates are given away.
const FLUSH: Duration = Duration::from_secs(2);

/// Time by stage, in the order in which stages were first seen.
#[derive(Default)]
struct Stages(Vec<(String, Duration)>);

impl Stages {
    fn add(&mut self, name: &str, spent: Duration) {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, total)) => *total += spent,
            None => self.0.push((name.to_owned(), spent)),
        }
    }

    fn time<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let start = clock::instant();
        let result = work();
        self.add(name, start.elapsed());
        result
    }

    #[expect(clippy::print_stdout, reason = "the result goes to the process that asked")]
    fn print(&self, count: u64) {
        println!("  stages, ns a record (in one thread, time that passed)");
        for (name, spent) in &self.0 {
            println!("    {name:<24}{:>8.0}", spent.as_nanos() as f64 / count as f64);
        }
    }
}

/// Writes what a query gave to its sink once more, to tell what that costs of the query's time.
struct Again {
    decoder: Decoder,
    encoder: Encoder,
    columns: usize,
}

impl Again {
    fn new(spec: &QuerySpec) -> Result<Self> {
        let Sink { value_format, schema, topic, .. } = &spec.plan.sink;
        Ok(Self {
            decoder: Decoder::new(
                value_format,
                &schema.value,
                Role::Value,
                topic,
                &Schemas::default(),
            )?,
            encoder: Encoder::new(
                value_format,
                &schema.value,
                Role::Value,
                topic,
                &Schemas::default(),
            )?,
            columns: schema.value.len(),
        })
    }

    fn encode(&self, values: &[Option<&[u8]>], stages: &mut Stages) -> Result<()> {
        let arena = Arena::new();
        let decoded = self.decoder.decode(values, &vec![true; self.columns], &arena);
        let mut out = Vec::new();
        stages.time("of the queries: encode", || {
            (0..values.len()).try_for_each(|row| {
                out.clear();
                self.encoder.encode(&decoded.columns, row, &mut out).map(drop)
            })
        })?;
        Ok(())
    }
}

/// The path of one source and its queries.
struct Path {
    source: SourceReader,
    used: Vec<bool>,
    tasks: Vec<(QuerySpec, Tasks, Again)>,
    producer: Producer,
    random: SeededRandom,
    stages: Stages,
    flushed: Instant,
}

pub(crate) async fn run(broker: &str, count: u64, file: &str) -> Result<()> {
    let cluster = crate::cluster(broker)?;
    let text = std::fs::read_to_string(file)?;
    let specs =
        headless::prepare(&Services::of(&cluster), &text, &Properties::default(), &[]).await?;
    let mut path = Path::new(specs, Producer::new(&cluster))?;
    let fetcher = readers::fetcher(&cluster);
    let mut seen = 0;
    while seen < count {
        let start = clock::instant();
        let fetched = fetcher.poll(Duration::from_secs(1)).await?;
        path.stages.add("fetch (waiting)", start.elapsed());
        for fetched in &fetched {
            seen += path.process(fetched).await?;
        }
    }
    path.flush().await?;
    let start = clock::instant();
    path.producer.flush().await?;
    path.stages.add("produce", start.elapsed());
    path.stages.print(count);
    Ok(())
}

impl Path {
    fn new(specs: Vec<QuerySpec>, producer: Producer) -> Result<Self> {
        let source = SourceReader::new(specs[0].plan.leftmost_source().clone())?;
        let mut used = vec![false; source.frame().len()];
        let mut tasks = Vec::new();
        for spec in specs {
            for (used, is_used) in used.iter_mut().zip(spec.plan.used_columns(NodeId(0))) {
                *used |= is_used;
            }
            let options = LayoutOptions {
                topology: TopologyOptions {
                    cached_groups: spec.settings.cached_groups(),
                    emit_interval_ms: spec.settings.emit_interval_ms,
                },
                is_in_memory: true,
                partitioner: partition_for_key,
                max_idle: MaxIdle::Millis(0),
                placement: Placement::alone(),
            };
            let counts = spec.plan.partition_counts(|_, _| 3)?;
            let layout = Layout::new(spec.plan.clone(), &spec.id, counts, options);
            let task = Tasks::new(Arc::new(layout), 0)?;
            let again = Again::new(&spec)?;
            tasks.push((spec, task, again));
        }
        let (random, flushed) = (SeededRandom::new(1), clock::instant());
        Ok(Self { source, used, tasks, producer, random, stages: Stages::default(), flushed })
    }

    async fn process(&mut self, fetched: &FetchedPartition) -> Result<u64> {
        let start = clock::instant();
        let chunks = chunks(fetched)?;
        self.stages.add("walk", start.elapsed());
        for chunk in &chunks {
            self.process_chunk(chunk)?;
            self.send().await?;
        }
        if self.flushed.elapsed() >= FLUSH {
            self.flush().await?;
            let start = clock::instant();
            self.producer.flush().await?;
            self.stages.add("commit (waiting)", start.elapsed());
        }
        Ok(chunks.iter().map(|chunk| chunk.len() as u64).sum())
    }

    fn process_chunk(&mut self, chunk: &RawRecords<'_>) -> Result<()> {
        let Self { source, used, tasks, random, stages, .. } = self;
        let arena = Arena::new();
        let read = stages.time("decode", || source.read(chunk, used, &arena));
        for (spec, task, _) in tasks {
            let surroundings = surroundings(random);
            let records = SourceRecords { reader: source, records: chunk };
            let batch = SourceBatch { source: NodeId(0), read: &read, records, is_at_end: false };
            let surrounded = Surrounded { surroundings, arena: &arena };
            stages.time(&spec.id, || task.process(batch, surrounded))?;
        }
        Ok(())
    }

    /// Gives away what waits in caches.
    async fn flush(&mut self) -> Result<()> {
        let Self { tasks, random, stages, .. } = self;
        for (_, task, _) in tasks {
            stages.time("flush", || task.flush_all(surroundings(random)))?;
        }
        self.flushed = clock::instant();
        self.send().await
    }

    async fn send(&mut self) -> Result<()> {
        let start = clock::instant();
        for (spec, tasks, _) in &mut self.tasks {
            // Changelogs too: only the cost of sending counts here.
            let topic = spec.plan.sink.topic.as_str();
            for output in [&tasks.given.output, &tasks.given.changelog.written()?] {
                let records: Vec<_> = output.records().map(new_record).collect();
                self.producer.send_all(topic, &records).await?;
            }
        }
        self.stages.add("produce", start.elapsed());
        for (_, tasks, again) in &mut self.tasks {
            let sunk = tasks.given.output.records();
            let sunk = sunk.filter(|record| record.target == Target::Sink);
            let values: Vec<_> = sunk.map(|record| record.value).collect();
            again.encode(&values, &mut self.stages)?;
            tasks.given.clear();
        }
        Ok(())
    }
}

fn new_record(record: OutputRecord<'_>) -> (i32, NewRecord<'_>) {
    let partition = record.key.map_or(0, |key| partition_for_key(key, 1));
    (partition, NewRecord::new(record.timestamp_ms, record.key, record.value))
}

fn surroundings(random: &SeededRandom) -> Surroundings<'_> {
    Surroundings { now: clock::now(), random, fault_rules: FaultRules::default() }
}

fn chunks(fetched: &FetchedPartition) -> Result<Vec<RawRecords<'_>>> {
    let new = || RawRecords { partition: fetched.partition.partition, ..RawRecords::default() };
    let mut chunks = vec![new()];
    for record in fetched.records() {
        let record = record?;
        if chunks.last().is_none_or(|chunk| chunk.len() == CHUNK_ROWS) {
            chunks.push(new());
        }
        let Some(chunk) = chunks.last_mut() else { continue };
        chunk.offsets.push(record.offset);
        chunk.timestamps.push(record.timestamp);
        chunk.keys.push(record.key);
        chunk.values.push(record.value);
    }
    Ok(chunks)
}
