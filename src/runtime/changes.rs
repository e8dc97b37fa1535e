//! The changes of stores that tasks have given, on their way to changelogs.
//!
//! They wait for a commit, and may be as many as a store has rows. So a row that its format takes in any case waits as the
//! packed values that it is made of, which are a third of its JSON, and is written when it is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::output::{Output, OutputMark, Placing, Target};
use crate::operators::{PackedChange, QueryError, StoreChange};
use crate::plan::StoreId;
use crate::state::PackedValues;
use crate::types::{Arena, Partition, RowCodec};

/// Changes of stores, in order.
#[derive(Clone, Default)]
pub struct Changes {
    records: Output,
    /// What writes the rows of those stores whose rows are packed.
    codecs: BTreeMap<StoreId, PackedCodec>,
    /// How many bytes the key and the row of one of them take at most.
    largest: usize,
}

/// What writes packed rows.
#[derive(Clone)]
struct PackedCodec {
    codec: Arc<dyn RowCodec>,
    /// How many values a row has.
    columns: usize,
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changes").field("records", &self.records).finish_non_exhaustive()
    }
}

impl Changes {
    /// Whether there is no change.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// How many bytes they take as they are.
    pub fn bytes(&self) -> usize {
        self.records.bytes()
    }

    /// How many bytes the key and the row of the largest take at most, once they are written.
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// The stores that change, and the times of the changes in milliseconds.
    pub fn times(&self) -> impl Iterator<Item = (StoreId, i64)> {
        self.records.records().filter_map(|record| match record.target {
            Target::Changelog(store) => Some((store, record.timestamp_ms)),
            Target::Sink | Target::Repartition(_) => None,
        })
    }

    /// The changes as records of changelogs.
    pub fn written(&self) -> Result<Output, QueryError> {
        let (mut written, mut arena) = (Output::default(), Arena::new());
        for record in self.records.records() {
            let codec = match record.target {
                Target::Changelog(store) => self.codecs.get(&store),
                Target::Sink | Target::Repartition(_) => None,
            };
            let mut writing = written.begin(record.target, record.placing, record.timestamp_ms);
            match (codec, record.key, record.value) {
                (Some(PackedCodec { codec, columns }), Some(key), Some(row)) => {
                    arena.reset();
                    let mut values = PackedValues::new(row);
                    let row = arena.collect((0..*columns).map(|_| values.lent(&arena)));
                    writing.copy(key, None);
                    writing.value(|out| codec.encode_values(row, out))?;
                }
                (_, key, value) => writing.copy(key.unwrap_or_default(), value),
            }
            writing.finish();
        }
        Ok(written)
    }

    /// Adds a change of the store of a partition.
    pub(super) fn add(&mut self, partition: Partition, change: &StoreChange<'_>) {
        let StoreChange { store, key, value, timestamp_ms } = *change;
        self.largest = self.largest.max(key.len() + value.map_or(0, <[u8]>::len));
        self.push(partition, store, timestamp_ms, (key, value));
    }

    /// Adds one whose row is packed, as all rows of its store are.
    pub(super) fn add_packed(&mut self, partition: Partition, change: &PackedChange<'_>) {
        let PackedChange { store, key, values, columns, codec, timestamp_ms } = *change;
        let row_bytes = codec.bytes_max(values.len()).unwrap_or(usize::MAX);
        self.largest = self.largest.max(row_bytes.saturating_add(key.len()));
        let codec = || PackedCodec { codec: Arc::clone(codec), columns };
        self.codecs.entry(store).or_insert_with(codec);
        self.push(partition, store, timestamp_ms, (key, Some(values)));
    }

    fn push(
        &mut self,
        partition: Partition,
        store: StoreId,
        timestamp_ms: i64,
        (key, row): (&[u8], Option<&[u8]>),
    ) {
        let placing = Placing::Partition(partition.0);
        let mut record = self.records.begin(Target::Changelog(store), placing, timestamp_ms);
        record.copy(key, row);
        record.finish();
    }

    /// Gives back memory that they do not need, as they wait.
    pub(super) fn shrink(&mut self) {
        self.records.shrink();
    }

