//! What a property takes.

/// What a property takes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `true` or `false`, in any case.
    Boolean,
    /// A whole number of one of Java's types.
    Whole { ty: &'static str, min: i64, max: i64, is_free: bool },
    /// A number.
    Double { min: f64, max: f64 },
    /// Any text.
    Text,
    /// Any text but the empty one.
    NonEmpty,
    /// One of these, in this case.
    OneOf(&'static [&'static str]),
}

/// No lower limit but that of the type.
pub(super) const ANY: i64 = i64::MIN;

pub(super) const fn long(min: i64) -> Kind {
    Kind::Whole { ty: "LONG", min, max: i64::MAX, is_free: min == ANY }
}

pub(super) const fn int(min: i64) -> Kind {
    let lowest = i32::MIN as i64;
    let from = if min == ANY { lowest } else { min };
    Kind::Whole { ty: "INT", min: from, max: i32::MAX as i64, is_free: min == ANY }
}

pub(super) const fn short(min: i16, max: i16) -> Kind {
    let is_free = min == i16::MIN && max == i16::MAX;
    Kind::Whole { ty: "SHORT", min: min as i64, max: max as i64, is_free }
}

/// A property whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value {found} for configuration {name}: {reason}")]
pub struct PropertyError {
    /// The property.
    pub name: String,
    /// Its value.
    pub found: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Kind {
    /// Whether a value will do, in the words of Kafka's own check.
    pub(super) fn check(self, name: &str, value: &str) -> Result<(), PropertyError> {
        let refuse = |reason: String| {
            Err(PropertyError { name: name.to_owned(), found: value.to_owned(), reason })
        };
        let trimmed = value.trim();
        match self {
            Self::NonEmpty if value.is_empty() => refuse("String must be non-empty".to_owned()),
            Self::Text | Self::NonEmpty => Ok(()),
            Self::Boolean if is_boolean(trimmed) => Ok(()),
            Self::Boolean => refuse("Expected value to be either true or false".to_owned()),
            Self::OneOf(choices) if choices.contains(&trimmed) => Ok(()),
            Self::OneOf(choices) => {
                refuse(format!("String must be one of: {}", choices.join(", ")))
            }
            Self::Whole { ty, min, max, is_free } => match trimmed.parse::<i64>() {
                Ok(number) if (min..=max).contains(&number) => Ok(()),
                Ok(number) if !is_free && number < min => {
                    refuse(format!("Value must be at least {min}"))
                }
                Ok(_) if !is_free && ty == "SHORT" => {
                    refuse(format!("Value must be no more than {max}"))
                }
                _ => refuse(format!("Not a number of type {ty}")),
            },
            Self::Double { min, max } => match trimmed.parse::<f64>() {
                Ok(number) if number < min => refuse(format!("Value must be at least {min:?}")),
                Ok(number) if number > max => refuse(format!("Value must be no more than {max:?}")),
                Ok(_) => Ok(()),
                Err(_) => refuse("Not a number of type DOUBLE".to_owned()),
            },
        }
    }
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}
