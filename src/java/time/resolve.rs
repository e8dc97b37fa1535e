//! What the fields of a text mean together.

use super::NANOS_PER_DAY;
use super::civil::{
    civil_from_days, day_of_week, day_of_year, days_from_civil, is_leap, month_length,
    week_of_week_based_year, week_year_start,
};
use super::pattern::{Fault, Field, fault};
use super::read::Raw;
use super::zone::Zone;

/// A date and a time as far as a text tells them, and the fields that are left over.
#[derive(Clone)]
pub struct Fields {
    raw: Raw,
    date: Option<i64>,
    time: Option<i64>,
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
const TIME_FIELDS: [Field; 9] = [
    Field::AmPm,
    Field::ClockHourOfAmPm,
    Field::HourOfAmPm,
    Field::ClockHourOfDay,
    Field::HourOfDay,
    Field::Minute,
    Field::Second,
    Field::Nano,
    Field::MilliOfDay,
];

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

    /// Whether the text says something of a time.
    pub fn has_time_fields(&self) -> bool {
        self.time.is_some() || TIME_FIELDS.iter().any(|field| self.get(*field).is_some())
    }

    /// The instant in milliseconds, in the zone of the text or else in `zone`. What the text does
    /// not tell is as at 1970-01-01T00:00.
    pub fn timestamp(&self, zone: &Zone) -> Result<i64, Fault> {
        let fixed = self.raw.offset.map(Zone::fixed);
        let own = self.raw.zone.as_ref().or(fixed.as_ref());
        let nanos = self.time.unwrap_or_else(|| self.partial_time());
        let days = match self.date {
            Some(days) => days,
            None => self.partial_date()?,
        };
        let local = days * 86_400 + nanos / 1_000_000_000;
        let zone = own.unwrap_or(zone);
        // ksqlDB sets the time and the day of the year in 1970 first, and Java then keeps that
        // day's offset where it is one of two.
        let preferred = if own.is_some() {
            self.raw.offset
        } else {
            let first = i64::from(day_of_year(days).min(365)) - 1;
            let local = first * 86_400 + nanos / 1_000_000_000;
            Some(zone.offset_at(zone.instant(local, None)))
        };
        let seconds = zone.instant(local, preferred);
        Ok(seconds * 1000 + nanos % 1_000_000_000 / 1_000_000)
    }

