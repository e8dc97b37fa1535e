//! Where batches lie: in memory, or in append-only segment files of one directory per partition.
//!
//! A segment is named by the offset of its first batch, as in Kafka. Its index is rebuilt at the start by reading the
//! headers; a torn or damaged tail of the last segment is cut off.
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::kafka::records::{BatchHeader, ControlMarker, ControlRecord, RawBatch};

/// How large a segment file grows.
const SEGMENT_BYTES: u64 = 64 << 20;

/// The place of one batch.
#[derive(Clone)]
pub(super) enum Place {
    Memory(Bytes),
    File { file: Arc<File>, at: u64, size: u32 },
}

impl Place {
    /// How many bytes the batch has.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::File { size, .. } => *size as usize,
        }
    }

    /// The batch's bytes.
    pub(super) fn bytes(&self) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.clone()),
            Self::File { file, at, size } => {
                let mut bytes = vec![0; *size as usize];
                file.read_exact_at(&mut bytes, *at)?;
                Ok(bytes.into())
            }
        }
    }
}

/// Stores the batches of one partition.
pub(super) enum Storage {
    Memory,
    Files(Segments),
}

/// The segment files of one partition.
pub(super) struct Segments {
    folder: PathBuf,
    /// By the offset of their first batch, the last one being written to.
    files: Vec<Segment>,
}

struct Segment {
    base: i64,
    file: Arc<File>,
    length: u64,
}

impl Storage {
    /// The storage of a partition under `folder`, or in memory.
    pub(super) fn open(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else { return Ok(Self::Memory) };
        fs::create_dir_all(folder)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match segment_base(&path) {
                Some(base) => files.push(Segment::open(base, &path)?),
                // Left over by a compaction that did not finish.
                None => fs::remove_file(&path)?,
            }
        }
        files.sort_by_key(|segment| segment.base);
        Ok(Self::Files(Segments { folder: folder.to_owned(), files }))
    }

    /// Shows every stored batch to `admit`; for a control batch also whether it commits.
    pub(super) fn load(
        &mut self,
        mut admit: impl FnMut(&BatchHeader, Place, Option<bool>) -> bool,
    ) -> io::Result<()> {
        let Self::Files(segments) = self else { return Ok(()) };
        let count = segments.files.len();
        for (at, segment) in segments.files.iter_mut().enumerate() {
            segment.load(at + 1 == count, &mut admit)?;
        }
        Ok(())
    }

    /// Stores a batch that starts at offset `base`.
    pub(super) fn append(&mut self, base: i64, batch: Bytes) -> io::Result<Place> {
        match self {
            Self::Memory => Ok(Place::Memory(batch)),
            Self::Files(segments) => {
                if segments
                    .files
                    .last()
                    .is_none_or(|last| last.length + batch.len() as u64 > SEGMENT_BYTES)
                {
                    let path = segments.path(base);
                    segments.files.push(Segment::open(base, &path)?);
                }
                let last = segments
                    .files
                    .last_mut()
                    .unwrap_or_else(|| unreachable!("a segment was just added"));
                last.append(&batch)
            }
        }
    }

    /// Deletes the segments that lie wholly before `base`, the first batch that is still needed.
    pub(super) fn drop_before(&mut self, base: Option<i64>) {
        let (Self::Files(segments), Some(base)) = (self, base) else { return };
        let kept = segments.files.partition_point(|segment| segment.base <= base).saturating_sub(1);
        for segment in segments.files.drain(..kept) {
            remove(&segment_path(&segments.folder, segment.base));
        }
    }

    /// Deletes everything.
    pub(super) fn remove(&mut self) {
        if let Self::Files(segments) = self
            && let Err(error) = fs::remove_dir_all(&segments.folder)
        {
            tracing::warn!(%error, folder = %segments.folder.display(), "a topic's files could not be deleted");
        }
    }

    /// Waits until what was written is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        let Self::Files(segments) = self else { return Ok(()) };
        segments.files.last().map_or(Ok(()), |last| last.file.sync_data())
    }

    /// Stores `batches` in the place of all that is there.
    ///
    /// A crash on the way leaves segments that overlap; `Log::admit` skips what it has seen.
    pub(super) fn rewrite(&mut self, batches: &[(i64, Bytes)]) -> io::Result<Vec<Place>> {
        let Self::Files(segments) = self else {
            return Ok(batches.iter().map(|(_, bytes)| Place::Memory(bytes.clone())).collect());
        };
        let mut files: Vec<Segment> = Vec::new();
        let mut places = Vec::with_capacity(batches.len());
        for (base, bytes) in batches {
            if files.last().is_none_or(|last| last.length + bytes.len() as u64 > SEGMENT_BYTES) {
                files.push(Segment::open(*base, &segments.path(*base).with_extension("draft"))?);
            }
            let last = files.last_mut().unwrap_or_else(|| unreachable!("a segment was just added"));
            places.push(last.append(bytes)?);
        }
        for segment in &files {
            segment.file.sync_data()?;
            let path = segments.path(segment.base);
            fs::rename(path.with_extension("draft"), path)?;
        }
        let is_kept = |old: &Segment| files.iter().any(|segment| segment.base == old.base);
        for old in segments.files.iter().filter(|old| !is_kept(old)) {
            remove(&segments.path(old.base));
        }
        segments.files = files;
        Ok(places)
    }
}

