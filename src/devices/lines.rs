//! Readings as lines of JSON, from a file or a pipe.

use std::fmt;
use std::pin::Pin;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use super::DeviceError;

/// How long a line may be: as long as a record can be in most clusters, many times over.
const LINE_BYTES_MAX: usize = 16 << 20;

/// Lines, one after the other; empty ones are passed over.
pub struct Lines {
    from: Pin<Box<dyn AsyncBufRead + Send>>,
    /// What has come of the next line.
    begun: Vec<u8>,
    /// The number of the line that was given last.
    line: u64,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("line", &self.line).finish_non_exhaustive()
    }
}

impl Lines {
    /// The lines of a file or a pipe.
    pub fn new(from: impl AsyncBufRead + Send + 'static) -> Self {
        Self { from: Box::pin(from), begun: Vec::new(), line: 0 }
    }

    /// The next line that is not empty, with its number, counted from 1. Whoever does not wait for it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>, DeviceError> {
        loop {
            let read = self.from.fill_buf().await.map_err(DeviceError::Input)?;
            let (taken, is_whole) = match read.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (read.len(), read.is_empty()),
            };
            self.begun.extend_from_slice(&read[..taken]);
            self.from.as_mut().consume(taken);
            if self.begun.len() > LINE_BYTES_MAX {
                let line = self.line + 1;
                return Err(DeviceError::LongLine { line, max: LINE_BYTES_MAX });
            }
            if !is_whole {
                continue;
            }
            if taken == 0 && self.begun.is_empty() {
                return Ok(None);
            }
            self.line += 1;
            let mut line = std::mem::take(&mut self.begun);
            while line.pop_if(|byte| matches!(byte, b'\n' | b'\r')).is_some() {}
            if !line.trim_ascii().is_empty() {
                return Ok(Some((self.line, line)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_counted_as_editors_count_them() {
        let mut lines = Lines::new(&b"{}\r\n\n  [1]\nlast"[..]);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            all.push(line);
        }
        let expected = [(1, "{}"), (3, "  [1]"), (4, "last")];
        assert_eq!(all, expected.map(|(number, text)| (number, text.as_bytes().to_vec())));
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_not_read_for_ever() {
        let mut lines = Lines::new(tokio::io::BufReader::new(tokio::io::repeat(b'x')));
        let error = lines.next().await.unwrap_err().to_string();
        assert_eq!(error, "line 1 is longer than 16777216 bytes");
    }
}
