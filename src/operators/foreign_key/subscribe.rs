//! The left table of a foreign-key join: what each change asks of the right one.

use std::sync::Arc;

use super::murmur3::murmur3;
use crate::operators::evaluate::Evaluator;
use crate::operators::{CodecPair, Context, Operator, Outcome, QueryError};
use crate::plan::NamedExpr;
use crate::state::{Instruction, Subscription, ValueHash};
use crate::types::{
    Arena, Column, ColumnBuilder, KeyColumns, Meta, RowCodec, Rows, SqlType, Validity, Value,
};

/// Gives a registration for each right row that a change of the left table concerns.
///
/// As Kafka Streams' `SubscriptionSendProcessorSupplier`. A foreign key that is NULL, or cannot be
/// computed, is a key of a NULL: most formats have a null key for it, which the right side drops.
pub(in crate::operators) struct Subscribe {
    step: String,
    foreign_key: NamedExpr,
    is_left: bool,
    codecs: LeftCodecs,
}

/// How the rows of a join are written, as far as the left side knows them.
pub(in crate::operators) struct LeftCodecs {
    /// The rows of the left table.
    pub(in crate::operators) left: CodecPair,
    /// The keys of the right table.
    pub(in crate::operators) right_key: Arc<dyn RowCodec>,
}

/// A batch with its foreign keys.
struct Batch<'r, 'a> {
    rows: &'r Rows<'a>,
    new: ForeignKeys<'a>,
    old: Option<ForeignKeys<'a>>,
}

/// The foreign keys of the rows of a batch that there are.
struct ForeignKeys<'a> {
    column: Column<'a>,
    valid: Validity,
}

/// A foreign key of a row.
struct ForeignKey<'k, 'a> {
    value: Value<'a>,
    /// Its bytes, if it is none that is null.
    bytes: Option<&'k [u8]>,
}

/// Memory for the bytes of a row.
#[derive(Default)]
struct Buffers {
    primary_key: Vec<u8>,
    old: Vec<u8>,
    new: Vec<u8>,
    value: Vec<u8>,
}

impl Subscribe {
    pub(in crate::operators) fn new(
        step: String,
        foreign_key: NamedExpr,
        is_left: bool,
        codecs: LeftCodecs,
    ) -> Self {
        Self { step, foreign_key, is_left, codecs }
    }

    fn register<'a>(
        &self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
        registrations: &mut Registrations<'a>,
    ) -> Result<(), QueryError> {
        let old = rows.old.as_ref().map(|old| self.evaluate(&old.value, &old.valid, rows, ctx));
        let new = self.evaluate(&rows.value, &rows.value_valid, rows, ctx);
        let batch = Batch { rows, new, old };
        let mut buffers = Buffers::default();
        (0..rows.len).try_for_each(|row| {
            self.register_row(row, &batch, &mut buffers, &mut registrations.at(row, ctx.eval.arena))
        })
    }

    fn evaluate<'a>(
        &self,
        columns: &[Column<'a>],
        valid: &Validity,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> ForeignKeys<'a> {
        let evaluator = Evaluator { step: &self.step, columns, valid, meta: &rows.meta };
        let NamedExpr { expr, text, .. } = &self.foreign_key;
        let message = || format!("Error calculating left join expression: `{text}`.");
        let column = evaluator.column(expr, rows.len, ctx, message);
        ForeignKeys { column, valid: valid.clone() }
    }

    fn register_row<'a>(
        &self,
        row: usize,
        batch: &Batch<'_, 'a>,
        buffers: &mut Buffers,
        registrations: &mut RowRegistrations<'_, 'a>,
    ) -> Result<(), QueryError> {
        let Batch { rows, new, old } = batch;
        let Buffers { primary_key, old: old_bytes, new: new_bytes, value } = buffers;
        primary_key.clear();
        self.codecs.left.key.encode(&rows.key.columns, rows.key.position(row), primary_key)?;
        let new = self.foreign_key(row, Some(new), new_bytes)?;
        let old = self.foreign_key(row, old.as_ref(), old_bytes)?;
        let hash = if new.is_some() { Some(self.hash(rows, row, value)?) } else { None };
        let partition = Some(rows.meta.partition.0);
        let asks = |instruction| Subscription { hash, instruction, primary_key, partition };
        match (old, new) {
            (None, None) => {}
            (None, Some(new)) => {
                let instruction =
                    if self.is_left { Instruction::Answer } else { Instruction::AnswerIfFound };
                registrations.push(&new, &asks(instruction));
            }
            (Some(old), None) => registrations.push(&old, &asks(Instruction::ForgetAndAnswer)),
            (Some(old), Some(new)) => {
                if old.bytes != new.bytes {
                    registrations.push(&old, &asks(Instruction::Forget));
                }
                registrations.push(&new, &asks(Instruction::Answer));
            }
        }
        Ok(())
    }

    /// The foreign key of a row that there is; its bytes are written over `bytes`.
    fn foreign_key<'k, 'a>(
        &self,
        row: usize,
        keys: Option<&ForeignKeys<'a>>,
        bytes: &'k mut Vec<u8>,
    ) -> Result<Option<ForeignKey<'k, 'a>>, QueryError> {
        let Some(keys) = keys.filter(|keys| keys.valid.is_valid(row)) else { return Ok(None) };
        bytes.clear();
        let column = std::slice::from_ref(&keys.column);
        let has_bytes = self.codecs.right_key.encode(column, row, bytes)?;
        let value = keys.column.value(row);
        Ok(Some(ForeignKey { value, bytes: has_bytes.then_some(&**bytes) }))
    }

    fn hash(
        &self,
        rows: &Rows<'_>,
        row: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<ValueHash, QueryError> {
        bytes.clear();
        self.codecs.left.value.encode(&rows.value, row, bytes)?;
        Ok(murmur3(bytes))
    }
}

