//! Records of a partition, as they were fetched.

use crate::types::Headers;

/// Records of one partition, in order, as they were fetched.
#[derive(Debug, Default)]
pub struct RawRecords<'a> {
    /// The partition.
    pub partition: i32,
    /// The offset of each record.
    pub offsets: Vec<i64>,
    /// The timestamp of each record.
    pub timestamps: Vec<i64>,
    /// The key of each record.
    pub keys: Vec<Option<&'a [u8]>>,
    /// The value of each record.
    pub values: Vec<Option<&'a [u8]>>,
    /// The headers of each record; `None` where no record has any.
    pub headers: Option<Vec<Headers<'a>>>,
}

impl RawRecords<'_> {
    /// None of a partition yet, with room for some.
    pub fn with_room(partition: i32, records: usize) -> Self {
        Self {
            partition,
            offsets: Vec::with_capacity(records),
            timestamps: Vec::with_capacity(records),
            keys: Vec::with_capacity(records),
            values: Vec::with_capacity(records),
            headers: None,
        }
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }
}

impl<'a> RawRecords<'a> {
    /// The records at these positions, in that order.
    #[must_use]
    pub fn taken(&self, rows: &[usize]) -> Self {
        fn pick<T: Copy>(all: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|row| all[*row]).collect()
        }
        RawRecords {
            partition: self.partition,
            offsets: pick(&self.offsets, rows),
            timestamps: pick(&self.timestamps, rows),
            keys: pick(&self.keys, rows),
            values: pick(&self.values, rows),
            headers: self.headers.as_ref().map(|headers| pick::<Headers<'a>>(headers, rows)),
        }
    }
}
