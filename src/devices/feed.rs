//! Readings on their way to a topic: one after the other, spelled, and held against its schema.

use serde_json::Value as Json;
use tokio::time::{Duration, timeout};

use super::refused::{OnInvalid, Refused, RefusedSummary};
use super::spelling::Speller;
use super::topic_writer::Outgoing;
use super::{Clock, DeviceError, Lines, PartitionTable, Reading, Readings};
use crate::formats::JsonFault;

/// How long a round waits for a further line before what has come is sent.
const LINE_WAIT: Duration = Duration::from_millis(20);

/// The readings to write.
pub enum ReadingSource {
    /// Invented ones: dated by a clock as they are sent, or as they come, so that a seed gives the same times.
    Invented(Box<Readings>, Option<Clock>),
    /// Lines of JSON; one that does not say when it came in is dated by the clock.
    Lines(Lines, Clock),
}

/// Readings, spelled for a topic.
pub(super) struct Feed {
    source: Source,
    speller: Speller,
    spread: Spread,
    refused: Refused,
}

/// Which partition a reading goes to, and what fits in there.
pub(super) struct Spread {
    pub(super) table: PartitionTable,
    /// How many partitions the topic has.
    pub(super) partitions: i32,
    /// How many bytes a value may have.
    pub(super) value_bytes_max: usize,
}

enum Source {
    Each(ReadingSource, u64),
    /// All of them, and the schema takes all of them.
    Checked(std::vec::IntoIter<Outgoing>),
}

/// Readings that are sent at once.
pub(super) struct Round {
    pub(super) records: Vec<Outgoing>,
    /// How many there were with those that are left out.
    pub(super) taken: u64,
    /// Whether there are no more.
    pub(super) is_over: bool,
}

/// A reading, and whether the schema takes it.
struct Candidate {
    /// As it came.
    text: Vec<u8>,
    line: u64,
    model: String,
    at_ms: i64,
    bytes: Result<Vec<u8>, Vec<JsonFault>>,
}

impl Feed {
    /// The readings of a source, to be spelled so.
    pub(super) fn new(
        source: ReadingSource,
        speller: Speller,
        spread: Spread,
        refused: Refused,
    ) -> Self {
        Self { source: Source::Each(source, 0), speller, spread, refused }
    }

    /// Looks at all lines before any of them is written, if one that the schema does not take is to keep all of them back. They
    /// are held in memory.
    pub(super) async fn check_first(&mut self) -> Result<(), DeviceError> {
        let Source::Each(ReadingSource::Lines(..), _) = &self.source else { return Ok(()) };
        if self.refused.on_invalid() != OnInvalid::Stop {
            return Ok(());
        }
        let mut checked = Vec::new();
        while let Some(candidate) = self.next().await? {
            checked.extend(self.take(candidate)?);
        }
        self.refuse_all()?;
        self.source = Source::Checked(checked.into_iter());
        Ok(())
    }

    /// The next readings, at most `due` of them.
    pub(super) async fn round(&mut self, due: u64) -> Result<Round, DeviceError> {
        let mut round = Round { records: Vec::new(), taken: 0, is_over: false };
        while round.taken < due && !round.is_over {
            if let Source::Checked(checked) = &mut self.source {
                round.records.extend(checked.by_ref().take(due as usize));
                round.taken = round.records.len() as u64;
                round.is_over = round.taken < due;
                break;
            }
            let candidate = match timeout(LINE_WAIT, self.next()).await {
                Ok(candidate) => candidate?,
                // Who writes the lines takes a break.
                Err(_) if round.taken > 0 => break,
                Err(_) => self.next().await?,
            };
            let Some(candidate) = candidate else {
                round.is_over = true;
                break;
            };
            round.taken += 1;
            round.records.extend(self.take(candidate)?);
            if self.refused.on_invalid() == OnInvalid::Stop {
                self.refuse_all()?;
            }
        }
        Ok(round)
    }

    /// What was refused.
    pub(super) fn finish(self) -> Result<RefusedSummary, DeviceError> {
        self.refused.finish()
    }

    /// Ends it if a reading was refused.
    fn refuse_all(&mut self) -> Result<(), DeviceError> {
        match self.refused.count() {
            0 => Ok(()),
            readings => {
                self.refused.flush()?;
                Err(DeviceError::Refused { readings })
            }
        }
    }

    /// The next reading. Whoever does not wait for it loses nothing.
    async fn next(&mut self) -> Result<Option<Candidate>, DeviceError> {
        let Source::Each(source, count) = &mut self.source else { return Ok(None) };
        match source {
            ReadingSource::Invented(readings, clock) => {
                let reading = match clock {
                    Some(clock) => Some(readings.next_at(clock())),
                    None => readings.next(),
                };
                *count += 1;
                let line = *count;
                Ok(reading.map(|reading| invented(&reading, line, &self.speller)))
            }
            ReadingSource::Lines(lines, clock) => {
                let line = lines.next().await?;
                Ok(line.map(|(line, text)| of_line(line, text, clock(), &self.speller)))
            }
        }
    }

    /// A reading as it is sent, unless it is refused.
    fn take(&mut self, candidate: Candidate) -> Result<Option<Outgoing>, DeviceError> {
        let Candidate { text, line, model, at_ms, bytes } = candidate;
        match bytes {
            Ok(value) if value.len() > self.spread.value_bytes_max => {
                let max = self.spread.value_bytes_max;
                let reason =
                    format!("{} bytes are more than a record may have ({max})", value.len());
                let text = if text.is_empty() { value } else { text };
                self.refused.add(line, &text, &[JsonFault { field: "$".to_owned(), reason }])?;
                Ok(None)
            }
            Ok(value) => {
                let partition = self.spread.table.partition(&model, self.spread.partitions);
                Ok(Some(Outgoing { partition, at_ms, value }))
            }
            Err(faults) => {
                self.refused.add(line, &text, &faults)?;
                Ok(None)
            }
        }
    }
}

fn invented(reading: &Reading, line: u64, speller: &Speller) -> Candidate {
    let bytes = speller.of_reading(reading);
    // Only what is refused is told.
    let text = bytes.as_ref().err().and_then(|_| serde_json::to_vec(reading).ok());
    Candidate {
        text: text.unwrap_or_default(),
        line,
        model: reading.model.clone(),
        at_ms: reading.arrival_ms,
        bytes,
    }
}

fn of_line(line: u64, text: Vec<u8>, now_ms: i64, speller: &Speller) -> Candidate {
    let json: Json = match serde_json::from_slice(&text) {
        Ok(json) => json,
        Err(error) => {
            let fault = JsonFault { field: "$".to_owned(), reason: format!("no JSON: {error}") };
            let bytes = Err(vec![fault]);
            return Candidate { text, line, model: String::new(), at_ms: now_ms, bytes };
        }
    };
    let at_ms = json["Arrival_Time"].as_i64().filter(|at_ms| *at_ms >= 0);
    Candidate {
        line,
        model: json["Model"].as_str().unwrap_or_default().to_owned(),
        at_ms: at_ms.unwrap_or(now_ms),
        bytes: speller.of_json(&json),
        text,
    }
}
