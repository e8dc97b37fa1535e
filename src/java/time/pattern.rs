//! The letters of a pattern, and what they print and read.

use std::fmt;

/// A field of a date or a time, named by what Java calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Era,
    YearOfEra,
    Year,
    Quarter,
    Month,
    DayOfMonth,
    DayOfYear,
    DayOfWeek,
    /// The day of the week counted from Sunday.
    LocalDayOfWeek,
    WeekOfMonth,
    AlignedDayOfWeekInMonth,
    WeekBasedYear,
    WeekOfWeekBasedYear,
    AmPm,
    ClockHourOfAmPm,
    HourOfAmPm,
    ClockHourOfDay,
    HourOfDay,
    Minute,
    Second,
    Nano,
    MilliOfDay,
    NanoOfDay,
    ModifiedJulianDay,
}

impl fmt::Display for Field {
    /// The name in Java's messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Era => "Era",
            Self::YearOfEra => "YearOfEra",
            Self::Year => "Year",
            Self::Quarter => "QuarterOfYear",
            Self::Month => "MonthOfYear",
            Self::DayOfMonth => "DayOfMonth",
            Self::DayOfYear => "DayOfYear",
            Self::DayOfWeek => "DayOfWeek",
            Self::LocalDayOfWeek => "DayOfWeek[WeekFields[SUNDAY,1]]",
            Self::WeekOfMonth => "WeekOfMonth[WeekFields[SUNDAY,1]]",
            Self::AlignedDayOfWeekInMonth => "AlignedDayOfWeekInMonth",
            Self::WeekBasedYear => "WeekBasedYear[WeekFields[SUNDAY,1]]",
            Self::WeekOfWeekBasedYear => "WeekOfWeekBasedYear[WeekFields[SUNDAY,1]]",
            Self::AmPm => "AmPmOfDay",
            Self::ClockHourOfAmPm => "ClockHourOfAmPm",
            Self::HourOfAmPm => "HourOfAmPm",
            Self::ClockHourOfDay => "ClockHourOfDay",
            Self::HourOfDay => "HourOfDay",
            Self::Minute => "MinuteOfHour",
            Self::Second => "SecondOfMinute",
            Self::Nano => "NanoOfSecond",
            Self::MilliOfDay => "MilliOfDay",
            Self::NanoOfDay => "NanoOfDay",
            Self::ModifiedJulianDay => "ModifiedJulianDay",
        })
    }
}

/// How many [`Field`]s there are.
pub(super) const FIELDS: usize = Field::ModifiedJulianDay as usize + 1;

/// The widest number, but for the year of weeks, which may be padded at will.
pub(super) const WIDTH_MAX: usize = 19;

/// How deeply brackets may be nested. Java takes more, until its stack overflows.
const BRACKETS_MAX: usize = 200;

/// How a number treats its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignStyle {
    /// A minus if it is negative.
    Normal,
    /// Never any.
    NotNegative,
    /// A plus too if it has more digits than the pattern has letters.
    ExceedsPad,
}

/// How a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextStyle {
    Short,
    Full,
    Narrow,
}

/// A number of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) field: Field,
    pub(super) min: usize,
    pub(super) max: usize,
    pub(super) sign: SignStyle,
    /// Digits to leave to the numbers that follow without a gap.
    pub(super) reserved: usize,
    /// Whether it has as many digits as the pattern has letters.
    pub(super) fixed: bool,
    /// Whether it is the last two digits of a year from 2000 on.
    pub(super) reduced: bool,
    /// Whether it counts fractions of its field from the left.
    pub(super) fraction: bool,
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetStyle {
    /// What stands for no offset at all.
    pub(super) zero: &'static str,
    pub(super) colons: bool,
    /// Whether minutes are left out if there are none.
    pub(super) short: bool,
    /// Whether seconds are written if there are any.
    pub(super) seconds: bool,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Literal(String),
    Number(Number),
    Text(Field, TextStyle),
    Offset(OffsetStyle),
    /// `GMT+8`, or `GMT+08:00` in full.
    LocalizedOffset(TextStyle),
    ZoneId,
    ZoneName(TextStyle),
    Optional(Vec<Item>),
    /// Blanks before the next item, up to a width.
    Pad(usize, Box<Item>),
}

/// A pattern of Java's `DateTimeFormatter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub(super) items: Vec<Item>,
}

/// Why a text is no pattern, no time, or cannot be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(pub(super) String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

pub(super) fn fault<T>(message: impl Into<String>) -> Result<T, Fault> {
    Err(Fault(message.into()))
}

