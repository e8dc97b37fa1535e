//! Times as text.

use std::fmt::Write as _;

use super::NANOS_PER_DAY;
use super::civil::{
    civil_from_days, day_of_week, day_of_year, days_from_civil, days_from_sunday,
    week_of_week_based_year,
};
use super::names::names;
use super::pattern::{
    Fault, Field, Item, Number, OffsetStyle, Pattern, SignStyle, TextStyle, WIDTH_MAX, fault,
};
use super::zone::{Zone, offset_id};

/// How many widths Java knows the greatest number of.
const EXCEEDED: usize = 11;

/// A date, a time of the day, or both in a zone.
#[derive(Clone, Debug)]
pub struct Moment {
    days: Option<i64>,
    nanos: Option<i64>,
    zone: Option<(Zone, i64)>,
}

impl Moment {
    /// A date.
    pub fn date(days: i64) -> Self {
        Self { days: Some(days), nanos: None, zone: None }
    }

    /// A time of the day, in nanoseconds.
    pub fn time(nanos: i64) -> Self {
        Self { days: None, nanos: Some(nanos), zone: None }
    }

    /// An instant in milliseconds, as a zone sees it.
    pub fn instant(millis: i64, zone: Zone) -> Self {
        let seconds = millis.div_euclid(1000);
        let local = seconds + i64::from(zone.offset_at(seconds));
        let nanos = local.rem_euclid(86_400) * 1_000_000_000 + millis.rem_euclid(1000) * 1_000_000;
        Self {
            days: Some(local.div_euclid(86_400)),
            nanos: Some(nanos),
            zone: Some((zone, seconds)),
        }
    }

    /// The value of a field, if a date or a time is there to have it.
    pub(super) fn get(&self, field: Field) -> Result<i64, Fault> {
        let time = |unit: i64, count: i64| self.nanos.map(|nanos| nanos / unit % count);
        let date = |part: fn(i64) -> i64| self.days.map(part);
        let value = match field {
            Field::Era => date(|days| i64::from(civil_from_days(days).0 > 0)),
            Field::YearOfEra => date(|days| match civil_from_days(days).0 {
                year if year > 0 => year,
                year => 1 - year,
            }),
            Field::Year => date(|days| civil_from_days(days).0),
            Field::Quarter => date(|days| i64::from(civil_from_days(days).1 - 1) / 3 + 1),
            Field::Month => date(|days| civil_from_days(days).1.into()),
            Field::DayOfMonth => date(|days| civil_from_days(days).2.into()),
            Field::DayOfYear => date(|days| day_of_year(days).into()),
            Field::DayOfWeek => date(|days| day_of_week(days).into()),
            Field::LocalDayOfWeek => date(|days| days_from_sunday(days) + 1),
            Field::WeekOfMonth => date(|days| {
                let (year, month, day) = civil_from_days(days);
                let first = days_from_sunday(days_from_civil(year, month, 1));
                (i64::from(day) - 1 + first) / 7 + 1
            }),
            Field::AlignedDayOfWeekInMonth => {
                date(|days| i64::from((civil_from_days(days).2 - 1) % 7) + 1)
            }
            Field::WeekBasedYear => date(|days| week_of_week_based_year(days).0),
            Field::WeekOfWeekBasedYear => date(|days| week_of_week_based_year(days).1.into()),
            Field::ModifiedJulianDay => date(|days| days + 40_587),
            Field::AmPm => time(NANOS_PER_DAY / 2, 2),
            Field::ClockHourOfAmPm => {
                time(NANOS_PER_DAY / 24, 12).map(|h| if h == 0 { 12 } else { h })
            }
            Field::HourOfAmPm => time(NANOS_PER_DAY / 24, 12),
            Field::ClockHourOfDay => {
                time(NANOS_PER_DAY / 24, 24).map(|h| if h == 0 { 24 } else { h })
            }
            Field::HourOfDay => time(NANOS_PER_DAY / 24, 24),
            Field::Minute => time(60_000_000_000, 60),
            Field::Second => time(1_000_000_000, 60),
            Field::Nano => time(1, 1_000_000_000),
            Field::MilliOfDay => time(1_000_000, i64::MAX),
            Field::NanoOfDay => self.nanos,
        };
        value.map_or_else(|| fault(format!("Unsupported field: {field}")), Ok)
    }
}

impl Pattern {
    /// Prints a moment; fails if it has not all that the pattern asks for.
    pub fn format(&self, moment: &Moment) -> Result<String, Fault> {
        let mut out = String::new();
        format_items(&self.items, moment, &mut out)?;
        Ok(out)
    }
}

fn format_items(items: &[Item], moment: &Moment, out: &mut String) -> Result<(), Fault> {
    for item in items {
        format_item(item, moment, out)?;
    }
    Ok(())
}

