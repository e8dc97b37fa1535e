//! The records of a topic as they are, with their places and headers, from wherever somebody wants to look.

use std::time::Duration;

use super::{Host, HostError};
use crate::engine::RecordFormats;
use crate::formats::detected::Manner;
use crate::kafka::TopicPartition;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::fetch::{Fetched, Fetcher};
use crate::kafka::records::RecordRef;

/// How much is read ahead of who looks at it.
const AHEAD_BYTES_MAX: usize = 1 << 20;

/// From where on records are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailFrom {
    /// The first record of each partition.
    Earliest,
    /// What comes from now on.
    Latest,
    /// This offset of each partition, or as near to it as its records are.
    Offset(i64),
    /// The first record of each partition with this time or a later one, in milliseconds since 1970; what comes from now on where
    /// there is none.
    Time(i64),
}

/// A record, decoded as far as can be guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailedRecord {
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Its time, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its key; of windowed keys also the window.
    pub key: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// Its headers, in order.
    pub headers: Vec<(String, Option<String>)>,
}

/// The records of a topic. It is read until this is dropped.
#[derive(Debug)]
pub struct Tailing {
    fetcher: Fetcher,
    formats: RecordFormats,
}

impl Tailing {
    /// What comes next within a time, which may be nothing.
    pub async fn next(&mut self, within: Duration) -> Result<Vec<TailedRecord>, HostError> {
        let fetched = self.fetcher.fetch(within).await;
        let learnt = self.formats.learn_schemas(&fetched).await;
        learnt.map_err(|error| HostError::server(error.to_string()))?;
        self.records(&fetched)
    }

    fn records(&mut self, fetched: &Fetched) -> Result<Vec<TailedRecord>, HostError> {
        let mut records = Vec::new();
        for part in &fetched.partitions {
            for record in part.records() {
                let record = record.map_err(|error| HostError::server(error.to_string()))?;
                self.formats.look(&record);
                records.push(self.record(part.partition.partition, &record));
            }
        }
        match fetched.problems.first() {
            Some(problem) => Err(problem.error.clone().into()),
            None => Ok(records),
        }
    }

    fn record(&self, partition: i32, record: &RecordRef<'_>) -> TailedRecord {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = record.headers.iter();
        TailedRecord {
            partition,
            offset: record.offset,
            timestamp_ms: record.timestamp,
            key: record.key.map(|key| self.formats.keys.show(Some(key))),
            value: record.value.map(|value| self.formats.values.show(Some(value))),
            headers: headers.map(|header| (text(header.key), header.value.map(text))).collect(),
        }
    }
}

impl Host {
    /// Begins to read a topic; nothing if there is none of this name.
    pub async fn tail(&self, topic: &str, from: TailFrom) -> Result<Option<Tailing>, HostError> {
        let services = &self.shared.services;
        let admin = Admin::new(&services.cluster);
        if admin.list_topics().await?.iter().all(|found| *found.name != *topic) {
            return Ok(None);
        }
        let isolation = services.cluster.config().isolation;
        let offsets = |spec| admin.topic_offsets(topic, spec, isolation);
        let starts = match from {
            TailFrom::Earliest => offsets(OffsetSpec::Earliest).await?,
            TailFrom::Latest => offsets(OffsetSpec::Latest).await?,
            TailFrom::Offset(wanted) => {
                let first = offsets(OffsetSpec::Earliest).await?;
                let next = offsets(OffsetSpec::Latest).await?;
                let bounds = first.into_iter().zip(next);
                bounds.map(|(first, next)| wanted.min(next).max(first)).collect()
            }
            TailFrom::Time(at) => {
                let next = offsets(OffsetSpec::Latest).await?;
                let found = offsets(OffsetSpec::At(at)).await?;
                let found = found.into_iter().zip(next);
                found.map(|(found, next)| if found < 0 { next } else { found }).collect()
            }
        };
        let fetcher = Fetcher::with_options(&services.cluster, isolation, AHEAD_BYTES_MAX);
        let partitions = (0_i32..).map(|partition| TopicPartition::new(topic, partition));
        fetcher.assign(partitions.zip(starts));
        let formats = RecordFormats::new(Manner::Readable, services.registry.clone());
        Ok(Some(Tailing { fetcher, formats }))
    }
}
