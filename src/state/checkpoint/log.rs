//! The log of one store and partition.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::frame::{Frame, Frames};
use super::{Change, CheckpointError, Mark};

/// The id that Kafka gave a topic; a topic that is deleted and made again has another one.
pub type TopicId = [u8; 16];

/// What a log begins with: its kind and version.
const MAGIC: [u8; 8] = *b"MSTATE02";

/// How long the header is without the name of the store: the magic bytes, the topic's id, the
/// partition, how long the log was after it was last compacted, the length of the name, and, behind
/// that, a CRC.
const NAMELESS_BYTES: usize = 8 + 16 + 4 + 8 + 4 + 4;

/// Up to which length a log is not worth being compacted.
pub(super) const COMPACT_BYTES_MIN: u64 = 4 << 20;

/// How much is read at once.
pub(super) const READ_BYTES: usize = 64 << 10;

/// What a log mirrors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// The changelog topic.
    pub topic: TopicId,
    /// The store.
    pub store: String,
    /// The partition.
    pub partition: i32,
}

/// A log that is written.
#[derive(Debug)]
pub struct ChangeLog {
    pub(super) path: PathBuf,
    pub(super) mirrored: Mirrored,
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
    /// Opens the log of a topic's partition, cut off after its last mark; one that has none, or is not
    /// that partition's, begins anew.
    pub fn open(path: PathBuf, mirrored: Mirrored) -> Result<(Self, Found), CheckpointError> {
        let mut log = Self {
            path,
            mirrored,
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
        let mut input = BufReader::with_capacity(READ_BYTES, &file);
        let Some(Header { mirrored, compacted_bytes }) = Header::read(&mut input, bytes)? else {
            return Ok(Found::Useless("its header is damaged, or of another version"));
        };
        let Mirrored { topic, store, partition } = &self.mirrored;
        if (store, partition) != (&mirrored.store, &mirrored.partition) {
            return Ok(Found::Useless("it is that of another store or partition"));
        }
        if *topic != mirrored.topic {
            return Ok(Found::Useless("its changelog topic was deleted and made again"));
        }
        let header_bytes = self.mirrored.header_bytes();
        let mut frames = Frames::new(input, bytes.saturating_sub(header_bytes));
        let mut last = None;
        while let Some(frame) = frames.next()? {
            if let Frame::Mark(mark) = frame {
                last = Some((mark, frames.position));
            }
        }
        let Some((mark, end)) = last else {
            return Ok(Found::Useless("nothing in it is whole"));
        };
        self.bytes = header_bytes + end;
        self.compacted_bytes = compacted_bytes;
        if self.bytes < bytes {
            file.set_len(self.bytes)?;
        }
        Ok(Found::Whole(mark))
    }

    /// Begins anew, without a mark.
    pub fn reset(&mut self) -> Result<(), CheckpointError> {
        let failed = CheckpointError::io(&self.path);
        fs::write(&self.path, self.mirrored.header(0)).map_err(failed)?;
        (self.mark, self.bytes, self.compacted_bytes) = (None, self.mirrored.header_bytes(), 0);
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
        let mut frames = self.mirrored.frames(&self.path, self.bytes).map_err(&failed)?;
        while let Some(frame) = frames.next().map_err(&failed)? {
            if let Frame::Change(change) = frame {
                take(&change)?;
                count += 1;
            }
        }
        Ok(count)
    }
}

impl Mirrored {
    /// How long the header is of a log that mirrors this.
    pub(super) fn header_bytes(&self) -> u64 {
        (NAMELESS_BYTES + self.store.len()) as u64
    }

    /// The header of such a log.
    pub(super) fn header(&self, compacted_bytes: u64) -> Vec<u8> {
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&self.topic);
        header.extend_from_slice(&self.partition.to_le_bytes());
        header.extend_from_slice(&compacted_bytes.to_le_bytes());
        header.extend_from_slice(&(self.store.len() as u32).to_le_bytes());
        header.extend_from_slice(self.store.as_bytes());
        let crc = crc32c::crc32c(&header);
        header.extend_from_slice(&crc.to_le_bytes());
        header
    }

    /// The frames of such a log that is so long.
    pub(super) fn frames(&self, path: &Path, bytes: u64) -> io::Result<Frames<BufReader<File>>> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.header_bytes()))?;
        let input = BufReader::with_capacity(READ_BYTES, file);
        Ok(Frames::new(input, bytes.saturating_sub(self.header_bytes())))
    }
}

/// What the header of a log says.
struct Header {
    mirrored: Mirrored,
    compacted_bytes: u64,
}

impl Header {
    /// Reads the header of a file of so many bytes; `None` if it is damaged, or of another version.
    fn read(input: &mut impl io::Read, file_bytes: u64) -> io::Result<Option<Self>> {
        let mut fixed = [0; NAMELESS_BYTES - 4];
        if file_bytes < NAMELESS_BYTES as u64 {
            return Ok(None);
        }
        input.read_exact(&mut fixed)?;
        let number = |at: usize| fixed[at..].first_chunk().copied().map_or(0, u32::from_le_bytes);
        let name_bytes = number(fixed.len() - 4);
        if fixed[..8] != MAGIC || u64::from(name_bytes) > file_bytes - NAMELESS_BYTES as u64 {
            return Ok(None);
        }
        let (mut name, mut crc) = (vec![0; name_bytes as usize], [0; 4]);
        input.read_exact(&mut name)?;
        input.read_exact(&mut crc)?;
        let found = crc32c::crc32c_append(crc32c::crc32c(&fixed), &name);
        let Ok(store) = String::from_utf8(name) else { return Ok(None) };
        if found != u32::from_le_bytes(crc) {
            return Ok(None);
        }
        let topic = fixed[8..].first_chunk().copied().unwrap_or_default();
        let compacted_bytes = u64::from(number(32)) << 32 | u64::from(number(28));
        let mirrored = Mirrored { topic, store, partition: number(24).cast_signed() };
        Ok(Some(Self { mirrored, compacted_bytes }))
    }
}
