//! The transactions of producers: ids and epochs, what is open, and how it ends.
//!
//! All partitions are this broker's and lie behind one lock, so that a transaction ends in one step: the markers are
//! written and the offsets committed before anyone looks. `Prepared` is noted first, so that a restart in between
//! finishes the work.
use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::error::ResponseError;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::core::Core;
use super::journal::{Committed, Event};
use crate::kafka::records::BatchHeader;

/// The longest time that a transaction may ask to stay open, as in Kafka.
pub(super) const TIMEOUT_MAX_MS: i32 = 900_000;
/// The most transactional ids that are remembered.
const TRANSACTIONS_MAX: usize = 100_000;

/// All transactional producers.
#[derive(Default)]
pub(super) struct Transactions {
    by_id: BTreeMap<String, Transaction>,
    pub(super) next_producer_id: i64,
}

/// The producer of one transactional id, and its transaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
    pub(super) timeout_ms: i32,
    pub(super) state: State,
    pub(super) started_ms: i64,
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

/// The producer that asks: its transactional id, producer id and epoch.
pub(super) struct Asking<'a> {
    pub(super) id: &'a str,
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
}

impl Transactions {
    /// Takes what the journal holds.
    pub(super) fn set(&mut self, id: String, transaction: Transaction) {
        self.by_id.insert(id, transaction);
    }

    /// The transaction of an id.
    pub(super) fn get(&self, id: &str) -> Option<&Transaction> {
        self.by_id.get(id)
    }

