//! Joins are held against a slow and plain model.

use proptest::prelude::*;

use super::*;

/// A join as slow and plain as can be: each row is held against all that were ever put.
struct Model {
    shape: Shape,
    /// Key, time and value of the rows of this and of the other side.
    put: [Vec<(String, i64, String)>; 2],
    numbers: [i32; 2],
    /// By time, side and key.
    waiting: BTreeMap<(i64, u8, String), Vec<String>>,
    min_time: i64,
    changes: Vec<Logged>,
}

impl Model {
    fn new(shape: Shape) -> Self {
        let (put, numbers) = ([Vec::new(), Vec::new()], [0; 2]);
        let waiting = BTreeMap::new();
        Self { shape, put, numbers, waiting, min_time: i64::MAX, changes: Vec::new() }
    }

    /// The highest time of a side.
    fn time_of(&self, side: usize) -> i64 {
        self.put[side].iter().map(|(_, time_ms, _)| *time_ms).max().unwrap_or(-1)
    }

    fn process(&mut self, record: &Record) -> Vec<String> {
        let near = usize::from(record.side == JoinSide::Other);
        let Some(key) = &record.key else { return Vec::new() };
        let Some(value) = &record.value else {
            self.keep(near, key, record);
            return Vec::new();
        };
        let Shape { before_ms, after_ms, .. } = self.shape;
        let (before_ms, after_ms) =
            if near == 0 { (before_ms, after_ms) } else { (after_ms, before_ms) };
        let time_ms = record.time_ms;
        let stream_time = self.time_of(0).max(self.time_of(1)).max(time_ms);
        let mut given = Vec::new();
        if self.waits() && stream_time == time_ms {
            self.look_through(stream_time, (before_ms, after_ms), &mut given);
        }
        let oldest = self.time_of(1 - near) - self.shape.retention_ms() + 1;
        let times = oldest.max(time_ms - before_ms)..=time_ms + after_ms;
        let mut found = self.put[1 - near].clone();
        found.retain(|(other, at, _)| other == key && times.contains(at));
        found.sort_by_key(|(_, at, _)| *at);
        for (_, at, far) in &found {
            let removed = self.waiting.remove(&(*at, near as u8, key.clone()));
            if removed.is_some() {
                self.log_waiting(*at, near as u8, key, time_ms);
            }
            given.push(row(key, near, (value, &far.to_uppercase()), time_ms.max(*at)));
        }
        if found.is_empty() && self.shape.is_outer(record.side) {
            if self.waits() && time_ms + after_ms >= stream_time {
                self.min_time = self.min_time.min(time_ms);
                let place = (time_ms, 1 - near as u8, key.clone());
                self.waiting.entry(place).or_default().push(value.clone());
                self.log_waiting(time_ms, 1 - near as u8, key, time_ms);
            } else {
                given.push(row(key, near, (value, "-"), time_ms));
            }
        }
        self.keep(near, key, record);
        self.put[near].push((key.clone(), time_ms, value.clone()));
        given
    }

    fn waits(&self) -> bool {
        self.shape.kind != JoinKind::Inner && self.shape.grace_ms.is_some()
    }

    fn look_through(
        &mut self,
        stream_time: i64,
        (before_ms, after_ms): (i64, i64),
        given: &mut Vec<String>,
    ) {
        let grace_ms = self.shape.grace_ms.unwrap_or_default();
        if self.min_time >= stream_time - before_ms - grace_ms {
            return;
        }
        self.min_time = i64::MAX;
        for ((at, side, key), values) in self.waiting.clone() {
            self.min_time = at;
            if at + after_ms + grace_ms >= stream_time {
                return;
            }
            for value in values {
                let near = usize::from(side == 0);
                given.push(row(&key, near, (&value.to_uppercase(), "-"), at));
            }
            self.waiting.remove(&(at, side, key.clone()));
            self.log_waiting(at, side, &key, stream_time);
        }
    }

    /// Logs what waits under a key now.
    fn log_waiting(&mut self, at: i64, side: u8, key: &str, time_ms: i64) {
        let values = self.waiting.get(&(at, side, key.to_owned()));
        let value = values.map(|values| {
            let mut list = [&[1][..], &(values.len() as u32).to_be_bytes()].concat();
            for value in values {
                list.extend((value.len() as u32 + 1).to_be_bytes());
                list.push(side);
                list.extend(value.as_bytes());
            }
            list
        });
        let key = [&at.to_be_bytes()[..], &[side], key.as_bytes()].concat();
        self.changes.push(Logged { store: 2, key, value, time_ms });
    }

    fn keep(&mut self, near: usize, key: &str, record: &Record) {
        self.numbers[near] += 1;
        let (time, number) = (record.time_ms.to_be_bytes(), self.numbers[near].to_be_bytes());
        let key = [key.as_bytes(), &time, &number].concat();
        let value = record.value.as_ref().map(|value| value.clone().into_bytes());
        self.changes.push(Logged { store: near, key, value, time_ms: record.time_ms });
    }
}

