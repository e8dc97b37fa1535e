//! What the fields of a text mean together, in the order in which Java finds it out.

mod date;
mod time;

use super::NANOS_PER_DAY;
use super::civil::{
    civil_from_days, date_text, day_of_year, days_from_civil, month_length, time_text,
};
use super::format::Moment;
use super::pattern::{Fault, Field, fault};
use super::raw::Raw;
use super::zone::Zone;

/// The furthest that a zone lies from UTC, in seconds.
const OFFSET_MAX: i32 = 18 * 3600;

/// A date and a time as far as a text tells them, and the fields that are left over.
#[derive(Clone)]
pub struct Fields {
    raw: Raw,
    date: Option<i64>,
    time: Option<i64>,
    /// Whether the time is 24:00, which is the beginning of the next day.
    next_day: bool,
}

const DATE_FIELDS: [Field; 13] = [
    Field::Era,
    Field::YearOfEra,
    Field::Year,
    Field::Quarter,
    Field::Month,
    Field::DayOfMonth,
    Field::DayOfYear,
    Field::DayOfWeek,
    Field::LocalDayOfWeek,
    Field::WeekOfMonth,
    Field::WeekBasedYear,
    Field::WeekOfWeekBasedYear,
    Field::ModifiedJulianDay,
];

/// What a date is checked against, in Java's order.
const CHECKED_OF_DATE: [Field; 10] = [
    Field::Era,
    Field::Year,
    Field::Month,
    Field::DayOfMonth,
    Field::DayOfYear,
    Field::DayOfWeek,
    Field::AlignedDayOfWeekInMonth,
    Field::Quarter,
    Field::WeekBasedYear,
    Field::WeekOfWeekBasedYear,
];

/// What a time is checked against, in Java's order.
const CHECKED_OF_TIME: [Field; 2] = [Field::HourOfAmPm, Field::AmPm];

impl Fields {
    /// The epoch day, if the text tells a whole date.
    pub fn date(&self) -> Option<i64> {
        self.date
    }

    /// The nanosecond of the day, if the text tells the time as far as it goes.
    pub fn time(&self) -> Option<i64> {
        self.time
    }

    /// Whether the text says something of a date.
    pub fn has_date_fields(&self) -> bool {
        self.date.is_some() || DATE_FIELDS.iter().any(|field| self.get(*field).is_some())
    }

    /// The instant in milliseconds, in the zone of the text or else in `zone`. What the text does
    /// not tell is as at 1970-01-01T00:00.
    pub fn timestamp(&self, zone: &Zone) -> Result<i64, Fault> {
        let fixed = match self.raw.offset {
            Some(offset) if self.raw.zone.is_none() && !is_offset(offset) => {
                return fault("Zone offset not in valid range: -18:00 to +18:00");
            }
            Some(offset) => Some(Zone::fixed(offset)),
            None => None,
        };
        let own = self.raw.zone.as_ref().or(fixed.as_ref());
        let nanos = match self.time {
            Some(nanos) => nanos,
            None => self.partial_time()?,
        };
        let days = match self.date {
            Some(days) => days,
            None => self.partial_date()?,
        };
        let zone = own.unwrap_or(zone);
        let preferred = self.preferred_offset(zone, days, nanos)?;
        let of_day = nanos / 1_000_000_000;
        let mut seconds = zone.instant(days * 86_400 + of_day, preferred);
        let local = seconds + i64::from(zone.offset_at(seconds));
        if local.div_euclid(86_400) != days {
            // There is no such day here, and the clock went on to the next one.
            let days = same_weeks(local.div_euclid(86_400), days);
            let local = days * 86_400 + local.rem_euclid(86_400);
            seconds = zone.instant(local, Some(zone.offset_at(seconds)));
        }
        let millis = nanos % 1_000_000_000 / 1_000_000;
        let whole = seconds.checked_mul(1000).and_then(|whole| whole.checked_add(millis));
        whole.map_or_else(|| fault("long overflow"), Ok)
    }

    /// The offset that is taken of two that a local time may have: that of the text, if it is valid.
    ///
    /// ksqlDB sets the time and the day of the year in 1970 first, and Java then keeps that day's
    /// offset where it is one of two.
    fn preferred_offset(&self, zone: &Zone, days: i64, nanos: i64) -> Result<Option<i32>, Fault> {
        match self.raw.offset {
            Some(offset) if !is_offset(offset) => fault(format!(
                "Invalid value for OffsetSeconds (valid values -{OFFSET_MAX} - {OFFSET_MAX}): \
                 {offset}"
            )),
            Some(offset) => Ok(Some(offset)),
            None => {
                let first = i64::from(day_of_year(days).min(365)) - 1;
                let local = first * 86_400 + nanos / 1_000_000_000;
                Ok(Some(zone.offset_at(zone.instant(local, None))))
            }
        }
    }

    /// Combines the fields that were read.
    pub(super) fn resolve(raw: Raw) -> Result<Self, Fault> {
        let mut fields = Self { raw, date: None, time: None, next_day: false };
        fields.resolve_date()?;
        fields.resolve_time()?;
        fields.resolve_weeks()?;
        fields.combine_time()?;
        fields.cross_check()?;
        if let (Some(date), Some(_), true) = (fields.date, fields.time, fields.next_day) {
            fields.date = Some(date + 1);
        }
        Ok(fields)
    }

