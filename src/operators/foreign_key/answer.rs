//! The right table of a foreign-key join: who asked for which row, and what they are told.

use crate::expr::aggregates::Sequence;
use crate::operators::lookup::LookupKey;
use crate::operators::result::push_row;
use crate::operators::table_table_join::JoinSide;
use crate::operators::{
    CodecPair, Context, Dropped, Operator, Outcome, Port, QueryError, Store, StoreChange,
    StoredRecord,
};
use crate::plan::StoreId;
use crate::state::{
    Instruction, Subscription, SubscriptionStore, ValueHash, write_subscription_prefix,
};
use crate::types::{Arena, Column, ColumnBuilder, KeyColumns, Meta, Rows, Validity, Value};

/// Answers registrations (port 0) with the row that the right table has, and changes of the right
/// table (port 1) to all who asked for the row.
///
/// As Kafka Streams' `SubscriptionReceiveProcessorSupplier`, `SubscriptionJoinProcessorSupplier` and
/// `ForeignTableJoinProcessorSupplier`. Rows without a key are dropped.
pub(in crate::operators) struct Answer {
    store: StoreId,
    subscriptions: Subscriptions,
    /// How the rows of the left table are written.
    left: CodecPair,
    right: JoinSide,
}

/// The store, as its changelog sees it.
#[derive(Default)]
struct Subscriptions(SubscriptionStore);

impl Answer {
    pub(in crate::operators) fn new(store: StoreId, left: CodecPair, right: JoinSide) -> Self {
        Self { store, subscriptions: Subscriptions::default(), left, right }
    }

    /// Writes what the store's keys begin with over `prefix`: the right key of a row. Whether there is
    /// one; a row without is counted.
    fn prefix(
        &self,
        rows: &Rows<'_>,
        row: usize,
        key: &mut RightKey,
        ctx: &mut Context<'_, '_>,
    ) -> Result<bool, QueryError> {
        let codecs = self.right.rows.codecs();
        let has_key = codecs.encode_key(&rows.key, rows.key.position(row), &mut key.bytes)?;
        if has_key {
            write_subscription_prefix(&key.bytes, &mut key.stored);
        } else {
            ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
        }
        Ok(has_key)
    }

    fn answer_all<'a>(
        &mut self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
        answers: &mut Answers<'a>,
        found: &mut Found<'a>,
    ) -> Result<(), QueryError> {
        let mut key = RightKey::default();
        for row in 0..rows.len {
            if !self.prefix(rows, row, &mut key, ctx)? {
                continue;
            }
            let subscription = subscription(rows, row)?;
            self.keep(&subscription, rows.meta.timestamps[row], &mut key.stored, ctx);
            found.row.clear();
            let position = rows.key.position(row);
            let columns = rows.key.columns.iter().map(|column| column.value(position));
            let values: Vec<Value<'a>> = columns.collect();
            let right =
                LookupKey { bytes: &key.bytes, values: &values, place: rows.meta.offset(row) };
            let time = self.right.rows.find(right, ctx.tables, &ctx.eval, &mut found.row)?;
            let is_told = match subscription.instruction {
                Instruction::Forget => continue,
                Instruction::ForgetAndAnswer => false,
                Instruction::AnswerIfFound if time.is_none() => continue,
                Instruction::Answer | Instruction::AnswerIfFound => time.is_some(),
            };
            let own = rows.meta.timestamps[row];
            found.push(is_told, time.map_or(own, |time| time.max(own)));
            let Subscription { hash, partition, primary_key, .. } = subscription;
            answers.push(row, primary_key, &Asker { hash, partition }, ctx.eval.arena);
        }
        Ok(())
    }

    /// Keeps or forgets a subscription, whose key `stored` begins with that of the right row.
    fn keep(
        &mut self,
        subscription: &Subscription<'_>,
        timestamp_ms: i64,
        stored: &mut Vec<u8>,
        ctx: &mut Context<'_, '_>,
    ) {
        stored.extend_from_slice(subscription.primary_key);
        let mut bytes = Vec::new();
        let store = &mut self.subscriptions.0;
        if subscription.instruction.is_kept() {
            store.put(stored, subscription);
            subscription.write(&mut bytes);
        } else {
            store.remove(stored);
        }
        let value = subscription.instruction.is_kept().then_some(&*bytes);
        ctx.out.changed(StoreChange { store: self.store, key: stored, value, timestamp_ms });
    }

    fn tell_all<'a>(
        &self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
        answers: &mut Answers<'a>,
    ) -> Result<(), QueryError> {
        let mut key = RightKey::default();
        for row in 0..rows.len {
            if !self.prefix(rows, row, &mut key, ctx)? {
                continue;
            }
            let arena = ctx.eval.arena;
            for asker in self.subscriptions.0.subscribers(&key.stored) {
                let primary_key = arena.bytes(asker.primary_key);
                let asker = Asker { hash: asker.hash, partition: asker.partition };
                answers.push(row, primary_key, &asker, arena);
            }
        }
        Ok(())
    }
}

