//! A pipeline and what is promised of its topics.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::compare::{multiset, sequence, without_sequence, without_time};
use super::record::{Partitions, Record, Shape, read_recorded, read_topic};
use super::run::{Run, Topic, run};

/// How a pipeline runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Rows are re-keyed through repartition topics, and two workers run the tasks.
    Topics,
    /// Rows are re-keyed in memory, and so many workers run the tasks.
    Memory(usize),
}

impl Mode {
    /// All of them.
    pub(crate) const ALL: [Self; 4] =
        [Self::Topics, Self::Memory(1), Self::Memory(2), Self::Memory(4)];

    /// How many workers there are.
    pub(crate) fn workers(self) -> usize {
        match self {
            Self::Topics => 2,
            Self::Memory(workers) => workers,
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|mode| *mode == self).unwrap()
    }
}

/// Recorded statements and their input. Each mode runs once, for all tests.
pub(crate) struct Pipeline {
    /// The folder of its recording.
    pub(crate) name: &'static str,
    /// The file of its input.
    pub(crate) input: &'static str,
    /// The topic that the input goes to.
    pub(crate) source: &'static str,
    /// How many partitions the source topic has.
    pub(crate) partitions: i32,
    /// What is set besides what is set for all.
    pub(crate) properties: &'static [(&'static str, &'static str)],
    /// Whether a record of the input stops all queries, so that they never come to its end.
    pub(crate) stops: bool,
    runs: [OnceLock<Result<Run, String>>; Mode::ALL.len()],
}

impl Pipeline {
    pub(crate) const fn new(name: &'static str, input: &'static str, source: &'static str) -> Self {
        let runs = [const { OnceLock::new() }; Mode::ALL.len()];
        Self { name, input, source, partitions: 1, properties: &[], stops: false, runs }
    }

    pub(crate) const fn with(
        mut self,
        properties: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.properties = properties;
        self
    }

    pub(crate) const fn over(mut self, partitions: i32) -> Self {
        self.partitions = partitions;
        self
    }

    pub(crate) const fn stopping(mut self) -> Self {
        self.stops = true;
        self
    }

    pub(crate) fn topic(&self, mode: Mode, name: &str) -> &Topic {
        let result = self.runs[mode.index()].get_or_init(|| run(self, mode));
        let run = result.as_ref().unwrap_or_else(|error| panic!("{mode:?}: {error}"));
        run.get(name).unwrap_or_else(|| {
            panic!("{mode:?}: there is no topic {name} among {:?}", run.keys().collect::<Vec<_>>())
        })
    }

    /// The records of a topic are those that were recorded, in order, as `form` shows them.
    fn same_in(&self, mode: Mode, name: &str, form: impl Fn(Record) -> Record) {
        let found = self.topic(mode, name);
        let expected = read_topic(self.name, name, found.records.len());
        for (partition, (expected, found)) in expected.into_iter().zip(&found.records).enumerate() {
            let expected: Vec<_> = expected.into_iter().map(&form).collect();
            let found: Vec<_> = found.iter().cloned().map(&form).collect();
            sequence(&format!("{mode:?}: {name}-{partition}"), &expected, &found);
        }
    }

    /// A topic holds what was recorded, byte for byte and in order.
    pub(crate) fn same(&self, name: &str) {
        for mode in Mode::ALL {
            self.same_in(mode, name, |record| record);
        }
    }

    /// A repartition topic of a query holds what was recorded.
    pub(crate) fn same_repartition(&self, query: &str) {
        let name = format!("{}-Aggregate-GroupBy-repartition", application(query));
        self.same_in(Mode::Topics, &name, |record| record);
    }

    /// The changelog of a query's aggregate holds what was recorded, `SEQ` aside.
    pub(crate) fn same_changelog(&self, query: &str) {
        self.same_changelog_as(query, without_sequence);
    }

    /// The same, where `form` takes out `SEQ`.
    pub(crate) fn same_changelog_as(&self, query: &str, form: impl Fn(Record) -> Record) {
        let name = format!("{}-Aggregate-Aggregate-Materialize-changelog", application(query));
        for mode in Mode::ALL {
            self.same_in(mode, &name, &form);
        }
    }

    /// A topic begins with what was recorded.
    pub(crate) fn begins(&self, name: &str) {
        for mode in Mode::ALL {
            let found = &self.topic(mode, name).records[0];
            let expected = read_topic(self.name, name, 1).remove(0);
            let found = &found[..expected.len().min(found.len())];
            sequence(&format!("{mode:?}: {name}"), &expected, found);
        }
    }