impl Pattern {
    /// Reads the letters of a pattern.
    pub fn parse(pattern: &str) -> Result<Self, Fault> {
        // The innermost list of items is that of the bracket opened last.
        let mut open = vec![Builder::default()];
        let mut rest = pattern;
        while let Some(c) = rest.chars().next() {
            let nested = open.len();
            let Some(builder) = open.last_mut() else { break };
            match c {
                'a'..='z' | 'A'..='Z' => {
                    let count = rest.bytes().take_while(|next| char::from(*next) == c).count();
                    rest = builder.letters((c, count), &rest[count..], pattern)?;
                    continue;
                }
                '\'' => {
                    rest = builder.quoted(&rest[1..], pattern)?;
                    continue;
                }
                '[' if nested > BRACKETS_MAX => return fault("java.lang.StackOverflowError"),
                '[' => open.push(Builder::default()),
                ']' => {
                    let inner = open.pop().map(|builder| builder.items).unwrap_or_default();
                    match open.last_mut() {
                        Some(outer) => outer.push(Item::Optional(inner)),
                        None => {
                            return fault("Pattern invalid as it contains ] without previous [");
                        }
                    }
                }
                '{' | '}' | '#' => {
                    return fault(format!("Pattern includes reserved character: '{c}'"));
                }
                c => builder.push(Item::Literal(c.to_string())),
            }
            rest = &rest[c.len_utf8()..];
        }
        while open.len() > 1 {
            let inner = open.pop().map(|builder| builder.items).unwrap_or_default();
            if let Some(outer) = open.last_mut() {
                outer.push(Item::Optional(inner));
            }
        }
        Ok(Self { items: open.pop().map(|builder| builder.items).unwrap_or_default() })
    }
}

/// The items of one bracket while they are read.
#[derive(Default)]
struct Builder {
    items: Vec<Item>,
    /// The number that numbers without a gap have followed so far.
    adjacent: Option<usize>,
    /// The width that the next item is padded to.
    pad: Option<usize>,
}

impl Builder {
    fn push(&mut self, item: Item) {
        self.items.push(match self.pad.take() {
            Some(width) => Item::Pad(width, Box::new(item)),
            None => item,
        });
        self.adjacent = None;
    }

    /// Appends a number; one of fixed width lets the number before it know how wide it is.
    fn number(&mut self, mut number: Number) {
        let fixed = number.min == number.max && number.sign == SignStyle::NotNegative;
        let base = self.adjacent;
        if let Some(Item::Number(before)) = base.and_then(|base| self.items.get_mut(base)) {
            if fixed {
                before.reserved += number.max;
                number.fixed = true;
                self.push(Item::Number(number));
                self.adjacent = base;
                return;
            }
            before.fixed = true;
        }
        self.push(Item::Number(number));
        self.adjacent = Some(self.items.len() - 1);
    }

    fn value(&mut self, field: Field, min: usize, max: usize, sign: SignStyle) {
        self.number(Number {
            field,
            min,
            max,
            sign,
            reserved: 0,
            fixed: false,
            reduced: false,
            fraction: false,
        });
    }