/// The subscription of a registration.
fn subscription<'a>(rows: &Rows<'a>, row: usize) -> Result<Subscription<'a>, QueryError> {
    match rows.value.first().map(|column| column.value(row)) {
        Some(Value::Bytes(bytes)) => Ok(Subscription::read(bytes)?),
        _ => Err(QueryError::new("a registration of a foreign-key join has no value")),
    }
}

/// The key of a right row, as its table and as the store of subscriptions have it.
#[derive(Default)]
struct RightKey {
    bytes: Vec<u8>,
    stored: Vec<u8>,
}

/// Who is told.
struct Asker {
    hash: Option<ValueHash>,
    partition: Option<i32>,
}

/// The right rows that registrations asked for.
struct Found<'a> {
    columns: Vec<ColumnBuilder<'a>>,
    valid: Vec<bool>,
    timestamps: Vec<i64>,
    /// The row that was found last.
    row: Vec<Value<'a>>,
}

impl Found<'_> {
    /// Adds the row that was found last, or that there is none.
    fn push(&mut self, is_told: bool, timestamp_ms: i64) {
        self.valid.push(is_told);
        self.timestamps.push(timestamp_ms);
        push_row(&mut self.columns, is_told.then(|| self.row.iter().copied()));
    }
}

/// Responses, put together one by one.
#[derive(Default)]
struct Answers<'a> {
    primary_keys: Vec<&'a [u8]>,
    hashes: Vec<Value<'a>>,
    partitions: Vec<Value<'a>>,
    /// The rows that caused them.
    rows: Vec<u32>,
}

/// The right rows of responses.
struct RightRows<'a> {
    columns: Vec<Column<'a>>,
    valid: Validity,
}

impl<'a> Answers<'a> {
    fn push(&mut self, row: usize, primary_key: &'a [u8], asker: &Asker, arena: &'a Arena) {
        self.primary_keys.push(primary_key);
        let hash = asker.hash.map_or(Value::Null, |hash| Value::Bytes(arena.bytes(&hash)));
        self.hashes.push(hash);
        self.partitions.push(asker.partition.map_or(Value::Null, Value::Int));
        self.rows.push(row as u32);
    }

    /// The finished rows: under each left key the right row, the hash and the partition.
    fn finish(
        self,
        right: RightRows<'a>,
        meta: Meta<'a>,
        left: &CodecPair,
        arena: &'a Arena,
    ) -> Result<Rows<'a>, QueryError> {
        let len = self.rows.len();
        let mut value = right.columns;
        value.push(Column::Values(self.hashes.into()));
        value.push(Column::Values(self.partitions.into()));
        let columns = left.key.decode_all(&self.primary_keys, arena)?;
        Ok(Rows {
            len,
            key: KeyColumns { columns, valid: Validity::all(), index: None, len },
            value,
            value_valid: right.valid,
            old: None,
            meta: Meta { is_source: false, ..meta },
        })
    }
}

impl Operator for Answer {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut answers = Answers::default();
        let types = self.right.types.iter();
        let mut found = Found {
            columns: types.map(|ty| ColumnBuilder::new(ty, rows.len)).collect(),
            valid: Vec::with_capacity(rows.len),
            timestamps: Vec::with_capacity(rows.len),
            row: Vec::new(),
        };
        let failure = self.answer_all(rows, ctx, &mut answers, &mut found).err();
        let timestamps = found.timestamps.into();
        let meta = Meta { timestamps, ..rows.meta.take(&answers.rows) };
        let columns = found.columns.into_iter().map(ColumnBuilder::finish).collect();
        let right = RightRows { columns, valid: Validity::from_flags(found.valid) };
        outcome(answers.finish(right, meta, &self.left, ctx.eval.arena), failure)
    }

    fn process_port<'a>(
        &mut self,
        port: Port,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        if port == Port(0) {
            return self.process(&rows, ctx);
        }
        let mut answers = Answers::default();
        let failure = self.tell_all(&rows, ctx, &mut answers).err();
        let meta = rows.meta.take(&answers.rows);
        let columns = rows.value.iter().map(|column| column.take(&answers.rows)).collect();
        let right = RightRows { columns, valid: rows.value_valid.take(&answers.rows) };
        outcome(answers.finish(right, meta, &self.left, ctx.eval.arena), failure)
    }

    fn store(&mut self, _nth: usize) -> Option<&mut dyn Store> {
        Some(&mut self.subscriptions)
    }
}

fn outcome(rows: Result<Rows<'_>, QueryError>, failure: Option<QueryError>) -> Outcome<'_> {
    match rows {
        Ok(rows) => Outcome { rows, failure },
        Err(error) => Outcome { rows: Rows::default(), failure: failure.or(Some(error)) },
    }
}

impl Store for Subscriptions {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        _sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        Ok(self.0.restore(record.key, record.value)?)
    }

    fn rows(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
