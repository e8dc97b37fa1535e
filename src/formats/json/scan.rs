//! The fast way to read a flat JSON object, for records that hold no surprise.
//!
//! The i-th member's name is compared with the i-th name of the records before, digits and text are
//! looked at eight bytes at a time, and doubles are computed exactly as `m / 10^k`. Whatever is out
//! of the ordinary makes [`Scan::read`] give up, and the plain reader takes the record from its
//! start: an escape, a type that has to be converted, a column that occurs twice, a fault. So all
//! that this reader accepts is the same to the plain one, and it needs no messages.

use super::convert::{number_to_double, to_upper};
use crate::types::{ColumnDef, SqlType, Value};

/// How deeply members that are no columns may be nested. Deeper ones are left to the plain reader.
const DEPTH_MAX: u32 = 64;

/// Up to here, whole numbers are doubles.
const EXACT_MAX: u64 = 1 << 53;

/// The powers of ten that are doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = ONES * 0x22;
const BACKSLASHES: u64 = ONES * 0x5C;

/// What records of one chunk have in common, and the values of the record that is read.
#[derive(Debug, Default)]
pub(in crate::formats) struct Scan<'a> {
    /// The members of the record before, in its order.
    expected: Vec<Expected>,
    /// One value for each column.
    values: Vec<Value<'a>>,
    /// The record that last gave each column a value.
    given: Vec<u32>,
    record: u32,
}

#[derive(Debug)]
struct Expected {
    name: ExpectedName,
    column: Option<u16>,
}

/// `name":`, as it follows the opening quote.
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
        let name = format!("{name}\":").into_bytes();
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

/// The record is not one for the fast way.
struct GiveUp;

type Fast<T> = Result<T, GiveUp>;

impl<'a> Scan<'a> {
    /// The values of the columns of one record, or `None` if the plain reader has to read it.
    pub(super) fn read(&mut self, bytes: &'a [u8], columns: &[ColumnDef]) -> Option<&[Value<'a>]> {
        let text = std::str::from_utf8(bytes).ok()?;
        self.values.clear();
        self.values.resize(columns.len(), Value::Null);
        self.given.resize(columns.len(), 0);
        self.record += 1;
        let mut cursor = Cursor { text, bytes, at: 0 };
        self.object(&mut cursor, columns).ok()?;
        Some(&self.values)
    }

    fn object(&mut self, cursor: &mut Cursor<'a>, columns: &[ColumnDef]) -> Fast<()> {
        cursor.expect(b'{')?;
        if cursor.peek_after_blanks()? == b'}' {
            return Ok(());
        }
        for index in 0.. {
            cursor.expect(b'"')?;
            match self.name(index, cursor, columns)? {
                None => cursor.skip_value()?,
                Some(column) => {
                    let column = usize::from(column);
                    if std::mem::replace(&mut self.given[column], self.record) == self.record {
                        return Err(GiveUp);
                    }
                    self.values[column] = cursor.value(&columns[column].ty)?;
                }
            }
            match cursor.peek_after_blanks()? {
                b',' => cursor.at += 1,
                b'}' => return Ok(()),
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
        cursor: &mut Cursor<'a>,
        columns: &[ColumnDef],
    ) -> Fast<Option<u16>> {
        if let Some(expected) = self.expected.get(index)
            && let Some(len) = expected.name.len_at(&cursor.bytes[cursor.at..])
        {
            cursor.at += len;
            return Ok(expected.column);
        }
        let name = cursor.text()?;
        let column = find_column(name, columns)?;
        cursor.expect(b':')?;
        let expected = Expected { name: ExpectedName::new(name), column };
        if index < self.expected.len() {
            self.expected[index] = expected;
        } else {
            self.expected.push(expected);
        }
        Ok(column)
    }
}

fn find_column(name: &str, columns: &[ColumnDef]) -> Fast<Option<u16>> {
    let upper = to_upper(name);
    let exact = columns.iter().position(|column| *column.name == *name);
    let found = exact.or_else(|| columns.iter().position(|column| *column.name == *upper));
    // A name that is one column, and in capitals another, may mean both.
    if exact.is_some() && upper != name && columns.iter().any(|column| *column.name == *upper) {
        return Err(GiveUp);
    }
    found.map(|index| u16::try_from(index).map_err(|_| GiveUp)).transpose()
}

struct Cursor<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn peek(&self) -> Fast<u8> {
        self.bytes.get(self.at).copied().ok_or(GiveUp)
    }

    #[inline]
    fn peek_after_blanks(&mut self) -> Fast<u8> {
        loop {
            match self.peek()? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Ok(byte),
            }
        }
    }

