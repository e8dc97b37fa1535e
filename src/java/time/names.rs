//! English names of months, days and time zones.

use std::collections::HashMap;
use std::sync::LazyLock;

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

/// What names Java has for zones, and the ids that it reads names as.
#[derive(Default)]
struct ZoneNames {
    /// Ids by their small letters.
    ids: HashMap<String, &'static str>,
    /// How long an id is at most.
    id_bytes_max: usize,
    /// For each id: in standard and daylight time, short and in full.
    of: HashMap<&'static str, [[&'static str; 2]; 2]>,
    /// Short names and names in full, with the ids that they are read as.
    read: [Vec<(&'static str, &'static str)>; 2],
}

static ZONE_NAMES: LazyLock<ZoneNames> = LazyLock::new(|| {
    let mut names = ZoneNames::default();
    for line in include_str!("zone_names.txt").lines() {
        let (kind, rest) = line.split_at(line.len().min(2));
        let mut parts = rest.split('|');
        let mut next = || parts.next().unwrap_or_default();
        match kind {
            "N " => {
                let [standard, daylight, in_full, daylight_in_full] = [(); 4].map(|()| next());
                let row = [[standard, in_full], [daylight, daylight_in_full]];
                // A zone without daylight time has no name for it.
                let row = [row[0], if daylight.is_empty() { row[0] } else { row[1] }];
                names.of.extend(next().split(' ').map(|id| (id, row)));
            }
            "S " => names.read[0].push((next(), next())),
            "L " => names.read[1].push((next(), next())),
            _ => {}
        }
    }
    names.id_bytes_max = names.of.keys().map(|id| id.len()).max().unwrap_or_default();
    names.ids = names.of.keys().map(|id| (id.to_ascii_lowercase(), *id)).collect();
    names
});

/// Java's name of a zone in standard or daylight time.
pub(super) fn zone_name(id: &str, daylight: bool, style: TextStyle) -> Option<&'static str> {
    let names = ZONE_NAMES.of.get(id)?;
    Some(names[usize::from(daylight)][usize::from(style == TextStyle::Full)])
}

/// The longest id of a zone that the text begins with, and its length. Where names in some style
/// may stand too, Java does not know the ids of zones that are named by their offset.
pub(super) fn zone_by_id(
    text: &str,
    style: Option<TextStyle>,
    ignore_case: bool,
) -> Option<(&'static str, usize)> {
    let longest = text.bytes().take(ZONE_NAMES.id_bytes_max).take_while(u8::is_ascii).count();
    let lower = text[..longest].to_ascii_lowercase();
    (1..=longest).rev().find_map(|length| {
        let start = &text[..length];
        let id = ZONE_NAMES.ids.get(&lower[..length])?;
        let name = zone_name(id, false, TextStyle::Short).unwrap_or_default();
        let is_known = style.is_none() || !(name.starts_with("GMT+") || name.starts_with("GMT-"));
        (is_known && (ignore_case || *id == start)).then_some((*id, length))
    })
}

/// The id of the zone that the text begins with the name of, and the length of that name.
pub(super) fn zone_by_name(
    text: &str,
    style: TextStyle,
    ignore_case: bool,
) -> Option<(&'static str, usize)> {
    let begins = |name: &str| match text.get(..name.len()) {
        Some(start) if ignore_case => start.eq_ignore_ascii_case(name),
        Some(start) => start == name,
        None => false,
    };
    ZONE_NAMES.read[usize::from(style == TextStyle::Full)]
        .iter()
        .filter(|(name, _)| begins(name))
        .max_by_key(|(name, _)| name.len())
        .map(|(name, id)| (*id, name.len()))
}
