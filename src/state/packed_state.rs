//! The states of a group as bytes, for as long as nobody adds to them.
//!
//! ```text
//! tag (1 byte) · what the state holds
//! ```
//!
//! A state that is a value is that [packed](super::pack), whose tags are below those here. Numbers are little-endian; a
//! sum of squared distances that is zero is left out. Lists, sketches and counts by value stay as they are, apart, and
//! only a tag says that they do: they may be large, and to add to them is to touch a part.

use super::packed_row::{PackedValues, pack, pack_run};
use crate::expr::aggregates::{KeptText, State};
use crate::types::{Arena, OwnedValue};

/// What a packed state is, if it is none that is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Whole = FIRST_TAG,
    WholeSpread,
    Double,
    DoubleSpread,
    NumberedText,
    NumberedNull,
    Numbered,
    Apart,
}

/// Those of packed values are lower.
const FIRST_TAG: u8 = 0x80;

impl Tag {
    const ALL: [Self; 8] = [
        Self::Whole,
        Self::WholeSpread,
        Self::Double,
        Self::DoubleSpread,
        Self::NumberedText,
        Self::NumberedNull,
        Self::Numbered,
        Self::Apart,
    ];
}

/// Appends states; those that stay apart are moved to `apart`, in order.
pub(super) fn pack_states(states: &mut [State], out: &mut Vec<u8>, apart: &mut Vec<State>) {
    for state in states {
        if !pack_state(state, out) {
            out.push(Tag::Apart as u8);
            apart.push(std::mem::take(state));
        }
    }
}

/// Appends a state, unless it stays apart.
#[inline]
fn pack_state(state: &State, out: &mut Vec<u8>) -> bool {
    match state {
        State::Value(OwnedValue::Bigint(value)) => pack(crate::types::Value::Bigint(*value), out),
        State::Value(OwnedValue::Double(value)) => pack(crate::types::Value::Double(*value), out),
        State::Value(value) => return pack_value(value, out),
        State::Whole { sum, count, m2 } => {
            pack_moments([Tag::Whole, Tag::WholeSpread], (sum.to_le_bytes(), *count, *m2), out);
        }
        State::Double { sum, count, m2 } => {
            let sum = sum.to_bits().to_le_bytes();
            pack_moments([Tag::Double, Tag::DoubleSpread], (sum, *count, *m2), out);
        }
        State::NumberedText { number, text: None } => {
            pack_number(Tag::NumberedNull, number.to_le_bytes(), out);
        }
        State::NumberedText { number, text: Some(text) } => {
            pack_number(Tag::NumberedText, number.to_le_bytes(), out);
            pack_run(text.as_bytes(), out);
        }
        State::Numbered(entry) if !is_large(&entry.1) => {
            pack_number(Tag::Numbered, entry.0.to_le_bytes(), out);
            return pack_value(&entry.1, out);
        }
        State::Numbered(_)
        | State::NumberedList(_)
        | State::Pairs(_)
        | State::Counts(_)
        | State::ValueCounts(_)
        | State::Registers(_) => return false,
    }
    true
}

fn pack_value(value: &OwnedValue, out: &mut Vec<u8>) -> bool {
    let is_packed = !is_large(value);
    if is_packed {
        pack(value.as_value(&Arena::new()), out);
    }
    is_packed
}

/// Whether a value may have many parts.
fn is_large(value: &OwnedValue) -> bool {
    matches!(value, OwnedValue::Array(_) | OwnedValue::Map(_) | OwnedValue::Struct(_))
}

#[inline]
fn pack_number(tag: Tag, number: [u8; 8], out: &mut Vec<u8>) {
    out.push(tag as u8);
    out.extend_from_slice(&number);
}

#[inline]
fn pack_moments(
    [plain, with_spread]: [Tag; 2],
    (sum, count, m2): ([u8; 8], i64, f64),
    out: &mut Vec<u8>,
) {
    let has_spread = m2.to_bits() != 0;
    pack_number(if has_spread { with_spread } else { plain }, sum, out);
    out.extend_from_slice(&count.to_le_bytes());
    if has_spread {
        out.extend_from_slice(&m2.to_bits().to_le_bytes());
    }
}

