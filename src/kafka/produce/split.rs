//! How a batch that was refused is taken apart, until the records that are at fault stand alone.
//!
//! ```text
//! the broker names records (KIP-467):  a b C d E f  →  a b d f          C and E are refused
//! it names none, as for a size:        a b c D e f  →  a b c | D e f    both are tried, in order
//! a single record:                     D            →  –                D is refused
//! ```
use super::batch::{Batch, Content, Ordinals};
use super::record::Acknowledge;
use crate::kafka::error::{Excerpt, KafkaError, RefusedRecord};
use crate::kafka::partition::TopicPartition;
use crate::kafka::records::RecordRef;
use crate::kafka::records::{Batch as Opened, BatchBuilder, BatchOptions, RawBatch, RecordError};

/// A record of a batch that the broker finds fault with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// Its index in the batch.
    pub(super) at: usize,
    /// What the broker says.
    pub(super) message: Option<String>,
}

/// What a batch comes to.
#[derive(Debug)]
pub(super) struct Split {
    /// The batches that take its place, in order.
    pub(super) parts: Vec<Batch>,
    /// The records that are in none of them.
    pub(super) refused: Vec<Refused>,
}

/// A record that is left out.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) ordinal: u64,
    pub(super) timestamp_ms: i64,
    pub(super) key: Option<Excerpt>,
    pub(super) value: Option<Excerpt>,
    /// How many bytes it takes in a batch.
    pub(super) bytes: usize,
    /// What the broker says.
    pub(super) message: Option<String>,
    pub(super) acknowledge: Vec<Acknowledge>,
}

impl Refused {
    /// What the caller is told of it. Whoever waits for the record is told elsewhere.
    pub(super) fn into_record(self, to: &TopicPartition, cause: KafkaError) -> RefusedRecord {
        let Self { ordinal, timestamp_ms, key, value, .. } = self;
        RefusedRecord { partition: to.clone(), ordinal, timestamp_ms, key, value, cause }
    }
}

impl Batch {
    /// Takes a refused batch apart, by the faults that the broker names. Whoever waits for a record goes with it.
    pub(super) fn split(&mut self, faults: &[Fault]) -> Result<Split, RecordError> {
        let bytes = match &self.content {
            Content::Encoded { bytes, .. } => bytes.clone(),
            Content::Open(builder) => builder.clone().finish(&BatchOptions::default())?,
        };
        let opened = RawBatch::parse(bytes)?.open()?;
        let mut fault_of: Vec<Option<&Fault>> = vec![None; self.records];
        for fault in faults {
            if let Some(place) = fault_of.get_mut(fault.at) {
                *place = Some(fault);
            }
        }
        let alone = Fault { at: 0, message: None };
        if fault_of.iter().all(Option::is_none) && self.records == 1 {
            fault_of[0] = Some(&alone);
        }
        let end_of_first =
            if fault_of.iter().any(Option::is_some) { self.records } else { half(&opened)? };
        self.distribute(&opened, &fault_of, end_of_first)
    }

    /// Puts the records without a fault into two batches, the second one from `end_of_first` on.
    fn distribute(
        &mut self,
        opened: &Opened,
        fault_of: &[Option<&Fault>],
        end_of_first: usize,
    ) -> Result<Split, RecordError> {
        let mut acknowledges = std::mem::take(&mut self.waiting).into_iter().peekable();
        let mut parts = [Part::default(), Part::default()];
        let mut refused = Vec::new();
        for (index, (record, fault)) in opened.records().zip(fault_of).enumerate() {
            let record = record?;
            let mut acknowledge = Vec::new();
            while let Some((_, waiting)) = acknowledges.next_if(|(at, _)| *at == index) {
                acknowledge.push(waiting);
            }
            let ordinal = self.ordinals.at(index);
            let Some(fault) = fault else {
                let part = &mut parts[usize::from(index >= end_of_first)];
                part.add(&record, ordinal, acknowledge);
                continue;
            };
            refused.push(Refused {
                ordinal,
                timestamp_ms: record.timestamp,
                key: record.key.map(Excerpt::of),
                value: record.value.map(Excerpt::of),
                bytes: record_bytes(&record),
                message: fault.message.clone(),
                acknowledge,
            });
        }
        let parts = parts.into_iter().filter(|part| !part.builder.is_empty());
        Ok(Split { parts: parts.map(|part| part.into_batch(self)).collect(), refused })
    }
}

/// A batch in the making.
#[derive(Default)]
struct Part {
    builder: BatchBuilder,
    ordinals: Vec<u64>,
    waiting: Vec<(usize, Acknowledge)>,
}

