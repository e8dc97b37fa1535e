//! What must outlive a restart besides records: topics, offsets, transactions. One line an event, under a checksum.
//!
//! ```text
//! 1a2b3c4d {"Partitions":{"topic":"a","count":3}}
//! ```
//! At the start the events are applied in order, a torn last line is cut off, and the file is written anew with what
//! still holds.
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::event::Event;

/// Beyond this length the journal is written anew.
const JOURNAL_BYTES_MAX: u64 = 64 << 20;

/// The file of events; with no file it notes nothing.
pub(super) struct Journal {
    file: Option<(File, PathBuf)>,
    length: u64,
}

impl Journal {
    /// Opens the journal in `folder`, and gives the events it holds.
    pub(super) fn open(folder: Option<&Path>) -> io::Result<(Self, Vec<Event>)> {
        let Some(folder) = folder else { return Ok((Self { file: None, length: 0 }, Vec::new())) };
        let path = folder.join("journal");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let (events, length) = parse(&text);
        if length < text.len() {
            tracing::warn!(path = %path.display(), length, "the journal's torn tail is cut off");
        }
        let file = OpenOptions::new().append(true).create(true).open(&path)?;
        file.set_len(length as u64)?;
        Ok((Self { file: Some((file, path)), length: length as u64 }, events))
    }

    /// Notes an event. A journal that cannot be written is logged, since the broker's answer is already decided.
    pub(super) fn note(&mut self, event: &Event) {
        let Some((file, path)) = &mut self.file else { return };
        let line = line(event);
        match file.write_all(&line) {
            Ok(()) => self.length += line.len() as u64,
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the journal could not be written");
            }
        }
    }

    /// Whether the journal has grown so long that it should be written anew.
    pub(super) fn is_long(&self) -> bool {
        self.length > JOURNAL_BYTES_MAX
    }

    /// Writes the journal anew, with `events` alone.
    pub(super) fn rewrite(&mut self, events: impl Iterator<Item = Event>) -> io::Result<()> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        let draft = path.with_extension("draft");
        let text: Vec<u8> = events.flat_map(|event| line(&event)).collect();
        let mut written = File::create(&draft)?;
        written.write_all(&text)?;
        written.sync_data()?;
        fs::rename(&draft, &*path)?;
        *file = OpenOptions::new().append(true).open(&*path)?;
        self.length = text.len() as u64;
        Ok(())
    }

    /// Waits until what was noted is on the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), |(file, _)| file.sync_data())
    }
}

fn line(event: &Event) -> Vec<u8> {
    let json = serde_json::to_string(event)
        .unwrap_or_else(|error| unreachable!("an event is plain data: {error}"));
    format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes())).into_bytes()
}

/// The events up to the first line that is damaged, and how many bytes they take.
fn parse(text: &[u8]) -> (Vec<Event>, usize) {
    let (mut events, mut length) = (Vec::new(), 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(event) = parse_line(line) else { break };
        events.push(event);
        length += line.len();
    }
    (events, length)
}

fn parse_line(line: &[u8]) -> Option<Event> {
    let (crc, json) = std::str::from_utf8(line).ok()?.strip_suffix('\n')?.split_once(' ')?;
    let intact = u32::from_str_radix(crc, 16).ok()? == crc32c::crc32c(json.as_bytes());
    intact.then(|| serde_json::from_str(json).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_tail_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, events) = Journal::open(Some(folder.path())).unwrap();
        assert!(events.is_empty());
        journal.note(&Event::TopicGone { name: "a".into() });
        journal.note(&Event::TopicGone { name: "b".into() });
        let path = folder.path().join("journal");
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 3]).unwrap();
        let (_, events) = Journal::open(Some(folder.path())).unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(fs::read(&path).unwrap().len(), text.len() / 2);
    }
}
