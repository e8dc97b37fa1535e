//! Which rows of a chunk have a value that queries look for, found once for all of them.
//!
//! A thousand push queries `WHERE device = …` over one stream would otherwise each look at every row.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::plan::SoughtValue;
use crate::types::{Column, Value};

/// How many queries have to look for values before their rows are found for all at once.
pub(super) const QUERIES_LEAST: usize = 4;

/// The rows of a chunk by the value of a column.
pub(super) struct RowsByValue<'a> {
    texts: HashMap<&'a str, Vec<u32>, RandomState>,
    numbers: HashMap<i64, Vec<u32>, RandomState>,
}

impl<'a> RowsByValue<'a> {
    /// The rows of a column of so many.
    pub(super) fn of(column: &Column<'a>, len: usize) -> Self {
        let mut rows = Self { texts: HashMap::default(), numbers: HashMap::default() };
        for row in 0..len {
            let of_value = match column.value(row) {
                Value::String(text) => rows.texts.entry(text).or_default(),
                Value::Int(number) => rows.numbers.entry(i64::from(number)).or_default(),
                Value::Bigint(number) => rows.numbers.entry(number).or_default(),
                _ => continue,
            };
            of_value.push(row as u32);
        }
        rows
    }

    /// The rows that have a value, in order.
    pub(super) fn with(&self, value: &SoughtValue) -> &[u32] {
        let found = match value {
            SoughtValue::Text(text) => self.texts.get(&**text),
            SoughtValue::Number(number) => self.numbers.get(number),
        };
        found.map_or(&[], Vec::as_slice)
    }
}
