//! Text as times: the fields that a text has, item by item.

use std::borrow::Cow;

use super::names::{names, zone_by_id, zone_by_name};
use super::pattern::{
    Fault, Field, Item, Number, OffsetStyle, Pattern, SignStyle, TextStyle, WIDTH_MAX, fault,
};
use super::raw::Raw;
use super::resolve::{Fields, is_offset};
use super::zone::Zone;
use crate::java::{substring_utf16, utf16_len};

/// How many units of a text a message quotes.
const QUOTED_UNITS_MAX: usize = 64;

impl Pattern {
    /// Reads all of a text, and resolves what it says.
    pub fn read(&self, text: &str, ignore_case: bool) -> Result<Fields, Fault> {
        self.read_with(&Reader { text, ignore_case, full_names: true })
    }

    /// The same in any case, but names are short ones also where the pattern asks for full ones, as in ksqlDB's parser of
    /// timestamps.
    pub fn read_short_names(&self, text: &str) -> Result<Fields, Fault> {
        self.read_with(&Reader { text, ignore_case: true, full_names: false })
    }

    fn read_with(&self, reader: &Reader<'_>) -> Result<Fields, Fault> {
        let text = reader.text;
        let mut raw = Raw::default();
        let shown = || quoted(text);
        let index = |at: usize| utf16_len(text.get(..at).unwrap_or_default());
        match reader.items(&self.items, 0, &mut raw) {
            Ok(end) if end == text.len() => Fields::resolve(raw).map_err(|Fault(cause)| {
                Fault(format!("Text '{}' could not be parsed: {cause}", shown()))
            }),
            Ok(end) => fault(format!(
                "Text '{}' could not be parsed, unparsed text found at index {}",
                shown(),
                index(end)
            )),
            Err(Stop::At(at)) => {
                fault(format!("Text '{}' could not be parsed at index {}", shown(), index(at)))
            }
            Err(Stop::Fault(cause)) => {
                fault(format!("Text '{}' could not be parsed: {cause}", shown()))
            }
        }
    }
}

/// The beginning of a text, as messages show it.
fn quoted(text: &str) -> Cow<'_, str> {
    if utf16_len(text) <= QUOTED_UNITS_MAX {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}...", substring_utf16(text, 0, QUOTED_UNITS_MAX)))
}

struct Reader<'t> {
    text: &'t str,
    ignore_case: bool,
    /// Whether the names of months and their like are known in full.
    full_names: bool,
}

/// Why reading goes no further.
enum Stop {
    /// The text does not fit here.
    At(usize),
    /// It fits, but makes no sense, which no bracket makes good.
    Fault(&'static str),
}

/// Where reading goes on.
type Position = Result<usize, Stop>;

impl Reader<'_> {
    fn items(&self, items: &[Item], at: usize, raw: &mut Raw) -> Position {
        items.iter().try_fold(at, |at, item| self.item(item, at, raw))
    }

    fn item(&self, item: &Item, at: usize, raw: &mut Raw) -> Position {
        match item {
            Item::Literal(literal) => self.literal(literal, at),
            Item::Number(number) => self.number(number, at, raw),
            Item::Text(field, style) => self.name(*field, *style, at, raw),
            Item::Offset(style) => self.offset(*style, at, raw),
            Item::LocalizedOffset(_) => {
                let at = self.literal("GMT", at)?;
                let style = OffsetStyle { zero: "", colons: true, short: true, seconds: true };
                self.offset(style, at, raw)
            }
            Item::ZoneId => self.zone(at, None, raw),
            Item::ZoneName(style) => self.zone(at, Some(*style), raw),
            Item::Optional(items) => {
                let mut inner = raw.clone();
                Ok(match self.items(items, at, &mut inner) {
                    Ok(end) => {
                        *raw = inner;
                        end
                    }
                    Err(Stop::At(_)) => at,
                    Err(fault) => return Err(fault),
                })
            }
            Item::Pad(width, item) => {
                let end = at + width;
                let padded = self.text.get(at..end).ok_or(Stop::At(at))?;
                let start = at + padded.len() - padded.trim_start_matches(' ').len();
                let part = Reader { text: &self.text[..end], ..*self };
                match part.item(item, start, raw)? {
                    found if found == end => Ok(end),
                    _ => Err(Stop::At(start)),
                }
            }
        }
    }

