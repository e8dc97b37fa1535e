//! Joins tell stories, and are held against a slow and plain model.

use std::collections::BTreeMap;
use std::sync::Arc;

mod model;
mod stories;

use super::*;
use crate::expr::aggregates::Sequence;
use crate::expr::{EvalContext, RandomSource};
use crate::operators::{
    Collector, LogEntry, LoggedRow, PackedChange, QueryError, StoreChange, StoredRecord, Tables,
};
use crate::plan::RepartitionId;
use crate::types::{
    Arena, CodecError, Column, KeyColumns, Meta, Offset, Partition, RowCodec, SqlType, Timestamp,
    Validity, Value, Window,
};

/// Writes a single VARCHAR as its bytes, and reads it back in capitals.
struct TextCodec;

impl RowCodec for TextCodec {
    fn encode(
        &self,
        columns: &[Column<'_>],
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, CodecError> {
        self.encode_values(&[columns[0].value(row)], out)
    }

    fn encode_values(&self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<bool, CodecError> {
        let [Value::String(text)] = values else { return Ok(false) };
        out.extend_from_slice(text.as_bytes());
        Ok(true)
    }

    fn decode_all<'a>(
        &self,
        rows: &[&'a [u8]],
        arena: &'a Arena,
    ) -> Result<Vec<Column<'a>>, CodecError> {
        let texts = rows.iter().map(|bytes| std::str::from_utf8(bytes).unwrap()).collect();
        Ok(self.normalise(vec![Column::Strings(texts, Validity::all())], arena))
    }

    fn normalise<'a>(&self, columns: Vec<Column<'a>>, arena: &'a Arena) -> Vec<Column<'a>> {
        let read = |text: &&str| arena.text(&text.to_uppercase());
        let column = |column| match column {
            Column::Strings(texts, valid) => {
                Column::Strings(texts.iter().map(read).collect(), valid)
            }
            other => other,
        };
        columns.into_iter().map(column).collect()
    }
}

#[derive(Debug)]
struct NoRandom;

impl RandomSource for NoRandom {
    fn next_u64(&self) -> u64 {
        0
    }
}

/// What a join is to do.
#[derive(Clone, Copy, Debug)]
struct Shape {
    kind: JoinKind,
    before_ms: i64,
    after_ms: i64,
    grace_ms: Option<i64>,
}

impl Shape {
    /// A join of rows that lie at most 10 ms apart.
    fn of(kind: JoinKind, grace_ms: Option<i64>) -> Self {
        Self { kind, before_ms: 10, after_ms: 10, grace_ms }
    }

    fn retention_ms(self) -> i64 {
        plan::StreamStreamJoin::retention_of(self.before_ms, self.after_ms, self.grace_ms)
    }

    fn is_outer(self, side: JoinSide) -> bool {
        match side {
            JoinSide::This => self.kind != JoinKind::Inner,
            JoinSide::Other => self.kind == JoinKind::Full,
        }
    }

    fn join(self, emit_interval_ms: i64) -> StreamStreamJoin {
        let codec: Arc<dyn RowCodec> = Arc::new(TextCodec);
        let side = |store, before_ms, after_ms, is_outer| Side {
            store: StoreId(store),
            codec: Arc::clone(&codec),
            types: vec![SqlType::String],
            before_ms,
            after_ms,
            is_outer,
            rows: JoinWindowStore::new(self.retention_ms()),
            value: Vec::new(),
            scratch: Vec::new(),
        };
        let waits = self.kind != JoinKind::Inner;
        let waiting = self.grace_ms.filter(|_| waits);
        StreamStreamJoin {
            this: side(0, self.before_ms, self.after_ms, self.is_outer(JoinSide::This)),
            other: side(1, self.after_ms, self.before_ms, self.is_outer(JoinSide::Other)),
            keys: JoinKeys { codec, window: None },
            waiting: waiting.map(|grace_ms| Waiting::new(StoreId(2), grace_ms, emit_interval_ms)),
            is_exchanged: false,
            appends_key: false,
            resume: None,
            rows_max: ROWS_MAX,
        }
    }
}

/// A record on its way into a join.
#[derive(Clone, Debug)]
struct Record {
    side: JoinSide,
    key: Option<String>,
    value: Option<String>,
    time_ms: i64,
}

/// A record of a changelog.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Logged {
    store: usize,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
    time_ms: i64,
}

/// What a join gave besides its rows.
#[derive(Default)]
struct Given {
    changes: Vec<Logged>,
    dropped: Vec<Dropped>,
}

impl Collector<'_> for Given {
    fn sink(&mut self, _: &Rows<'_>) -> Result<(), QueryError> {
        Ok(())
    }

    fn repartition(&mut self, _: RepartitionId, _: &Rows<'_>) -> Result<(), QueryError> {
        Ok(())
    }

    fn changed(&mut self, change: StoreChange<'_>) {
        self.changes.push(Logged {
            store: change.store.0,
            key: change.key.to_vec(),
            value: change.value.map(<[u8]>::to_vec),
            time_ms: change.timestamp_ms,
        });
    }

    fn changed_packed(&mut self, _: PackedChange<'_>) {
        unreachable!("joins write their rows");
    }

    fn log(&mut self, _: LogEntry, _: LoggedRow<'_, '_>) {}

    fn dropped(&mut self, reason: Dropped, _: Offset, _: u64) {
        self.dropped.push(reason);
    }

    fn time_moved(&mut self, _: Timestamp, _: Offset) {}
}

/// A join, and what it gave.
struct Story {
    join: StreamStreamJoin,
    now: Timestamp,
    given: Given,
}

impl Story {
    fn new(join: StreamStreamJoin) -> Self {
        Self { join, now: Timestamp(0), given: Given::default() }
    }

