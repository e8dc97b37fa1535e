//! Avro's binary encoding, one primitive at a time.

/// Why bytes are not what the schema says, in Java's words.
pub(super) type WireError = String;

/// A place in a record.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
}

fn end() -> WireError {
    "java.io.EOFException".to_owned()
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or_else(end)?;
        self.bytes = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn boolean(&mut self) -> Result<bool, WireError> {
        Ok(self.take(1)? == [1])
    }

    #[inline]
    fn varint(&mut self, bytes_max: usize, what: &str) -> Result<u64, WireError> {
        let mut value = 0;
        for index in 0..bytes_max {
            let (first, rest) = self.bytes.split_first().ok_or_else(end)?;
            self.bytes = rest;
            // What the last byte has too many is lost, as in Java.
            value |= u64::from(first & 0x7F) << (7 * index);
            if *first < 0x80 {
                return Ok(value);
            }
        }
        Err(format!("Invalid {what} encoding"))
    }

    #[inline]
    pub(super) fn int(&mut self) -> Result<i32, WireError> {
        let value = self.varint(5, "int")? as u32;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    #[inline]
    pub(super) fn long(&mut self) -> Result<i64, WireError> {
        let value = self.varint(10, "long")?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn float(&mut self) -> Result<f32, WireError> {
        Ok(f32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default()))
    }

    #[inline]
    pub(super) fn double(&mut self) -> Result<f64, WireError> {
        Ok(f64::from_le_bytes(self.take(8)?.try_into().unwrap_or_default()))
    }

    /// Bytes after their length: those of text, too.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let len = self.long()?;
        match usize::try_from(len) {
            Ok(len) => self.take(len),
            Err(_) => Err(format!("Malformed data. Length is negative: {len}")),
        }
    }

    /// The place of a symbol or a branch among so many.
    #[inline]
    pub(super) fn index(&mut self, len: usize) -> Result<usize, WireError> {
        let index = self.int()?;
        let found = usize::try_from(index).ok().filter(|index| *index < len);
        found.ok_or_else(|| format!("Index {index} out of bounds for length {len}"))
    }

    /// How many items the next block has; 0 after the last one.
    pub(super) fn block(&mut self) -> Result<u64, WireError> {
        let count = self.long()?;
        if count < 0 {
            // The length of the block in bytes, for those that skip it.
            self.long()?;
        }
        Ok(count.unsigned_abs())
    }
}

/// Appends a whole number, of any width.
pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = (value << 1 ^ value >> 63) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends bytes after their length.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_long(bytes.len() as i64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_they_are_written() {
        for value in [0, 1, -1, 63, -64, 64, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            write_long(value, &mut bytes);
            assert_eq!(Cursor::new(&bytes).long(), Ok(value));
        }
        assert_eq!(Cursor::new(&[0xFF; 11]).long(), Err("Invalid long encoding".to_owned()));
        // fastavro writes 2147483648 as an int, and Java (BinaryDecoder.readInt) reads it like this.
        assert_eq!(Cursor::new(&[0x80, 0x80, 0x80, 0x80, 0x10]).int(), Ok(0));
        assert_eq!(Cursor::new(&[0x80]).int(), Err("java.io.EOFException".to_owned()));
        assert_eq!(
            Cursor::new(&[8]).index(2),
            Err("Index 4 out of bounds for length 2".to_owned())
        );
        assert!(Cursor::new(&[1]).bytes().unwrap_err().starts_with("Malformed data."));
    }
}
