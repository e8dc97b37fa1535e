//! Whether what is said of a record that was skipped is true of the one that lies there.

use millstream::runtime::{DriverRecord, RecordPlace, SkipCause};
use millstream::types::{Offset, Partition};

use super::program::Program;
use super::world::{Backlog, Told, offset_of};

/// Checks what a program says of a record. That it names none is allowed where rows come from several.
pub(crate) fn check(program: &Program, backlog: &Backlog, told: &Told) -> Result<(), String> {
    let Told { cause, example } = told;
    let is_joined = program.sql.contains("JOIN");
    let Some(place) = &example.record else {
        return if is_joined { Ok(()) } else { Err(format!("nothing is named: {example}")) };
    };
    let record = record_at(backlog, place).ok_or_else(|| format!("there is none: {example}"))?;
    let is_true = match cause {
        SkipCause::UndecodableValue => record.value.as_deref() == Some(b"{bad"),
        // A joined row has the later time of two.
        SkipCause::Late if !is_joined => {
            let at = format!("its time is {}, and", utc(record.timestamp_ms));
            example.reason.starts_with(&at) && names_who_moved_time(backlog, &example.reason)
        }
        _ => true,
    };
    if is_true { Ok(()) } else { Err(format!("{record:?} is not so: {example}")) }
}

/// Whether a reason ends with a record that has the time that windows are closed since.
fn names_who_moved_time(backlog: &Backlog, reason: &str) -> bool {
    places(backlog).any(|(place, record)| {
        let now = utc(record.timestamp_ms);
        reason.ends_with(&format!("closed since {now}, to where {place} has moved stream time"))
    })
}

fn record_at<'b>(backlog: &'b Backlog, place: &RecordPlace) -> Option<&'b DriverRecord> {
    places(backlog).find(|(other, _)| other == place).map(|(_, record)| record)
}

/// All records, and where each lies.
fn places(backlog: &Backlog) -> impl Iterator<Item = (RecordPlace, &DriverRecord)> {
    let partitions = backlog.0.iter().flat_map(|(topic, partitions)| {
        partitions.iter().enumerate().map(move |(partition, records)| (topic, partition, records))
    });
    partitions.flat_map(|(topic, partition, records)| {
        records.iter().enumerate().map(move |(at, record)| {
            let partition = Partition(partition as i32);
            let offset = Offset(offset_of(at as i64));
            (RecordPlace { topic: (*topic).to_owned(), partition, offset }, record)
        })
    })
}

/// A time of the first minute, as people read it.
fn utc(ms: i64) -> String {
    format!("1970-01-01 00:00:{:02}.{:03} UTC", ms / 1_000, ms % 1_000)
}