impl Part {
    fn add(&mut self, record: &RecordRef<'_>, ordinal: u64, acknowledge: Vec<Acknowledge>) {
        let index = self.builder.len();
        self.builder.append(record.timestamp, record.key, record.value, record.headers);
        self.ordinals.push(ordinal);
        self.waiting.extend(acknowledge.into_iter().map(|waiting| (index, waiting)));
    }

    fn into_batch(self, whole: &Batch) -> Batch {
        let is_run = self.ordinals.windows(2).all(|pair| pair[0] + 1 == pair[1]);
        let first = self.ordinals.first().copied().unwrap_or_default();
        let mut batch = Batch::new(whole.number, first, self.builder);
        if !is_run {
            batch.ordinals = Ordinals::Each(self.ordinals);
        }
        (batch.begun, batch.is_closed, batch.waiting) = (whole.begun, true, self.waiting);
        batch
    }
}

/// How many records make half of the bytes; at least one is on either side.
fn half(opened: &Opened) -> Result<usize, RecordError> {
    let (mut bytes, mut count) = (0, 0);
    for record in opened.records() {
        bytes += record_bytes(&record?);
        if bytes * 2 > opened.records.len() {
            break;
        }
        count += 1;
    }
    Ok(count.max(1))
}

fn record_bytes(record: &RecordRef<'_>) -> usize {
    BatchBuilder::record_bytes_max(record.key, record.value, record.headers)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::kafka::records::HeadersRef;

    /// A batch of records with these values, the first of which is the 100th of its partition.
    fn batch(values: &[&str]) -> Batch {
        let mut builder = BatchBuilder::new();
        for value in values {
            builder.append(7, Some(b"k"), Some(value.as_bytes()), HeadersRef::EMPTY);
        }
        Batch::new(3, 100, builder)
    }

    fn fault(at: usize) -> Fault {
        Fault { at, message: Some(format!("no {at}")) }
    }

    /// Each part as its ordinals and values.
    fn parts(split: Split) -> Vec<Vec<(u64, String)>> {
        let values = |batch: Batch| {
            let Content::Open(builder) = &batch.content else { panic!("a part is not encoded") };
            let bytes: Bytes = builder.clone().finish(&BatchOptions::default()).unwrap();
            let opened = RawBatch::parse(bytes).unwrap().open().unwrap();
            let value = |record: Result<RecordRef<'_>, _>| {
                String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap()
            };
            let values = opened.records().map(value);
            values.enumerate().map(|(index, value)| (batch.ordinals.at(index), value)).collect()
        };
        split.parts.into_iter().map(values).collect()
    }

    fn expected(records: &[(u64, &str)]) -> Vec<(u64, String)> {
        records.iter().map(|(ordinal, value)| (*ordinal, (*value).to_owned())).collect()
    }

    #[test]
    fn records_that_are_named_are_left_out() {
        let split = batch(&["a", "b", "c", "d", "e"]).split(&[fault(1), fault(3), fault(9)]);
        let split = split.unwrap();
        let refused: Vec<_> = split.refused.iter().map(|refused| refused.ordinal).collect();
        assert_eq!(refused, [101, 103]);
        assert_eq!(split.refused[0].message.as_deref(), Some("no 1"));
        assert_eq!(split.refused[0].value.as_ref().unwrap().bytes, "b");
        assert_eq!(parts(split), [expected(&[(100, "a"), (102, "c"), (104, "e")])]);
    }

    #[test]
    fn a_part_with_gaps_is_split_again_and_keeps_its_places() {
        let mut split = batch(&["a", "b", "c", "d"]).split(&[fault(0), fault(2)]).unwrap();
        let mut part = split.parts.remove(0);
        // As it is after it was sent.
        part.encode(crate::kafka::compression::Compression::Lz4, false).unwrap();
        let halves = parts(part.split(&[]).unwrap());
        assert_eq!(halves, [expected(&[(101, "b")]), expected(&[(103, "d")])]);
    }

    #[test]
    fn without_names_a_large_record_soon_stands_alone() {
        let large = "x".repeat(1_000);
        let split = batch(&["a", "b", &large, "c"]).split(&[]).unwrap();
        let halves = parts(split);
        assert_eq!(halves[0], expected(&[(100, "a"), (101, "b")]));
        let split = batch(&[&large, "c"]).split(&[]).unwrap();
        assert_eq!(parts(split)[0], expected(&[(100, &large)]));
        let split = batch(&[&large]).split(&[]).unwrap();
        assert!(split.parts.is_empty());
        let value = split.refused[0].value.clone().unwrap();
        assert_eq!((value.bytes.len(), value.length), (1_000, 1_000));
    }
}
