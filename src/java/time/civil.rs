//! Days and dates of the proleptic Gregorian calendar, for all years that Java has.

/// The year, month and day of an epoch day.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// The epoch day of a year, month and day, which may lie outside of the month.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// How many days a month has.
pub fn month_length(year: i64, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Whether a year has a 29th of February.
pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The day of the week of an epoch day: 1 for Monday to 7 for Sunday.
pub fn day_of_week(days: i64) -> u32 {
    (days + 3).rem_euclid(7) as u32 + 1
}

/// How many days after a Sunday an epoch day is: 0 for Sunday to 6 for Saturday.
pub(super) fn days_from_sunday(days: i64) -> i64 {
    i64::from(day_of_week(days) % 7)
}

/// The day of the year, counted from 1.
pub fn day_of_year(days: i64) -> u32 {
    let (year, ..) = civil_from_days(days);
    (days - days_from_civil(year, 1, 1)) as u32 + 1
}

/// The week-based year and its week by American rules: weeks start on Sunday, and the first one
/// holds the 1st of January.
pub(super) fn week_of_week_based_year(days: i64) -> (i64, u32) {
    let (year, ..) = civil_from_days(days);
    let first_of = |year| week_year_start(year);
    let year = if days >= first_of(year + 1) { year + 1 } else { year };
    (year, ((days - first_of(year)) / 7) as u32 + 1)
}

/// The Sunday that the week-based year begins with.
pub(super) fn week_year_start(year: i64) -> i64 {
    let first = days_from_civil(year, 1, 1);
    first - days_from_sunday(first)
}

/// Java's `LocalDate.toString`: `yyyy-MM-dd`, with a sign before a year beyond four digits.
pub fn date_text(days: i64) -> String {
    let (year, month, day) = civil_from_days(days);
    let sign = match year {
        10_000.. => "+",
        0.. => "",
        _ => "-",
    };
    format!("{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs())
}

/// Java's `LocalTime.toString`: `HH:mm`, and what is finer as far as it is not zero.
pub(super) fn time_text(nanos: i64) -> String {
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let fraction = match nanos {
        0 if second == 0 => return format!("{hour:02}:{minute:02}"),
        0 => String::new(),
        nanos if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        nanos if nanos % 1000 == 0 => format!(".{:06}", nanos / 1000),
        nanos => format!(".{nanos:09}"),
    };
    format!("{hour:02}:{minute:02}:{second:02}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for days in (-1_000_000..3_000_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
            assert!((1..=month_length(year, month)).contains(&day));
        }
        assert_eq!(civil_from_days(2_147_483_647), (5_881_580, 7, 11));
        assert_eq!(day_of_week(0), 4);
        assert_eq!(week_of_week_based_year(18_993), (2022, 1));
    }
}