    /// Fails if a field that is left over says something else than the date or the time.
    fn cross_check(&self) -> Result<(), Fault> {
        if let Some(days) = self.date {
            self.check_against(&Moment::date(days), &CHECKED_OF_DATE, || date_text(days))?;
        }
        if let Some(nanos) = self.time {
            self.check_against(&Moment::time(nanos), &CHECKED_OF_TIME, || time_text(nanos))?;
        }
        Ok(())
    }

    /// Fails if one of `fields` is set to something else than a moment has.
    fn check_against(
        &self,
        moment: &Moment,
        fields: &[Field],
        shown: impl Fn() -> String,
    ) -> Result<(), Fault> {
        for field in fields {
            let Some(value) = self.get(*field) else { continue };
            let fact = moment.get(*field)?;
            if value != fact {
                return fault(format!(
                    "Conflict found: Field {field} {fact} differs from {field} {value} derived \
                     from {}",
                    shown()
                ));
            }
        }
        Ok(())
    }

    fn get(&self, field: Field) -> Option<i64> {
        self.raw.values[field as usize]
    }

    fn set(&mut self, field: Field, value: Option<i64>) {
        self.raw.values[field as usize] = value;
    }

    fn take(&mut self, field: Field) -> Option<i64> {
        self.raw.values[field as usize].take()
    }

    /// Sets a field that follows from `from`; one that is there already must have the same value.
    fn follow(&mut self, from: &str, field: Field, value: i64) -> Result<(), Fault> {
        match self.get(field) {
            Some(old) if old != value => fault(format!(
                "Conflict found: {field} {old} differs from {field} {value} while resolving  {from}"
            )),
            _ => {
                self.set(field, Some(value));
                Ok(())
            }
        }
    }

    /// The parts of a time that do not make a time, set one after the other at midnight.
    fn partial_time(&self) -> Result<i64, Fault> {
        let part = |field| self.get(field).map_or(Ok(0), |value| checked(field, value));
        let nanos = part(Field::Nano)?;
        let seconds = part(Field::Minute)? * 60 + part(Field::Second)?;
        let of_half = part(Field::HourOfAmPm)?;
        let hour = self
            .get(Field::HourOfDay)
            .map_or(Ok(of_half), |hour| checked(Field::HourOfDay, hour))?;
        let half = self.get(Field::AmPm).map(|half| checked(Field::AmPm, half)).transpose()?;
        let hour = half.map_or(hour, |half| half * 12 + hour % 12);
        Ok((hour * 3600 + seconds) * 1_000_000_000 + nanos)
    }
}

/// The value of a field, if it lies within its limits.
fn checked(field: Field, value: i64) -> Result<i64, Fault> {
    let (low, high, shown) = limits(field);
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    fault(format!("Invalid value for {field} (valid values {low} - {shown}): {value}"))
}

/// The lowest and the highest value of a field, and how messages show the highest.
fn limits(field: Field) -> (i64, i64, &'static str) {
    match field {
        Field::Era | Field::AmPm => (0, 1, "1"),
        Field::YearOfEra => (1, 1_000_000_000, "999999999/1000000000"),
        Field::Year | Field::WeekBasedYear => (-999_999_999, 999_999_999, "999999999"),
        Field::Quarter => (1, 4, "4"),
        Field::Month | Field::ClockHourOfAmPm => (1, 12, "12"),
        Field::DayOfMonth => (1, 31, "28/31"),
        Field::DayOfYear => (1, 366, "365/366"),
        Field::DayOfWeek | Field::LocalDayOfWeek | Field::AlignedDayOfWeekInMonth => (1, 7, "7"),
        Field::WeekOfMonth => (0, 6, "4/6"),
        Field::WeekOfWeekBasedYear => (1, 53, "52/53"),
        Field::HourOfAmPm => (0, 11, "11"),
        Field::ClockHourOfDay => (1, 24, "24"),
        Field::HourOfDay => (0, 23, "23"),
        Field::Minute | Field::Second => (0, 59, "59"),
        Field::Nano => (0, 999_999_999, "999999999"),
        Field::MilliOfDay => (0, NANOS_PER_DAY / 1_000_000 - 1, "86399999"),
        Field::NanoOfDay => (0, NANOS_PER_DAY - 1, "86399999999999"),
        Field::ModifiedJulianDay => (-365_243_178_575, 365_241_821_058, "365241821058"),
    }
}

/// Whether Java has an offset of so many seconds.
pub(super) fn is_offset(seconds: i32) -> bool {
    (-OFFSET_MAX..=OFFSET_MAX).contains(&seconds)
}

/// A day with the weeks of the month and of the year, the month and the year of another day.
fn same_weeks(days: i64, wanted: i64) -> i64 {
    let of_month = |days| (i64::from(civil_from_days(days).2) - 1) / 7;
    let of_year = |days| (i64::from(day_of_year(days)) - 1) / 7;
    let days = days + (of_month(wanted) - of_month(days)) * 7;
    let days = days + (of_year(wanted) - of_year(days)) * 7;
    let (year, month, _) = civil_from_days(wanted);
    let (.., day) = civil_from_days(days);
    days_from_civil(year, month, day.min(month_length(year, month)))
}
