//! The log of one store and partition.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::frame::{Frame, Frames};
use super::{Change, CheckpointError, Mark};

/// The id that Kafka gave a topic; a topic that is deleted and made again has another one.
pub type TopicId = [u8; 16];

/// What a log begins with: its kind and version.
const MAGIC: [u8; 8] = *b"MSTATE01";

/// How long the header is: the magic bytes, the topic's id, how long the log was after it was last
/// compacted, and a CRC.
pub(super) const HEADER_BYTES: usize = 8 + 16 + 8 + 4;

/// Up to which length a log is not worth being compacted.
pub(super) const COMPACT_BYTES_MIN: u64 = 4 << 20;

/// How much is read at once.
pub(super) const READ_BYTES: usize = 64 << 10;

/// A log that is written.
#[derive(Debug)]
pub struct ChangeLog {
    pub(super) path: PathBuf,
    pub(super) topic: TopicId,
    pub(super) mark: Option<Mark>,
    /// How long the file is.
    pub(super) bytes: u64,
    /// How long it was after it was last compacted.
    pub(super) compacted_bytes: u64,
    /// What was written since the last mark: its length and its CRC.
    section: (u64, u32),
    /// What is not written yet.
    pending: Vec<u8>,
}

/// What an opened log held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There was none.
    Nothing,
    /// All up to this mark.
    Whole(Mark),
    /// Nothing that can be used, for this reason.
    Useless(&'static str),
}

impl ChangeLog {
    /// Opens the log of a topic's partition, cut off after its last mark; one that has none begins
    /// anew.
    pub fn open(path: PathBuf, topic: TopicId) -> Result<(Self, Found), CheckpointError> {
        let mut log = Self {
            path,
            topic,
            mark: None,
            bytes: 0,
            compacted_bytes: 0,
            section: (0, 0),
            pending: Vec::new(),
        };
        let found = log.look().map_err(CheckpointError::io(&log.path))?;
        if let Found::Whole(mark) = found {
            log.mark = Some(mark);
        } else {
            log.reset()?;
        }
        Ok((log, found))
    }

    /// Finds the last mark, and cuts off what comes after it.
    fn look(&mut self) -> io::Result<Found> {
        let file = match OpenOptions::new().read(true).write(true).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            file => file?,
        };
        let bytes = file.metadata()?.len();
        let mut header = [0; HEADER_BYTES];
        if bytes < HEADER_BYTES as u64 {
            return Ok(Found::Useless("it has no header"));
        }
        let mut input = BufReader::with_capacity(READ_BYTES, &file);
        input.read_exact(&mut header)?;
        let Some((topic, compacted_bytes)) = read_header(&header) else {
            return Ok(Found::Useless("its header is damaged, or of another version"));
        };
        if topic != self.topic {
            return Ok(Found::Useless("its changelog topic was deleted and made again"));
        }
        let mut frames = Frames::new(input, bytes - HEADER_BYTES as u64);
        let mut last = None;
        while let Some(frame) = frames.next()? {
            if let Frame::Mark(mark) = frame {
                last = Some((mark, frames.position));
            }
        }
        let Some((mark, end)) = last else {
            return Ok(Found::Useless("nothing in it is whole"));
        };
        self.bytes = HEADER_BYTES as u64 + end;
        self.compacted_bytes = compacted_bytes;
        if self.bytes < bytes {
            file.set_len(self.bytes)?;
        }
        Ok(Found::Whole(mark))
    }

    /// Begins anew, without a mark.
    pub fn reset(&mut self) -> Result<(), CheckpointError> {
        let failed = CheckpointError::io(&self.path);
        fs::write(&self.path, header(self.topic, 0)).map_err(failed)?;
        (self.mark, self.bytes, self.compacted_bytes) = (None, HEADER_BYTES as u64, 0);
        self.section = (0, 0);
        self.pending.clear();
        Ok(())
    }

    /// The last mark.
    pub fn mark(&self) -> Option<Mark> {
        self.mark
    }

    /// Whether there are changes after the last mark.
    pub fn has_changes(&self) -> bool {
        self.section.0 > 0 || !self.pending.is_empty()
    }

    /// How many bytes wait to be written.
    pub fn pending_bytes(&self) -> usize {
        self.pending.len()
    }

    /// Adds a change. It is in memory until the next mark, or [write](Self::write_out).
    pub fn append(&mut self, change: &Change<'_>) {
        change.write(&mut self.pending);
    }

    /// Hands to the system what waits.
    pub fn write_out(&mut self) -> Result<(), CheckpointError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let (bytes, crc) = self.section;
        let crc = crc32c::crc32c_append(crc, &self.pending);
        self.section = (bytes + self.pending.len() as u64, crc);
        self.write_pending()
    }

    /// Marks everything so far as whole. It must be what the changelog holds before the mark's
    /// offset.
    pub fn write_mark(&mut self, mark: Mark) -> Result<(), CheckpointError> {
        let (bytes, crc) = self.section;
        let crc = crc32c::crc32c_append(crc, &self.pending);
        let section = (bytes + self.pending.len() as u64, crc);
        mark.write(section, &mut self.pending);
        self.write_pending()?;
        self.section = (0, 0);
        self.mark = Some(mark);
        Ok(())
    }

    /// Writes at the end of a file that is there: one that was taken away is not made again.
    fn write_pending(&mut self) -> Result<(), CheckpointError> {
        let file = OpenOptions::new().append(true).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(&self.pending));
        written.map_err(CheckpointError::io(&self.path))?;
        self.bytes += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Gives all changes up to the last mark, in order.
    pub fn read<E: From<CheckpointError>>(
        &self,
        mut take: impl FnMut(&Change<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let failed = CheckpointError::io(&self.path);
        let mut count = 0;
        let mut frames = frames(&self.path, self.bytes).map_err(&failed)?;
        while let Some(frame) = frames.next().map_err(&failed)? {
            if let Frame::Change(change) = frame {
                take(&change)?;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// The frames of a log that is so long.
pub(super) fn frames(path: &Path, bytes: u64) -> io::Result<Frames<BufReader<File>>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(HEADER_BYTES as u64))?;
    let input = BufReader::with_capacity(READ_BYTES, file);
    Ok(Frames::new(input, bytes.saturating_sub(HEADER_BYTES as u64)))
}

pub(super) fn header(topic: TopicId, compacted_bytes: u64) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(&MAGIC);
    header[8..24].copy_from_slice(&topic);
    header[24..32].copy_from_slice(&compacted_bytes.to_le_bytes());
    let crc = crc32c::crc32c(&header[..32]);
    header[32..].copy_from_slice(&crc.to_le_bytes());
    header
}

fn read_header(header: &[u8; HEADER_BYTES]) -> Option<(TopicId, u64)> {
    let (rest, crc) = header.split_last_chunk::<4>()?;
    let (rest, compacted_bytes) = rest.split_last_chunk::<8>()?;
    let (magic, topic) = rest.split_first_chunk::<8>()?;
    let is_intact = u32::from_le_bytes(*crc) == crc32c::crc32c(&header[..32]) && *magic == MAGIC;
    let topic = topic.first_chunk::<16>()?;
    is_intact.then_some((*topic, u64::from_le_bytes(*compacted_bytes)))
}