    /// The changelog of a query's aggregate is where what was recorded begins.
    pub(crate) fn begins_changelog(&self, query: &str) {
        let name = format!("{}-Aggregate-Aggregate-Materialize-changelog", application(query));
        for mode in Mode::ALL {
            let found = &self.topic(mode, &name).records[0];
            let mut expected = read_topic(self.name, &name, 1).remove(0);
            assert!(found.len() <= expected.len(), "{mode:?}: {name} is longer than recorded");
            expected.truncate(found.len());
            sequence(&format!("{mode:?}: {name}"), &expected, found);
        }
    }

    /// The last record of each key, deleted ones aside, is that which was recorded.
    pub(crate) fn same_last_rows(&self, name: &str) {
        let last = |records: Vec<Record>| {
            let by_key: BTreeMap<_, _> =
                records.into_iter().map(|record| (record.key.clone(), record)).collect();
            let left = by_key.into_values().filter(|record| record.value.is_some());
            left.collect::<Vec<_>>()
        };
        let expected = last(read_topic(self.name, &format!("{name}.final"), 1).remove(0));
        for mode in Mode::ALL {
            let found = last(self.topic(mode, name).records[0].clone());
            sequence(&format!("{mode:?}: last rows of {name}"), &expected, &found);
        }
    }

    /// Keyed records stand in their partitions in order; those without a key anywhere.
    pub(crate) fn same_by_partition(&self, name: &str) {
        let split = |all: Partitions| {
            let keyed = |records: &Vec<Record>| {
                records.iter().filter(|record| record.key.is_some()).cloned().collect::<Vec<_>>()
            };
            let by_partition: Vec<_> = all.iter().map(keyed).collect();
            let free = all.into_iter().flatten().filter(|record| record.key.is_none());
            (by_partition, free.collect::<Vec<_>>())
        };
        for mode in Mode::ALL {
            let topic = self.topic(mode, name);
            let (keyed, free) = split(read_topic(self.name, name, topic.records.len()));
            let (found_keyed, found_free) = split(topic.records.clone());
            for (partition, (expected, found)) in keyed.iter().zip(&found_keyed).enumerate() {
                sequence(&format!("{mode:?}: {name}-{partition}"), expected, found);
            }
            multiset(&format!("{mode:?}: {name} without keys"), &free, &found_free);
        }
    }

    /// The processing log holds what was recorded, in any order and at any time. Entries of
    /// `left_out` queries are not looked for.
    pub(crate) fn same_log(&self, left_out: &[&str]) {
        let name = "default_ksql_processing_log";
        let is_wanted = |record: &Record| {
            let value = String::from_utf8_lossy(record.value.as_deref().unwrap_or_default());
            !left_out.iter().any(|query| value.contains(&format!("processing.{query}.")))
        };
        for mode in Mode::ALL {
            let entries = |all: Partitions| {
                let wanted = all.into_iter().flatten().filter(is_wanted);
                wanted.map(without_time).collect::<Vec<_>>()
            };
            let expected = entries(read_topic(self.name, name, 1));
            let found = entries(self.topic(mode, name).records.clone());
            multiset(&format!("{mode:?}: {name}"), &expected, &found);
        }
    }

    /// All topics have the partitions and configurations that were recorded, and no topic is missing. A changelog may be kept
    /// longer, as what was recorded is old, and internal topics may be told to take records from any time ahead: nothing else
    /// of a topic is not as ksqlDB has it.
    pub(crate) fn same_shapes(&self) {
        for mode in Mode::ALL {
            let mut faults = Vec::new();
            for (name, expected) in read_recorded(self.name).topics {
                if mode != Mode::Topics && name.ends_with("-repartition") {
                    continue;
                }
                let found =
                    as_ksqldb_has_it(&name, &expected, self.topic(mode, &name).shape.clone());
                if found != expected {
                    faults.push(format!("{name}\n  expected {expected:?}\n  found    {found:?}"));
                }
            }
            assert!(faults.is_empty(), "{mode:?}\n{}", faults.join("\n"));
        }
    }
}

/// What was found of an internal topic, but with what was recorded where ours is meant to be another.
fn as_ksqldb_has_it(topic: &str, expected: &Shape, mut found: Shape) -> Shape {
    let is_changelog = topic.ends_with("-changelog");
    if !is_changelog && !topic.ends_with("-repartition") {
        return found;
    }
    found.configs_set_on_topic.remove("message.timestamp.after.max.ms");
    let kept_ms =
        |shape: &Shape| shape.configs_set_on_topic.get("retention.ms")?.parse::<i64>().ok();
    if let (true, Some(recorded), Some(kept)) = (is_changelog, kept_ms(expected), kept_ms(&found))
        && kept >= recorded
    {
        found.configs_set_on_topic.insert("retention.ms".to_owned(), recorded.to_string());
    }
    found
}

fn application(query: &str) -> String {
    format!("_confluent-ksql-default_query_{query}")
}
