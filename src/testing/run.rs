//! Runs a case, and keeps all that it wrote.

use std::collections::BTreeMap;

use super::Failure;
use super::case::{Case, TopicSpec};
use super::encode;
use super::system::{FailureKind, Given, Record, System, Systems};

/// Partitions of a topic that nobody gave a number for.
const PARTITIONS: i32 = 4;

/// How the records of a case reach its queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// How many consecutive records of a topic go in as one batch, at most.
    pub batch_records_max: usize,
    /// Whether each query starts again in the middle.
    pub restarts: bool,
}

impl Feed {
    /// Record by record.
    pub const ROWS: Self = Self { batch_records_max: 1, restarts: false };

    /// As many consecutive records of a topic at once as there are.
    pub const BATCHES: Self = Self { batch_records_max: usize::MAX, restarts: false };

    /// Record by record, to a query that starts again after half of them.
    pub const RESTARTED: Self = Self { batch_records_max: 1, restarts: true };
}

/// What came of a case.
#[derive(Default)]
pub struct Observed {
    /// The engine, as the case left it; none where it did not even start.
    pub system: Option<Box<dyn System>>,
    /// What each topic holds, inputs included.
    pub topics: BTreeMap<String, Vec<Record>>,
    /// What each changelog holds.
    pub changelogs: BTreeMap<String, Vec<Record>>,
    /// The processing log.
    pub log: Vec<String>,
    /// How it failed, if it did.
    pub failure: Option<Failure>,
}

impl Observed {
    fn add(&mut self, given: Given) {
        for (topic, record) in given.written {
            self.topics.entry(topic).or_default().push(record);
        }
        for (store, record) in given.stored {
            self.changelogs.entry(store).or_default().push(record);
        }
        self.log.extend(given.logged);
    }
}

/// Runs the statements of a case, then feeds its records to its queries.
pub fn observe(systems: &dyn Systems, case: &Case, feed: Feed) -> Observed {
    let mut observed = Observed::default();
    match systems.start(&case.properties) {
        Ok(mut system) => {
            observed.failure = run(&mut *system, case, feed, &mut observed).err();
            observed.system = Some(system);
        }
        Err(failure) => observed.failure = Some(failure),
    }
    observed
}

fn run(
    system: &mut dyn System,
    case: &Case,
    feed: Feed,
    observed: &mut Observed,
) -> Result<(), Failure> {
    create_topics(system, case)?;
    let written = system.execute(&case.statements)?;
    observed.add(Given { written, ..Given::default() });
    if case.expected_error.is_none() && system.queries().is_empty() {
        return Err(Failure::new(FailureKind::Ksql, "the case makes no persistent query"));
    }
    let mut inputs = Vec::new();
    for input in &case.inputs {
        let source = system.source_on(&input.topic);
        let record = encode::record(system, source.as_ref(), input)?;
        observed.topics.entry(input.topic.clone()).or_default().push(record.clone());
        inputs.push((&*input.topic, record));
    }
    for query in system.queries() {
        let batches = batches(system, &query, &inputs, feed, &observed.topics);
        let middle = batches.len() / 2;
        for (at, (topic, batch)) in batches.into_iter().enumerate() {
            if feed.restarts && at == middle {
                system.restart(&query, &observed.changelogs)?;
            }
            let mut given = Given::default();
            let piped = system.pipe(&query, &topic, &batch, &mut given);
            observed.add(given);
            piped?;
        }
    }
    Ok(())
}

/// Makes the topics of the case, of its statements and of its records, in this order.
fn create_topics(system: &mut dyn System, case: &Case) -> Result<(), Failure> {
    let mut known: Vec<String> = Vec::new();
    let of_records = case.inputs.iter().chain(&case.outputs);
    let of_records = of_records.map(|record| TopicSpec {
        name: record.topic.clone(),
        partitions: Some(PARTITIONS),
        ..TopicSpec::default()
    });
    let declared = system.declared_topics(&case.statements);
    for topic in case.topics.iter().cloned().chain(declared).chain(of_records) {
        if !known.contains(&topic.name) {
            system.create_topic(&topic)?;
            known.push(topic.name);
        }
    }
    Ok(())
}

/// What a query is fed: first the inputs of its topics in their order, then what other topics hold.
fn batches(
    system: &dyn System,
    query: &str,
    inputs: &[(&str, Record)],
    feed: Feed,
    topics: &BTreeMap<String, Vec<Record>>,
) -> Vec<(String, Vec<Record>)> {
    let sources = system.query_topics(query);
    let is_input = |topic: &str| inputs.iter().any(|(input, _)| *input == topic);
    let first = inputs.iter().filter(|(topic, _)| sources.iter().any(|source| source == topic));
    let first = first.map(|(topic, record)| (*topic, record));
    let others = sources.iter().filter(|topic| !is_input(topic)).flat_map(|topic| {
        topics.get(topic).into_iter().flatten().map(|record| (topic.as_str(), record))
    });
    let mut offsets: BTreeMap<&str, i64> = BTreeMap::new();
    let mut batches: Vec<(String, Vec<Record>)> = Vec::new();
    for (topic, record) in first.chain(others) {
        let next = offsets.entry(topic).or_default();
        let record = Record { offset: *next, ..record.clone() };
        *next += 1;
        match batches.last_mut() {
            Some((last, batch)) if last == topic && batch.len() < feed.batch_records_max => {
                batch.push(record);
            }
            _ => batches.push((topic.to_owned(), vec![record])),
        }
    }
    batches
}