/// The registrations of a batch, put together one by one.
struct Registrations<'a> {
    keys: ColumnBuilder<'a>,
    has_key: Vec<bool>,
    subscriptions: Vec<Value<'a>>,
    /// The rows that they come from.
    rows: Vec<u32>,
    scratch: Vec<u8>,
}

/// The registrations of one row.
struct RowRegistrations<'r, 'a> {
    row: usize,
    all: &'r mut Registrations<'a>,
    arena: &'a Arena,
}

impl<'a> Registrations<'a> {
    fn new(key: Option<&SqlType>, capacity: usize) -> Self {
        Self {
            keys: ColumnBuilder::new(key.unwrap_or(&SqlType::String), capacity),
            has_key: Vec::with_capacity(capacity),
            subscriptions: Vec::with_capacity(capacity),
            rows: Vec::with_capacity(capacity),
            scratch: Vec::new(),
        }
    }

    fn at(&mut self, row: usize, arena: &'a Arena) -> RowRegistrations<'_, 'a> {
        RowRegistrations { row, all: self, arena }
    }

    /// The finished rows: under each foreign key the bytes of a subscription.
    fn finish(self, from: &Rows<'a>) -> Rows<'a> {
        let len = self.rows.len();
        let valid = Validity::from_flags(self.has_key);
        Rows {
            len,
            key: KeyColumns { columns: vec![self.keys.finish()], valid, index: None, len },
            value: vec![Column::Values(self.subscriptions.into())],
            value_valid: Validity::all(),
            old: None,
            meta: Meta { is_source: false, ..from.meta.take(&self.rows) },
        }
    }
}

impl<'a> RowRegistrations<'_, 'a> {
    fn push(&mut self, key: &ForeignKey<'_, 'a>, subscription: &Subscription<'_>) {
        let all = &mut *self.all;
        all.keys.push(key.value);
        all.has_key.push(key.bytes.is_some());
        all.scratch.clear();
        subscription.write(&mut all.scratch);
        all.subscriptions.push(Value::Bytes(self.arena.bytes(&all.scratch)));
        all.rows.push(self.row as u32);
    }
}

impl Operator for Subscribe {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut registrations = Registrations::new(self.foreign_key.expr.ty(), rows.len);
        let failure = self.register(rows, ctx, &mut registrations).err();
        Outcome { rows: registrations.finish(rows), failure }
    }
}