    /// Processes records of one side in one batch; gives the rows, each as key, both values, time.
    fn process(&mut self, records: &[Record]) -> Vec<String> {
        let Some(first) = records.first() else { return Vec::new() };
        self.process_rows(first.side, batch(records))
    }

    /// Processes records of both sides at once.
    fn process_together(&mut self, records: &[Record]) -> Vec<String> {
        let of_side = |side: JoinSide| {
            let places = (0..).zip(records).filter(|(_, record)| record.side == side);
            let (places, records): (Vec<i64>, Vec<Record>) =
                places.map(|(place, record)| (place, record.clone())).unzip();
            (places, records)
        };
        let sides = [JoinSide::This, JoinSide::Other].map(of_side);
        let batches = (0..).map(Port).zip(&sides).map(|(port, (places, records))| {
            let mut rows = batch(records);
            rows.meta.offsets = places.iter().copied().collect();
            (port, rows)
        });
        self.process_ports(batches.filter(|(_, rows)| rows.len > 0).collect())
    }

    fn process_rows(&mut self, side: JoinSide, rows: Rows<'_>) -> Vec<String> {
        self.process_ports(vec![(Port(usize::from(side == JoinSide::Other)), rows)])
    }

    fn process_ports(&mut self, batches: Vec<(Port, Rows<'_>)>) -> Vec<String> {
        let arena = Arena::new();
        let eval = EvalContext {
            arena: &arena,
            now: self.now,
            random: &NoRandom,
            nested_error_set_null: true,
        };
        let (mut sequence, mut tables) = (Sequence::default(), Tables::default());
        let mut ctx =
            Context { eval, out: &mut self.given, sequence: &mut sequence, tables: &mut tables };
        let mut given = Vec::new();
        let mut rest = batches;
        while !rest.is_empty() {
            let (outcome, left) = if let [(port, rows)] = &rest[..] {
                let piece = self.join.process_piece(*port, rows.clone(), &mut ctx);
                (piece.outcome, piece.rest.map(|rows| (*port, rows)).into_iter().collect())
            } else {
                let pieces = self.join.process_ports(rest, &mut ctx);
                let pieces = pieces.unwrap_or_else(|_| panic!("it takes both sides at once"));
                (pieces.outcome, pieces.rest)
            };
            assert_eq!(outcome.failure, None);
            given.extend((0..outcome.rows.len).map(|row| text(&outcome.rows, row)));
            rest = left;
        }
        given
    }

    /// A join that has taken back the changelogs, compacted, and nothing else.
    fn restored(&self, mut join: StreamStreamJoin) -> Self {
        let mut compacted: BTreeMap<(usize, &[u8]), &Logged> = BTreeMap::new();
        for change in &self.given.changes {
            compacted.insert((change.store, &change.key), change);
        }
        for Logged { store, key, value, time_ms } in compacted.into_values() {
            let record = StoredRecord { key, value: value.as_deref(), timestamp_ms: *time_ms };
            let store = join.store(*store).expect("the join has the store");
            store.restore(&record, &mut Sequence::default()).expect("a changelog is read back");
        }
        Self {
            join,
            now: self.now,
            given: Given { changes: self.given.changes.clone(), dropped: Vec::new() },
        }
    }
}

fn batch(records: &[Record]) -> Rows<'_> {
    let texts = |text: fn(&Record) -> Option<&str>| {
        let values = records.iter().map(|record| text(record).map_or(Value::Null, Value::String));
        Column::from_values(&SqlType::String, values)
    };
    let len = records.len();
    Rows {
        len,
        key: KeyColumns {
            columns: vec![texts(|record| record.key.as_deref())],
            valid: Validity::all(),
            index: None,
            len,
        },
        value: vec![texts(|record| record.value.as_deref())],
        value_valid: Validity::from_flags(records.iter().map(|row| row.value.is_some()).collect()),
        old: None,
        meta: Meta {
            timestamps: records.iter().map(|record| record.time_ms).collect(),
            partition: Partition(0),
            ..Meta::default()
        },
    }
}

fn text(rows: &Rows<'_>, row: usize) -> String {
    let text = |column: &Column<'_>, row| match column.value(row) {
        Value::String(text) => text.to_owned(),
        _ => "-".to_owned(),
    };
    let key = text(&rows.key.columns[0], rows.key.position(row));
    let values: Vec<_> = rows.value.iter().map(|column| text(column, row)).collect();
    let window = rows.meta.window(row);
    let window = window.map(|window| format!(" [{},{}]", window.start.0, window.end.0));
    let headers = rows.meta.headers(row).iter().map(|(name, _)| format!(" {name}"));
    let more: String = window.into_iter().chain(headers).collect();
    format!("{key} {} @{}{more}", values.join("+"), rows.meta.timestamp(row).0)
}

/// Tells a story: `side key value @time => row, row`, or `clock @time`.
fn check(shape: Shape, story: &str) -> Story {
    let mut told = Story::new(shape.join(1_000));
    for line in story.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (record, expected) = line.split_once("=>").unwrap_or((line, ""));
        let (words, time) = record.split_once('@').expect("a line has a time");
        let time_ms = time.trim().parse().expect("a time is a number");
        let words: Vec<_> = words.split_whitespace().collect();
        let [side, key, value] = words[..] else {
            told.now = Timestamp(time_ms);
            continue;
        };
        let side = if side == "this" { JoinSide::This } else { JoinSide::Other };
        let present = |text: &str| (text != "null").then(|| text.to_owned());
        let record = Record { side, key: present(key), value: present(value), time_ms };
        let given = told.process(&[record]).join(", ");
        let given = if given.is_empty() { "nothing" } else { &given };
        assert_eq!(given, expected.trim(), "{line}");
    }
    told
}
