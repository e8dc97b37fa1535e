//! Runs a case, and keeps all that it wrote.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::case::Case;
use super::encode;
use super::failure::{Failure, FailureKind};
use super::system::{Given, Record, System};
use super::systems::Systems;
use super::topic_spec::TopicSpec;
use crate::java::{DEFAULT_CAPACITY, hash_code, hash_map_order};

/// Partitions of a topic that nobody gave a number for.
const PARTITIONS: i32 = 4;

/// How the records of a case reach its queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feed {
    /// What goes in at once.
    pub batches: Batches,
    /// Whether each query starts again in the middle.
    pub restarts: bool,
}

/// How consecutive records of a topic go into a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batches {
    /// One by one.
    Rows,
    /// As many at once as there are.
    Whole,
    /// As many at once as chance has it, which this number decides.
    Cut(u64),
}

impl Feed {
    /// Record by record.
    pub const ROWS: Self = Self { batches: Batches::Rows, restarts: false };

    /// As many consecutive records of a topic at once as there are.
    pub const WHOLE: Self = Self { batches: Batches::Whole, restarts: false };

    /// Record by record, to a query that starts again after half of them.
    pub const RESTARTED: Self = Self { batches: Batches::Rows, restarts: true };

    /// In batches that are cut anywhere; each number cuts them elsewhere.
    pub const fn cut(number: u64) -> Self {
        Self { batches: Batches::Cut(number), restarts: false }
    }
}

impl Batches {
    /// Whether a batch ends before this record of its topic.
    fn are_cut_before(self, topic: &str, offset: i64) -> bool {
        match self {
            Self::Rows => true,
            Self::Whole => false,
            // One border in three is cut, so that batches of one and of several records come in any mix.
            Self::Cut(number) => {
                let mut hasher = DefaultHasher::new();
                (number, topic, offset).hash(&mut hasher);
                hasher.finish().is_multiple_of(3)
            }
        }
    }
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
        if input.is_recorded {
            system.adopt_ids(&input.topic, &record, &case.recorded_schemas);
        }
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

/// The topics of the case, of its statements and of its records, in this order.
pub(super) fn topics_of(system: &dyn System, case: &Case) -> Vec<TopicSpec> {
    let of_records = case.inputs.iter().chain(&case.outputs);
    let of_records = of_records.map(|record| TopicSpec {
        name: record.topic.clone(),
        partitions: Some(PARTITIONS),
        ..TopicSpec::default()
    });
    let declared = system.declared_topics(&case.statements);
    let mut topics: Vec<TopicSpec> = Vec::new();
    for topic in case.topics.iter().cloned().chain(declared).chain(of_records) {
        if topics.iter().all(|known| known.name != topic.name) {
            topics.push(topic);
        }
    }
    topics
}

/// Makes the topics of a case.
pub(super) fn create_topics(system: &mut dyn System, case: &Case) -> Result<(), Failure> {
    let topics = topics_of(system, case);
    let declared = system.declared_topics(&case.statements);
    // They are made as a Java `HashMap` holds them, which shows in the ids of their schemas.
    let hashes: Vec<_> = topics.iter().map(|topic| hash_code(&topic.name)).collect();
    for index in hash_map_order(&hashes, DEFAULT_CAPACITY) {
        let topic = &topics[index];
        let declared = declared.iter().find(|declared| declared.name == topic.name);
        system.create_topic(topic)?;
        if let Some(rest) = declared.and_then(|declared| missing_side(topic, declared)) {
            system.create_topic(&rest)?;
        }
    }
    Ok(())
}

/// The side whose schema a statement declares, of a topic of which the case gives the schema of the other side alone.
fn missing_side(topic: &TopicSpec, declared: &TopicSpec) -> Option<TopicSpec> {
    let mut rest = TopicSpec { key_schema: None, value_schema: None, ..declared.clone() };
    match (&topic.key_schema, &topic.value_schema) {
        (Some(_), None) => rest.value_schema.clone_from(&declared.value_schema),
        (None, Some(_)) => rest.key_schema.clone_from(&declared.key_schema),
        _ => return None,
    }
    Some(rest)
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
            Some((last, batch))
                if last == topic && !feed.batches.are_cut_before(topic, record.offset) =>
            {
                batch.push(record);
            }
            _ => batches.push((topic.to_owned(), vec![record])),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of twelve consecutive records of a topic go into each batch.
    fn sizes(batches: Batches) -> Vec<usize> {
        let mut sizes: Vec<usize> = Vec::new();
        for offset in 0..12 {
            match sizes.last_mut() {
                Some(size) if !batches.are_cut_before("topic", offset) => *size += 1,
                _ => sizes.push(1),
            }
        }
        sizes
    }

    #[test]
    fn law_16_batches_are_whole_or_cut_anywhere() {
        assert_eq!(sizes(Batches::Rows), [1; 12]);
        assert_eq!(sizes(Batches::Whole), [12]);
        let cut: Vec<_> = (1..=3).map(|number| sizes(Batches::Cut(number))).collect();
        assert!(cut.iter().all(|sizes| sizes.len() > 1 && sizes.len() < 12), "{cut:?}");
        assert!(cut[0] != cut[1] && cut[1] != cut[2] && cut[0] != cut[2], "{cut:?}");
    }
}
