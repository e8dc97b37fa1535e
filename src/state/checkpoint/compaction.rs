//! Makes a log short: the latest change of each key, without tombstones.
//!
//! The log goes on being written meanwhile. What is compacted is everything up to a mark; what came
//! after it is copied behind the result before that takes the log's place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use super::frame::{Change, Frame};
use super::log::{COMPACT_BYTES_MIN, ChangeLog, Mirrored};
use super::{CheckpointError, Mark};
use crate::state::KeyIndex;

/// Which changes a log forgets besides those that others of the same key follow.
///
/// One is forgotten whose time is more than `keep_ms` before that of the latest, and before `before_ms`.
#[derive(Clone, Copy, Debug)]
pub struct Forgetting {
    /// The time that a change goes by, in milliseconds.
    pub time_of: fn(&Change<'_>) -> i64,
    /// How much older than the latest it may be.
    pub keep_ms: i64,
    /// From when on all are kept, however old they are.
    pub before_ms: i64,
}

/// The compaction of a log, to be run wherever it disturbs nobody.
#[derive(Debug)]
pub struct Compaction {
    path: PathBuf,
    mirrored: Mirrored,
    mark: Mark,
    /// How much of the log is compacted.
    bytes: u64,
    forgetting: Option<Forgetting>,
}

/// A compacted log that is not in its place yet.
#[derive(Debug)]
pub struct Compacted {
    path: PathBuf,
    /// How much of the log it stands for.
    source_bytes: u64,
    /// How long it is.
    bytes: u64,
}

impl ChangeLog {
    /// The compaction that the log needs, if it does.
    pub fn compaction(&self, forgetting: Option<Forgetting>) -> Option<Compaction> {
        let is_due = self.bytes > COMPACT_BYTES_MIN && self.bytes > self.compacted_bytes * 2;
        if is_due { self.compaction_now(forgetting) } else { None }
    }

    /// The same, however short the log is. There is none while changes have no mark.
    pub(super) fn compaction_now(&self, forgetting: Option<Forgetting>) -> Option<Compaction> {
        let mark = self.mark.filter(|_| !self.has_changes())?;
        let (path, mirrored, bytes) = (self.path.clone(), self.mirrored.clone(), self.bytes);
        Some(Compaction { path, mirrored, mark, bytes, forgetting })
    }

    /// Puts a compacted log into the place of this one, with what came after. False if it has to
    /// wait for the next mark.
    pub fn adopt(&mut self, compacted: &Compacted) -> Result<bool, CheckpointError> {
        if self.has_changes() {
            return Ok(false);
        }
        let failed = CheckpointError::io(&compacted.path);
        let copied = copy_rest(&self.path, self.bytes, compacted).map_err(&failed)?;
        fs::rename(&compacted.path, &self.path).map_err(failed)?;
        self.compacted_bytes = compacted.bytes;
        self.bytes = compacted.bytes + copied;
        Ok(true)
    }
}

fn copy_rest(log: &PathBuf, bytes: u64, compacted: &Compacted) -> io::Result<u64> {
    let mut from = File::open(log)?;
    from.seek(SeekFrom::Start(compacted.source_bytes))?;
    let mut to = OpenOptions::new().append(true).open(&compacted.path)?;
    let rest = bytes.saturating_sub(compacted.source_bytes);
    let copied = io::copy(&mut from.take(rest), &mut to)?;
    if copied == rest { Ok(copied) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

impl Compaction {
    /// Writes the compacted log beside the log.
    pub fn run(&self) -> Result<Compacted, CheckpointError> {
        let path = self.path.with_extension("tmp");
        match self.write(&path) {
            Ok(bytes) => Ok(Compacted { path, source_bytes: self.bytes, bytes }),
            Err(error) => {
                // What there is of it may be what filled the disk.
                let _ = fs::remove_file(&path);
                Err(CheckpointError::io(&path)(error))
            }
        }
    }

    fn write(&self, path: &PathBuf) -> io::Result<u64> {
        let (last, latest_ms) = self.last_changes()?;
        let is_forgotten = |change: &Change<'_>| {
            self.forgetting.is_some_and(|Forgetting { time_of, keep_ms, before_ms }| {
                time_of(change) < latest_ms.saturating_sub(keep_ms).min(before_ms)
            })
        };
        let mut out = BufWriter::new(File::create(path)?);
        out.write_all(&self.mirrored.header(0))?;
        let (mut section, mut crc) = (0, 0);
        let (mut frames, mut count) = (self.mirrored.frames(&self.path, self.bytes)?, 0_u64);
        let mut buffer = Vec::new();
        while let Some(frame) = frames.next()? {
            let Frame::Change(change) = frame else { continue };
            let is_last = last.is_last(change.key, count);
            count += 1;
            if !is_last || change.value.is_none() || is_forgotten(&change) {
                continue;
            }
            buffer.clear();
            change.write(&mut buffer);
            section += buffer.len() as u64;
            crc = crc32c::crc32c_append(crc, &buffer);
            out.write_all(&buffer)?;
        }
        buffer.clear();
        self.mark.write((section, crc), &mut buffer);
        out.write_all(&buffer)?;
        let bytes = self.mirrored.header_bytes() + section + buffer.len() as u64;
        let mut file = out.into_inner()?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&self.mirrored.header(bytes))?;
        Ok(bytes)
    }

    /// Which change is the last of each key, and the latest time that one goes by.
    fn last_changes(&self) -> io::Result<(LastChanges, i64)> {
        let mut last = LastChanges::default();
        let time_of = self.forgetting.map(|forgetting| forgetting.time_of);
        let mut latest_ms = i64::MIN;
        let (mut frames, mut count) = (self.mirrored.frames(&self.path, self.bytes)?, 0);
        while let Some(frame) = frames.next()? {
            let Frame::Change(change) = frame else { continue };
            last.note(change.key, count);
            latest_ms = time_of.map_or(latest_ms, |time_of| latest_ms.max(time_of(&change)));
            count += 1;
        }
        Ok((last, latest_ms))
    }
}

/// The number of the last change of each key.
#[derive(Default)]
struct LastChanges {
    keys: KeyIndex,
    numbers: Vec<u64>,
}

impl LastChanges {
    fn note(&mut self, key: &[u8], number: u64) {
        match self.keys.insert(key) {
            (_, true) => self.numbers.push(number),
            (slot, false) => self.numbers[slot as usize] = number,
        }
    }

    fn is_last(&self, key: &[u8], number: u64) -> bool {
        self.keys.find(key).is_some_and(|slot| self.numbers[slot as usize] == number)
    }
}
