//! The fast way to read a flat JSON object, for records that hold no surprise.
//!
//! The i-th member's name is compared with the i-th name of the records before, digits and text are
//! looked at eight bytes at a time, doubles are computed exactly as `m / 10^k`, and values go
//! straight into their columns. Whatever is out of the ordinary makes [`Scan::read`] give up, and
//! the plain reader takes the record from its start: an escape, a type that has to be converted, a
//! column that occurs twice, a fault. So all that this reader accepts is the same to the plain one,
//! and it needs no messages.

use super::convert::to_upper;
use super::cursor::{Cursor, Fast, GiveUp, Kind};
use crate::formats::rows::Rows;
use crate::types::{ColumnDef, Value};

/// What the records of one chunk have in common.
#[derive(Debug, Default)]
pub(in crate::formats) struct Scan {
    /// The members of the record before, in its order.
    expected: Vec<Expected>,
    /// The record that last gave each column a value.
    given: Vec<u32>,
    record: u32,
    /// Whether a name is that of a column only if its letters have the same case.
    is_exact: bool,
}

#[derive(Debug)]
struct Expected {
    name: ExpectedName,
    column: usize,
    kind: Kind,
}

/// `"name":`, as it stands in the record.
#[derive(Debug)]
enum ExpectedName {
    /// Up to sixteen bytes, the first of them lowest, and which bits are theirs.
    Short {
        bytes: u128,
        mask: u128,
        len: usize,
    },
    Long(Box<[u8]>),
}

impl ExpectedName {
    fn new(name: &str) -> Self {
        let name = format!("\"{name}\":").into_bytes();
        let len = name.len();
        if len > size_of::<u128>() {
            return Self::Long(name.into());
        }
        let bytes = name.iter().rev().fold(0, |bytes, byte| bytes << 8 | u128::from(*byte));
        Self::Short { bytes, mask: u128::MAX >> (128 - 8 * len), len }
    }

    /// The length of the name, if `bytes` begin with it.
    #[inline]
    fn len_at(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Short { bytes: name, mask, len } => {
                let sixteen = match bytes.first_chunk() {
                    Some(chunk) => u128::from_le_bytes(*chunk),
                    None => bytes.iter().rev().fold(0, |all, byte| all << 8 | u128::from(*byte)),
                };
                (sixteen & mask == *name).then_some(*len)
            }
            Self::Long(name) => bytes.starts_with(name).then_some(name.len()),
        }
    }
}

impl Scan {
    /// A scan that finds columns by their very names.
    pub(in crate::formats) fn exact() -> Self {
        Self { is_exact: true, ..Self::default() }
    }

    /// Reads one record into `rows`. False if the plain reader has to read it: then `rows` are as
    /// they were.
    pub(in crate::formats) fn read<'a>(
        &mut self,
        bytes: &'a [u8],
        columns: &[ColumnDef],
        rows: &mut Rows<'a>,
    ) -> bool {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        self.given.resize(columns.len(), 0);
        self.record += 1;
        let (before, mut cursor) = (rows.len(), Cursor { text, bytes, at: 0 });
        let found = self.object(&mut cursor, columns, rows);
        match found {
            Ok(found) if found == columns.len() => {}
            Ok(_) => self.fill(rows),
            Err(GiveUp) => rows.truncate(before),
        }
        found.is_ok()
    }

    /// Gives NULL to the columns that the record does not have.
    fn fill(&self, rows: &mut Rows<'_>) {
        let missing = self.given.iter().enumerate().filter(|(_, given)| **given != self.record);
        missing.for_each(|(column, _)| rows.push(column, Value::Null));
    }

    /// Reads the members of the record; how many of the columns it has.
    fn object<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        columns: &[ColumnDef],
        rows: &mut Rows<'a>,
    ) -> Fast<usize> {
        cursor.expect(b'{')?;
        if cursor.peek_after_blanks()? == b'}' {
            return Ok(0);
        }
        let mut found = 0;
        for index in 0.. {
            cursor.peek_after_blanks()?;
            let (column, kind) = self.name(index, cursor, columns)?;
            if let Kind::None = kind {
                cursor.skip_value()?;
            } else {
                if std::mem::replace(&mut self.given[column], self.record) == self.record {
                    return Err(GiveUp);
                }
                found += 1;
                cursor.value_into(rows, column, kind)?;
            }
            match cursor.peek_after_blanks()? {
                b',' => cursor.at += 1,
                b'}' => return Ok(found),
                _ => return Err(GiveUp),
            }
        }
        Err(GiveUp)
    }

    /// Reads a name and its colon; the column of that name, if there is one.
    #[inline]
    fn name(
        &mut self,
        index: usize,
        cursor: &mut Cursor<'_>,
        columns: &[ColumnDef],
    ) -> Fast<(usize, Kind)> {
        if let Some(expected) = self.expected.get(index)
            && let Some(len) = expected.name.len_at(&cursor.bytes[cursor.at..])
        {
            cursor.at += len;
            return Ok((expected.column, expected.kind));
        }
        self.learn_name(index, cursor, columns)
    }

    /// Reads a name that was not expected, and expects it of the records to come.
    #[cold]
    fn learn_name(
        &mut self,
        index: usize,
        cursor: &mut Cursor<'_>,
        columns: &[ColumnDef],
    ) -> Fast<(usize, Kind)> {
        cursor.expect(b'"')?;
        let name = cursor.text()?;
        let column = if self.is_exact {
            columns.iter().position(|column| *column.name == *name)
        } else {
            find_column(name, columns)?
        };
        cursor.expect(b':')?;
        let kind = column.map_or(Kind::None, |column| Kind::of(&columns[column].ty));
        let column = column.unwrap_or_default();
        let expected = Expected { name: ExpectedName::new(name), column, kind };
        if index < self.expected.len() {
            self.expected[index] = expected;
        } else {
            self.expected.push(expected);
        }
        Ok((column, kind))
    }
}

fn find_column(name: &str, columns: &[ColumnDef]) -> Fast<Option<usize>> {
    let upper = to_upper(name);
    let exact = columns.iter().position(|column| *column.name == *name);
    let found = exact.or_else(|| columns.iter().position(|column| *column.name == *upper));
    // A name that is one column, and in capitals another, may mean both.
    if exact.is_some() && upper != name && columns.iter().any(|column| *column.name == *upper) {
        return Err(GiveUp);
    }
    Ok(found)
}