    /// Combines the fields that were read.
    pub(super) fn resolve(raw: Raw) -> Result<Self, Fault> {
        let mut fields = Self { raw, date: None, time: None };
        fields.resolve_year()?;
        fields.resolve_date()?;
        fields.resolve_hours()?;
        let next_day = fields.resolve_time()?;
        if let (Some(date), true) = (fields.date, next_day) {
            fields.date = Some(date + 1);
        }
        Ok(fields)
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

    /// Fails unless a field that is there lies within its limits.
    fn check(&self, field: Field, low: i64, high: i64) -> Result<(), Fault> {
        match self.get(field) {
            Some(value) if value < low || value > high => {
                fault(format!("Invalid value for {field:?} (valid values {low} - {high}): {value}"))
            }
            _ => Ok(()),
        }
    }

    fn resolve_year(&mut self) -> Result<(), Fault> {
        self.check(Field::YearOfEra, 1, 1_000_000_000)?;
        self.check(Field::Year, -999_999_999, 999_999_999)?;
        if let Some(of_era) = self.take(Field::YearOfEra) {
            let year = match (self.get(Field::Era), self.get(Field::Year)) {
                (Some(0), _) => 1 - of_era,
                (None, Some(year)) if year <= 0 => 1 - of_era,
                _ => of_era,
            };
            match self.get(Field::Year) {
                Some(other) if other != year => {
                    return fault(format!("Conflict found: Year {other} differs from Year {year}"));
                }
                _ => self.set(Field::Year, Some(year)),
            }
            self.set(Field::Era, None);
        }
        Ok(())
    }

    fn resolve_date(&mut self) -> Result<(), Fault> {
        self.check(Field::Month, 1, 12)?;
        self.check(Field::DayOfMonth, 1, 31)?;
        self.check(Field::DayOfYear, 1, 366)?;
        let (year, month) = (self.get(Field::Year), self.get(Field::Month));
        if let Some(julian) = self.take(Field::ModifiedJulianDay) {
            self.date = Some(julian - 40_587);
        } else if let (Some(year), Some(month), Some(day)) =
            (year, month, self.get(Field::DayOfMonth))
        {
            let day = day.min(month_length(year, month as u32).into());
            for field in [Field::Year, Field::Month, Field::DayOfMonth] {
                self.set(field, None);
            }
            self.date = Some(days_from_civil(year, month as u32, day as u32));
        } else if let (Some(year), Some(day)) = (year, self.get(Field::DayOfYear)) {
            if day == 366 && !is_leap(year) {
                return fault(format!(
                    "Invalid date 'DayOfYear 366' as '{year}' is not a leap year"
                ));
            }
            self.set(Field::Year, None);
            self.set(Field::DayOfYear, None);
            self.date = Some(days_from_civil(year, 1, 1) + day - 1);
        } else if let (Some(year), Some(week)) =
            (self.get(Field::WeekBasedYear), self.get(Field::WeekOfWeekBasedYear))
        {
            let local = self.get(Field::LocalDayOfWeek);
            let day = local.or_else(|| self.get(Field::DayOfWeek).map(|day| day % 7 + 1));
            if let Some(day) = day {
                self.date = Some(week_year_start(year) + (week - 1) * 7 + day - 1);
            }
        }
        match self.date {
            Some(days) => self.cross_check(days),
            None => Ok(()),
        }
    }

    /// Fails if a field that is left over says something else than the date.
    fn cross_check(&self, days: i64) -> Result<(), Fault> {
        let (year, month, day) = civil_from_days(days);
        let (week_year, week) = week_of_week_based_year(days);
        let facts = [
            (Field::Year, year),
            (Field::Month, month.into()),
            (Field::DayOfMonth, day.into()),
            (Field::DayOfYear, day_of_year(days).into()),
            (Field::DayOfWeek, day_of_week(days).into()),
            (Field::LocalDayOfWeek, i64::from(day_of_week(days) % 7) + 1),
            (Field::Quarter, i64::from(month - 1) / 3 + 1),
            (Field::WeekBasedYear, week_year),
            (Field::WeekOfWeekBasedYear, week.into()),
        ];
        for (field, fact) in facts {
            if let Some(value) = self.get(field).filter(|value| *value != fact) {
                return fault(format!(
                    "Conflict found: Field {field:?} {fact} differs from {field:?} {value} \
                     derived from the date"
                ));
            }
        }
        Ok(())
    }

    /// Turns all ways to count hours into hours of the day.
    fn resolve_hours(&mut self) -> Result<(), Fault> {
        if let Some(hour) = self.take(Field::ClockHourOfDay) {
            if !(0..=24).contains(&hour) {
                return fault(format!("Invalid value for ClockHourOfDay: {hour}"));
            }
            self.set(Field::HourOfDay, Some(hour % 24));
        }
        if let Some(hour) = self.take(Field::ClockHourOfAmPm) {
            if !(0..=12).contains(&hour) {
                return fault(format!("Invalid value for ClockHourOfAmPm: {hour}"));
            }
            self.set(Field::HourOfAmPm, Some(hour % 12));
        }
        self.check(Field::HourOfAmPm, 0, 11)?;
        if let (Some(half), Some(hour)) = (self.get(Field::AmPm), self.get(Field::HourOfAmPm)) {
            self.set(Field::AmPm, None);
            self.set(Field::HourOfAmPm, None);
            self.set(Field::HourOfDay, Some(half * 12 + hour));
        }
        if let Some(millis) = self.take(Field::MilliOfDay) {
            self.set(Field::NanoOfDay, Some(millis * 1_000_000));
        }
        if let Some(nanos) = self.take(Field::NanoOfDay) {
            if !(0..NANOS_PER_DAY).contains(&nanos) {
                return fault(format!("Invalid value for NanoOfDay: {nanos}"));
            }
            self.set(Field::HourOfDay, Some(nanos / 3_600_000_000_000));
            self.set(Field::Minute, Some(nanos / 60_000_000_000 % 60));
            self.set(Field::Second, Some(nanos / 1_000_000_000 % 60));
            self.set(Field::Nano, Some(nanos % 1_000_000_000));
        }
        Ok(())
    }

    /// Combines the parts of the time; whether they say 24:00, the beginning of the next day.
    fn resolve_time(&mut self) -> Result<bool, Fault> {
        let (minute, second) = (self.get(Field::Minute), self.get(Field::Second));
        let nano = self.get(Field::Nano);
        let gap = minute.is_none() && (second.is_some() || nano.is_some())
            || second.is_none() && nano.is_some();
        let midnight = self.get(Field::HourOfDay) == Some(24)
            && [minute, second, nano].iter().all(|part| part.unwrap_or_default() == 0);
        if !midnight {
            self.check(Field::HourOfDay, 0, 23)?;
        }
        self.check(Field::Minute, 0, 59)?;
        self.check(Field::Second, 0, 59)?;
        self.check(Field::Nano, 0, 999_999_999)?;
        let Some(hour) = self.get(Field::HourOfDay).filter(|_| !gap) else { return Ok(false) };
        let seconds =
            (hour % 24) * 3600 + minute.unwrap_or_default() * 60 + second.unwrap_or_default();
        self.time = Some(seconds * 1_000_000_000 + nano.unwrap_or_default());
        for field in [Field::HourOfDay, Field::Minute, Field::Second, Field::Nano] {
            self.set(field, None);
        }
        Ok(midnight)
    }

    /// The parts of a time that do not make a time, the others being 0.
    fn partial_time(&self) -> i64 {
        let part = |field| self.get(field).unwrap_or_default();
        let hour = part(Field::HourOfDay) + part(Field::HourOfAmPm) + part(Field::AmPm) * 12;
        (hour * 3600 + part(Field::Minute) * 60 + part(Field::Second)) * 1_000_000_000
            + part(Field::Nano)
    }

    /// The parts of a date that do not make a date, set one after the other on 1970-01-01.
    fn partial_date(&self) -> Result<i64, Fault> {
        let mut days = 0;
        if let Some(day) = self.get(Field::DayOfWeek) {
            days += day - i64::from(day_of_week(days));
        }
        let (mut year, mut month, mut day) = civil_from_days(days);
        if let Some(of_month) = self.get(Field::DayOfMonth) {
            day = of_month as u32;
        }
        if let Some(of_year) = self.get(Field::DayOfYear) {
            if of_year == 366 {
                return fault("Leap day cannot be parsed without supplying the year field");
            }
            (year, month, day) = civil_from_days(days_from_civil(year, 1, 1) + of_year - 1);
        }
        if let Some(of_year) = self.get(Field::Month) {
            month = of_year as u32;
            day = day.min(month_length(year, month));
        }
        if let Some(value) = self.get(Field::Year) {
            year = value;
            day = day.min(month_length(year, month));
        }
        Ok(days_from_civil(year, month, day))
    }
}
