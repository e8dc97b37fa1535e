//! A place in a record, and what can be read there: texts and digits eight bytes at a time.

use super::convert::number_to_double;
use crate::formats::rows::Rows;
use crate::types::{SqlType, Value};

/// How deeply members that are no columns may be nested. Deeper ones are left to the plain reader.
const DEPTH_MAX: u32 = 64;

/// Up to here, whole numbers are doubles.
const EXACT_MAX: u64 = 1 << 53;

/// The powers of ten that are doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// How much further a number reaches with so many digits more.
const SHIFTS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
const QUOTES: u64 = ONES * 0x22;
const BACKSLASHES: u64 = ONES * 0x5C;

/// The record is not one for the fast way.
#[derive(Clone, Copy)]
pub(super) struct GiveUp;

pub(super) type Fast<T> = Result<T, GiveUp>;

/// What is read into a column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Boolean,
    Int,
    Bigint,
    Double,
    Text,
    Timestamp,
    /// Of a type that the plain reader knows; NULL here.
    Other,
    /// The member is no column.
    None,
}

impl Kind {
    pub(super) fn of(ty: &SqlType) -> Self {
        match ty {
            SqlType::Boolean => Self::Boolean,
            SqlType::Int => Self::Int,
            SqlType::Bigint => Self::Bigint,
            SqlType::Double => Self::Double,
            SqlType::String => Self::Text,
            SqlType::Timestamp => Self::Timestamp,
            _ => Self::Other,
        }
    }
}

