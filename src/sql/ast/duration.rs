//! Lengths of time.

use super::Span;

/// A length of time as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Duration {
    /// How many units.
    pub count: i64,
    /// Of what unit.
    pub unit: TimeUnit,
    /// Where it stands.
    pub span: Span,
}

impl Duration {
    /// The length in milliseconds, which stops at the greatest number there is.
    pub fn as_ms(self) -> i64 {
        self.count.saturating_mul(self.unit.as_ms())
    }
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeUnit {
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days of 24 hours.
    Days,
}

impl TimeUnit {
    /// The unit in milliseconds.
    pub fn as_ms(self) -> i64 {
        match self {
            Self::Milliseconds => 1,
            Self::Seconds => 1_000,
            Self::Minutes => 60_000,
            Self::Hours => 3_600_000,
            Self::Days => 86_400_000,
        }
    }

    /// The unit as ksqlDB writes it, such as `SECONDS`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Milliseconds => "MILLISECONDS",
            Self::Seconds => "SECONDS",
            Self::Minutes => "MINUTES",
            Self::Hours => "HOURS",
            Self::Days => "DAYS",
        }
    }
}
