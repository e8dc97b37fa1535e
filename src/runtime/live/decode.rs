//! Fetched batches as records and rows.

use crate::formats::{Decoder, Role, Schemas};
use crate::kafka::fetch::FetchedPartition;
use crate::kafka::records::{RecordError, RecordPlace};
use crate::operators::QueryError;
use crate::plan::{
    Gives, QueryPlan, RESPONSE_COLUMNS, RepartitionId, RepartitionKind, RepartitionTopic,
};
use crate::runtime::panics::guard;
use crate::runtime::source::validity;
use crate::runtime::{BLOCK_RECORDS, CHUNK_ROWS, Panic, RawRecords, ReadRows, SourceReader};
use crate::state::read_response;
use crate::types::{
    Arena, Column, Headers, KeyColumns, Meta, OldRows, Partition, Rows, Validity, Value,
};

/// Appends a record to a chunk. Headers are copied into `arena`, where there are any.
pub(super) fn push<'a>(
    chunk: &mut RawRecords<'a>,
    record: &crate::kafka::records::RecordRef<'a>,
    arena: &'a Arena,
) {
    if !record.headers.is_empty() {
        let headers: Vec<(&'a str, Option<&'a [u8]>)> = record
            .headers
            .iter()
            .map(|header| {
                let name = match std::str::from_utf8(header.key) {
                    Ok(name) => name,
                    Err(_) => arena.text(&String::from_utf8_lossy(header.key)),
                };
                (name, header.value)
            })
            .collect();
        let len = chunk.offsets.len();
        let all = chunk.headers.get_or_insert_with(|| vec![&[] as Headers<'a>; len]);
        all.push(arena.headers(&headers));
    } else if let Some(all) = &mut chunk.headers {
        all.push(&[]);
    }
    chunk.offsets.push(record.offset);
    chunk.timestamps.push(record.timestamp);
    chunk.keys.push(record.key);
    chunk.values.push(record.value);
}

/// Records that are processed at once, and where the next ones begin.
pub(super) struct NextChunk<'a> {
    pub(super) records: RawRecords<'a>,
    /// The offset after them, past what nobody sees.
    pub(super) next: i64,
    /// Where the record of that offset is, if it is known to be here.
    pub(super) place: Option<Place>,
}

/// Where a record is in what was fetched, so that nobody has to walk there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    offset: i64,
    /// The position of what was fetched.
    fetched: i64,
    batch: usize,
    record: RecordPlace,
}

/// The records of a fetched partition in `offsets`, at most a chunk of them; `place` may be where
/// they begin. A chunk ends where a block does, unless the partition has few records left.
pub(super) fn next_chunk<'a>(
    fetched: &'a FetchedPartition,
    offsets: std::ops::Range<i64>,
    place: Option<Place>,
    arena: &'a Arena,
) -> Result<NextChunk<'a>, RecordError> {
    let partition = fetched.partition.partition;
    let from = offsets.start.max(fetched.position);
    let left = fetched.next_offset.min(offsets.end).saturating_sub(from);
    let room = usize::try_from(left).map_or(0, |left| left.min(CHUNK_ROWS));
    let mut records = RawRecords::with_room(partition, room);
    let known = place.filter(|at| (at.offset, at.fetched) == (from, fetched.position));
    let first = known.map_or(0, |at| at.batch);
    for (index, batch) in fetched.batches.iter().enumerate().skip(first) {
        if batch.header.last_offset() < from {
            continue;
        }
        let mut walk = batch.records();
        if let Some(at) = known.filter(|at| at.batch == index) {
            walk = walk.from(at.record);
        }
        loop {
            let record_place = walk.place();
            let Some(record) = walk.next().transpose()? else { break };
            if record.offset < from {
                continue;
            }
            // Where most offsets have a record, however few are left of the block.
            let is_dense = records.len() as i64 * 2 >= record.offset - from;
            let is_full = (is_dense && record.offset % BLOCK_RECORDS == 0 && !records.is_empty())
                || records.len() >= CHUNK_ROWS;
            if record.offset >= offsets.end || is_full {
                let next = record.offset.min(offsets.end);
                let place = Place {
                    offset: next,
                    fetched: fetched.position,
                    batch: index,
                    record: record_place,
                };
                return Ok(NextChunk { records, next, place: Some(place) });
            }
            push(&mut records, &record, arena);
        }
    }
    Ok(NextChunk { records, next: fetched.next_offset.min(offsets.end), place: None })
}