    fn quoted<'p>(&mut self, text: &'p str, pattern: &str) -> Result<&'p str, Fault> {
        if let Some(rest) = text.strip_prefix('\'') {
            self.push(Item::Literal("'".to_owned()));
            return Ok(rest);
        }
        let (mut literal, mut rest) = (String::new(), text);
        loop {
            let Some(end) = rest.find('\'') else {
                return fault(format!("Pattern ends with an incomplete string literal: {pattern}"));
            };
            literal.push_str(&rest[..end]);
            rest = &rest[end + 1..];
            match rest.strip_prefix('\'') {
                Some(after) => {
                    literal.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        self.push(Item::Literal(literal));
        Ok(rest)
    }

    /// Appends what `count` letters `c` mean, and gives back what is still to be read.
    fn letters<'p>(
        &mut self,
        (c, count): (char, usize),
        rest: &'p str,
        pattern: &str,
    ) -> Result<&'p str, Fault> {
        if c == 'p' {
            self.pad = Some(count);
            return match rest.chars().next() {
                Some(next) if next.is_ascii_alphabetic() => Ok(rest),
                _ => fault(format!(
                    "Pad letter 'p' must be followed by valid pad pattern: {pattern}"
                )),
            };
        }
        let too_many = || fault(format!("Too many pattern letters: {c}"));
        match (c, count) {
            ('u' | 'y' | 'A' | 'n' | 'N' | 'g', count) if count > WIDTH_MAX => {
                return fault(format!(
                    "The minimum width must be from 1 to {WIDTH_MAX} inclusive but was {count}"
                ));
            }
            ('u' | 'y' | 'Y', _) => self.year(c, count),
            ('Q' | 'q' | 'M' | 'L' | 'e' | 'E' | 'c', _) => return self.named(c, count, rest),
            ('G', 1..=5) => self.push(Item::Text(Field::Era, style(count))),
            ('a', 1) => self.push(Item::Text(Field::AmPm, TextStyle::Short)),
            ('D', 1) => self.value(Field::DayOfYear, 1, 19, SignStyle::Normal),
            ('D', 2 | 3) => self.value(Field::DayOfYear, count, 3, SignStyle::NotNegative),
            ('F', 1) => self.value(Field::AlignedDayOfWeekInMonth, 1, 19, SignStyle::Normal),
            ('W', 1) => self.value(Field::WeekOfMonth, 1, 1, SignStyle::NotNegative),
            ('w', 1 | 2) => {
                self.value(Field::WeekOfWeekBasedYear, count, 2, SignStyle::NotNegative);
            }
            ('d' | 'h' | 'H' | 'k' | 'K' | 'm' | 's', 1) => {
                self.value(plain_field(c), 1, 19, SignStyle::Normal);
            }
            ('d' | 'h' | 'H' | 'k' | 'K' | 'm' | 's', 2) => {
                self.value(plain_field(c), 2, 2, SignStyle::NotNegative);
            }
            ('S', 1..=9) => self.number(Number {
                field: Field::Nano,
                min: count,
                max: count,
                sign: SignStyle::NotNegative,
                reserved: 0,
                fixed: false,
                reduced: false,
                fraction: true,
            }),
            ('S', _) => {
                return fault(format!(
                    "Minimum width must be from 0 to 9 inclusive but was {count}"
                ));
            }
            ('A', _) => self.value(Field::MilliOfDay, count, 19, SignStyle::NotNegative),
            ('n', _) => self.value(Field::Nano, count, 19, SignStyle::NotNegative),
            ('N', _) => self.value(Field::NanoOfDay, count, 19, SignStyle::NotNegative),
            ('g', _) => self.value(Field::ModifiedJulianDay, count, 19, SignStyle::Normal),
            ('V', 2) => self.push(Item::ZoneId),
            ('V', _) => return fault(format!("Pattern letter count must be 2: {c}")),
            ('z', 1..=4) | ('v', 1 | 4) => self.push(Item::ZoneName(style(count))),
            ('v', _) => return fault(format!("Wrong number of pattern letters: {c}")),
            ('O', 1 | 4) => self.push(Item::LocalizedOffset(style(count))),
            ('O', _) => return fault(format!("Pattern letter count must be 1 or 4: {c}")),
            ('Z', 4) => self.push(Item::LocalizedOffset(TextStyle::Full)),
            ('X' | 'x' | 'Z', 1..=5) => self.push(Item::Offset(offset_style(c, count))),
            _ if "GaDFWwdhHkKmszXxZ".contains(c) => return too_many(),
            _ => return fault(format!("Unknown pattern letter: {c}")),
        }
        Ok(rest)
    }

    fn year(&mut self, c: char, count: usize) {
        let field = match c {
            'u' => Field::Year,
            'y' => Field::YearOfEra,
            _ => Field::WeekBasedYear,
        };
        match count {
            2 => self.number(Number {
                field,
                min: 2,
                max: 2,
                sign: SignStyle::NotNegative,
                reserved: 0,
                fixed: false,
                reduced: true,
                fraction: false,
            }),
            1..=3 => self.value(field, count, 19, SignStyle::Normal),
            _ => self.value(field, count, 19, SignStyle::ExceedsPad),
        }
    }

    /// Appends a quarter, a month or a day of the week: a number of one or two letters, or a name.
    fn named<'p>(&mut self, c: char, count: usize, rest: &'p str) -> Result<&'p str, Fault> {
        let field = match c {
            'Q' | 'q' => Field::Quarter,
            'M' | 'L' => Field::Month,
            'e' | 'c' if count <= 2 => Field::LocalDayOfWeek,
            _ => Field::DayOfWeek,
        };
        match (c, count) {
            ('c', 2) => return fault("Invalid pattern \"cc\""),
            ('E', 1 | 2) => self.push(Item::Text(field, TextStyle::Short)),
            ('e' | 'c', 1 | 2) => self.value(field, count, count, SignStyle::NotNegative),
            (_, 1) => self.value(field, 1, 19, SignStyle::Normal),
            (_, 2) => self.value(field, 2, 2, SignStyle::NotNegative),
            (_, 3..=5) => self.push(Item::Text(field, style(count))),
            _ => return fault(format!("Too many pattern letters: {c}")),
        }
        Ok(rest)
    }
}

fn style(count: usize) -> TextStyle {
    match count {
        4 => TextStyle::Full,
        5 => TextStyle::Narrow,
        _ => TextStyle::Short,
    }
}

fn plain_field(c: char) -> Field {
    match c {
        'd' => Field::DayOfMonth,
        'h' => Field::ClockHourOfAmPm,
        'H' => Field::HourOfDay,
        'k' => Field::ClockHourOfDay,
        'K' => Field::HourOfAmPm,
        'm' => Field::Minute,
        _ => Field::Second,
    }
}

fn offset_style(c: char, count: usize) -> OffsetStyle {
    let colons = matches!((c, count), (_, 5) | ('X' | 'x', 3));
    let zero = match (c, count) {
        ('X', _) | ('Z', 5) => "Z",
        ('x', 1) => "+00",
        ('x', 3 | 5) => "+00:00",
        _ => "+0000",
    };
    let short = matches!((c, count), ('X' | 'x', 1));
    OffsetStyle { zero, colons, short, seconds: count >= 4 }
}
