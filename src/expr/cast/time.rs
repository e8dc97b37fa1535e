//! Text of dates and times, in the calendar of ISO 8601 and in UTC.

use super::super::EvalError;
use crate::java::time::{civil_from_days, days_from_civil, month_length};

pub(crate) const DAY_MS: i64 = 86_400_000;

/// What a TIME or TIMESTAMP is completed with.
const TIME_ZEROS: &str = "00:00:00.000";

const DATE_HELP: &str = "\nRequired format is: \"yyyy-MM-dd\", for example '2020-05-26'. Partials \
    are also supported, for example '2020-05'";
const TIME_HELP: &str = "\nRequired format is: \"HH:mm:ss.SSS\", for example '01:34:20.123' or \
    '01:34:20'. Partials are also supported, for example '01:34'";
const TIMESTAMP_HELP: &str = "\nRequired format is: \"yyyy-MM-dd'T'HH:mm:ss.SSS\", with an \
    optional numeric 4-digit timezone, for example: '2020-05-26T23:59:58.000' or with tz: \
    '2020-05-26T23:59:58.000+0200'. A trailing 'Z' instead of tz indicates the zero UTC offset. \
    Partials are also supported, for example \"2020-05-26\"";

/// Reads `yyyy[-MM[-dd]]` as days since the epoch.
pub(crate) fn parse_date(text: &str) -> Result<i32, EvalError> {
    let complete = complete_date(text);
    let mut scan = Scan::new(&complete);
    let days = scan.date(false).and_then(|days| scan.end().map(|()| days));
    days.map(|days| days as i32).map_err(|fault| {
        let fault = fault.message(&complete);
        EvalError::new(fault.clone())
            .wrap(format!("Failed to parse date '{text}': {fault}{DATE_HELP}"))
    })
}

/// Reads `HH:mm[:ss[.S]]` as milliseconds of the day.
pub(crate) fn parse_time(text: &str) -> Result<i32, EvalError> {
    let mut scan = Scan::new(text);
    let ms = scan.time_of_day().and_then(|ms| scan.end().map(|()| ms));
    ms.map(|ms| ms as i32).map_err(|fault| {
        let fault = fault.message(text);
        EvalError::new(fault.clone())
            .wrap(format!("Failed to parse time '{text}': {fault}{TIME_HELP}"))
    })
}

/// Reads `yyyy[-MM[-dd]]` or `yyyy-MM-ddT[HH[:mm[:ss[.SSS]]]][zone]` as milliseconds since the
/// epoch. So are texts read that are compared with TIMESTAMPs, ROWTIME, WINDOWSTART and WINDOWEND.
///
/// A day that its month does not have becomes the month's last one; 24:00:00 is the next day.
pub fn parse_partial_timestamp(text: &str) -> Result<i64, EvalError> {
    let (date, time, zone) = match text.split_once('T') {
        Some((date, rest)) => {
            let zone_at = rest.find('+').or_else(|| rest.find('-')).unwrap_or(rest.len());
            let (time, zone) = rest.split_at(zone_at);
            let time = time.strip_suffix('Z').unwrap_or(time);
            (date.to_owned(), complete_time(time), zone)
        }
        None => (complete_date(text), TIME_ZEROS.to_owned(), ""),
    };
    let fail = |fault: String| {
        EvalError::new(fault.clone())
            .wrap(format!("Failed to parse timestamp '{text}': {fault}{TIMESTAMP_HELP}"))
    };
    let offset_ms = zone_offset_ms(zone)
        .ok_or_else(|| fail(format!("Failed to parse timezone '{zone}': Invalid zone: {zone}")))?;
    let full = format!("{date}T{time}");
    let mut scan = Scan::new(&full);
    let parsed = scan.timestamp().and_then(|ms| scan.end().map(|()| ms));
    let parsed = parsed.and_then(|ms| ms.checked_sub(offset_ms).ok_or(Fault::Overflow));
    parsed.map_err(|fault| fail(fault.message(&full)))
}