/// The first `len` records.
pub(super) fn first_records<'a>(records: &RawRecords<'a>, len: usize) -> RawRecords<'a> {
    RawRecords {
        partition: records.partition,
        offsets: records.offsets[..len].to_vec(),
        timestamps: records.timestamps[..len].to_vec(),
        keys: records.keys[..len].to_vec(),
        values: records.values[..len].to_vec(),
        headers: records.headers.as_ref().map(|headers| headers[..len].to_vec()),
    }
}

/// What was done with records, but for those that a panic came of.
pub(super) struct PastPanics<T> {
    pub(super) done: T,
    /// The records that it was done with, by position; `None` if that are all.
    pub(super) kept: Option<Vec<usize>>,
    /// The others.
    pub(super) faulty: Vec<(usize, Panic)>,
}

/// Does something with records. If that ends with a panic, each is tried alone, and it is done again
/// without those that a panic comes of. Where that is none of them, the panic is given.
pub(super) fn past_panics<'a, T>(
    records: &RawRecords<'a>,
    work: impl Fn(&RawRecords<'a>) -> T,
) -> Result<PastPanics<T>, Panic> {
    let panic = match guard(|| work(records)) {
        Ok(done) => return Ok(PastPanics { done, kept: None, faulty: Vec::new() }),
        Err(panic) => panic,
    };
    let alone = |row: usize| guard(|| drop(work(&records.taken(&[row])))).err();
    let faulty = (0..records.len()).filter_map(|row| Some((row, alone(row)?)));
    let faulty: Vec<(usize, Panic)> = faulty.collect();
    if faulty.is_empty() {
        return Err(panic);
    }
    let is_faulty = |row: &usize| faulty.binary_search_by_key(row, |(row, _)| *row).is_ok();
    let kept: Vec<usize> = (0..records.len()).filter(|row| !is_faulty(row)).collect();
    let done = guard(|| work(&records.taken(&kept)))?;
    Ok(PastPanics { done, kept: Some(kept), faulty })
}

/// Reads what comes back from a repartition topic.
pub(super) struct RepartitionReader {
    key: Decoder,
    value: Decoder,
    columns: usize,
    keys: usize,
    /// Whether values are changes of a table: a row, then 1 if it is the new one and 0 if it was
    /// the old one.
    is_table: bool,
    kind: RepartitionKind,
}

impl RepartitionReader {
    pub(super) fn new(
        plan: &QueryPlan,
        id: RepartitionId,
        schemas: &Schemas,
    ) -> Result<Self, QueryError> {
        let found = plan.repartitions().find(|(other, ..)| *other == id);
        let missing = || QueryError::new("a plan has no such repartition topic");
        let (_, node, topic) = found.ok_or_else(missing)?;
        let node = plan.node(node);
        let (key, mut value) = (&*node.schema.key, &*node.schema.value);
        let RepartitionTopic { name, key_format, value_format, kind, .. } = topic;
        if *kind == RepartitionKind::Responses {
            value = &value[..value.len().saturating_sub(RESPONSE_COLUMNS)];
        }
        Ok(Self {
            key: Decoder::new(key_format, key, Role::Key, name, schemas)?,
            value: Decoder::new(value_format, value, Role::Value, name, schemas)?,
            columns: value.len(),
            keys: key.len(),
            is_table: node.gives == Gives::Changes,
            kind: *kind,
        })
    }

    /// The rows of a chunk.
    pub(super) fn read<'a>(
        &self,
        chunk: &RawRecords<'a>,
        arena: &'a Arena,
    ) -> Result<Rows<'a>, QueryError> {
        let len = chunk.len();
        let mut values = Values::plain(chunk);
        if self.is_table {
            values.split_changes();
        }
        let hashes = match self.kind {
            RepartitionKind::Responses => Some(values.split_responses()?),
            RepartitionKind::Rows | RepartitionKind::Subscriptions => None,
        };
        let key = self.key.decode(&chunk.keys, &vec![true; self.keys], arena);
        let mut value = self.value.decode(&values.rows, &vec![true; self.columns], arena);
        if let Some((_, error)) = key.failures.into_iter().chain(value.failures).next() {
            return Err(QueryError { causes: error.causes, ..QueryError::new(error.message) });
        }
        let valid = |mut flags: Vec<bool>| {
            value.nulls.iter().for_each(|row| flags[*row as usize] = false);
            Validity::from_flags(flags)
        };
        let old = self.is_table.then(|| OldRows {
            value: value.columns.clone(),
            valid: valid(values.is_new.iter().map(|is_new| !is_new).collect()),
        });
        let value_valid = valid(values.is_new);
        if let Some(hashes) = hashes {
            // Where they go they have come.
            value.columns.push(Column::Values(hashes.into()));
            value.columns.push(Column::Constant(Value::Int(chunk.partition)));
        }
        Ok(Rows {
            len,
            key: KeyColumns {
                columns: key.columns,
                valid: validity(len, &key.nulls),
                index: None,
                len,
            },
            value: value.columns,
            value_valid,
            old,
            meta: Meta {
                timestamps: chunk.timestamps.clone().into(),
                headers: chunk.headers.clone(),
                windows: None,
                offsets: chunk.offsets.clone().into(),
                partition: Partition(chunk.partition),
                is_source: false,
            },
        })
    }
}

