//! Dates as `PARSE_DATE` reads them: with Apache Commons' `FastDateFormat`, which is lenient.
//!
//! Months and days may lie beyond their limits and are carried over, text after the date is
//! ignored, blanks before numbers are skipped, and dates before 1582-10-15 are Julian.

use crate::java::time::{civil_from_days, days_from_civil};

/// No name of a month or a day has more characters.
const NAME_CHARS_MAX: usize = 9;

/// A part of a pattern.
enum Part {
    Literal(char),
    /// A letter and how often it stands.
    Field(char, usize),
}

/// The calendar's fields that a text sets.
#[derive(Default)]
struct Fields {
    year: Option<i64>,
    before_christ: bool,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    time: Time,
}

/// The time of the day, in which a later field of one kind replaces an earlier one.
#[derive(Default)]
struct Time {
    afternoon: bool,
    hours: i64,
    minutes: i64,
    seconds: i64,
    millis: i64,
    offset_ms: i64,
}

impl Time {
    /// The milliseconds since midnight of UTC, which may lie on another day.
    fn millis(&self) -> i64 {
        let hours = self.hours + if self.afternoon { 12 } else { 0 };
        ((hours * 60 + self.minutes) * 60 + self.seconds) * 1000 + self.millis - self.offset_ms
    }
}

/// The epoch day of a text, in a year of which two digits lie in the 80 years before `now_ms` or
/// the 20 after it.
pub(super) fn parse(text: &str, pattern: &str, now_ms: i64) -> Result<i32, String> {
    let parts = parts(pattern)?;
    let mut fields = Fields { month: 1, day: 1, ..Fields::default() };
    let mut rest = text;
    for (index, part) in parts.iter().enumerate() {
        rest = match part {
            Part::Literal(c) => rest.strip_prefix(*c),
            Part::Field(letter, count) => {
                let adjacent = matches!(parts.get(index + 1), Some(Part::Field(next, count))
                    if is_number(*next, *count));
                if is_number(*letter, *count) {
                    number(rest, if adjacent { *count } else { 0 }).map(|(value, rest)| {
                        fields.set(*letter, *count, value, now_ms);
                        rest
                    })
                } else {
                    fields.read_text(*letter, rest)
                }
            }
        }
        .ok_or_else(|| format!("Unparseable date: {text}"))?;
    }
    let (days, millis) = (fields.days(), fields.time.millis());
    if millis % 86_400_000 != 0 {
        return Err("Date format contains time field.".to_owned());
    }
    Ok((days + millis / 86_400_000) as i32)
}

fn is_number(letter: char, count: usize) -> bool {
    !matches!((letter, count), ('E' | 'G' | 'a' | 'z' | 'Z' | 'X', _) | ('M', 3..))
}

fn parts(pattern: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    let mut quoted = false;
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.next_if_eq(&'\'').is_some() => parts.push(Part::Literal('\'')),
            '\'' => quoted = !quoted,
            c if quoted || !c.is_ascii_alphabetic() => parts.push(Part::Literal(c)),
            c => {
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                if !"DEFGHKMSWXYZadhkmsuwyz".contains(c) {
                    return Err(format!("Format '{}' not supported", c.to_string().repeat(count)));
                }
                parts.push(Part::Field(c, count));
            }
        }
    }
    if quoted { Err("Unterminated quote".to_owned()) } else { Ok(parts) }
}

impl Fields {
    /// Sets the field of a letter that stands `count` times.
    fn set(&mut self, letter: char, count: usize, value: i64, now_ms: i64) {
        match letter {
            'y' | 'Y' if count <= 2 && value < 100 => self.year = Some(full_year(value, now_ms)),
            'y' | 'Y' => self.year = Some(value),
            'M' => self.month = value,
            'd' => self.day = value,
            'D' => self.day_of_year = Some(value),
            'H' | 'K' => self.time.hours = value,
            'k' => self.time.hours = value % 24,
            'h' => self.time.hours = value % 12,
            'm' => self.time.minutes = value,
            's' => self.time.seconds = value,
            'S' => self.time.millis = value,
            // Days of the week and weeks do not count where a day or a month is set.
            _ => {}
        }
    }

