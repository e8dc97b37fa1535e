//! Readings that are not written, as the topic's schema does not take them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use super::DeviceError;
use crate::formats::JsonFault;

/// How many refused readings are told one by one.
const TOLD_MAX: u64 = 20;

/// How many different faults are counted apart.
const KINDS_MAX: usize = 50;

/// What becomes of readings that a schema does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnInvalid {
    /// They are left out, counted and told.
    Skip,
    /// Nothing is written at all.
    Stop,
}

/// The readings that were refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedSummary {
    /// How many there were.
    pub readings: u64,
    /// How many had a fault, by its field, without places in arrays, and what was wrong there, without the value.
    pub faults: BTreeMap<String, u64>,
}

/// Counts, tells and keeps refused readings.
pub(super) struct Refused {
    on_invalid: OnInvalid,
    summary: RefusedSummary,
    kept: Option<BufWriter<File>>,
}

impl Refused {
    /// One that keeps them in a file, if that is wanted.
    pub(super) fn new(on_invalid: OnInvalid, file: Option<&Path>) -> Result<Self, DeviceError> {
        let kept = file.map(File::create).transpose()?.map(BufWriter::new);
        Ok(Self { on_invalid, summary: RefusedSummary::default(), kept })
    }

    /// What becomes of them.
    pub(super) fn on_invalid(&self) -> OnInvalid {
        self.on_invalid
    }

    /// Takes one, as it came, with what is wrong with it. `line` counts from 1.
    pub(super) fn add(
        &mut self,
        line: u64,
        text: &[u8],
        faults: &[JsonFault],
    ) -> Result<(), DeviceError> {
        let summary = &mut self.summary;
        summary.readings += 1;
        if summary.readings <= TOLD_MAX {
            let faults: Vec<_> = faults.iter().map(JsonFault::to_string).collect();
            tracing::warn!("line {line} is refused: {}", faults.join("; "));
        }
        if summary.readings == TOLD_MAX {
            tracing::warn!("further refused lines are counted only");
        }
        for fault in faults {
            let kind = kind(fault);
            if summary.faults.len() < KINDS_MAX || summary.faults.contains_key(&kind) {
                *summary.faults.entry(kind).or_default() += 1;
            }
        }
        if let Some(kept) = &mut self.kept {
            kept.write_all(text)?;
            kept.write_all(b"\n")?;
        }
        Ok(())
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.summary.readings
    }

    /// Has the file hold all of them.
    pub(super) fn flush(&mut self) -> Result<(), DeviceError> {
        Ok(self.kept.iter_mut().try_for_each(BufWriter::flush)?)
    }

    /// What was refused, once all of it is in the file.
    pub(super) fn finish(mut self) -> Result<RefusedSummary, DeviceError> {
        self.flush()?;
        Ok(self.summary)
    }
}

fn kind(fault: &JsonFault) -> String {
    let mut field = String::new();
    let mut is_index = false;
    for letter in fault.field.chars() {
        match letter {
            '[' => {
                is_index = true;
                field.push_str("[]");
            }
            ']' => is_index = false,
            _ if is_index => {}
            letter => field.push(letter),
        }
    }
    let reason = fault.reason.split_once(", not ").map_or(&*fault.reason, |(wanted, _)| wanted);
    format!("{field}: {reason}")
}

impl fmt::Display for RefusedSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.readings == 0 {
            return Ok(());
        }
        writeln!(f, "{} readings refused", self.readings)?;
        for (kind, count) in &self.faults {
            writeln!(f, "  {count} times {kind}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_lines_are_counted_by_what_is_wrong_and_kept_as_they_came() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut refused = Refused::new(OnInvalid::Skip, Some(file.path())).unwrap();
        let fault = |field: &str, reason: &str| JsonFault {
            field: field.to_owned(),
            reason: reason.to_owned(),
        };
        refused.add(2, br#"{"x":"a"}"#, &[fault("$.x", "a double is wanted, not \"a\"")]).unwrap();
        let two = [fault("$.x", "a double is wanted, not 1"), fault("$.t[7]", "it is missing")];
        refused.add(9, b"{}", &two).unwrap();
        let summary = refused.finish().unwrap();
        assert_eq!(
            summary.to_string(),
            "2 readings refused\n  1 times $.t[]: it is missing\n  2 times $.x: a double is wanted\n"
        );
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "{\"x\":\"a\"}\n{}\n");
    }
}
