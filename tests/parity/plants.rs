//! What is planted in the topics of a server, and what is to be found of it.

use millstream::kafka::partitioner::partition_for_key;

use super::record::Record;
use super::stub::Written;

/// What is planted in a sink, and the differences that are found then.
pub(crate) struct Plant {
    pub(crate) what: &'static str,
    pub(crate) found: &'static [(&'static str, u64)],
    /// Whether the sink is one of records without keys.
    pub(crate) is_keyless: bool,
    pub(crate) change: fn(&mut Written),
}

const fn plant(
    what: &'static str,
    found: &'static [(&'static str, u64)],
    change: fn(&mut Written),
) -> Plant {
    Plant { what, found, is_keyless: false, change }
}

const fn keyless(
    what: &'static str,
    found: &'static [(&'static str, u64)],
    change: fn(&mut Written),
) -> Plant {
    Plant { what, found, is_keyless: true, change }
}

/// The place of the n-th record of the key `a`.
fn nth(written: &Written, number: usize) -> usize {
    let of_key = |(_, (_, record)): &(usize, &(usize, Record))| record.key.as_deref() == Some(b"a");
    written.records.iter().enumerate().filter(of_key).nth(number).unwrap().0
}

fn record(written: &mut Written, number: usize) -> &mut Record {
    let at = nth(written, number);
    &mut written.records[at].1
}

pub(crate) static PLANTS: &[Plant] = &[
    plant("nothing", &[], |_| {}),
    plant("a byte of a value", &[("value", 1)], |written| {
        record(written, 3).value = Some(br#"{"N":7}"#.to_vec());
    }),
    plant("a byte of a key", &[("key only theirs", 1), ("record only ours", 1)], |written| {
        record(written, 3).key = Some(b"A".to_vec());
    }),
    plant(
        "all records of a key under another one",
        &[("key only ours", 1), ("key only theirs", 1)],
        |written| {
            for (_, record) in &mut written.records {
                if record.key.as_deref() == Some(b"a") {
                    record.key = Some(b"A".to_vec());
                }
            }
        },
    ),
    plant("the order of a key's records", &[("order", 1)], |written| {
        let (one, other) = (nth(written, 2), nth(written, 3));
        written.records.swap(one, other);
    }),
    plant("a timestamp", &[("timestamp", 1)], |written| record(written, 3).timestamp_ms += 1),
    plant("the value of a header", &[("header value", 1)], |written| {
        record(written, 3).headers[0].1 = Some(b"there".to_vec());
    }),
    plant("a header without a value", &[("header value", 1)], |written| {
        record(written, 3).headers[0].1 = None;
    }),
    plant("a header that is missing", &[("headers", 1)], |written| {
        record(written, 3).headers.pop();
    }),
    plant("a header of another name", &[("headers", 1)], |written| {
        record(written, 3).headers[0].0.make_ascii_uppercase();
    }),
    plant("headers in another order", &[("headers", 1)], |written| {
        record(written, 3).headers.swap(0, 1);
    }),
    plant("one more record", &[("record only theirs", 1)], |written| {
        let at = nth(written, 3);
        let twice = written.records[at].clone();
        written.records.insert(at, twice);
    }),
    plant("one fewer record", &[("record only ours", 1)], |written| {
        let at = nth(written, 3);
        written.records.remove(at);
    }),
    plant("a tombstone instead of a row", &[("tombstone", 1)], |written| {
        record(written, 3).value = None;
    }),
    plant("an empty value", &[("value", 1)], |written| {
        record(written, 3).value = Some(Vec::new());
    }),
    plant("another partition", &[("partition", 1)], |written| {
        let at = nth(written, 9);
        written.records[at].0 = 1 - written.records[at].0;
    }),
    plant("the final row", &[("value", 1), ("final row", 1)], |written| {
        record(written, 9).value = Some(br#"{"N":7}"#.to_vec());
    }),
    plant("the number of partitions", &[("partition count", 1)], |written| written.partitions = 3),
    plant("the cleanup policy", &[("cleanup policy", 1)], |written| {
        written.configs = vec![("cleanup.policy", "compact")];
    }),
    plant("no topic", &[("topic missing", 1)], |written| written.is_missing = true),
    plant(
        "a record without its key",
        &[("record only ours", 1), ("record only theirs", 1)],
        |written| {
            record(written, 3).key = None;
        },
    ),
    keyless("nothing without keys", &[], |_| {}),
    keyless("the order of records without keys", &[], |written| {
        written.records.reverse();
        written.records.iter_mut().for_each(|(partition, _)| *partition = 1 - *partition);
    }),
    keyless("a value without a key", &[("value", 1)], |written| {
        written.records[3].1.value = Some(br#"{"N":7000}"#.to_vec());
    }),
    keyless("a timestamp without a key", &[("timestamp", 1)], |written| {
        written.records[3].1.timestamp_ms += 1;
    }),
    keyless("one fewer without a key", &[("record only ours", 1)], |written| {
        written.records.remove(3);
    }),
    keyless("twice the same without a key", &[("record only theirs", 1)], |written| {
        let twice = written.records[3].clone();
        written.records.push(twice);
    }),
];

/// Ten records of each of the keys `a` and `d`, each key on its partition, or 20 without keys over both.
pub(crate) fn input(is_keyless: bool) -> Vec<(usize, Record)> {
    let one = |at: usize| {
        let key: &[u8] = if at.is_multiple_of(2) { b"a" } else { b"d" };
        let partition = partition_for_key(key, 2);
        let record = Record {
            key: (!is_keyless).then(|| key.to_vec()),
            value: Some(format!(r#"{{"N":{at}}}"#).into_bytes()),
            timestamp_ms: 1_000 * at as i64,
            headers: vec![
                ("from".to_owned(), Some(b"here".to_vec())),
                ("to".to_owned(), Some(b"there".to_vec())),
            ],
        };
        (if is_keyless { at % 2 } else { partition as usize }, record)
    };
    (0..20).map(one).collect()
}