impl Segments {
    fn path(&self, base: i64) -> PathBuf {
        segment_path(&self.folder, base)
    }
}

impl Segment {
    fn open(base: i64, path: &Path) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { base, file: Arc::new(file), length })
    }

    fn append(&mut self, batch: &Bytes) -> io::Result<Place> {
        self.file.write_all_at(batch, self.length)?;
        let place =
            Place::File { file: Arc::clone(&self.file), at: self.length, size: batch.len() as u32 };
        self.length += batch.len() as u64;
        Ok(place)
    }

    fn load(
        &mut self,
        last: bool,
        admit: &mut impl FnMut(&BatchHeader, Place, Option<bool>) -> bool,
    ) -> io::Result<()> {
        let mut at = 0;
        while let Some(header) = self.header_at(at)? {
            let place =
                Place::File { file: Arc::clone(&self.file), at, size: header.batch_bytes() as u32 };
            if last && !is_intact(place.bytes()?) {
                break;
            }
            let committed = if header.is_control() { Some(commits(place.bytes()?)) } else { None };
            admit(&header, place, committed);
            at += header.batch_bytes() as u64;
        }
        if at < self.length {
            tracing::warn!(
                base = self.base,
                from = at,
                length = self.length,
                "a segment's torn tail is cut off"
            );
            self.file.set_len(at)?;
            self.length = at;
        }
        Ok(())
    }

    /// The header of the batch at `at`, if the whole batch is there.
    fn header_at(&self, at: u64) -> io::Result<Option<BatchHeader>> {
        if at + BatchHeader::BYTES as u64 > self.length {
            return Ok(None);
        }
        let mut bytes = [0; BatchHeader::BYTES];
        self.file.read_exact_at(&mut bytes, at)?;
        let whole = |header: &BatchHeader| at + header.batch_bytes() as u64 <= self.length;
        Ok(BatchHeader::parse(&bytes).ok().filter(whole))
    }
}

fn is_intact(batch: Bytes) -> bool {
    RawBatch::parse(batch).is_ok_and(|raw| raw.check_crc().is_ok())
}

/// Whether a marker, which we wrote, commits.
fn commits(marker: Bytes) -> bool {
    let record =
        RawBatch::parse(marker).and_then(|raw| raw.open()).map(|batch| ControlRecord::read(&batch));
    matches!(record, Ok(Ok(Some(ControlRecord { marker: ControlMarker::Commit, .. }))))
}

fn segment_path(folder: &Path, base: i64) -> PathBuf {
    folder.join(format!("{base:020}.log"))
}

fn segment_base(path: &Path) -> Option<i64> {
    path.file_name()?.to_str()?.strip_suffix(".log")?.parse().ok()
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "a file could not be deleted");
    }
}
