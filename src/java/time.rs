//! Java's `DateTimeFormatter`: patterns such as `yyyy-MM-dd'T'HH:mm:ss.SSSX`.
//!
//! [`Pattern::parse`] reads the letters, [`Pattern::format`] prints a [`Moment`], and
//! [`Pattern::read`] reads text into [`Fields`], resolved as Java's `SMART` style does: the 31st of
//! a shorter month is its last day, and 24:00 is the next day.

mod civil;
mod format;
mod names;
mod pattern;
mod raw;
mod read;
mod resolve;
mod zone;

pub use civil::{
    civil_from_days, date_text, day_of_week, day_of_year, days_from_civil, month_length,
};
pub use format::Moment;
pub use pattern::Pattern;
pub use resolve::Fields;
pub use zone::Zone;

#[cfg(test)]
mod tests;

/// Nanoseconds of a day.
pub const NANOS_PER_DAY: i64 = 86_400_000_000_000;
