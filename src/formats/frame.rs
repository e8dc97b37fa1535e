//! What stands before a record that was written with a schema of the registry: a zero byte and the
//! id of the schema, four bytes, the highest first.

use crate::registry::schema::SchemaId;

/// How many bytes that is.
const LEN: usize = 5;

/// Why bytes have no frame, in Java's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FrameError {
    /// They begin with something else.
    Magic,
    /// They end before it does.
    Short,
}

impl FrameError {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Magic => "Unknown magic byte!",
            Self::Short => "java.nio.BufferUnderflowException",
        }
    }
}

/// The id, and what comes after it.
pub(super) fn split(bytes: &[u8]) -> Result<(SchemaId, &[u8]), FrameError> {
    match bytes.first() {
        None => return Err(FrameError::Short),
        Some(0) => {}
        Some(_) => return Err(FrameError::Magic),
    }
    let (frame, body) = bytes.split_first_chunk::<LEN>().ok_or(FrameError::Short)?;
    let [_, id @ ..] = *frame;
    Ok((SchemaId(i32::from_be_bytes(id)), body))
}

/// Appends a frame.
pub(super) fn write(id: SchemaId, out: &mut Vec<u8>) {
    out.push(0);
    out.extend_from_slice(&id.0.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_a_zero_and_an_id() {
        let mut bytes = Vec::new();
        write(SchemaId(100), &mut bytes);
        bytes.push(7);
        assert_eq!(bytes, [0, 0, 0, 0, 100, 7]);
        assert_eq!(split(&bytes), Ok((SchemaId(100), &[7][..])));
        assert_eq!(split(&[0, 255, 255, 255, 255]), Ok((SchemaId(-1), &[][..])));
        assert_eq!(split(&[1, 0, 0, 0, 100]), Err(FrameError::Magic));
        assert_eq!(split(&[0, 0, 0]), Err(FrameError::Short));
        assert_eq!(split(&[]), Err(FrameError::Short));
    }
}