/// Reads packed states, in the order in which they were packed.
pub(super) struct PackedStates<'b> {
    values: PackedValues<'b>,
}

impl<'b> PackedStates<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { values: PackedValues::new(bytes) }
    }

    /// Whether there is no further state.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The next state; `apart` are those that stayed so.
    #[inline]
    pub(super) fn next(&mut self, apart: &mut impl Iterator<Item = State>) -> State {
        let Some(tag) = self.values.peek().checked_sub(FIRST_TAG) else {
            return State::Value(self.values.next_owned());
        };
        let [_tag] = self.values.number();
        match Tag::ALL.get(usize::from(tag)) {
            Some(Tag::Whole) => State::Whole { sum: self.whole(), count: self.whole(), m2: 0.0 },
            Some(Tag::WholeSpread) => {
                State::Whole { sum: self.whole(), count: self.whole(), m2: self.double() }
            }
            Some(Tag::Double) => State::Double { sum: self.double(), count: self.whole(), m2: 0.0 },
            Some(Tag::DoubleSpread) => {
                State::Double { sum: self.double(), count: self.whole(), m2: self.double() }
            }
            Some(Tag::NumberedNull) => State::NumberedText { number: self.whole(), text: None },
            Some(Tag::NumberedText) => State::NumberedText {
                number: self.whole(),
                text: Some(KeptText::of_bytes(self.values.run())),
            },
            Some(Tag::Numbered) => {
                State::Numbered(Box::new((self.whole(), self.values.next_owned())))
            }
            Some(Tag::Apart) | None => apart.next().unwrap_or_default(),
        }
    }

    #[inline]
    fn whole(&mut self) -> i64 {
        i64::from_le_bytes(self.values.number())
    }

    #[inline]
    fn double(&mut self) -> f64 {
        f64::from_bits(u64::from_le_bytes(self.values.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Decimal;

    #[test]
    fn tags_are_their_places_behind_those_of_values() {
        for (place, tag) in Tag::ALL.into_iter().enumerate() {
            assert_eq!(tag as usize, usize::from(FIRST_TAG) + place);
        }
    }

    #[test]
    fn states_are_read_back_as_they_were_packed() {
        let text = |text: &str| OwnedValue::String(text.into());
        let numbered = |value| State::Numbered(Box::new((-7, value)));
        let (sum, count) = (i64::MIN, i64::MAX);
        let mut states = vec![
            State::default(),
            State::Value(OwnedValue::Bigint(-1)),
            State::Value(OwnedValue::Double(-0.0)),
            State::Value(OwnedValue::Boolean(true)),
            State::Value(OwnedValue::Decimal(Box::new(Decimal::new(-12_345, 2)))),
            State::Value(text("a text that is longer than a short one")),
            State::Value(OwnedValue::Array(vec![OwnedValue::Int(1), OwnedValue::Null])),
            State::Whole { sum, count, m2: 0.0 },
            State::Whole { sum, count, m2: 0.5 },
            State::Double { sum: f64::MIN, count, m2: 0.0 },
            State::Double { sum: -0.0, count, m2: -0.0 },
            State::NumberedText { number: 3, text: None },
            State::NumberedText { number: -3, text: Some("".into()) },
            State::NumberedText {
                number: count,
                text: Some(KeptText::from("é".repeat(40).as_str())),
            },
            numbered(OwnedValue::Double(1.5)),
            numbered(OwnedValue::Struct(vec![text("x")])),
            State::NumberedList(vec![(1, text("a"))]),
            State::ValueCounts(vec![(OwnedValue::Int(1), 2)]),
        ];
        let before = states.clone();
        let (mut bytes, mut apart) = (Vec::new(), Vec::new());
        pack_states(&mut states, &mut bytes, &mut apart);
        assert_eq!(apart.len(), 4);
        let (mut packed, mut apart) = (PackedStates::new(&bytes), apart.into_iter());
        for state in before {
            let read = packed.next(&mut apart);
            assert_eq!(read, state);
            if let (State::Double { m2, .. }, State::Double { m2: other, .. }) = (read, state) {
                assert_eq!(m2.to_bits(), other.to_bits());
            }
        }
        assert_eq!((packed.next(&mut apart), apart.len()), (State::default(), 0));
    }
}
