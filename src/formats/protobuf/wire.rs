//! The wire format, accepted and refused as protobuf-java does.

/// How deeply messages and groups may be nested.
pub(super) const DEPTH_MAX: usize = 100;

const TRUNCATED: &str = "While parsing a protocol message, the input ended unexpectedly in the \
    middle of a field.  This could mean either that the input has been truncated or that an \
    embedded message misreported its own length.";
const NEGATIVE: &str = "CodedInputStream encountered an embedded string or message which claimed \
    to have negative size.";
const END_GROUP: &str = "Protocol message end-group tag did not match expected tag.";
const TOO_DEEP: &str = "Protocol message had too many levels of nesting.  May be malicious.  Use \
    CodedInputStream.setRecursionLimit() to increase the depth limit.";

/// Why bytes are no message: the text of Java's exception.
pub(super) type WireError = String;

/// How a value is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WireType {
    Varint,
    Fixed64,
    Bytes,
    StartGroup,
    EndGroup,
    Fixed32,
}

/// Reads the fields of one message.
pub(super) struct WireReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> WireReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        let byte = *self.bytes.get(self.at).ok_or(TRUNCATED)?;
        self.at += 1;
        Ok(byte)
    }

    /// The number and the layout of the next field, or `None` at the end.
    pub(super) fn tag(&mut self) -> Result<Option<(u32, WireType)>, WireError> {
        if self.is_at_end() {
            return Ok(None);
        }
        let tag = self.varint()? as u32;
        if tag >> 3 == 0 {
            return Err("Protocol message contained an invalid tag (zero).".into());
        }
        let wire_type = match tag & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Bytes,
            3 => WireType::StartGroup,
            4 => WireType::EndGroup,
            5 => WireType::Fixed32,
            _ => return Err("Protocol message tag had invalid wire type.".into()),
        };
        Ok(Some((tag >> 3, wire_type)))
    }

    /// A number of up to ten bytes. As in Java, the tenth only says that the highest bit is set.
    pub(super) fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0;
        for index in 0..10 {
            let byte = self.byte()?;
            if index == 9 {
                value |= 1 << 63;
            } else {
                value |= u64::from(byte & 0x7F) << (7 * index);
            }
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("CodedInputStream encountered a malformed varint.".into())
    }

    pub(super) fn double(&mut self) -> Result<f64, WireError> {
        let bytes = self.take(8)?;
        Ok(f64::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    pub(super) fn four(&mut self) -> Result<[u8; 4], WireError> {
        Ok(self.take(4)?.try_into().unwrap_or_default())
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], WireError> {
        let bytes = self.bytes.get(self.at..self.at.saturating_add(len)).ok_or(TRUNCATED)?;
        self.at += len;
        Ok(bytes)
    }

    /// The length of what follows, cut to 32 bits.
    fn len(&mut self) -> Result<i32, WireError> {
        Ok(self.varint()? as i32)
    }

    /// Bytes, or a message.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], WireError> {
        let len = usize::try_from(self.len()?).map_err(|_| NEGATIVE)?;
        self.take(len)
    }

    /// Text, which has to be UTF-8.
    pub(super) fn text(&mut self) -> Result<&'a str, WireError> {
        let len = self.len()?;
        let Ok(len) = usize::try_from(len) else {
            return Err(format!(
                "refillBuffer() called when {len} bytes were already available in buffer"
            ));
        };
        let bytes = self.take(len)?;
        std::str::from_utf8(bytes).map_err(|_| "Protocol message had invalid UTF-8.".into())
    }

    /// Skips a field that the message does not know.
    pub(super) fn skip(
        &mut self,
        number: u32,
        wire_type: WireType,
        depth: usize,
    ) -> Result<(), WireError> {
        match wire_type {
            WireType::Varint => self.varint().map(drop),
            WireType::Fixed64 => self.take(8).map(drop),
            WireType::Fixed32 => self.take(4).map(drop),
            WireType::Bytes => self.bytes().map(drop),
            WireType::StartGroup => self.skip_group(number, depth),
            WireType::EndGroup => Err(END_GROUP.into()),
        }
    }

    fn skip_group(&mut self, number: u32, depth: usize) -> Result<(), WireError> {
        if depth >= DEPTH_MAX {
            return Err(TOO_DEEP.into());
        }
        loop {
            match self.tag()? {
                Some((end, WireType::EndGroup)) if end == number => return Ok(()),
                Some((_, WireType::EndGroup)) | None => return Err(END_GROUP.into()),
                Some((number, wire_type)) => self.skip(number, wire_type, depth + 1)?,
            }
        }
    }
}

/// The message for messages within messages that go too deep.
pub(super) fn check_depth(depth: usize) -> Result<(), WireError> {
    if depth >= DEPTH_MAX { Err(TOO_DEEP.into()) } else { Ok(()) }
}

/// Appends a number in as few bytes as it takes.
pub(super) fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends the tag of a field.
pub(super) fn write_tag(number: usize, wire_type: WireType, out: &mut Vec<u8>) {
    let wire_type = match wire_type {
        WireType::Varint => 0,
        WireType::Fixed64 => 1,
        WireType::Bytes => 2,
        WireType::StartGroup => 3,
        WireType::EndGroup => 4,
        WireType::Fixed32 => 5,
    };
    write_varint((number as u64) << 3 | wire_type, out);
}

/// Appends bytes and their length.
pub(super) fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Appends what `write` appends, and its length before it.
pub(super) fn write_nested<E>(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let mut nested = Vec::new();
    write(&mut nested)?;
    write_bytes(&nested, out);
    Ok(())
}