    fn begins(&self, at: usize, with: &str) -> bool {
        match self.text.get(at..at + with.len()) {
            Some(start) if start == with => true,
            Some(start) => self.ignore_case && start.to_lowercase() == with.to_lowercase(),
            None => false,
        }
    }

    fn literal(&self, literal: &str, at: usize) -> Position {
        if self.begins(at, literal) { Ok(at + literal.len()) } else { Err(Stop::At(at)) }
    }

    fn number(&self, number: &Number, at: usize, raw: &mut Raw) -> Position {
        let bytes = self.text.as_bytes();
        if number.fraction {
            let digits = self.text.get(at..at + number.max).ok_or(Stop::At(at))?;
            if !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(Stop::At(at));
            }
            let value = format!("{digits:0<9}").parse().map_err(|_| Stop::At(at))?;
            return store(raw, number.field, value, at, at + number.max);
        }
        let sign = bytes.get(at).copied();
        let mut start = at;
        match sign {
            Some(b'+') if number.sign == SignStyle::ExceedsPad => start += 1,
            Some(b'-') if number.sign != SignStyle::NotNegative => start += 1,
            Some(b'+' | b'-') => return Err(Stop::At(at)),
            _ => {}
        }
        let run = bytes[start.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let limit = if number.fixed { number.max } else { number.max + number.reserved };
        let mut length = run.min(limit);
        if !number.fixed && number.reserved > 0 {
            length = length.saturating_sub(number.reserved).max(number.min).min(run);
        }
        if length < number.min {
            return Err(Stop::At(start));
        }
        // Of more digits than 64 bits hold, the last one is left to what follows.
        length = length.min(WIDTH_MAX);
        let digits = &self.text[start..start + length];
        let value = if let Ok(value) = digits.parse::<i64>() {
            value
        } else {
            length -= 1;
            digits[..length].parse().map_err(|_| Stop::At(start))?
        };
        let value = match sign {
            Some(b'-') if value == 0 => return Err(Stop::At(at)),
            Some(b'-') => -value,
            Some(b'+') if length <= number.min => return Err(Stop::At(at)),
            Some(b'+') => value,
            _ if number.sign == SignStyle::ExceedsPad && length > number.min => {
                return Err(Stop::At(at));
            }
            _ if number.reduced => 2000 + value,
            _ => value,
        };
        store(raw, number.field, value, start, start + length)
    }

    fn name(&self, field: Field, style: TextStyle, at: usize, raw: &mut Raw) -> Position {
        let style = match style {
            TextStyle::Full if !self.full_names => TextStyle::Short,
            style => style,
        };
        let found = names(field, style)
            .filter(|(_, name)| self.begins(at, name))
            .max_by_key(|(_, name)| name.len());
        let (value, name) = found.ok_or(Stop::At(at))?;
        store(raw, field, value, at, at + name.len())
    }

