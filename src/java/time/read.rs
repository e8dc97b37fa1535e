//! Text as times: the fields that a text has, item by item.

use super::names::{names, zone_by_name};
use super::pattern::{
    FIELDS, Fault, Field, Item, Number, OffsetStyle, Pattern, SignStyle, TextStyle, fault,
};
use super::resolve::Fields;
use super::zone::Zone;

/// No id of a zone is longer.
const ZONE_ID_BYTES_MAX: usize = 64;

/// What was read so far.
#[derive(Clone, Default)]
pub(super) struct Raw {
    pub(super) values: [Option<i64>; FIELDS],
    pub(super) zone: Option<Zone>,
    pub(super) offset: Option<i32>,
}

impl Pattern {
    /// Reads all of a text, and resolves what it says.
    pub fn read(&self, text: &str, ignore_case: bool) -> Result<Fields, Fault> {
        let reader = Reader { text, ignore_case };
        let mut raw = Raw::default();
        match reader.items(&self.items, 0, &mut raw) {
            Ok(end) if end == text.len() => Fields::resolve(raw).map_err(|Fault(cause)| {
                Fault(format!("Text '{text}' could not be parsed: {cause}"))
            }),
            Ok(end) => fault(format!(
                "Text '{text}' could not be parsed, unparsed text found at index {end}"
            )),
            Err(at) => fault(format!("Text '{text}' could not be parsed at index {at}")),
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    ignore_case: bool,
}

/// Where reading goes on, or where it failed.
type Position = Result<usize, usize>;

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
                    Err(_) => at,
                })
            }
            Item::Pad(width, item) => {
                let end = at + width;
                let padded = self.text.get(at..end).ok_or(at)?;
                let start = at + padded.len() - padded.trim_start_matches(' ').len();
                let part = Reader { text: &self.text[..end], ignore_case: self.ignore_case };
                match part.item(item, start, raw)? {
                    found if found == end => Ok(end),
                    _ => Err(start),
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
        if self.begins(at, literal) { Ok(at + literal.len()) } else { Err(at) }
    }

    fn number(&self, number: &Number, at: usize, raw: &mut Raw) -> Position {
        let bytes = self.text.as_bytes();
        if number.fraction {
            let digits = self.text.get(at..at + number.max).ok_or(at)?;
            if !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(at);
            }
            let value = format!("{digits:0<9}").parse().map_err(|_| at)?;
            return store(raw, number.field, value, at, at + number.max);
        }
        let sign = bytes.get(at).copied();
        let mut start = at;
        match sign {
            Some(b'+') if number.sign == SignStyle::ExceedsPad => start += 1,
            Some(b'-') if number.sign != SignStyle::NotNegative => start += 1,
            Some(b'+' | b'-') => return Err(at),
            _ => {}
        }
        let run = bytes[start.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let limit = if number.fixed { number.max } else { number.max + number.reserved };
        let mut length = run.min(limit);
        if !number.fixed && number.reserved > 0 {
            length = length.saturating_sub(number.reserved).max(number.min).min(run);
        }
        if length < number.min || length > 19 {
            return Err(start);
        }
        let value: i64 = self.text[start..start + length].parse().map_err(|_| at)?;
        let value = match sign {
            Some(b'-') if value == 0 => return Err(at),
            Some(b'-') => -value,
            Some(b'+') if length <= number.min => return Err(at),
            Some(b'+') => value,
            _ if number.sign == SignStyle::ExceedsPad && length > number.min => return Err(at),
            _ if number.reduced => 2000 + value,
            _ => value,
        };
        store(raw, number.field, value, at, start + length)
    }

    fn name(&self, field: Field, style: TextStyle, at: usize, raw: &mut Raw) -> Position {
        let found = names(field, style)
            .filter(|(_, name)| self.begins(at, name))
            .max_by_key(|(_, name)| name.len());
        if let Some((value, name)) = found {
            return store(raw, field, value, at, at + name.len());
        }
        let number = Number {
            field,
            min: 1,
            max: 19,
            sign: SignStyle::Normal,
            reserved: 0,
            fixed: false,
            reduced: false,
            fraction: false,
        };
        self.number(&number, at, raw)
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
            _ => return Err(at),
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
                let digit = bytes.get(at + 1).filter(|b| b.is_ascii_digit()).ok_or(at)?;
                (i32::from(digit - b'0'), at + 2)
            }
            None => return Err(at),
        };
        let part = |end: usize| match style.colons {
            true if bytes.get(end) == Some(&b':') => two(end + 1).map(|value| (value, end + 3)),
            true => None,
            false => two(end).map(|value| (value, end + 2)),
        };
        let (mut minutes, mut seconds) = (0, 0);
        match part(end) {
            Some((value, after)) => (minutes, end) = (value, after),
            None if style.short => {}
            None => return Err(at),
        }
        if let Some((value, after)) = part(end).filter(|_| style.seconds) {
            (seconds, end) = (value, after);
        }
        if minutes > 59 || seconds > 59 {
            return Err(at);
        }
        raw.offset = Some(sign * (hours * 3600 + minutes * 60 + seconds));
        Ok(end)
    }

    /// The longest id of a zone that the text goes on with, or the name of one in some style.
    fn zone(&self, at: usize, style: Option<TextStyle>, raw: &mut Raw) -> Position {
        let rest = self.text.get(at..).ok_or(at)?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || "/_+-:~".contains(c);
        let longest = rest.find(|c| !is_part(c)).unwrap_or(rest.len()).min(ZONE_ID_BYTES_MAX);
        let id = (1..=longest).rev().find_map(|length| {
            let id = &rest[..length];
            let id = if self.ignore_case && id == "z" { "Z" } else { id };
            Zone::of(id).ok().map(|zone| (zone, length))
        });
        let name = style.and_then(|style| zone_by_name(rest, style, self.ignore_case));
        let name = name.and_then(|(region, length)| Some((Zone::of(region).ok()?, length)));
        let best = match (id, name) {
            (Some(id), Some(name)) => Some(if name.1 >= id.1 { name } else { id }),
            (id, name) => id.or(name),
        };
        let (zone, length) = best.ok_or(at)?;
        raw.zone = Some(zone);
        Ok(at + length)
    }
}

/// Sets a field; one that is there already must have the same value.
fn store(raw: &mut Raw, field: Field, value: i64, at: usize, end: usize) -> Position {
    let slot = &mut raw.values[field as usize];
    match *slot {
        Some(old) if old != value => Err(at),
        _ => {
            *slot = Some(value);
            Ok(end)
        }
    }
}
