//! Dates from years, months, days and weeks.

use super::super::civil::{
    civil_from_days, date_text, day_of_week, days_from_civil, days_from_sunday, is_leap,
    month_length, week_year_start,
};
use super::super::pattern::{Fault, Field, fault};
use super::{Fields, checked};

/// The modified Julian day of 1970-01-01.
const JULIAN_EPOCH: i64 = 40_587;

impl Fields {
    /// Combines a year, or a year of an era, with a month and a day, or with a day of the year.
    pub(super) fn resolve_date(&mut self) -> Result<(), Fault> {
        self.resolve_year_of_era()?;
        let Some(year) = self.get(Field::Year) else { return Ok(()) };
        let month_and_day = self.get(Field::Month).zip(self.get(Field::DayOfMonth));
        if let Some((month, day)) = month_and_day {
            let year = checked(Field::Year, year)?;
            let month = checked(Field::Month, month)? as u32;
            let day = checked(Field::DayOfMonth, day)? as u32;
            for field in [Field::Year, Field::Month, Field::DayOfMonth] {
                self.set(field, None);
            }
            let day = day.min(month_length(year, month));
            self.date = Some(days_from_civil(year, month, day));
        } else if let Some(day) = self.get(Field::DayOfYear) {
            let year = checked(Field::Year, year)?;
            let day = checked(Field::DayOfYear, day)?;
            self.set(Field::Year, None);
            self.set(Field::DayOfYear, None);
            self.date = Some(first_of_year(year, day)? + day - 1);
        }
        Ok(())
    }

    fn resolve_year_of_era(&mut self) -> Result<(), Fault> {
        let Some(of_era) = self.take(Field::YearOfEra) else {
            return match self.get(Field::Era) {
                Some(era) => checked(Field::Era, era).map(drop),
                None => Ok(()),
            };
        };
        let of_era = checked(Field::YearOfEra, of_era)?;
        let year = match (self.take(Field::Era), self.get(Field::Year)) {
            (Some(0), _) => 1 - of_era,
            (None, Some(year)) if year <= 0 => 1 - of_era,
            _ => of_era,
        };
        match self.get(Field::Year) {
            Some(other) if other != year => {
                fault(format!("Conflict found: Year {other} differs from Year {year}"))
            }
            _ => {
                self.set(Field::Year, Some(year));
                Ok(())
            }
        }
    }

    /// Combines weeks of American rules with a day of the week, and takes a Julian day.
    pub(super) fn resolve_weeks(&mut self) -> Result<(), Fault> {
        for field in [Field::WeekBasedYear, Field::WeekOfWeekBasedYear] {
            if self.get(field).is_some_and(|value| i32::try_from(value).is_err()) {
                return fault("integer overflow");
            }
        }
        if let Some(local) = self.take(Field::LocalDayOfWeek) {
            let day = (checked(Field::LocalDayOfWeek, local)? + 5) % 7 + 1;
            self.set(Field::DayOfWeek, Some(day));
        }
        if let Some(day) = self.get(Field::DayOfWeek) {
            self.resolve_week(day)?;
        }
        if let Some(julian) = self.take(Field::ModifiedJulianDay) {
            self.found(checked(Field::ModifiedJulianDay, julian)? - JULIAN_EPOCH)?;
        }
        Ok(())
    }

    fn resolve_week(&mut self, day_of_week: i64) -> Result<(), Fault> {
        let of_year = self.get(Field::WeekBasedYear).zip(self.get(Field::WeekOfWeekBasedYear));
        let month = self.get(Field::Year).zip(self.get(Field::Month));
        if let Some((year, week)) = of_year {
            let from_sunday = checked(Field::DayOfWeek, day_of_week)? % 7;
            let year = checked(Field::WeekBasedYear, year)?;
            let week = checked(Field::WeekOfWeekBasedYear, week)?;
            for field in [Field::WeekBasedYear, Field::WeekOfWeekBasedYear, Field::DayOfWeek] {
                self.set(field, None);
            }
            let start = week_year_start(year);
            let weeks = (week_year_start(year + 1) - start) / 7;
            return self.found(start + (week.min(weeks) - 1) * 7 + from_sunday);
        }
        if let (Some((year, month)), Some(week)) = (month, self.get(Field::WeekOfMonth)) {
            let from_sunday = checked(Field::DayOfWeek, day_of_week)? % 7;
            let year = checked(Field::Year, year)?;
            let month = checked(Field::Month, month)? as u32;
            let week = checked(Field::WeekOfMonth, week)?;
            for field in [Field::Year, Field::Month, Field::WeekOfMonth, Field::DayOfWeek] {
                self.set(field, None);
            }
            let first = days_from_civil(year, month, 1);
            let sunday = first - days_from_sunday(first);
            return self.found(sunday + (week - 1) * 7 + from_sunday);
        }
        Ok(())
    }

    /// Takes a date; one that was found before must be the same.
    fn found(&mut self, days: i64) -> Result<(), Fault> {
        match self.date {
            Some(other) if other != days => fault(format!(
                "Conflict found: Fields resolved to two different dates: {} {}",
                date_text(other),
                date_text(days)
            )),
            _ => {
                self.date = Some(days);
                Ok(())
            }
        }
    }

    /// The parts of a date that do not make a date, set one after the other on 1970-01-01.
    pub(super) fn partial_date(&self) -> Result<i64, Fault> {
        let mut days = 0;
        if let Some(day) = self.get(Field::DayOfWeek) {
            days += checked(Field::DayOfWeek, day)? - i64::from(day_of_week(days));
        }
        if let Some(day) = self.get(Field::AlignedDayOfWeekInMonth) {
            let aligned = i64::from((civil_from_days(days).2 - 1) % 7) + 1;
            days += checked(Field::AlignedDayOfWeekInMonth, day)? - aligned;
        }
        let (mut year, mut month, mut day) = civil_from_days(days);
        if let Some(of_month) = self.get(Field::DayOfMonth) {
            day = checked(Field::DayOfMonth, of_month)? as u32;
        }
        if let Some(of_year) = self.get(Field::DayOfYear) {
            if of_year == 366 {
                return fault("Leap day cannot be parsed without supplying the year field");
            }
            let of_year = checked(Field::DayOfYear, of_year)?;
            (year, month, day) = civil_from_days(first_of_year(year, of_year)? + of_year - 1);
        }
        if let Some(of_year) = self.get(Field::Month) {
            month = checked(Field::Month, of_year)? as u32;
            day = day.min(month_length(year, month));
        }
        if let Some(value) = self.get(Field::Year) {
            year = checked(Field::Year, value)?;
            day = day.min(month_length(year, month));
        }
        if self.get(Field::Era).is_some_and(|era| era != i64::from(year > 0)) {
            year = 1 - year;
            day = day.min(month_length(year, month));
        }
        Ok(days_from_civil(year, month, day))
    }
}

/// The first day of a year that has so many days.
fn first_of_year(year: i64, day: i64) -> Result<i64, Fault> {
    if day == 366 && !is_leap(year) {
        return fault(format!("Invalid date 'DayOfYear 366' as '{year}' is not a leap year"));
    }
    Ok(days_from_civil(year, 1, 1))
}
