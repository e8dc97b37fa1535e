//! What must outlive a restart besides records: topics, offsets, transactions.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Event {
    Cluster { id: String },
    Topic { name: String, id: uuid::Uuid, partitions: i32, configs: BTreeMap<String, String> },
    TopicGone { name: String },
    Partitions { topic: String, count: i32 },
    Configs { topic: String, configs: BTreeMap<String, String> },
    LogStart { topic: String, partition: i32, offset: i64 },
    Offsets { group: String, offsets: Vec<(String, i32, Committed)> },
    OffsetGone { group: String, topic: String, partition: i32 },
    GroupGone { group: String },
    ProducerIds { next: i64 },
    Transaction { id: String, transaction: Transaction },
}

/// The offset that a group has committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Committed {
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) metadata: String,
}

/// The producer of one transactional id, and its transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
    pub(super) timeout_ms: i32,
    pub(super) state: State,
    pub(super) started_ms: i64,
    /// The producer id and the epoch whose transaction was ended last, if that gave the next epoch.
    #[serde(default)]
    pub(super) ended: Option<(i64, i16)>,
    pub(super) partitions: BTreeSet<(String, i32)>,
    /// The groups whose offsets belong to the transaction, with what is to be committed.
    pub(super) groups: BTreeMap<String, Vec<(String, i32, Committed)>>,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    Empty,
    Ongoing,
    /// Its end is decided (`true`: commit), and not all markers are written.
    Prepared(bool),
    Complete(bool),
}

impl State {
    /// Kafka's name for the state.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::Prepared(true) => "PrepareCommit",
            Self::Prepared(false) => "PrepareAbort",
            Self::Complete(true) => "CompleteCommit",
            Self::Complete(false) => "CompleteAbort",
        }
    }
}

impl Transaction {
    /// Opens the transaction if it is not open.
    pub(super) fn begin(&mut self, now: i64) {
        if self.state != State::Ongoing {
            self.state = State::Ongoing;
            self.started_ms = now;
        }
    }
}