/// The bytes of rows in the values of records.
struct Values<'a> {
    rows: Vec<Option<&'a [u8]>>,
    /// Which of them hold now; the others held before.
    is_new: Vec<bool>,
}

impl<'a> Values<'a> {
    fn plain(chunk: &RawRecords<'a>) -> Self {
        Self { rows: chunk.values.clone(), is_new: vec![true; chunk.len()] }
    }

    fn split_changes(&mut self) {
        for (value, is_new) in self.rows.iter_mut().zip(&mut self.is_new) {
            let split = value.and_then(<[u8]>::split_last);
            *value = split.map(|(flag, row)| {
                *is_new = *flag != 0;
                row
            });
        }
    }

    /// Takes the hashes off responses.
    fn split_responses(&mut self) -> Result<Vec<Value<'a>>, QueryError> {
        let mut hashes = Vec::with_capacity(self.rows.len());
        for value in &mut self.rows {
            let response = value.unwrap_or_default();
            let (hash, row) = read_response(response)?;
            // The hash stands right before the row, or at the end.
            let end = response.len() - row.map_or(0, <[u8]>::len);
            let hash = hash.map(|hash| &response[end - hash.len()..end]);
            hashes.push(hash.map_or(Value::Null, Value::Bytes));
            *value = row;
        }
        Ok(hashes)
    }
}

/// Records of a source, decoded for all queries that read it in the same way.
#[derive(Clone, Copy)]
pub(super) struct SourceChunk<'t, 'a> {
    pub(super) chunk: &'t NextChunk<'a>,
    pub(super) reader: &'t SourceReader,
    pub(super) read: &'t ReadRows<'a>,
    /// The rows that the query can take any notice of, where these were found for several; `None` for all.
    pub(super) found: Option<&'t [u32]>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::TopicPartition;
    use crate::kafka::records::{BatchBuilder, BatchOptions, HeadersRef, RawBatch};

    /// Batches of so many records each, one behind the other from offset 300 on, of which the first
    /// `seen` were seen before.
    fn fetched(batches: &[i64], seen: i64) -> FetchedPartition {
        let mut next_offset = 300;
        let batch = |records: &i64| {
            let mut builder = BatchBuilder::new();
            for _ in 0..*records {
                builder.append(0, None, Some(b"v"), HeadersRef::EMPTY);
            }
            let options = BatchOptions { base_offset: next_offset, ..BatchOptions::default() };
            next_offset += records;
            let bytes = builder.finish(&options).unwrap();
            RawBatch::parse(bytes).unwrap().open().unwrap()
        };
        let batches = batches.iter().map(batch).collect();
        FetchedPartition {
            partition: TopicPartition::new("t", 0),
            position: 300 + seen,
            next_offset,
            high_watermark: next_offset,
            last_stable_offset: next_offset,
            batches,
            bytes: 0,
        }
    }

    #[test]
    fn chunks_end_with_blocks_and_go_on_where_the_last_one_ended() {
        let fetched = fetched(&[100, 1_500, 1, 3_000], 20);
        let arena = Arena::new();
        let (mut at, mut place, mut ends) = (fetched.position, None, Vec::new());
        while at < fetched.next_offset {
            let known = next_chunk(&fetched, at..i64::MAX, place, &arena).unwrap();
            let walked = next_chunk(&fetched, at..i64::MAX, None, &arena).unwrap();
            assert_eq!(known.records.offsets, (at..known.next).collect::<Vec<_>>());
            assert_eq!(known.records.offsets, walked.records.offsets);
            assert_eq!((known.next, known.place), (walked.next, walked.place));
            (at, place) = (known.next, known.place);
            ends.push(at);
        }
        assert_eq!(ends, [1_024, 2_048, 3_072, 4_096, 4_901]);
        // A place that is not where the reader stands is not taken for it.
        let after_first = next_chunk(&fetched, 320..i64::MAX, None, &arena).unwrap().place;
        assert!(after_first.is_some());
        let other = next_chunk(&fetched, 500..510, after_first, &arena).unwrap();
        assert_eq!(other.records.offsets, (500..510).collect::<Vec<_>>());
    }
}
