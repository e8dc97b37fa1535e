//! How two topics can differ, and what was found of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::record::{Placed, Record};

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// A topic is there on one side alone.
    Topic,
    /// The topics have unequal numbers of partitions.
    PartitionCount,
    /// The topics are cleaned up in different ways.
    CleanupPolicy,
    /// A registered schema is another one, or there on one side alone.
    Schema,
    /// The records of a key are the same, in another order.
    Order,
    /// A record lies in another partition.
    Partition,
    /// One side deletes a row where the other one has it.
    Tombstone,
    /// The value.
    Value,
    /// The timestamp.
    Timestamp,
    /// The value of a header.
    HeaderValue,
    /// The names of the headers, or how many there are.
    Headers,
    /// Ours has a record that the other side lacks.
    OnlyOurs,
    /// The other side has a record that ours lacks.
    OnlyTheirs,
    /// Ours has a key that the other side lacks.
    KeyOnlyOurs,
    /// The other side has a key that ours lacks.
    KeyOnlyTheirs,
    /// The last record of a key.
    FinalRow,
}

impl DifferenceKind {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Topic => "topic missing",
            Self::PartitionCount => "partition count",
            Self::CleanupPolicy => "cleanup policy",
            Self::Schema => "schema",
            Self::Order => "order",
            Self::Partition => "partition",
            Self::Tombstone => "tombstone",
            Self::Value => "value",
            Self::Timestamp => "timestamp",
            Self::HeaderValue => "header value",
            Self::Headers => "headers",
            Self::OnlyOurs => "record only ours",
            Self::OnlyTheirs => "record only theirs",
            Self::KeyOnlyOurs => "key only ours",
            Self::KeyOnlyTheirs => "key only theirs",
            Self::FinalRow => "final row",
        }
    }
}

impl fmt::Display for DifferenceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A record of an input, by which others came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The record.
    pub record: Arc<Record>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{} at offset {}", self.topic, self.partition, self.offset)
    }
}

/// The first difference between two topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// Which record of its key it is, counted from 1; 0 where records have no order.
    pub number: usize,
    /// Our record.
    pub ours: Option<Placed>,
    /// Theirs.
    pub theirs: Option<Placed>,
    /// The record of the input that made ours.
    pub input: Option<Origin>,
    /// What differs in words, where it is not the records.
    pub note: String,
}

/// What was found about a pair of topics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many records we have.
    pub ours: usize,
    /// How many they have.
    pub theirs: usize,
    /// How many records are the same on both sides, by a rule that says that they have to be.
    pub equal: usize,
    /// How many differences of each kind there are.
    pub different: BTreeMap<DifferenceKind, usize>,
    /// How many records no rule speaks of, of the side that has more of them.
    pub open: usize,
    /// Why.
    pub reasons: Vec<String>,
    /// The first difference.
    pub first: Option<Difference>,
}

impl Comparison {
    /// Whether there is a difference.
    pub fn is_different(&self) -> bool {
        !self.different.is_empty()
    }

    /// Whether something could not be compared.
    pub fn is_open(&self) -> bool {
        self.open > 0 || !self.reasons.is_empty()
    }

    /// Adds a difference.
    pub fn differs(&mut self, difference: Difference) {
        *self.different.entry(difference.kind).or_default() += 1;
        self.first.get_or_insert(difference);
    }

    /// Adds a difference that is in no record.
    pub fn differs_in(&mut self, kind: DifferenceKind, note: String) {
        let of_topic = Difference { kind, number: 0, ours: None, theirs: None, input: None, note };
        self.differs(of_topic);
    }

    /// Adds records that no rule speaks of.
    pub fn leaves_open(&mut self, records: usize, reason: &str) {
        self.open += records;
        if !self.reasons.iter().any(|known| known == reason) {
            self.reasons.push(reason.to_owned());
        }
    }
}
