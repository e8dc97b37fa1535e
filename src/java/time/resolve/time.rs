//! Times of the day from hours, minutes and what they are counted in.

use super::super::pattern::{Fault, Field};
use super::{Fields, checked};

impl Fields {
    /// Turns all ways to count hours into hours of the day, and parts of the day into its parts.
    pub(super) fn resolve_time(&mut self) -> Result<(), Fault> {
        for (clock, hour, count) in [
            (Field::ClockHourOfDay, Field::HourOfDay, 24),
            (Field::ClockHourOfAmPm, Field::HourOfAmPm, 12),
        ] {
            if let Some(value) = self.take(clock) {
                let value = if value == 0 { 0 } else { checked(clock, value)? };
                self.follow(&clock.to_string(), hour, value % count)?;
            }
        }
        if let (Some(half), Some(hour)) = (self.get(Field::AmPm), self.get(Field::HourOfAmPm)) {
            let (half, hour) = (checked(Field::AmPm, half)?, checked(Field::HourOfAmPm, hour)?);
            self.set(Field::AmPm, None);
            self.set(Field::HourOfAmPm, None);
            self.follow("AmPmOfDay", Field::HourOfDay, half * 12 + hour)?;
        }
        if let Some(nanos) = self.take(Field::NanoOfDay) {
            let nanos = checked(Field::NanoOfDay, nanos)?;
            self.follow("NanoOfDay", Field::HourOfDay, nanos / 3_600_000_000_000)?;
            self.follow("NanoOfDay", Field::Minute, nanos / 60_000_000_000 % 60)?;
            self.follow("NanoOfDay", Field::Second, nanos / 1_000_000_000 % 60)?;
            self.follow("NanoOfDay", Field::Nano, nanos % 1_000_000_000)?;
        }
        if let Some(nanos) = self.get(Field::Nano) {
            checked(Field::Nano, nanos)?;
        }
        if let Some(millis) = self.take(Field::MilliOfDay) {
            let millis = checked(Field::MilliOfDay, millis)?;
            let seconds = millis / 1000;
            self.follow("SecondOfDay", Field::HourOfDay, seconds / 3600)?;
            self.follow("SecondOfDay", Field::Minute, seconds / 60 % 60)?;
            self.follow("SecondOfDay", Field::Second, seconds % 60)?;
            let finer = self.get(Field::Nano).unwrap_or_default() % 1_000_000;
            self.follow("MilliOfSecond", Field::Nano, millis % 1000 * 1_000_000 + finer)?;
        }
        Ok(())
    }

    /// Combines the parts of the time, if none between others is missing.
    pub(super) fn combine_time(&mut self) -> Result<(), Fault> {
        let (minute, second) = (self.get(Field::Minute), self.get(Field::Second));
        let nano = self.get(Field::Nano);
        let gap = minute.is_none() && (second.is_some() || nano.is_some())
            || second.is_none() && nano.is_some();
        if let Some(hour) = self.get(Field::HourOfDay) {
            if gap {
                return Ok(());
            }
            let minute = checked(Field::Minute, minute.unwrap_or_default())?;
            let nano = checked(Field::Nano, nano.unwrap_or_default())?;
            let second = second.unwrap_or_default();
            self.next_day = hour == 24 && minute == 0 && second == 0 && nano == 0;
            let hour = if self.next_day { 0 } else { checked(Field::HourOfDay, hour)? };
            let second = checked(Field::Second, second)?;
            self.time = Some((hour * 3600 + minute * 60 + second) * 1_000_000_000 + nano);
            for field in [Field::HourOfDay, Field::Minute, Field::Second, Field::Nano] {
                self.set(field, None);
            }
        }
        let rest = [
            Field::AmPm,
            Field::HourOfAmPm,
            Field::HourOfDay,
            Field::Minute,
            Field::Second,
            Field::Nano,
        ];
        for field in rest {
            if let Some(value) = self.get(field) {
                checked(field, value)?;
            }
        }
        Ok(())
    }
}
