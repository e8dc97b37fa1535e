//! What a schema does not take, as it is found, and the way to where that is.

use std::fmt;

use serde_json::Value as Json;

/// How many faults of one value are told at most.
const FAULTS_MAX: usize = 100;

/// How deep values may be nested.
const DEPTH_MAX: usize = 128;

/// What a schema does not take of some JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonFault {
    /// Where: `$` is the whole, then `$.a`, `$.items[2].b`.
    pub field: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// Faults as they are found, and the way to where one is.
#[derive(Default)]
pub(super) struct Faults {
    path: Vec<Step>,
    found: Vec<JsonFault>,
}

enum Step {
    Field(String),
    Item(usize),
}

impl Faults {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them.
    pub(super) fn into_found(self) -> Vec<JsonFault> {
        self.found
    }

    /// Notes some that were found elsewhere.
    pub(super) fn extend(&mut self, found: impl IntoIterator<Item = JsonFault>) {
        let room = FAULTS_MAX.saturating_sub(self.found.len());
        self.found.extend(found.into_iter().take(room));
    }

    /// Notes a fault here.
    pub(super) fn add(&mut self, reason: impl Into<String>) {
        if self.found.len() >= FAULTS_MAX {
            return;
        }
        let mut field = "$".to_owned();
        for step in &self.path {
            match step {
                Step::Field(name) => {
                    field.push('.');
                    field.push_str(name);
                }
                Step::Item(index) => {
                    field.push('[');
                    field.push_str(&index.to_string());
                    field.push(']');
                }
            }
        }
        self.found.push(JsonFault { field, reason: reason.into() });
    }

    /// Notes that something else is wanted here.
    pub(super) fn wanted(&mut self, what: impl fmt::Display, json: &Json) {
        self.add(format!("{what} is wanted, not {}", shown(json)));
    }

    /// Looks at a field.
    pub(super) fn field(&mut self, name: &str, look: impl FnOnce(&mut Self)) {
        self.at(Step::Field(name.to_owned()), look);
    }

    /// Looks at an item of an array.
    pub(super) fn item(&mut self, index: usize, look: impl FnOnce(&mut Self)) {
        self.at(Step::Item(index), look);
    }

    fn at(&mut self, step: Step, look: impl FnOnce(&mut Self)) {
        if self.path.len() >= DEPTH_MAX {
            return self.add(format!("values nest deeper than {DEPTH_MAX} times"));
        }
        self.path.push(step);
        look(self);
        self.path.pop();
    }

    /// What a look finds, without noting it.
    pub(super) fn tried(&mut self, look: impl FnOnce(&mut Self)) -> Vec<JsonFault> {
        let before = std::mem::take(&mut self.found);
        look(self);
        std::mem::replace(&mut self.found, before)
    }
}

/// JSON in a message, cut where it is long.
fn shown(json: &Json) -> String {
    const SHOWN_MAX: usize = 60;
    let text = json.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether a number is one of this size: what is larger is no infinity.
pub(super) fn is_within(json: &Json, max: f64) -> bool {
    let Json::Number(number) = json else { return false };
    number.as_f64().is_some_and(|number| number.abs() <= max)
}

/// A whole number in a range.
pub(super) fn is_whole(json: &Json, range: std::ops::RangeInclusive<i128>) -> bool {
    let Json::Number(number) = json else { return false };
    number.as_i128().is_some_and(|number| range.contains(&number))
}