/// Adds the first month and day, where Java's `split("-")` finds one part or two.
fn complete_date(date: &str) -> String {
    let parts = date.trim_end_matches('-').split('-').count();
    match parts {
        1 => format!("{date}-01-01"),
        2 => format!("{date}-01"),
        _ => date.to_owned(),
    }
}

fn complete_time(time: &str) -> String {
    format!("{time}{}", TIME_ZEROS.get(time.chars().count()..).unwrap_or(""))
}

/// `+h`, `+hh`, `+hhmm`, `+hh:mm`, with seconds or not.
fn zone_offset_ms(zone: &str) -> Option<i64> {
    if zone.trim().is_empty() {
        return Some(0);
    }
    let digits: String = zone.get(1..)?.chars().filter(|c| *c != ':').collect();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |p| p.parse().ok());
    let hours: i64 = if digits.len() == 1 { digits.parse().ok()? } else { part(0, 2)? };
    let (minutes, seconds) = (part(2, 4)?, part(4, 6)?);
    let is_whole = matches!(digits.len(), 1 | 2 | 4 | 6);
    if !is_whole || hours > 18 || minutes > 59 || seconds > 59 {
        return None;
    }
    let offset = ((hours * 60 + minutes) * 60 + seconds) * 1000;
    Some(if zone.starts_with('-') { -offset } else { offset })
}

/// Where text stops being what it should.
enum Fault {
    At(usize),
    Rest(usize),
    Day { year: i64, month: i64, day: i64 },
    Range { field: &'static str, range: &'static str, value: i64 },
    Overflow,
}

impl Fault {
    fn message(&self, text: &str) -> String {
        match self {
            Self::Overflow => "long overflow".to_owned(),
            Self::At(index) => format!("Text '{text}' could not be parsed at index {index}"),
            Self::Rest(index) => {
                format!("Text '{text}' could not be parsed, unparsed text found at index {index}")
            }
            Self::Day { month: 2, day: 29, year } => format!(
                "Text '{text}' could not be parsed: Invalid date 'February 29' as '{year}' is not \
                 a leap year"
            ),
            Self::Day { month, day, .. } => {
                let name = MONTHS[*month as usize - 1];
                format!("Text '{text}' could not be parsed: Invalid date '{name} {day}'")
            }
            Self::Range { field, range, value } => format!(
                "Text '{text}' could not be parsed: Invalid value for {field} (valid values \
                 {range}): {value}"
            ),
        }
    }
}

const MONTHS: [&str; 12] = [
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
];

