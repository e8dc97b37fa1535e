//! Runs a case, and keeps all that it wrote.

use std::collections::BTreeMap;

use super::Failure;
use super::case::{Case, TopicSpec};
use super::encode;
use super::system::{FailureKind, Record, System, Systems};

/// Partitions of a topic that nobody gave a number for.
const PARTITIONS: i32 = 4;

/// What came of a case.
pub struct Observed {
    /// The engine, as the case left it; none where it did not even start.
    pub system: Option<Box<dyn System>>,
    /// What each topic holds, inputs included.
    pub topics: BTreeMap<String, Vec<Record>>,
    /// How it failed, if it did.
    pub failure: Option<Failure>,
}

/// Runs the statements of a case, then feeds its records to its queries.
pub fn observe(systems: &dyn Systems, case: &Case) -> Observed {
    let mut observed = Observed { system: None, topics: BTreeMap::new(), failure: None };
    match systems.start(&case.properties) {
        Ok(mut system) => {
            observed.failure = run(&mut *system, case, &mut observed.topics).err();
            observed.system = Some(system);
        }
        Err(failure) => observed.failure = Some(failure),
    }
    observed
}

fn run(
    system: &mut dyn System,
    case: &Case,
    topics: &mut BTreeMap<String, Vec<Record>>,
) -> Result<(), Failure> {
    create_topics(system, case)?;
    for (topic, record) in system.execute(&case.statements)? {
        topics.entry(topic).or_default().push(record);
    }
    if case.expected_error.is_none() && system.queries().is_empty() {
        return Err(Failure::new(FailureKind::Ksql, "the case makes no persistent query"));
    }
    let mut inputs = Vec::new();
    for input in &case.inputs {
        let source = system.source_on(&input.topic);
        let record = encode::record(system, source.as_ref(), input)?;
        topics.entry(input.topic.clone()).or_default().push(record.clone());
        inputs.push((&*input.topic, record));
    }
    for query in system.queries() {
        feed(system, &query, &inputs, topics)?;
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

/// Feeds a query: first the inputs of its topics in their order, then what other topics hold.
fn feed(
    system: &mut dyn System,
    query: &str,
    inputs: &[(&str, Record)],
    topics: &mut BTreeMap<String, Vec<Record>>,
) -> Result<(), Failure> {
    let sources = system.query_topics(query);
    let mut offsets: BTreeMap<String, i64> = BTreeMap::new();
    let mut pipe = |topic: &str, mut record: Record, topics: &mut BTreeMap<String, Vec<Record>>| {
        let next = offsets.entry(topic.to_owned()).or_default();
        record.offset = *next;
        *next += 1;
        let mut written = Vec::new();
        let piped = system.pipe(query, topic, &record, &mut written);
        for (topic, record) in written {
            topics.entry(topic).or_default().push(record);
        }
        piped
    };
    for (topic, record) in inputs.iter().filter(|(topic, _)| sources.iter().any(|s| s == topic)) {
        pipe(topic, record.clone(), topics)?;
    }
    let is_input = |topic: &str| inputs.iter().any(|(input, _)| *input == topic);
    for topic in sources.iter().filter(|topic| !is_input(topic)) {
        for record in topics.get(topic).cloned().unwrap_or_default() {
            pipe(topic, record, topics)?;
        }
    }
    Ok(())
}