/// A row of the model; the near value comes first where this side is the near one.
fn row(key: &str, near: usize, (value, far): (&str, &str), time_ms: i64) -> String {
    let (left, right) = if near == 0 { (value, far) } else { (far, value) };
    format!("{key} {left}+{right} @{time_ms}")
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let kind = prop_oneof![Just(JoinKind::Inner), Just(JoinKind::Left), Just(JoinKind::Full)];
    let shape =
        |(kind, before_ms, after_ms, grace_ms)| Shape { kind, before_ms, after_ms, grace_ms };
    (kind, 0..10_i64, 0..10_i64, prop::option::of(0..8_i64)).prop_map(shape)
}

/// Records whose time moves on by and by, some of them late; each value is another.
fn any_records() -> impl Strategy<Value = Vec<Record>> {
    let side = prop_oneof![Just(JoinSide::This), Just(JoinSide::Other)];
    let key = prop_oneof![9 => "[AB]".prop_map(Some), 1 => Just(None)];
    let step = prop_oneof![8 => 0..4_i64, 1 => 10..30_i64];
    let record = (side, key, prop::bool::weighted(0.9), step, 0..25_i64, prop::bool::weighted(0.3));
    prop::collection::vec(record, 0..60).prop_map(|steps| {
        let (mut now_ms, mut records) = (30, Vec::new());
        for (side, key, has_value, step_ms, late_ms, is_late) in steps {
            now_ms += step_ms;
            let time_ms = if is_late { now_ms - late_ms } else { now_ms };
            let value = has_value.then(|| format!("v{}", records.len()));
            records.push(Record { side, key, value, time_ms });
        }
        records
    })
}

/// Runs of records of one side, none longer than `longest`.
fn batches(records: &[Record], longest: usize) -> impl Iterator<Item = &[Record]> {
    let runs = records.chunk_by(|a, b| a.side == b.side);
    runs.flat_map(move |run| run.chunks(longest))
}

fn of_store(changes: &[Logged], store: usize) -> Vec<&Logged> {
    changes.iter().filter(|change| change.store == store).collect()
}

proptest! {
    /// Rows and changelogs are the model's, however records are cut into batches and rows into
    /// pieces.
    #[test]
    fn a_join_does_as_the_model(
        shape in any_shape(),
        records in any_records(),
        longest in 1..9_usize,
        rows_max in 1..5_usize,
    ) {
        let mut model = Model::new(shape);
        let expected: Vec<_> = records.iter().flat_map(|record| model.process(record)).collect();
        let mut story = Story::new(StreamStreamJoin { rows_max, ..shape.join(0) });
        let given: Vec<_> =
            batches(&records, longest).flat_map(|batch| story.process(batch)).collect();
        prop_assert_eq!(given, expected);
        for store in 0..3 {
            let (given, expected) =
                (of_store(&story.given.changes, store), of_store(&model.changes, store));
            prop_assert_eq!(given, expected);
        }
    }

    /// So they are where batches of both sides come at once.
    #[test]
    fn batches_of_both_sides_do_as_the_model(
        shape in any_shape(),
        records in any_records(),
        longest in 1..20_usize,
        rows_max in 1..5_usize,
    ) {
        let mut model = Model::new(shape);
        let expected: Vec<_> = records.iter().flat_map(|record| model.process(record)).collect();
        let mut story = Story::new(StreamStreamJoin { rows_max, ..shape.join(0) });
        let given: Vec<_> =
            records.chunks(longest).flat_map(|records| story.process_together(records)).collect();
        prop_assert_eq!(given, expected);
        for store in 0..3 {
            let (given, expected) =
                (of_store(&story.given.changes, store), of_store(&model.changes, store));
            prop_assert_eq!(given, expected);
        }
    }

    /// A join that is restored half-way from its compacted changelogs goes on as if nothing had
    /// happened. (Where the span before is not the one after, rows that waited may come at other
    /// times, as when they are looked for then depends on rows that wait no more.)
    #[test]
    fn a_restored_join_does_as_the_model(
        shape in any_shape(),
        records in any_records(),
        at in 0..60_usize,
    ) {
        let shape = Shape { after_ms: shape.before_ms, ..shape };
        let mut model = Model::new(shape);
        let expected: Vec<_> = records.iter().flat_map(|record| model.process(record)).collect();
        let (before, after) = records.split_at(at.min(records.len()));
        let mut story = Story::new(shape.join(0));
        let mut given: Vec<_> = batches(before, 9).flat_map(|batch| story.process(batch)).collect();
        let mut story = story.restored(shape.join(0));
        given.extend(batches(after, 9).flat_map(|batch| story.process(batch)));
        prop_assert_eq!(given, expected);
        prop_assert_eq!(of_store(&story.given.changes, 2), of_store(&model.changes, 2));
    }
}