/// Reads fields of fixed width.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), at: 0 }
    }

    fn end(&self) -> Result<(), Fault> {
        if self.at == self.text.len() { Ok(()) } else { Err(Fault::Rest(self.at)) }
    }

    fn literal(&mut self, byte: u8) -> Result<(), Fault> {
        if self.text.get(self.at) != Some(&byte) {
            return Err(Fault::At(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn digits(&mut self, least: usize, most: usize) -> Result<i64, Fault> {
        let rest = &self.text[self.at..];
        let count = rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if count < least {
            return Err(Fault::At(self.at));
        }
        self.at += count;
        Ok(rest[..count].iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0')))
    }

    fn two(
        &mut self,
        field: &'static str,
        range: &'static str,
        least: i64,
        most: i64,
    ) -> Result<i64, Fault> {
        let value = self.digits(2, 2)?;
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(Fault::Range { field, range, value })
        }
    }

    /// `yyyy-MM-dd` as days; a day past the month's end is its last one if `lenient`.
    fn date(&mut self, lenient: bool) -> Result<i64, Fault> {
        let negative = !lenient && self.text.get(self.at) == Some(&b'-');
        let plus = self.text.get(self.at) == Some(&b'+');
        self.at += usize::from(negative || plus);
        // More than four digits need a sign, as Java prints them with one.
        let most = if plus || negative { 9 } else { 4 };
        let year = self.digits(if plus { 5 } else { 4 }, most)?;
        let year = if negative { -year } else { year };
        self.literal(b'-')?;
        let month = self.two("MonthOfYear", "1 - 12", 1, 12)?;
        self.literal(b'-')?;
        let day = self.two("DayOfMonth", "1 - 28/31", 1, 31)?;
        let last = i64::from(month_length(year, month as u32));
        if day > last && !lenient {
            return Err(Fault::Day { year, month, day });
        }
        Ok(days_from_civil(year, month as u32, day.min(last) as u32))
    }

    /// `HH:mm[:ss[.S]]` as milliseconds.
    fn time_of_day(&mut self) -> Result<i64, Fault> {
        let hour = self.two("HourOfDay", "0 - 23", 0, 23)?;
        self.literal(b':')?;
        let minute = self.two("MinuteOfHour", "0 - 59", 0, 59)?;
        let mut ms = (hour * 60 + minute) * 60_000;
        if self.text.get(self.at) == Some(&b':') {
            self.at += 1;
            ms += self.two("SecondOfMinute", "0 - 59", 0, 59)? * 1000;
            if self.text.get(self.at) == Some(&b'.') {
                self.at += 1;
                let start = self.at;
                let fraction = self.digits(0, 9)?;
                let width = (self.at - start) as u32;
                ms += fraction * 1_000_000_000 / 10_i64.pow(width) / 1_000_000;
            }
        }
        Ok(ms)
    }

    /// `yyyy-MM-ddTHH:mm:ss.SSS` as milliseconds since the epoch.
    fn timestamp(&mut self) -> Result<i64, Fault> {
        let days = self.date(true)?;
        self.literal(b'T')?;
        let hour = self.two("HourOfDay", "0 - 23", 0, 24)?;
        self.literal(b':')?;
        let minute = self.two("MinuteOfHour", "0 - 59", 0, 59)?;
        self.literal(b':')?;
        let second = self.two("SecondOfMinute", "0 - 59", 0, 59)?;
        self.literal(b'.')?;
        let ms = self.digits(3, 3)?;
        let of_day = ((hour * 60 + minute) * 60 + second) * 1000 + ms;
        if hour == 24 && of_day != DAY_MS {
            return Err(Fault::Range { field: "HourOfDay", range: "0 - 23", value: 24 });
        }
        let midnight = days.checked_mul(DAY_MS).ok_or(Fault::Overflow)?;
        midnight.checked_add(of_day).ok_or(Fault::Overflow)
    }
}

/// `yyyy-MM-dd`.
pub(crate) use crate::java::time::date_text;

/// `HH:mm`, and `:ss` unless that is zero.
pub(crate) fn time_text(ms: i32) -> Result<String, EvalError> {
    let seconds = ms / 1000;
    if !(0..86_400).contains(&seconds) {
        let range = "Invalid value for SecondOfDay (valid values 0 - 86399)";
        return Err(EvalError::new(format!("{range}: {seconds}")));
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Ok(if second == 0 {
        format!("{hour:02}:{minute:02}")
    } else {
        format!("{hour:02}:{minute:02}:{second:02}")
    })
}

/// `HH:mm:ss`, as Java prints a TIME in a list.
pub(crate) fn sql_time_text(ms: i32) -> String {
    let seconds = ms / 1000;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// `yyyy-MM-ddTHH:mm:ss.SSS`, in which years before Christ are counted backwards, as `yyyy` does.
pub(crate) fn timestamp_text(ms: i64) -> String {
    let (days, of_day) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS) as i32);
    let (year, month, day) = civil_from_days(days);
    let date =
        if year < 1 { format!("{:04}-{month:02}-{day:02}", 1 - year) } else { date_text(days) };
    format!("{date}T{}.{:03}", sql_time_text(of_day), of_day % 1000)
}

/// `yyyy-MM-dd HH:mm:ss.S`, as Java prints a TIMESTAMP in a list.
pub(crate) fn sql_timestamp_text(ms: i64) -> String {
    let (date, of_day) = split(ms);
    let fraction = format!("{:03}", of_day % 1000);
    let fraction = fraction.trim_end_matches('0');
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    format!("{date} {}.{fraction}", sql_time_text(of_day))
}

fn split(ms: i64) -> (String, i32) {
    (date_text(ms.div_euclid(DAY_MS)), ms.rem_euclid(DAY_MS) as i32)
}
