//! `PRINT`: the records of a topic as text, whatever they are written in.

use std::time::Duration;

use super::{HostError, Shared};
use crate::engine::RecordFormats;
use crate::formats::detected::{Manner, shown_time};
use crate::kafka::TopicPartition;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::fetch::{Fetched, Fetcher};
use crate::sql::ast::Print;

/// How much is read ahead of who looks at it.
const AHEAD_BYTES_MAX: usize = 1 << 20;

/// The records of a topic, as they come. The topic is read until this is dropped.
#[derive(Debug)]
pub struct Printing {
    fetcher: Fetcher,
    formats: RecordFormats,
    /// The formats as they were last told.
    told: (String, String),
    /// Every how many records one is shown.
    interval: u64,
    seen: u64,
    /// How many are still to be shown, if not all.
    left: Option<u64>,
}

/// What is shown of some records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// What the formats of keys and values may be, where that has changed.
    pub formats: Vec<String>,
    /// The records, a line each.
    pub lines: Vec<String>,
}

impl Printing {
    /// What comes next within a time, which may be nothing; `None` once all is shown that was asked for.
    pub async fn next(&mut self, within: Duration) -> Option<Result<Printed, HostError>> {
        if self.left == Some(0) {
            return None;
        }
        let fetched = self.fetcher.fetch(within).await;
        if let Err(error) = self.formats.learn_schemas(&fetched).await {
            return Some(Err(HostError::server(error.to_string())));
        }
        Some(self.shown(&fetched))
    }

    fn shown(&mut self, fetched: &Fetched) -> Result<Printed, HostError> {
        let mut printed = Printed::default();
        for part in &fetched.partitions {
            let partition = part.partition.partition;
            for record in part.records() {
                if self.left == Some(0) {
                    break;
                }
                let record = record.map_err(|error| HostError::server(error.to_string()))?;
                self.seen += 1;
                // As in ksqlDB, what is passed over tells nothing of the formats either.
                if !(self.seen - 1).is_multiple_of(self.interval) {
                    continue;
                }
                self.left = self.left.map(|left| left - 1);
                self.formats.look(&record);
                printed.lines.push(format!(
                    "rowtime: {}, key: {}, value: {}, partition: {partition}",
                    shown_time(record.timestamp),
                    self.formats.keys.show(record.key),
                    self.formats.values.show(record.value),
                ));
            }
        }
        if !printed.lines.is_empty() {
            self.tell_formats(&mut printed);
        }
        match fetched.problems.first() {
            Some(problem) => Err(problem.error.clone().into()),
            None => Ok(printed),
        }
    }

    fn tell_formats(&mut self, printed: &mut Printed) {
        let names = self.formats.names();
        if names.0 != self.told.0 {
            printed.formats.push(format!("Key format: {}", names.0));
        }
        if names.1 != self.told.1 {
            printed.formats.push(format!("Value format: {}", names.1));
        }
        self.told = names;
    }
}

/// A topic that there is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoTopic {
    /// The name that was asked for.
    pub name: String,
    /// The topics that are called so but for their case.
    pub alike: Vec<String>,
}

impl Shared {
    /// Begins to read a topic.
    pub(super) async fn print(
        &self,
        print: &Print,
    ) -> Result<Result<Printing, NoTopic>, HostError> {
        let topic = print.topic.text.as_str();
        let admin = Admin::new(&self.services.cluster);
        let topics = admin.list_topics().await?;
        if topics.iter().all(|found| *found.name != *topic) {
            let alike = topics.iter().map(|found| &*found.name);
            let alike = alike.filter(|name| name.eq_ignore_ascii_case(topic));
            let alike = alike.map(str::to_owned).collect();
            return Ok(Err(NoTopic { name: topic.to_owned(), alike }));
        }
        let interval = u64::try_from(print.interval).ok().filter(|interval| *interval > 0);
        let interval = interval.ok_or_else(|| {
            let given = print.interval;
            HostError::server(format!("INTERVAL must be greater than one, but was: {given}"))
        })?;
        let limit = print.limit.map(|limit| u64::try_from(limit).unwrap_or(0));
        let isolation = self.services.cluster.config().isolation;
        let from = if print.from_beginning { OffsetSpec::Earliest } else { OffsetSpec::Latest };
        let starts = admin.topic_offsets(topic, from, isolation).await?;
        let fetcher = Fetcher::with_options(&self.services.cluster, isolation, AHEAD_BYTES_MAX);
        let partitions = (0_i32..).map(|partition| TopicPartition::new(topic, partition));
        fetcher.assign(partitions.zip(starts));
        Ok(Ok(Printing {
            fetcher,
            formats: RecordFormats::new(Manner::Ksqldb, self.services.registry.clone()),
            told: Default::default(),
            interval,
            seen: 0,
            left: limit,
        }))
    }
}