    /// All transactions, by id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Transaction)> {
        self.by_id.iter()
    }

    /// The transaction of a producer that is neither unknown nor fenced.
    pub(super) fn of(&mut self, producer: &Asking<'_>) -> Result<&mut Transaction, ResponseError> {
        let transaction =
            self.by_id.get_mut(producer.id).ok_or(ResponseError::InvalidProducerIdMapping)?;
        if transaction.producer_id != producer.producer_id {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        if transaction.epoch != producer.epoch {
            return Err(ResponseError::ProducerFenced);
        }
        Ok(transaction)
    }

    /// Checks that a batch belongs to an open transaction that knows of the partition.
    pub(super) fn check_write(
        &self,
        batch: &BatchHeader,
        topic: &str,
        partition: i32,
    ) -> Result<(), ResponseError> {
        let own =
            self.by_id.values().find(|transaction| transaction.producer_id == batch.producer_id);
        let own = own.ok_or(ResponseError::InvalidProducerIdMapping)?;
        if batch.producer_epoch != own.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        let added =
            own.partitions.iter().any(|(name, number)| name == topic && *number == partition);
        if own.state == State::Ongoing && added {
            Ok(())
        } else {
            Err(ResponseError::InvalidTxnState)
        }
    }

    /// Keeps offsets of a group until the transaction ends.
    pub(super) fn stage(&mut self, id: &str, group: &str, offsets: Vec<(String, i32, Committed)>) {
        let Some(transaction) = self.by_id.get_mut(id) else { return };
        let staged = transaction.groups.entry(group.to_owned()).or_default();
        for (topic, partition, committed) in offsets {
            staged.retain(|(name, number, _)| *name != topic || *number != partition);
            staged.push((topic, partition, committed));
        }
    }

    /// Whether an open transaction has offsets of this partition for the group.
    pub(super) fn has_pending(&self, group: &str, topic: &str, partition: i32) -> bool {
        let pending = self.by_id.values().filter_map(|transaction| transaction.groups.get(group));
        pending.flatten().any(|(of, at, _)| of == topic && *at == partition)
    }

    /// Takes a topic's partitions out of all transactions.
    pub(super) fn forget_topic(&mut self, name: &str) {
        for transaction in self.by_id.values_mut() {
            transaction.partitions.retain(|(topic, _)| topic != name);
            transaction
                .groups
                .values_mut()
                .for_each(|offsets| offsets.retain(|(topic, ..)| topic != name));
        }
    }

    /// The ids whose transactions have been open for too long.
    fn overdue(&self, now: i64) -> Vec<String> {
        let overdue = |transaction: &Transaction| {
            transaction.state == State::Ongoing
                && now - transaction.started_ms > i64::from(transaction.timeout_ms)
        };
        self.by_id
            .iter()
            .filter(|(_, transaction)| overdue(transaction))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// What the journal must hold.
    pub(super) fn events(&self) -> impl Iterator<Item = Event> {
        let next = Event::ProducerIds { next: self.next_producer_id };
        let note = |(id, transaction): (&String, &Transaction)| Event::Transaction {
            id: id.clone(),
            transaction: transaction.clone(),
        };
        std::iter::once(next).chain(self.by_id.iter().map(note))
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

impl Core {
    /// A producer id that was never given before.
    pub(super) fn new_producer_id(&mut self) -> i64 {
        let id = self.transactions.next_producer_id;
        self.transactions.next_producer_id += 1;
        self.journal.note(&Event::ProducerIds { next: self.transactions.next_producer_id });
        id
    }

    /// Gives the producer of a transactional id its producer id and epoch, and fences the one before.
    ///
    /// A producer that names its id and `epoch` has met an error, and asks for the next epoch.
    pub(super) fn init_producer(
        &mut self,
        id: &str,
        timeout_ms: i32,
        current: Option<(i64, i16)>,
        now: i64,
    ) -> Result<(i64, i16), ResponseError> {
        if !(1..=TIMEOUT_MAX_MS).contains(&timeout_ms) {
            return Err(ResponseError::InvalidTransactionTimeout);
        }
        let Some(known) = self.transactions.by_id.get(id) else {
            if self.transactions.by_id.len() >= TRANSACTIONS_MAX {
                return Err(ResponseError::PolicyViolation);
            }
            return Ok(self.first_epoch(id, timeout_ms));
        };
        let (producer_id, epoch) = (known.producer_id, known.epoch);
        match current {
            // The answer to the bump before was lost.
            Some((own, own_epoch))
                if own == producer_id
                    && own_epoch == epoch - 1
                    && known.state != State::Ongoing =>
            {
                return Ok((producer_id, epoch));
            }
            Some(own) if own != (producer_id, epoch) => return Err(ResponseError::ProducerFenced),
            _ => {}
        }
        if known.state == State::Ongoing {
            self.end_transaction(id, false, true, now)?;
        }
        let Some(transaction) =
            self.transactions.by_id.get_mut(id).filter(|known| known.epoch < i16::MAX - 1)
        else {
            return Ok(self.first_epoch(id, timeout_ms));
        };
        transaction.epoch += 1;
        transaction.timeout_ms = timeout_ms;
        transaction.state = State::Empty;
        let given = (transaction.producer_id, transaction.epoch);
        self.note_transaction(id);
        Ok(given)
    }

    fn first_epoch(&mut self, id: &str, timeout_ms: i32) -> (i64, i16) {
        let producer_id = self.new_producer_id();
        let transaction = Transaction {
            producer_id,
            epoch: 0,
            timeout_ms,
            state: State::Empty,
            started_ms: 0,
            partitions: BTreeSet::new(),
            groups: BTreeMap::new(),
        };
        self.transactions.set(id.to_owned(), transaction);
        self.note_transaction(id);
        (producer_id, 0)
    }

    /// Notes in the journal how a transaction stands.
    pub(super) fn note_transaction(&mut self, id: &str) {
        if let Some(transaction) = self.transactions.get(id) {
            self.journal
                .note(&Event::Transaction { id: id.to_owned(), transaction: transaction.clone() });
        }
    }

    /// Ends an open transaction. With `fence`, its producer may not go on with its epoch.
    pub(super) fn end_transaction(
        &mut self,
        id: &str,
        commit: bool,
        fence: bool,
        now: i64,
    ) -> Result<(), ResponseError> {
        let Some(transaction) = self.transactions.by_id.get_mut(id) else { return Ok(()) };
        transaction.state = State::Prepared(commit);
        transaction.epoch = transaction.epoch.saturating_add(i16::from(fence));
        self.note_transaction(id);
        self.complete(id, now)
    }

    /// Writes the markers of a prepared transaction, and commits its offsets.
    fn complete(&mut self, id: &str, now: i64) -> Result<(), ResponseError> {
        let Some(transaction) = self.transactions.by_id.get_mut(id) else { return Ok(()) };
        let State::Prepared(commit) = transaction.state else { return Ok(()) };
        let (producer_id, epoch) = (transaction.producer_id, transaction.epoch);
        for (topic, partition) in &transaction.partitions {
            let Ok(log) = self.topics.log(topic, *partition) else { continue };
            // After a restart the marker may be there already.
            if log.producers.is_open(producer_id) {
                log.append_marker(Batch::marker(producer_id, epoch, commit, now), commit)?;
            }
        }
        transaction.partitions.clear();
        let groups = std::mem::take(&mut transaction.groups);
        transaction.state = State::Complete(commit);
        for (group, offsets) in
            groups.into_iter().filter(|(_, offsets)| commit && !offsets.is_empty())
        {
            self.commit_offsets(&group, offsets);
        }
        self.note_transaction(id);
        Ok(())
    }

    /// Finishes what a restart has interrupted.
    pub(super) fn finish_prepared(&mut self, now: i64) {
        let prepared = |(id, transaction): (&String, &Transaction)| {
            matches!(transaction.state, State::Prepared(_)).then(|| id.clone())
        };
        let ids: Vec<_> = self.transactions.iter().filter_map(prepared).collect();
        for id in ids {
            if let Err(error) = self.complete(&id, now) {
                tracing::error!(%error, transactional_id = id, "a transaction could not be completed");
            }
        }
    }

    /// Ends what is open in a log although no transaction knows of it, as when the journal has lost its tail; readers of
    /// committed records would wait for ever. Nor are producer ids given again that the logs know.
    pub(super) fn abort_orphans(&mut self, now: i64) {
        let ongoing = |transaction: &&Transaction| transaction.state == State::Ongoing;
        let known: BTreeSet<i64> = self
            .transactions
            .by_id
            .values()
            .filter(ongoing)
            .map(|known| known.producer_id)
            .collect();
        let logs = self.topics.iter_mut().flat_map(|(_, topic)| &mut topic.partitions);
        for log in logs {
            let highest = log.producers.iter().map(|(id, _)| id + 1).max().unwrap_or(0);
            let next = &mut self.transactions.next_producer_id;
            *next = highest.max(*next);
            let open = log
                .producers
                .iter()
                .filter(|(id, producer)| producer.open_since.is_some() && !known.contains(id));
            let orphans: Vec<_> = open.map(|(id, producer)| (id, producer.epoch)).collect();
            for (id, epoch) in orphans {
                tracing::warn!(
                    producer_id = id,
                    "an open transaction that nobody knows is aborted"
                );
                if let Err(error) = log.append_marker(Batch::marker(id, epoch, false, now), false) {
                    tracing::error!(%error, producer_id = id, "a transaction could not be aborted");
                }
            }
        }
    }

    /// Aborts the transactions that have been open for longer than they asked for.
    pub(super) fn abort_overdue(&mut self, now: i64) {
        for id in self.transactions.overdue(now) {
            tracing::info!(transactional_id = id, "a transaction is aborted, for its time is over");
            if let Err(error) = self.end_transaction(&id, false, true, now) {
                tracing::error!(%error, transactional_id = id, "a transaction could not be aborted");
            }
        }
    }
}
