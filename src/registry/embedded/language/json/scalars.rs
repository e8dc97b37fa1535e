//! How strings, numbers and enumerations differ.

use serde_json::Value;

use super::compare::Comparison;
use super::{Numbers, Strings};

/// The names of what an upper limit may become that a reader cannot bear.
type Narrowed = [&'static str; 2];

impl Comparison<'_> {
    pub(super) fn strings(&mut self, original: &Strings, update: &Strings) {
        self.upper(
            "maxLength",
            [original.length_max, update.length_max],
            ["MAX_LENGTH_ADDED", "MAX_LENGTH_DECREASED"],
        );
        self.lower(
            "minLength",
            [original.length_min, update.length_min],
            ["MIN_LENGTH_ADDED", "MIN_LENGTH_INCREASED"],
        );
        match (&original.pattern, &update.pattern) {
            (None, Some(_)) => self.tell_at("pattern", "PATTERN_ADDED"),
            (Some(old), Some(new)) if old != new => self.tell_at("pattern", "PATTERN_CHANGED"),
            _ => {}
        }
    }

    pub(super) fn numbers(&mut self, original: &Numbers, update: &Numbers) {
        self.upper(
            "maximum",
            [original.maximum, update.maximum],
            ["MAXIMUM_ADDED", "MAXIMUM_DECREASED"],
        );
        self.lower(
            "minimum",
            [original.minimum, update.minimum],
            ["MINIMUM_ADDED", "MINIMUM_INCREASED"],
        );
        self.upper(
            "exclusiveMaximum",
            [original.exclusive_maximum, update.exclusive_maximum],
            ["EXCLUSIVE_MAXIMUM_ADDED", "EXCLUSIVE_MAXIMUM_DECREASED"],
        );
        self.lower(
            "exclusiveMinimum",
            [original.exclusive_minimum, update.exclusive_minimum],
            ["EXCLUSIVE_MINIMUM_ADDED", "EXCLUSIVE_MINIMUM_INCREASED"],
        );
        match (original.multiple_of, update.multiple_of) {
            (None, Some(_)) => self.tell_at("multipleOf", "MULTIPLE_OF_ADDED"),
            (Some(old), Some(new)) if old != new && new % old == 0.0 => {
                self.tell_at("multipleOf", "MULTIPLE_OF_EXPANDED");
            }
            (Some(old), Some(new)) if old != new && old % new != 0.0 => {
                self.tell_at("multipleOf", "MULTIPLE_OF_CHANGED");
            }
            _ => {}
        }
        if !original.is_integer && update.is_integer {
            self.tell("TYPE_NARROWED");
        }
    }

    pub(super) fn enums(&mut self, original: &[Value], update: &[Value]) {
        if original.iter().all(|value| update.contains(value)) {
            return;
        }
        let is_narrowed = update.iter().all(|value| original.contains(value));
        let kind = if is_narrowed { "ENUM_ARRAY_NARROWED" } else { "ENUM_ARRAY_CHANGED" };
        self.tell_at("enum", kind);
    }

    /// An upper limit may go up, or away.
    pub(super) fn upper(&mut self, keyword: &str, limits: [Option<f64>; 2], kinds: Narrowed) {
        match limits {
            [None, Some(_)] => self.tell_at(keyword, kinds[0]),
            [Some(old), Some(new)] if new < old => self.tell_at(keyword, kinds[1]),
            _ => {}
        }
    }

    /// A lower limit may go down, or away.
    pub(super) fn lower(&mut self, keyword: &str, limits: [Option<f64>; 2], kinds: Narrowed) {
        self.upper(keyword, limits.map(|limit| limit.map(|limit| -limit)), kinds);
    }
}
