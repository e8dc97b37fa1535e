//! The transactions of producers: ids and epochs, and what is open.
use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;

use super::event::{Committed, Event, State, Transaction};
use crate::kafka::records::BatchHeader;

/// The longest time that a transaction may ask to stay open, as in Kafka.
pub(super) const TIMEOUT_MAX_MS: i32 = 900_000;
/// The most transactional ids that are remembered.
pub(super) const TRANSACTIONS_MAX: usize = 100_000;

/// All transactional producers.
#[derive(Default)]
pub(super) struct Transactions {
    pub(super) by_id: BTreeMap<String, Transaction>,
    pub(super) next_producer_id: i64,
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

    /// Takes the partition of a batch into the transaction of its producer, which begins if it has to. The transactional id,
    /// if that is news.
    pub(super) fn join(
        &mut self,
        batch: &BatchHeader,
        place: (&str, i32),
        now: i64,
    ) -> Result<Option<String>, ResponseError> {
        let mut all = self.by_id.iter_mut();
        let own = all.find(|(_, transaction)| transaction.producer_id == batch.producer_id);
        let (id, own) = own.ok_or(ResponseError::InvalidProducerIdMapping)?;
        if batch.producer_epoch != own.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        own.begin(now);
        let is_new = own.partitions.insert((place.0.to_owned(), place.1));
        Ok(is_new.then(|| id.clone()))
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
    pub(super) fn overdue(&self, now: i64) -> Vec<String> {
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