fn format_item(item: &Item, moment: &Moment, out: &mut String) -> Result<(), Fault> {
    match item {
        Item::Literal(text) => out.push_str(text),
        Item::Number(number) => format_number(number, moment.get(number.field)?, out)?,
        Item::Text(field, style) => format_text(*field, *style, moment.get(*field)?, out),
        Item::Offset(style) => format_offset(*style, offset(moment)?, out),
        Item::LocalizedOffset(style) => format_localized(*style, offset(moment)?, out),
        Item::ZoneId => out.push_str(zone(moment)?.0.id()),
        Item::ZoneName(style) => {
            let (zone, seconds) = zone(moment)?;
            out.push_str(&zone.name_at(*seconds, *style));
        }
        // A bracket is left out as a whole if something in it is not there.
        Item::Optional(items) => {
            let mut inner = String::new();
            if format_items(items, moment, &mut inner).is_ok() {
                out.push_str(&inner);
            }
        }
        Item::Pad(width, item) => {
            let mut inner = String::new();
            format_item(item, moment, &mut inner)?;
            match width.checked_sub(inner.chars().count()) {
                Some(missing) => out.extend(std::iter::repeat_n(' ', missing)),
                None => {
                    return fault(format!(
                        "Cannot print as output of {inner} exceeds pad width of {width}"
                    ));
                }
            }
            out.push_str(&inner);
        }
    }
    Ok(())
}

fn zone(moment: &Moment) -> Result<&(Zone, i64), Fault> {
    moment.zone.as_ref().map_or_else(|| fault("Unable to extract ZoneId from temporal"), Ok)
}

fn offset(moment: &Moment) -> Result<i32, Fault> {
    match &moment.zone {
        Some((zone, seconds)) => Ok(zone.offset_at(*seconds)),
        None => fault("Unsupported field: OffsetSeconds"),
    }
}

fn format_number(number: &Number, value: i64, out: &mut String) -> Result<(), Fault> {
    if number.fraction {
        out.push_str(&format!("{value:09}")[..number.max]);
        return Ok(());
    }
    let value = if number.reduced { value.abs() % 100 } else { value };
    let digits = value.unsigned_abs().to_string();
    if digits.len() > number.max {
        return fault(format!(
            "Field {} cannot be printed as the value {value} exceeds the maximum print width of {}",
            number.field, number.max
        ));
    }
    match number.sign {
        SignStyle::NotNegative if value < 0 => {
            return fault(format!(
                "Field {} cannot be printed as the value {value} cannot be negative according to the SignStyle",
                number.field
            ));
        }
        // Java knows how many digits exceed which width from a table, which is too short.
        SignStyle::ExceedsPad if value >= 0 && (EXCEEDED..WIDTH_MAX).contains(&number.min) => {
            return fault(format!("Index {} out of bounds for length {EXCEEDED}", number.min));
        }
        SignStyle::ExceedsPad if value >= 0 && digits.len() > number.min => out.push('+'),
        _ if value < 0 => out.push('-'),
        _ => {}
    }
    out.extend(std::iter::repeat_n('0', number.min.saturating_sub(digits.len())));
    out.push_str(&digits);
    Ok(())
}

fn format_text(field: Field, style: TextStyle, value: i64, out: &mut String) {
    match names(field, style).find(|(known, _)| *known == value) {
        Some((_, name)) => out.push_str(name),
        None => {
            let _ = write!(out, "{value}");
        }
    }
}

fn format_offset(style: OffsetStyle, seconds: i32, out: &mut String) {
    let id = if seconds == 0 { "+00:00".to_owned() } else { offset_id(seconds) };
    let parts: Vec<&str> = id[1..].split(':').collect();
    let has_seconds = style.seconds && parts.len() > 2;
    if seconds.abs() < 60 && !has_seconds {
        return out.push_str(style.zero);
    }
    let colon = if style.colons { ":" } else { "" };
    out.push_str(&id[..1]);
    out.push_str(parts[0]);
    if !style.short || parts[1] != "00" {
        out.push_str(colon);
        out.push_str(parts[1]);
    }
    if has_seconds {
        out.push_str(colon);
        out.push_str(parts[2]);
    }
}

/// `GMT`, `GMT+8`, `GMT+8:30`; in full `GMT+08:00`.
fn format_localized(style: TextStyle, seconds: i32, out: &mut String) {
    out.push_str("GMT");
    if seconds == 0 {
        return;
    }
    let id = offset_id(seconds);
    if style == TextStyle::Full {
        return out.push_str(&id);
    }
    let hours = id[1..].trim_start_matches('0');
    let zero = if hours.starts_with(':') { "0" } else { "" };
    let hours = hours.strip_suffix(":00").unwrap_or(hours);
    let _ = write!(out, "{}{zero}{hours}", &id[..1]);
}
