//! Checks that a request's body has the shape of its kind before it is decoded.
//!
//! The decoder of the protocol crate reserves memory for as many elements as an array claims to have, so that a
//! request of twenty bytes could ask for gigabytes. Here each claim is held against the bytes that are there.
//!
//! A shape lists fields in the order of the wire: `b` 1 byte, `h` 2, `i` 4, `q` 8, `u` 16, `s` string, `B` bytes,
//! `[x]` array, `{..}` structure. `3+` before a field: from version 3 on; `2-4`: only in these versions.
use bytes::{Buf, Bytes};

/// The most array elements that one request may have.
const ELEMENTS_MAX: usize = 1_000_000;

/// Whether `body` is laid out as `shape` says, in a version that is `flexible` (compact lengths, tagged fields) or not.
pub(super) fn fits(shape: &str, version: i16, flexible: bool, body: &Bytes) -> bool {
    let mut walk = Walk { body: body.clone(), version, flexible, elements: 0 };
    walk.fields(shape.as_bytes()).is_some() && walk.tags().is_some()
}

struct Walk {
    body: Bytes,
    version: i16,
    flexible: bool,
    elements: usize,
}

impl Walk {
    fn fields(&mut self, mut shape: &[u8]) -> Option<()> {
        while !shape.is_empty() {
            let (present, rest) = self.gate(shape);
            let (field, rest) = rest.split_at(length_of_field(rest));
            if present {
                self.field(field)?;
            }
            shape = rest;
        }
        Some(())
    }

    /// Reads the `3+` or `2-4` before a field, and whether this version has the field.
    fn gate<'a>(&self, shape: &'a [u8]) -> (bool, &'a [u8]) {
        let (first, rest) = number(shape);
        match (first, rest.first()) {
            (Some(first), Some(b'+')) => (self.version >= first, &rest[1..]),
            (Some(first), Some(b'-')) => {
                let (last, rest) = number(&rest[1..]);
                ((first..=last.unwrap_or(first)).contains(&self.version), rest)
            }
            _ => (true, shape),
        }
    }

    fn field(&mut self, field: &[u8]) -> Option<()> {
        match field[0] {
            b'b' => self.skip(1),
            b'h' => self.skip(2),
            b'i' => self.skip(4),
            b'q' => self.skip(8),
            b'u' => self.skip(16),
            b's' | b'B' => {
                let length = self.length(field[0] == b's')?;
                self.skip(length)
            }
            b'[' => self.array(&field[1..field.len() - 1]),
            b'{' => {
                self.fields(&field[1..field.len() - 1])?;
                self.tags()
            }
            other => unreachable!(
                "the table of requests uses a field '{}' that is not defined",
                other as char
            ),
        }
    }

    fn array(&mut self, element: &[u8]) -> Option<()> {
        let count = self.length(false)?;
        self.elements += count;
        // Every element has at least one byte.
        if count > self.body.remaining() || self.elements > ELEMENTS_MAX {
            return None;
        }
        (0..count).try_for_each(|_| self.field(element).ok_or(())).ok()
    }

    /// The length of a string, bytes or array; that of a null is 0.
    fn length(&mut self, short: bool) -> Option<usize> {
        if self.flexible {
            return Some(self.varint()?.saturating_sub(1));
        }
        let length = if short {
            i32::from(self.body.try_get_i16().ok()?)
        } else {
            self.body.try_get_i32().ok()?
        };
        if length == -1 { Some(0) } else { usize::try_from(length).ok() }
    }

    fn tags(&mut self) -> Option<()> {
        if !self.flexible {
            return Some(());
        }
        for _ in 0..self.varint()? {
            self.varint()?;
            let length = self.varint()?;
            self.skip(length)?;
        }
        Some(())
    }

    fn varint(&mut self) -> Option<usize> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.body.try_get_u8().ok()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(value).ok();
            }
        }
        None
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        (length <= self.body.remaining()).then(|| self.body.advance(length))
    }
}

fn number(shape: &[u8]) -> (Option<i16>, &[u8]) {
    let digits = shape.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = std::str::from_utf8(&shape[..digits]).unwrap_or_default();
    (text.parse().ok(), &shape[digits..])
}

/// How many bytes of the notation the first field takes.
fn length_of_field(shape: &[u8]) -> usize {
    let mut depth = 0;
    for (at, byte) in shape.iter().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    unreachable!("the table of requests has a shape whose brackets do not match")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::api::APIS;

    #[test]
    fn an_array_may_not_claim_more_than_is_there() {
        let body = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
        assert!(!fits("[s]", 0, false, &body));
        assert!(fits("[s]", 0, false, &Bytes::from_static(&[0, 0, 0, 1, 0, 1, b'a'])));
        assert!(fits("[s]", 0, true, &Bytes::from_static(&[2, 2, b'a', 0])));
    }

    #[test]
    fn fields_depend_on_the_version() {
        let two = Bytes::from_static(&[0, 0]);
        assert!(!fits("b1-2h", 1, false, &two));
        assert!(fits("b1-2b", 1, false, &two));
        assert!(fits("b1-2h", 3, false, &two));
        assert!(fits("h3+q", 2, false, &two));
    }

    #[test]
    fn each_shape_of_the_table_is_well_formed() {
        for api in APIS {
            for version in api.min..=api.max {
                fits(api.shape, version, false, &Bytes::from(vec![0; 200]));
                fits(api.shape, version, true, &Bytes::from(vec![2; 200]));
            }
        }
    }
}