    /// Consumes blanks and `byte`.
    #[inline]
    fn expect(&mut self, byte: u8) -> Fast<()> {
        if self.peek_after_blanks()? != byte {
            return Err(GiveUp);
        }
        self.at += 1;
        Ok(())
    }

    /// The next eight bytes, the first of them lowest.
    #[inline]
    fn eight(&self) -> Option<u64> {
        let bytes = self.bytes.get(self.at..self.at + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// Reads text up to its closing quote. There may be no escape in it.
    #[inline]
    fn text(&mut self) -> Fast<&'a str> {
        let start = self.at;
        while let Some(eight) = self.eight() {
            let special = special_bytes(eight);
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                break;
            }
            self.at += 8;
        }
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' | 0..0x20 => return Err(GiveUp),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.text.get(start..self.at - 1).ok_or(GiveUp)
    }

    /// Reads the value of a column, which has to be of the column's own kind, or null.
    #[inline]
    fn value(&mut self, ty: &SqlType) -> Fast<Value<'a>> {
        let first = self.peek_after_blanks()?;
        match (first, ty) {
            (b'"', SqlType::String) => {
                self.at += 1;
                self.text().map(Value::String)
            }
            (b'-' | b'0'..=b'9', SqlType::Double) => self.double().map(Value::Double),
            (b'-' | b'0'..=b'9', SqlType::Bigint) => self.integer().map(Value::Bigint),
            (b'-' | b'0'..=b'9', SqlType::Int) => Ok(Value::Int(self.integer()? as i32)),
            (b'-' | b'0'..=b'9', SqlType::Timestamp) => self.integer().map(Value::Timestamp),
            (b't', SqlType::Boolean) => self.word(b"true").map(|()| Value::Boolean(true)),
            (b'f', SqlType::Boolean) => self.word(b"false").map(|()| Value::Boolean(false)),
            (b'n', _) => self.word(b"null").map(|()| Value::Null),
            _ => Err(GiveUp),
        }
    }

    /// Reads a word that a letter or a digit does not follow.
    fn word(&mut self, word: &[u8]) -> Fast<()> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(GiveUp);
        }
        self.at += word.len();
        match self.peek()? {
            b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' => Ok(()),
            _ => Err(GiveUp),
        }
    }

    /// Reads digits onto `number`, which may overflow; how many there were.
    #[inline]
    fn digits(&mut self, number: &mut u64) -> usize {
        let start = self.at;
        while let Some(digits) = self.eight().filter(|eight| is_eight_digits(*eight)) {
            *number = number.wrapping_mul(100_000_000).wrapping_add(eight_digits(digits));
            self.at += 8;
        }
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(self.at) {
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        self.at - start
    }

    /// Reads the sign and the whole part of a number.
    #[inline]
    fn whole(&mut self, number: &mut u64) -> Fast<(bool, usize)> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let first = self.peek()?;
        let count = self.digits(number);
        if count == 0 || (first == b'0' && count > 1) {
            return Err(GiveUp);
        }
        Ok((negative, count))
    }

    /// Reads a whole number of 64 bits.
    #[inline]
    fn integer(&mut self) -> Fast<i64> {
        let mut number = 0;
        let (negative, count) = self.whole(&mut number)?;
        let is_more = matches!(self.peek()?, b'.' | b'e' | b'E');
        if count > 19 || number > i64::MAX as u64 || is_more {
            return Err(GiveUp);
        }
        Ok(if negative { -(number as i64) } else { number as i64 })
    }

    #[inline]
    fn double(&mut self) -> Fast<f64> {
        let start = self.at;
        let mut number = 0;
        let (negative, mut count) = self.whole(&mut number)?;
        let mut decimals = 0;
        if self.peek()? == b'.' {
            self.at += 1;
            decimals = self.digits(&mut number);
            if decimals == 0 {
                return Err(GiveUp);
            }
            count += decimals;
        }
        let has_exponent = matches!(self.peek()?, b'e' | b'E');
        if has_exponent {
            self.exponent()?;
        }
        if has_exponent || count > 19 || number > EXACT_MAX || decimals >= POWERS.len() {
            return Ok(number_to_double(self.text.get(start..self.at).ok_or(GiveUp)?));
        }
        let value = number as f64 / POWERS[decimals];
        Ok(if negative && number != 0 { -value } else { value })
    }

    fn exponent(&mut self) -> Fast<()> {
        self.at += 1;
        if matches!(self.peek()?, b'+' | b'-') {
            self.at += 1;
        }
        if self.digits(&mut 0) == 0 { Err(GiveUp) } else { Ok(()) }
    }

    /// Skips a value that no column takes, but checks it.
    fn skip_value(&mut self) -> Fast<()> {
        // One bit for each list or object that is open: 1 for an object.
        let (mut open, mut depth) = (0_u64, 0);
        loop {
            let byte = self.peek_after_blanks()?;
            let is_closed = if matches!(byte, b'{' | b'[') {
                self.at += 1;
                depth += 1;
                if depth > DEPTH_MAX {
                    return Err(GiveUp);
                }
                open = open << 1 | u64::from(byte == b'{');
                let close = if byte == b'{' { b'}' } else { b']' };
                let is_empty = self.peek_after_blanks()? == close;
                if !is_empty && byte == b'{' {
                    self.skip_name()?;
                }
                is_empty
            } else {
                self.skip_scalar()?;
                true
            };
            if !is_closed {
                continue;
            }
            if !self.skip_to_next(&mut open, &mut depth)? {
                return Ok(());
            }
        }
    }

    /// After a value: closes what ends here. Whether another value follows.
    fn skip_to_next(&mut self, open: &mut u64, depth: &mut u32) -> Fast<bool> {
        while *depth > 0 {
            let is_object = *open & 1 == 1;
            match self.peek_after_blanks()? {
                b',' => {
                    self.at += 1;
                    if is_object {
                        self.skip_name()?;
                    }
                    return Ok(true);
                }
                byte if byte == if is_object { b'}' } else { b']' } => {
                    self.at += 1;
                    *open >>= 1;
                    *depth -= 1;
                }
                _ => return Err(GiveUp),
            }
        }
        Ok(false)
    }

    fn skip_name(&mut self) -> Fast<()> {
        self.expect(b'"')?;
        self.text()?;
        self.expect(b':')
    }

    fn skip_scalar(&mut self) -> Fast<()> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.text().map(drop)
            }
            b'-' | b'0'..=b'9' => self.skip_number(),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => Err(GiveUp),
        }
    }

    fn skip_number(&mut self) -> Fast<()> {
        let start = self.at;
        self.double()?;
        // Exponents beyond those of a DOUBLE are another kind of node, or a fault.
        if self.bytes[start..self.at].iter().any(|byte| matches!(byte, b'e' | b'E')) {
            return Err(GiveUp);
        }
        Ok(())
    }
}

