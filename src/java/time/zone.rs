//! Time zones by their ids, as `java.time.ZoneId.of` takes them.

use std::ops::Range;

use chrono::{DateTime, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::{OffsetComponents as _, OffsetName as _, Tz};

use super::civil::{civil_from_days, day_of_week, days_from_civil, is_leap};
use super::names;
use super::pattern::{Fault, TextStyle, fault};

/// A time zone: an offset from UTC, or a region with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    id: String,
    rules: Rules,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rules {
    Fixed(i32),
    Region(Tz),
}

/// Regions of the time zone database that Java leaves out.
const NOT_REGIONS: [&str; 4] = ["EST", "MST", "HST", "ROC"];

/// Regions whose clocks the time zone database takes to be set back in winter, and since when;
/// to Java they are set forward in summer.
const SET_BACK_IN_WINTER: [(&str, Range<i64>); 5] = [
    ("Africa/Casablanca", 1_529_200_800..i64::MAX),
    ("Africa/El_Aaiun", 1_529_200_800..i64::MAX),
    ("Africa/Windhoek", 764_200_800..1_508_803_200),
    ("Eire", -59_004_000..i64::MAX),
    ("Europe/Dublin", -59_004_000..i64::MAX),
];

impl Zone {
    /// UTC under the name that ksqlDB's own zone has.
    pub fn system() -> Self {
        Self { id: "GMT".to_owned(), rules: Rules::Fixed(0) }
    }

    /// An offset from UTC in seconds.
    pub fn fixed(seconds: i32) -> Self {
        Self { id: offset_id(seconds), rules: Rules::Fixed(seconds) }
    }

    /// The zone of an id: `Z`, `+02:00`, `UTC`, `GMT+2`, `Europe/Berlin`.
    pub fn of(id: &str) -> Result<Self, Fault> {
        if id == "Z" || id.starts_with(['+', '-']) {
            return match parse_offset(id) {
                Some(seconds) => Ok(Self::fixed(seconds)),
                None => fault(format!("Invalid ID for ZoneOffset, invalid format: {id}")),
            };
        }
        for prefix in ["UTC", "GMT", "UT"] {
            let Some(rest) = id.strip_prefix(prefix) else { continue };
            if rest.is_empty() {
                return Ok(Self { id: prefix.to_owned(), rules: Rules::Fixed(0) });
            }
            if rest.starts_with(['+', '-']) {
                return match parse_offset(rest) {
                    Some(0) => Ok(Self { id: prefix.to_owned(), rules: Rules::Fixed(0) }),
                    Some(seconds) => {
                        let id = format!("{prefix}{}", offset_id(seconds));
                        Ok(Self { id, rules: Rules::Fixed(seconds) })
                    }
                    None => fault(format!("Invalid ID for offset-based ZoneId: {id}")),
                };
            }
        }
        match id.parse::<Tz>() {
            Ok(region) if !NOT_REGIONS.contains(&id) => {
                Ok(Self { id: id.to_owned(), rules: Rules::Region(region) })
            }
            _ if id.len() < 2 || !id.is_ascii() || id.contains(' ') => {
                fault(format!("Invalid ID for region-based ZoneId, invalid format: {id}"))
            }
            _ => fault(format!("Unknown time-zone ID: {id}")),
        }
    }

    /// The id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How many seconds local time is ahead of UTC at an instant in seconds.
    pub fn offset_at(&self, epoch_seconds: i64) -> i32 {
        match self.rules {
            Rules::Fixed(seconds) => seconds,
            Rules::Region(region) => {
                region.offset_from_utc_datetime(&naive(epoch_seconds)).fix().local_minus_utc()
            }
        }
    }

    /// The offset at an instant as `java.util.TimeZone` has it, which knows nothing before 1900.
    pub fn legacy_offset_at(&self, epoch_seconds: i64) -> i32 {
        // 1900-01-01, and the two halves of a year in which today's rules hold.
        const FIRST: i64 = -2_208_988_800;
        const JANUARY: i64 = 2_114_380_800;
        const JULY: i64 = 2_130_019_200;
        match self.rules {
            Rules::Region(_) if epoch_seconds < FIRST => {
                self.offset_at(JANUARY).min(self.offset_at(JULY))
            }
            _ => self.offset_at(epoch_seconds),
        }
    }

    /// The instant of a local time, both in seconds. Local times that do not exist are moved on by
    /// the gap; of two instants with one local time, `preferred` is taken if it is one's offset.
    pub fn instant(&self, local_seconds: i64, preferred: Option<i32>) -> i64 {
        let valid = |offset: i32| self.offset_at(local_seconds - i64::from(offset)) == offset;
        if let Some(offset) = preferred.filter(|offset| valid(*offset)) {
            return local_seconds - i64::from(offset);
        }
        let before = self.offset_at(local_seconds - 86_400 - 50_400);
        let before_near = self.offset_at(local_seconds - i64::from(before));
        let candidates = [before, before_near, self.offset_at(local_seconds + 86_400)];
        let earliest = candidates.into_iter().filter(|offset| valid(*offset)).max();
        match earliest {
            Some(offset) => local_seconds - i64::from(offset),
            // In a gap the offset before it is taken, which moves the clock on by the gap.
            None => local_seconds - i64::from(candidates.into_iter().min().unwrap_or_default()),
        }
    }

    /// The name of the time at an instant, short or in full.
    pub(super) fn name_at(&self, epoch_seconds: i64, style: TextStyle) -> String {
        let daylight = self.is_daylight_at(epoch_seconds);
        if let Some(name) = names::zone_name(&self.id, daylight, style) {
            return name.to_owned();
        }
        let Rules::Region(region) = self.rules else { return self.id.clone() };
        let offset = region.offset_from_utc_datetime(&naive(epoch_seconds));
        match (offset.abbreviation(), offset.fix().local_minus_utc()) {
            (Some(name), _) if !name.starts_with(['+', '-']) => name.to_owned(),
            // The database has no name for it, or just a number.
            (_, 0) => "GMT".to_owned(),
            (_, seconds) => format!("GMT{}", offset_id(seconds)),
        }
    }

    /// Whether clocks are set forward at an instant.
    fn is_daylight_at(&self, epoch_seconds: i64) -> bool {
        let Rules::Region(region) = self.rules else { return false };
        let saved = region.offset_from_utc_datetime(&naive(epoch_seconds)).dst_offset();
        let is_set_back = SET_BACK_IN_WINTER
            .iter()
            .any(|(id, times)| *id == self.id && times.contains(&epoch_seconds));
        if is_set_back { saved >= TimeDelta::zero() } else { saved > TimeDelta::zero() }
    }
}

/// 2100-01-01, from which on the tables of regions say nothing.
const TABLES_END: i64 = 4_102_444_800;

/// A date and time of UTC in which the same rules hold as at an instant.
///
/// Java's rules go on for ever, so a later year is taken for one of the last 28 years of the tables
/// that begins on the same day of the week and has as many days.
fn naive(epoch_seconds: i64) -> NaiveDateTime {
    let mut seconds = epoch_seconds;
    if seconds >= TABLES_END {
        let days = seconds.div_euclid(86_400);
        let (year, ..) = civil_from_days(days);
        let first = days_from_civil(year, 1, 1);
        let is_alike = |other: &i64| {
            is_leap(*other) == is_leap(year)
                && day_of_week(days_from_civil(*other, 1, 1)) == day_of_week(first)
        };
        let alike = (2072..2100).find(is_alike).unwrap_or(2099);
        seconds += (days_from_civil(alike, 1, 1) - first) * 86_400;
    }
    DateTime::from_timestamp(seconds, 0).map_or(NaiveDateTime::MIN, |time| time.naive_utc())
}

/// `+02:00`, `-00:30:15`, or `Z` for no offset.
pub(super) fn offset_id(seconds: i32) -> String {
    if seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) =
        (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    match rest {
        0 => format!("{sign}{hours:02}:{minutes:02}"),
        rest => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
    }
}

/// `Z`, `+h`, `+hh`, `+hh:mm`, `+hhmm`, `+hh:mm:ss` or `+hhmmss`, up to 18 hours.
fn parse_offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.get(1..)?;
    let is_digits = |part: &&str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = match digits.len() {
        1 => return digits.parse::<i32>().ok().map(|hours| sign * hours * 3600),
        2 => vec![digits],
        4 => vec![digits.get(..2)?, digits.get(2..)?],
        5 if digits.as_bytes()[2] == b':' => vec![digits.get(..2)?, digits.get(3..)?],
        6 => vec![digits.get(..2)?, digits.get(2..4)?, digits.get(4..)?],
        8 => digits.split(':').collect(),
        _ => return None,
    };
    if parts.len() > 3 || !parts.iter().all(is_digits) {
        return None;
    }
    let part = |index: usize| parts.get(index).and_then(|part| part.parse::<i32>().ok());
    let (hours, minutes, seconds) = (part(0)?, part(1).unwrap_or(0), part(2).unwrap_or(0));
    let total = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && total <= 18 * 3600).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;

    use super::*;

    #[test]
    fn zones_that_are_offsets_are_named_by_them() {
        let names = |id: &str| {
            let zone = Zone::of(id).unwrap();
            [TextStyle::Short, TextStyle::Full].map(|style| zone.name_at(1_700_000_000, style))
        };
        assert_eq!(names("Etc/GMT-5"), ["GMT+05:00", "GMT+05:00"]);
        assert_eq!(names("Etc/GMT+12"), ["GMT-12:00", "GMT-12:00"]);
        assert_eq!(names("Etc/GMT+0"), ["GMT", "Greenwich Mean Time"]);
        assert_eq!(names("+05:30"), ["+05:30", "+05:30"]);
    }

    #[test]
    fn names_are_those_of_java() {
        let names = |id: &str, seconds: i64| {
            let zone = Zone::of(id).unwrap();
            let name = |style| zone.name_at(seconds, style);
            format!("{}, {}", name(TextStyle::Short), name(TextStyle::Full))
        };
        let (winter, summer) = (1_700_000_000, 1_688_169_600);
        assert_eq!(names("Asia/Kathmandu", winter), "NPT, Nepal Time");
        assert_eq!(names("Australia/Lord_Howe", winter), "LHDT, Lord Howe Daylight Time");
        assert_eq!(names("CET", winter), "CET, Central European Time");
        assert_eq!(names("Europe/Paris", summer), "CEST, Central European Summer Time");
        assert_eq!(names("Europe/Dublin", winter), "GMT, Greenwich Mean Time");
        assert_eq!(names("Europe/Dublin", summer), "IST, Irish Standard Time");
        assert_eq!(names("Pacific/Apia", -62_135_596_800), "WSST, Apia Standard Time");
    }

    #[test]
    fn rules_hold_for_ever() {
        let offset = |id: &str, seconds| Zone::of(id).unwrap().offset_at(seconds);
        assert_eq!(offset("America/New_York", 1_700_000_000_123_456), -14_400);
        assert_eq!(offset("America/New_York", 1_700_000_015_123_456), -18_000);
        assert_eq!(offset("Europe/Berlin", i64::MAX / 1000), 7_200);
        assert_eq!(offset("Asia/Tokyo", i64::MIN / 1000), 33_539);
    }

    #[test]
    fn every_region_has_a_name_at_any_time() {
        for region in TZ_VARIANTS {
            let Ok(zone) = Zone::of(region.name()) else { continue };
            for seconds in [i64::MIN / 1000, -3_000_000_000, 0, 1_700_000_000, i64::MAX / 1000] {
                assert!(!zone.name_at(seconds, TextStyle::Short).is_empty(), "{region}");
            }
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for id in
            ["+1\u{e9}:2", "+12\u{e9}3", "-\u{1f600}", "GMT+1\u{e9}:", "+", "UTC-", "\u{e9}", ""]
        {
            assert!(Zone::of(id).is_err(), "{id}");
        }
    }
}