    fn offset(&self, style: OffsetStyle, at: usize, raw: &mut Raw) -> Position {
        let bytes = self.text.as_bytes();
        let sign = match bytes.get(at) {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ if style.zero.is_empty() || self.begins(at, style.zero) => {
                raw.offset = Some(0);
                return Ok(at + style.zero.len());
            }
            _ => return Err(Stop::At(at)),
        };
        let two = |at: usize| -> Option<i32> {
            let digits = self.text.get(at..at + 2)?;
            let all = digits.bytes().all(|b| b.is_ascii_digit());
            all.then(|| digits.parse().ok()).flatten()
        };
        // A localized offset may have one digit for its hours.
        let (hours, mut end) = match two(at + 1) {
            Some(hours) => (hours, at + 3),
            None if style.zero.is_empty() => {
                let digit = bytes.get(at + 1).filter(|b| b.is_ascii_digit()).ok_or(Stop::At(at))?;
                (i32::from(digit - b'0'), at + 2)
            }
            None => return Err(Stop::At(at)),
        };
        let part = |end: usize| match style.colons {
            true if bytes.get(end) == Some(&b':') => two(end + 1).map(|value| (value, end + 3)),
            true => None,
            false => two(end).map(|value| (value, end + 2)),
        };
        // What is no minute or second belongs to what follows.
        let part = |end| part(end).filter(|(value, _)| *value < 60);
        let (mut minutes, mut seconds) = (0, 0);
        match part(end) {
            Some((value, after)) => (minutes, end) = (value, after),
            None if style.short => {}
            None => return Err(Stop::At(at)),
        }
        if let Some((value, after)) = part(end).filter(|_| style.seconds) {
            (seconds, end) = (value, after);
        }
        if hours > 23 {
            return Err(Stop::Fault("Value out of range: Hour[0-23], Minute[0-59], Second[0-59]"));
        }
        raw.offset = Some(sign * (hours * 3600 + minutes * 60 + seconds));
        Ok(end)
    }

    /// An offset, an offset of UTC, the id of a zone, or the name of one in some style.
    fn zone(&self, at: usize, style: Option<TextStyle>, raw: &mut Raw) -> Position {
        if matches!(self.text.as_bytes().get(at), Some(b'+' | b'-')) {
            return self.zone_of_offset(at, "", raw);
        }
        for prefix in ["UTC", "UT", "GMT"] {
            if self.begins(at, prefix) && !self.begins(at, "GMT0") {
                return self.zone_of_offset(at, prefix, raw);
            }
        }
        let rest = self.text.get(at..).ok_or(Stop::At(at))?;
        let id = zone_by_id(rest, style, self.ignore_case);
        let name = style.and_then(|style| zone_by_name(rest, style, self.ignore_case));
        let found = [id, name].into_iter().flatten().max_by_key(|(_, length)| *length);
        let (id, length) = match found {
            Some(found) => found,
            None if self.begins(at, "Z") => ("Z", 1),
            None => return Err(Stop::At(at)),
        };
        raw.zone = Some(Zone::of(id).map_err(|_| Stop::At(at))?);
        Ok(at + length)
    }

    /// `+02:00`, or `UTC` and its like with or without such an offset.
    fn zone_of_offset(&self, at: usize, prefix: &str, raw: &mut Raw) -> Position {
        let after = at + prefix.len();
        let bare = |raw: &mut Raw| {
            raw.zone = Some(Zone::of(prefix).map_err(|_| Stop::At(at))?);
            Ok(after)
        };
        if after >= self.text.len() || self.begins(after, "0") || self.begins(after, "Z") {
            return bare(raw);
        }
        let style = OffsetStyle { zero: "0", colons: true, short: false, seconds: true };
        let mut offset = Raw::default();
        match self.offset(style, after, &mut offset) {
            Ok(end) => {
                let seconds =
                    offset.offset.filter(|seconds| is_offset(*seconds)).ok_or(Stop::At(at))?;
                let id = format!("{prefix}{}", Zone::fixed(seconds).id());
                raw.zone = Some(Zone::of(&id).map_err(|_| Stop::At(at))?);
                Ok(end)
            }
            Err(Stop::At(_)) if !prefix.is_empty() => bare(raw),
            Err(Stop::At(_)) => Err(Stop::At(at)),
            Err(fault) => Err(fault),
        }
    }
}

/// Sets a field; one that is there already must have the same value.
fn store(raw: &mut Raw, field: Field, value: i64, at: usize, end: usize) -> Position {
    let slot = &mut raw.values[field as usize];
    match *slot {
        Some(old) if old != value => Err(Stop::At(at)),
        _ => {
            *slot = Some(value);
            Ok(end)
        }
    }
}
