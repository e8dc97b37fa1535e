//! English names of months, days and time zones.

use super::pattern::{Field, TextStyle};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];
const QUARTERS_SHORT: [&str; 4] = ["Q1", "Q2", "Q3", "Q4"];
const DIGITS: [&str; 4] = ["1", "2", "3", "4"];

/// The values that a field of names has, and the name of each in a style.
pub(super) fn names(field: Field, style: TextStyle) -> impl Iterator<Item = (i64, &'static str)> {
    let (first, names): (i64, &'static [&'static str]) = match (field, style) {
        (Field::Month, _) => (1, &MONTHS),
        (Field::DayOfWeek, _) => (1, &DAYS),
        (Field::Quarter, TextStyle::Full) => (1, &QUARTERS),
        (Field::Quarter, TextStyle::Short) => (1, &QUARTERS_SHORT),
        (Field::Quarter, TextStyle::Narrow) => (1, &DIGITS),
        (Field::Era, TextStyle::Full) => (0, &["Before Christ", "Anno Domini"]),
        (Field::Era, TextStyle::Short) => (0, &["BC", "AD"]),
        (Field::Era, TextStyle::Narrow) => (0, &["B", "A"]),
        (Field::AmPm, _) => (0, &["AM", "PM"]),
        _ => (0, &[]),
    };
    let cut = matches!(field, Field::Month | Field::DayOfWeek);
    names.iter().enumerate().map(move |(index, name)| {
        let name = match style {
            TextStyle::Short if cut => &name[..3],
            TextStyle::Narrow if cut => &name[..1],
            _ => name,
        };
        (first + index as i64, name)
    })
}

/// Regions that Java names in another way than the time zone database: standard and summer time.
const SHORT_NAMES: &[(&str, &str, &str)] = &[
    ("America/Argentina/Buenos_Aires", "ART", "ARST"),
    ("America/Bogota", "COT", "COST"),
    ("America/Caracas", "VET", "VET"),
    ("America/Lima", "PET", "PEST"),
    ("America/Santiago", "CLT", "CLST"),
    ("America/Sao_Paulo", "BRT", "BRST"),
    ("Asia/Baku", "AZT", "AZST"),
    ("Asia/Bangkok", "ICT", "ICST"),
    ("Asia/Dhaka", "BDT", "BDST"),
    ("Asia/Dubai", "GST", "GDT"),
    ("Asia/Ho_Chi_Minh", "ICT", "ICST"),
    ("Asia/Kabul", "AFT", "AFT"),
    ("Asia/Kathmandu", "NPT", "NPT"),
    ("Asia/Kuala_Lumpur", "MYT", "MYST"),
    ("Asia/Riyadh", "AST", "ADT"),
    ("Asia/Singapore", "SGT", "SGT"),
    ("Asia/Tashkent", "UZT", "UZST"),
    ("Asia/Tehran", "IRST", "IRDT"),
    ("Asia/Yekaterinburg", "YEKT", "YEKST"),
    ("Atlantic/Azores", "AZOT", "AZOST"),
    ("Australia/Lord_Howe", "LHST", "LHDT"),
    ("Europe/Istanbul", "TRT", "TRST"),
    ("Pacific/Apia", "WSST", "WSDT"),
    ("Pacific/Fiji", "FJT", "FJST"),
    ("Pacific/Tongatapu", "TOT", "TOST"),
];

/// Java's abbreviation of a region's time, where the time zone database has another.
pub(super) fn zone_abbreviation(region: &str, summer: bool) -> Option<&'static str> {
    let (_, standard, daylight) = SHORT_NAMES.iter().find(|(name, ..)| *name == region)?;
    Some(if summer { daylight } else { standard })
}

/// Abbreviations, their names in full and the region that they are read as.
const ZONES: &[(&str, &str, &str)] = &[
    ("AEDT", "Australian Eastern Daylight Time", "Australia/Sydney"),
    ("AEST", "Australian Eastern Standard Time", "Australia/Sydney"),
    ("AKDT", "Alaska Daylight Time", "America/Anchorage"),
    ("AKST", "Alaska Standard Time", "America/Anchorage"),
    ("BST", "British Summer Time", "Europe/London"),
    ("CDT", "Central Daylight Time", "America/Chicago"),
    ("CEST", "Central European Summer Time", "Europe/Paris"),
    ("CET", "Central European Standard Time", "Europe/Paris"),
    ("CST", "Central Standard Time", "America/Chicago"),
    ("EDT", "Eastern Daylight Time", "America/New_York"),
    ("EEST", "Eastern European Summer Time", "Europe/Bucharest"),
    ("EET", "Eastern European Standard Time", "Europe/Bucharest"),
    ("EST", "Eastern Standard Time", "America/New_York"),
    ("GMT", "Greenwich Mean Time", "GMT"),
    ("HST", "Hawaii-Aleutian Standard Time", "Pacific/Honolulu"),
    ("IST", "India Standard Time", "Asia/Kolkata"),
    ("JST", "Japan Standard Time", "Asia/Tokyo"),
    ("KST", "Korean Standard Time", "Asia/Seoul"),
    ("MDT", "Mountain Daylight Time", "America/Denver"),
    ("MSK", "Moscow Standard Time", "Europe/Moscow"),
    ("MST", "Mountain Standard Time", "America/Denver"),
    ("NZDT", "New Zealand Daylight Time", "Pacific/Auckland"),
    ("NZST", "New Zealand Standard Time", "Pacific/Auckland"),
    ("PDT", "Pacific Daylight Time", "America/Los_Angeles"),
    ("PST", "Pacific Standard Time", "America/Los_Angeles"),
    ("UTC", "Coordinated Universal Time", "UTC"),
    ("WEST", "Western European Summer Time", "Europe/Lisbon"),
    ("WET", "Western European Standard Time", "Europe/Lisbon"),
];

/// The name of an abbreviated zone in full.
pub(super) fn zone_name(abbreviation: &str) -> Option<&'static str> {
    ZONES.iter().find(|(short, ..)| *short == abbreviation).map(|(_, name, _)| *name)
}

/// The region that the text begins with the name of, and the length of that name.
pub(super) fn zone_by_name(text: &str, ignore_case: bool) -> Option<(&'static str, usize)> {
    let begins = |name: &str| match text.get(..name.len()) {
        Some(start) if ignore_case => start.eq_ignore_ascii_case(name),
        Some(start) => start == name,
        None => false,
    };
    ZONES
        .iter()
        .flat_map(|(short, name, region)| [(*short, *region), (*name, *region)])
        .filter(|(name, _)| begins(name))
        .max_by_key(|(name, _)| name.len())
        .map(|(name, region)| (region, name.len()))
}