    /// Forgets all of them, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.codecs.clear();
        self.largest = 0;
    }

    /// How far they have come, for [`Self::rewind`].
    pub(super) fn mark(&self) -> OutputMark {
        self.records.mark()
    }

    /// Forgets what was given since `mark`.
    pub(super) fn rewind(&mut self, mark: OutputMark) {
        self.records.rewind(mark);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{Format, FormatSpec};
    use crate::runtime::codecs::value_codec;
    use crate::state::pack;
    use crate::types::{ColumnDef, SqlType, Value};

    const PACKED: StoreId = StoreId(0);
    const WRITTEN: StoreId = StoreId(1);

    fn codec() -> Arc<dyn RowCodec> {
        let columns = [ColumnDef::new("A", SqlType::String), ColumnDef::new("B", SqlType::Bigint)];
        value_codec(&FormatSpec::new(Format::Json), &columns).unwrap()
    }

    fn add(changes: &mut Changes, codec: &Arc<dyn RowCodec>, key: &[u8], row: [Value<'_>; 2]) {
        let mut values = Vec::new();
        for value in row {
            pack(value, &mut values);
        }
        let (values, columns, timestamp_ms) = (&*values, row.len(), 7);
        let change = PackedChange { store: PACKED, key, values, columns, codec, timestamp_ms };
        changes.add_packed(Partition(2), &change);
    }

    fn add_written(changes: &mut Changes, store: StoreId, key: &[u8], value: Option<&[u8]>) {
        changes.add(Partition(2), &StoreChange { store, key, value, timestamp_ms: 8 });
    }

    /// The store of each record, its key and its value.
    fn read(changes: &Changes) -> Vec<(StoreId, String, Option<String>)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let written = changes.written().unwrap();
        let records = written.records().map(|record| {
            assert_eq!(record.placing, Placing::Partition(2));
            assert!(changes.largest() >= written.bytes() / written.len());
            let Target::Changelog(store) = record.target else { panic!("{record:?}") };
            (store, text(record.key.unwrap()), record.value.map(text))
        });
        records.collect()
    }

    #[test]
    fn packed_rows_are_written_among_others() {
        let (mut changes, codec) = (Changes::default(), codec());
        add(&mut changes, &codec, b"k", [Value::String("\u{1}é"), Value::Bigint(-1)]);
        add_written(&mut changes, WRITTEN, b"k", Some(b"as it is"));
        let mark = changes.mark();
        add(&mut changes, &codec, b"undone", [Value::Null, Value::Null]);
        changes.rewind(mark);
        add_written(&mut changes, PACKED, b"k", None);
        let row = r#"{"A":"\u0001é","B":-1}"#.to_owned();
        let expected = [
            (PACKED, "k".to_owned(), Some(row)),
            (WRITTEN, "k".to_owned(), Some("as it is".to_owned())),
            (PACKED, "k".to_owned(), None),
        ];
        assert_eq!(read(&changes), expected);
        assert_eq!(changes.times().collect::<Vec<_>>(), [(PACKED, 7), (WRITTEN, 8), (PACKED, 8)]);
        changes.clear();
        assert_eq!((changes.is_empty(), changes.bytes(), changes.largest()), (true, 0, 0));
        // A store whose rows were packed before may have written ones now.
        add_written(&mut changes, PACKED, b"k", Some(b"as it is"));
        assert_eq!(read(&changes), [(PACKED, "k".to_owned(), Some("as it is".to_owned()))]);
    }

    #[test]
    fn nothing_is_larger_than_the_largest_may_be() {
        let (mut changes, codec) = (Changes::default(), codec());
        add_written(&mut changes, WRITTEN, b"key", Some(&[0; 1_000]));
        assert_eq!(changes.largest(), 1_003);
        let control = "\u{1}".repeat(10_000);
        add(&mut changes, &codec, b"key", [Value::String(&control), Value::Null]);
        let written = changes.written().unwrap();
        let sizes = written.records().map(|record| 3 + record.value.map_or(0, <[u8]>::len));
        assert!(sizes.max().is_some_and(|size| size > 60_000 && size <= changes.largest()));
    }
}