/// A place in a record.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn peek(&self) -> Fast<u8> {
        self.bytes.get(self.at).copied().ok_or(GiveUp)
    }

    #[inline]
    pub(super) fn peek_after_blanks(&mut self) -> Fast<u8> {
        let byte = self.peek()?;
        if byte > b' ' { Ok(byte) } else { self.skip_blanks() }
    }

    #[inline(never)]
    fn skip_blanks(&mut self) -> Fast<u8> {
        loop {
            match self.peek()? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Ok(byte),
            }
        }
    }

    /// Consumes blanks and `byte`.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Fast<()> {
        if self.peek_after_blanks()? != byte {
            return Err(GiveUp);
        }
        self.at += 1;
        Ok(())
    }

    /// The next eight bytes, the first of them lowest; zeros behind the end.
    #[inline]
    fn eight(&self) -> u64 {
        match self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
            Some(eight) => u64::from_le_bytes(*eight),
            None => self.last_bytes(),
        }
    }

    /// What is left where there are fewer than eight bytes.
    #[inline(never)]
    fn last_bytes(&self) -> u64 {
        if let (Some(last), Some(left)) =
            (self.bytes.last_chunk(), self.bytes.len().checked_sub(self.at))
            && (1..8).contains(&left)
        {
            return u64::from_le_bytes(*last) >> (64 - 8 * left);
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        rest.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
    }

    /// Reads text up to its closing quote. There may be no escape in it.
    #[inline]
    pub(super) fn text(&mut self) -> Fast<&'a str> {
        let start = self.at;
        loop {
            let special = special_bytes(self.eight());
            if special != 0 {
                self.at += special.trailing_zeros() as usize / 8;
                break;
            }
            self.at += 8;
        }
        if self.peek()? != b'"' {
            return Err(GiveUp);
        }
        self.at += 1;
        self.text.get(start..self.at - 1).ok_or(GiveUp)
    }

    /// Reads the value of a column, which has to be of the column's own kind, or null.
    #[inline]
    pub(super) fn value_into(
        &mut self,
        rows: &mut Rows<'a>,
        column: usize,
        kind: Kind,
    ) -> Fast<()> {
        let first = self.peek_after_blanks()?;
        match (kind, first) {
            (Kind::Text, b'"') => {
                self.at += 1;
                let text = self.text()?;
                rows.push_text(column, text);
            }
            (Kind::Double, b'-' | b'0'..=b'9') => {
                let double = self.double()?;
                rows.push_double(column, double);
            }
            (Kind::Bigint, b'-' | b'0'..=b'9') => {
                let integer = self.integer()?;
                rows.push_bigint(column, integer);
            }
            (Kind::Int, b'-' | b'0'..=b'9') => {
                let integer = self.integer()?;
                rows.push(column, Value::Int(integer as i32));
            }
            _ => {
                let value = self.rare_value(first, kind)?;
                rows.push(column, value);
            }
        }
        Ok(())
    }

    /// Reads a value of a kind that records hold less often.
    #[inline(never)]
    fn rare_value(&mut self, first: u8, kind: Kind) -> Fast<Value<'a>> {
        match (first, kind) {
            (b'-' | b'0'..=b'9', Kind::Timestamp) => self.integer().map(Value::Timestamp),
            (b't', Kind::Boolean) => self.word(b"true").map(|()| Value::Boolean(true)),
            (b'f', Kind::Boolean) => self.word(b"false").map(|()| Value::Boolean(false)),
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
        loop {
            let eight = self.eight();
            let count = leading_digits(eight);
            if count == 0 {
                break;
            }
            // What is no digit is shifted out, and zeros come before the others.
            let digits = eight << (64 - 8 * count);
            *number = number.wrapping_mul(SHIFTS[count]).wrapping_add(eight_digits(digits));
            self.at += count;
            if count < 8 {
                break;
            }
        }
        self.at - start
    }

    /// Reads the sign and the whole part of a number.
    #[inline]
    fn whole(&mut self, number: &mut u64) -> Fast<(bool, usize)> {
        let negative = self.peek()? == b'-';
        self.at += usize::from(negative);
        let first = self.peek()?;
        if let (b'0'..=b'9', Some(b'.')) = (first, self.bytes.get(self.at + 1)) {
            *number = u64::from(first - b'0');
            self.at += 1;
            return Ok((negative, 1));
        }
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
        if count > 19 || number > i64::MAX as u64 {
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
        let mut power = -(decimals as i64);
        if matches!(self.peek()?, b'e' | b'E') {
            power += self.exponent()?;
        }
        let value = match power {
            _ if count > 19 || number > EXACT_MAX => None,
            -22..=0 => Some(number as f64 / POWERS[-power as usize]),
            1..=22 => Some(number as f64 * POWERS[power as usize]),
            _ => None,
        };
        match value {
            Some(value) if negative && number != 0 => Ok(-value),
            Some(value) => Ok(value),
            None => self.text.get(start..self.at).map(number_to_double).ok_or(GiveUp),
        }
    }

    /// Reads an exponent; one with many digits may be a fault.
    fn exponent(&mut self) -> Fast<i64> {
        self.at += 1;
        let sign = self.peek()?;
        self.at += usize::from(matches!(sign, b'+' | b'-'));
        let mut size = 0;
        let size = match self.digits(&mut size) {
            1..=9 => size as i64,
            _ => return Err(GiveUp),
        };
        Ok(if sign == b'-' { -size } else { size })
    }

    /// Skips a value that no column takes, but checks it.
    pub(super) fn skip_value(&mut self) -> Fast<()> {
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

/// How many of eight bytes are digits, up to the first that is none.
#[inline]
fn leading_digits(eight: u64) -> usize {
    let values = eight ^ (ONES * 0x30);
    let others = (((values & !HIGHS) + ONES * 0x76) | values) & HIGHS;
    others.trailing_zeros() as usize / 8
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
        assert_eq!(leading_digits(eight(b"12345678")), 8);
        assert_eq!(leading_digits(eight(b"1234567:")), 7);
        assert_eq!(leading_digits(eight(b"1234567/")), 7);
        assert_eq!(leading_digits(eight(b"12\xB04567/")), 2);
        assert_eq!(leading_digits(eight(b"-2345678")), 0);
        assert_eq!(eight_digits(eight(b"12345678")), 12_345_678);
        assert_eq!(eight_digits(eight(b"99999999")), 99_999_999);
        assert_eq!(special_bytes(eight(b"abcdefgh")), 0);
        assert_eq!(special_bytes(eight(b"abc\"efgh")).trailing_zeros() / 8, 3);
        assert_eq!(special_bytes(eight(b"ab\ndefgh")).trailing_zeros() / 8, 2);
        assert_eq!(special_bytes(eight(b"\xC3\xA9cde\\gh")).trailing_zeros() / 8, 5);
    }
}
