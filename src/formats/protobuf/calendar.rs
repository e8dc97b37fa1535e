//! Days as years, months and days of Java's calendar: Julian before 15 October 1582.

/// The first day of the Gregorian calendar, counted from 1970-01-01.
const GREGORIAN_FROM: i64 = -141_427;

/// From 0000-03-01 of the Gregorian calendar to 1970-01-01.
const GREGORIAN_EPOCH: i64 = 719_468;

/// From 0000-03-01 of the Julian calendar to 1970-01-01.
const JULIAN_EPOCH: i64 = 719_470;

/// Year, month (from 1) and day (from 1).
pub(super) type Civil = (i64, i64, i64);

/// The day that is `days` after 1970-01-01.
pub(super) fn civil_from_days(days: i64) -> Civil {
    // Years begin in March here, so that the leap day is the last one.
    let (year, day_of_year) = if days >= GREGORIAN_FROM {
        let days = days + GREGORIAN_EPOCH;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        (era * 400 + year, day - (365 * year + year / 4 - year / 100))
    } else {
        let days = days + JULIAN_EPOCH;
        let (cycle, day) = (days.div_euclid(1_461), days.rem_euclid(1_461));
        let year = (day - day / 1_460) / 365;
        (cycle * 4 + year, day - 365 * year)
    };
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + i64::from(month <= 2), month, day)
}

/// The days from 1970-01-01 to a day, or the message of a strict calendar.
pub(super) fn days_from_civil((year, month, day): Civil) -> Result<i64, String> {
    if !(1..=292_278_994).contains(&year) {
        return Err("YEAR".into());
    }
    if !(1..=12).contains(&month) {
        return Err("MONTH".into());
    }
    if !(1..=31).contains(&day) {
        return Err("DAY_OF_MONTH".into());
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = shifted.div_euclid(4);
    let julian = shifted * 365 + leap_days + day_of_year - JULIAN_EPOCH;
    let centuries = shifted.div_euclid(400) - shifted.div_euclid(100);
    let gregorian = shifted * 365 + leap_days + centuries + day_of_year - GREGORIAN_EPOCH;
    let days = if gregorian >= GREGORIAN_FROM { gregorian } else { julian };
    match civil_from_days(days) {
        (_, found, _) if found != month => Err(format!("MONTH: {} -> {}", month - 1, found - 1)),
        (_, _, found) if found != day => Err(format!("DAY_OF_MONTH: {day} -> {found}")),
        _ => Ok(days),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for days in (-800_000..800_000).step_by(37).chain([GREGORIAN_FROM, GREGORIAN_FROM - 1]) {
            let civil = civil_from_days(days);
            if civil.0 > 0 {
                assert_eq!(days_from_civil(civil), Ok(days), "{civil:?}");
            }
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(civil_from_days(19_782), (2024, 2, 29));
        assert_eq!(civil_from_days(GREGORIAN_FROM), (1582, 10, 15));
        assert_eq!(civil_from_days(GREGORIAN_FROM - 1), (1582, 10, 4));
    }

    #[test]
    fn impossible_days_are_refused() {
        assert_eq!(days_from_civil((0, 0, 0)), Err("YEAR".into()));
        assert_eq!(days_from_civil((2023, 13, 1)), Err("MONTH".into()));
        assert_eq!(days_from_civil((2023, 2, 30)), Err("MONTH: 1 -> 2".into()));
        assert_eq!(days_from_civil((2023, 1, 0)), Err("DAY_OF_MONTH".into()));
    }
}