    fn read_text<'t>(&mut self, letter: char, text: &'t str) -> Option<&'t str> {
        const MONTHS: [&str; 12] = [
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ];
        const DAYS: [&str; 7] =
            ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let (names, at): (&[&str], _) = match letter {
            'M' => (&MONTHS, 3),
            'E' => (&DAYS, 3),
            'G' => (&["bc", "ad"], 2),
            'a' => (&["am", "pm"], 2),
            _ => {
                return zone(text).map(|(offset_ms, rest)| {
                    self.time.offset_ms = offset_ms;
                    rest
                });
            }
        };
        let lower: String = text.chars().take(NAME_CHARS_MAX).collect();
        let lower = lower.to_lowercase();
        let found = names.iter().enumerate().find_map(|(index, name)| {
            let long = lower.starts_with(name).then_some(name.len());
            Some((index, long.or_else(|| lower.starts_with(&name[..at]).then_some(at))?))
        });
        let (index, length) = found?;
        match letter {
            'M' => self.month = index as i64 + 1,
            'G' => self.before_christ = index == 0,
            'a' => self.time.afternoon = index == 1,
            _ => {}
        }
        text.get(length..)
    }

    /// The day, in the Gregorian calendar from 1582-10-15 on and in the Julian one before.
    fn days(&self) -> i64 {
        /// The first day of the Gregorian calendar.
        const CUTOVER: i64 = -141_427;
        let year = self.year.unwrap_or(1970);
        let year = if self.before_christ { 1 - year } else { year };
        let carried = year + (self.month - 1).div_euclid(12);
        let month = (self.month - 1).rem_euclid(12) as u32 + 1;
        let offset = match self.day_of_year {
            Some(day) => day - 1,
            None => self.day - 1,
        };
        let (year, month) = if self.day_of_year.is_some() { (year, 1) } else { (carried, month) };
        let gregorian = days_from_civil(year, month, 1) + offset;
        if gregorian >= CUTOVER { gregorian } else { julian_days(year, month) + offset }
    }
}

/// The epoch day of the first of a month in the Julian calendar.
fn julian_days(year: i64, month: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let shifted_month = (i64::from(month) + 9) % 12;
    year * 365 + year.div_euclid(4) + (153 * shifted_month + 2) / 5 - 719_470
}

/// A year of two digits, from 80 years before now on.
fn full_year(two_digits: i64, now_ms: i64) -> i64 {
    let (year, ..) = civil_from_days(now_ms.div_euclid(86_400_000));
    let start = year - 80;
    let century = start / 100 * 100;
    if two_digits >= start - century { century + two_digits } else { century + 100 + two_digits }
}

/// Digits, as many as there are or at most `limit`; blanks before them are skipped if it is 0.
fn number(text: &str, limit: usize) -> Option<(i64, &str)> {
    let text = if limit == 0 { text.trim_start() } else { text };
    let all = text.bytes().take_while(u8::is_ascii_digit).count();
    let length = if limit == 0 { all } else { all.min(limit) };
    let value = text[..length].parse::<i32>().ok()?;
    Some((i64::from(value), &text[length..]))
}

/// `Z`, `+02`, `+0200` or `+02:00`, or a name of UTC.
fn zone(text: &str) -> Option<(i64, &str)> {
    for name in ["GMT", "UTC", "Z"] {
        if let Some(rest) = text.strip_prefix(name) {
            return Some((0, rest));
        }
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours: i64 = text.get(1..3)?.parse().ok()?;
    let rest = &text[3..];
    let minutes = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = match minutes.get(..2).and_then(|digits| digits.parse::<i64>().ok()) {
        Some(value) => (value, &minutes[2..]),
        None => (0, rest),
    };
    Some((sign * (hours * 60 + minutes) * 60_000, rest))
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(text: &str, pattern: &str, expected: Option<i32>) {
        let now_ms = 1_700_000_000_000;
        assert_eq!(parse(text, pattern, now_ms).ok(), expected, "{text} {pattern}");
    }

    #[test]
    fn dates_are_read_leniently() {
        check("2020-02-29", "yyyy-MM-dd", Some(18_321));
        check("2021-02-29T00:00", "yyyy-MM-dd", Some(18_687));
        check("2020-13-01", "yyyy-MM-dd", Some(18_628));
        check(" 2020-2-29", "yyyy-MM-dd", Some(18_321));
        check("20200229", "yyyyMMdd", Some(18_321));
        check("29/02/20", "dd/MM/yy", Some(18_321));
        check("Sat, 29 Feb 2020", "EEE, d MMM yyyy", Some(18_321));
        check("2020-060", "yyyy-DDD", Some(18_321));
        check("2020-060", "yyyy-MM", Some(20_058));
        check("0001-01-01", "yyyy-MM-dd", Some(-719_164));
        check("JAN-2022", "MMM-yyyy", Some(18_993));
        check("2018-05-11Lit", "yyyy-MM-dd'Lit'", Some(17_662));
        check("", "", Some(0));
        check("-0001-01-01", "yyyy-MM-dd", None);
        check("2020-02", "yyyy-MM-dd", None);
        check("2020-02-29 10", "yyyy-MM-dd HH", None);
        check("2020", "[", None);
    }

    #[test]
    fn a_field_that_occurs_again_replaces_the_one_before() {
        check("24 24 24", "HH HH HH", Some(1));
        let many = |text: &str| vec![text; 5_000].join(" ");
        for (number, letter) in [("2147483640", "H"), ("2147483647", "y"), ("2147483647", "M")] {
            assert!(parse(&many(number), &many(letter), 0).is_ok(), "{letter}");
        }
        assert!(parse(&many("2147483647"), &many("s"), 0).is_err());
    }
}
