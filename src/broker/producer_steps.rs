//! What transactional producers do: they get ids and epochs, and their transactions end.
//!
//! All partitions are this broker's and lie behind one lock, so that a transaction ends in one step: the markers are
//! written and the offsets committed before anyone looks. `Prepared` is noted first, so that a restart in between
//! finishes the work.
use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::error::ResponseError;

use super::batch::Batch;
use super::core::Core;
use super::event::{Event, State, Transaction};
use super::transactions::{Asking, TIMEOUT_MAX_MS, TRANSACTIONS_MAX};

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
        transaction.ended = None;
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
            ended: None,
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
        transaction.ended = None;
        transaction.epoch = transaction.epoch.saturating_add(i16::from(fence));
        self.note_transaction(id);
        self.complete(id, now)
    }

    /// Ends a transaction and gives its producer the next epoch, so that nothing that is late counts to the next one; or gives
    /// it once more to one that asks again, as its answer was lost.
    pub(super) fn end_and_bump(
        &mut self,
        producer: &Asking<'_>,
        commit: bool,
        now: i64,
    ) -> Result<(i64, i16), ResponseError> {
        let id = producer.id;
        if let Some(known) = self.transactions.get(id)
            && known.state == State::Complete(commit)
            && known.ended == Some((producer.producer_id, producer.epoch))
        {
            return Ok((known.producer_id, known.epoch));
        }
        match self.transactions.of(producer)?.state {
            State::Ongoing => {}
            // Nothing was written before it failed.
            State::Empty | State::Complete(_) if !commit => {}
            _ => return Err(ResponseError::InvalidTxnState),
        }
        self.end_transaction(id, commit, true, now)?;
        let is_last = |known: &Transaction| known.epoch >= i16::MAX - 1;
        let fresh = self.transactions.get(id).is_some_and(is_last).then(|| self.new_producer_id());
        let known = self.transactions.by_id.get_mut(id);
        let known = known.ok_or(ResponseError::InvalidProducerIdMapping)?;
        if let Some(fresh) = fresh {
            (known.producer_id, known.epoch) = (fresh, 0);
        }
        known.ended = Some((producer.producer_id, producer.epoch));
        let given = (known.producer_id, known.epoch);
        self.note_transaction(id);
        Ok(given)
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