/// The high bit of each byte that ends plain text: a quote, a backslash, a control character.
/// Bytes behind such a one may be marked in error.
#[inline]
fn special_bytes(eight: u64) -> u64 {
    let zero_bytes = |value: u64| value.wrapping_sub(ONES) & !value;
    let quotes = zero_bytes(eight ^ QUOTES);
    let backslashes = zero_bytes(eight ^ BACKSLASHES);
    let controls = eight.wrapping_sub(ONES * 0x20) & !eight;
    (quotes | backslashes | controls) & HIGHS
}

/// Whether all of eight bytes are digits.
#[inline]
fn is_eight_digits(eight: u64) -> bool {
    let carried = eight.wrapping_add(0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0;
    (eight & 0xF0F0_F0F0_F0F0_F0F0) | (carried >> 4) == 0x3333_3333_3333_3333
}

/// The number that eight digits are: pairs, then fours, then all.
#[inline]
fn eight_digits(eight: u64) -> u64 {
    let ones = eight & 0x0F0F_0F0F_0F0F_0F0F;
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_are_looked_at_at_once() {
        let eight = |text: &[u8; 8]| u64::from_le_bytes(*text);
        assert!(is_eight_digits(eight(b"12345678")));
        assert!(!is_eight_digits(eight(b"1234567:")));
        assert!(!is_eight_digits(eight(b"1234567/")));
        assert_eq!(eight_digits(eight(b"12345678")), 12_345_678);
        assert_eq!(eight_digits(eight(b"99999999")), 99_999_999);
        assert_eq!(special_bytes(eight(b"abcdefgh")), 0);
        assert_eq!(special_bytes(eight(b"abc\"efgh")).trailing_zeros() / 8, 3);
        assert_eq!(special_bytes(eight(b"ab\ndefgh")).trailing_zeros() / 8, 2);
        assert_eq!(special_bytes(eight(b"\xC3\xA9cde\\gh")).trailing_zeros() / 8, 5);
    }
}
