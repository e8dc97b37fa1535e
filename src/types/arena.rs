//! Where the values of one chunk live that do not borrow from its bytes.

use std::cell::OnceCell;

use super::{Decimal, Headers, Value};

/// Memory for one chunk of rows: strings, lists and decimals made while it is processed.
///
/// Everything is freed at once when the chunk is done, so nothing in it is freed alone.
#[derive(Default)]
pub struct Arena {
    bump: bumpalo::Bump,
    /// Made with the first decimal, for it takes memory from the start.
    decimals: OnceCell<typed_arena::Arena<Decimal>>,
}

impl std::fmt::Debug for Arena {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arena").field("allocated_bytes", &self.allocated_bytes()).finish()
    }
}

impl Arena {
    /// Makes an empty arena, which allocates nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Copies text into the arena.
    pub fn text(&self, text: &str) -> &str {
        self.bump.alloc_str(text)
    }

    /// Copies bytes into the arena.
    pub fn bytes(&self, bytes: &[u8]) -> &[u8] {
        self.bump.alloc_slice_copy(bytes)
    }

    /// Moves a decimal into the arena.
    pub fn decimal(&self, decimal: Decimal) -> &Decimal {
        self.decimals.get_or_init(typed_arena::Arena::new).alloc(decimal)
    }

    /// Copies a list of values into the arena.
    pub fn values<'a>(&'a self, values: &[Value<'a>]) -> &'a [Value<'a>] {
        self.bump.alloc_slice_copy(values)
    }

    /// Collects values into the arena.
    pub fn collect<'a>(&'a self, values: impl Iterator<Item = Value<'a>>) -> &'a [Value<'a>] {
        bumpalo::collections::Vec::from_iter_in(values, &self.bump).into_bump_slice()
    }

    /// Copies the entries of a map into the arena.
    pub fn entries<'a>(
        &'a self,
        entries: &[(Value<'a>, Value<'a>)],
    ) -> &'a [(Value<'a>, Value<'a>)] {
        self.bump.alloc_slice_copy(entries)
    }

    /// Copies the headers of a record into the arena; their names and values live there already.
    pub fn headers<'a>(&'a self, headers: &[(&'a str, Option<&'a [u8]>)]) -> Headers<'a> {
        self.bump.alloc_slice_copy(headers)
    }

    /// Copies a value, with all that it points to.
    #[inline]
    pub fn copy<'a>(&'a self, value: Value<'_>) -> Value<'a> {
        match value {
            Value::Null => Value::Null,
            Value::Int(value) => Value::Int(value),
            Value::Bigint(value) => Value::Bigint(value),
            Value::Double(value) => Value::Double(value),
            Value::String(text) => Value::String(self.text(text)),
            other => self.copy_rare(other),
        }
    }

    fn copy_rare<'a>(&'a self, value: Value<'_>) -> Value<'a> {
        match value {
            Value::Null => Value::Null,
            Value::Boolean(value) => Value::Boolean(value),
            Value::Int(value) => Value::Int(value),
            Value::Bigint(value) => Value::Bigint(value),
            Value::Double(value) => Value::Double(value),
            Value::Date(value) => Value::Date(value),
            Value::Time(value) => Value::Time(value),
            Value::Timestamp(value) => Value::Timestamp(value),
            Value::Decimal(value) => Value::Decimal(self.decimal(value.clone())),
            Value::String(text) => Value::String(self.text(text)),
            Value::Bytes(bytes) => Value::Bytes(self.bytes(bytes)),
            Value::Array(items) => Value::Array(self.copies(items)),
            Value::Struct(fields) => Value::Struct(self.copies(fields)),
            Value::Map(entries) => {
                let copies: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| (self.copy(*key), self.copy(*value)))
                    .collect();
                Value::Map(self.entries(&copies))
            }
        }
    }

    fn copies<'a>(&'a self, values: &[Value<'_>]) -> &'a [Value<'a>] {
        self.collect(values.iter().map(|value| self.copy(*value)))
    }

    /// Forgets all that is in it, and keeps memory for what comes next.
    pub fn reset(&mut self) {
        self.bump.reset();
        self.decimals.take();
    }

    /// The underlying bump allocator, for collections that grow in place.
    pub fn bump(&self) -> &bumpalo::Bump {
        &self.bump
    }

    /// How many bytes the arena holds, decimals left out.
    pub fn allocated_bytes(&self) -> usize {
        self.bump.allocated_bytes()
    }
}
