//! A parsed JSON text, flat: one list of nodes, in which a list or an object knows its end.
//!
//! ```text
//! {"a":[1,2]}  ⇒  Object(end 5) Name("a") Array(end 5) Integer("1") Integer("2")
//! ```
//!
//! Flat, because text may be nested deeper than the stack is.

use std::borrow::Cow;

use crate::java::write_double;
use crate::types::{Decimal, DecimalDigits, DecimalError};

/// An exponent of fewer characters leaves a scale of 32 bits.
const LONG_EXPONENT: usize = 10;

/// One value, or the name before one.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) enum Node<'a> {
    Null,
    Boolean(bool),
    /// The text of a whole number.
    Integer(&'a str),
    /// The text of a number with a point or an exponent.
    Float(&'a str),
    Text(Cow<'a, str>),
    /// Its items lie between here and `end`.
    Array {
        end: usize,
    },
    /// Its names and values lie between here and `end`.
    Object {
        end: usize,
    },
    Name(Cow<'a, str>),
}

/// The nodes of one text. The first is the root.
#[derive(Clone, Debug, Default)]
pub(in crate::formats) struct Tape<'a> {
    pub(in crate::formats) nodes: Vec<Node<'a>>,
}

/// A number as Jackson's tree holds it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) enum Number {
    Long(i64),
    /// A whole number beyond 64 bits, or one with a point or an exponent.
    Decimal(Decimal),
    /// One of more digits than are computed with.
    Vast(DecimalDigits),
    /// A number that is infinite as a DOUBLE.
    Infinite(f64),
}

impl Node<'_> {
    /// The name of Jackson's class for this node.
    pub(super) fn class_name(&self) -> &'static str {
        match self {
            Node::Null => "NullNode",
            Node::Boolean(_) => "BooleanNode",
            Node::Integer(text) => match text.parse::<i64>() {
                Ok(value) if i32::try_from(value).is_ok() => "IntNode",
                Ok(_) => "LongNode",
                Err(_) => "BigIntegerNode",
            },
            Node::Float(text) if is_infinite(text) => "DoubleNode",
            Node::Float(_) => "DecimalNode",
            Node::Text(_) | Node::Name(_) => "TextNode",
            Node::Array { .. } => "ArrayNode",
            Node::Object { .. } => "ObjectNode",
        }
    }

    /// The number, if this is one that can be read.
    pub(in crate::formats) fn number(&self) -> Option<Number> {
        match self {
            Node::Integer(text) => match text.parse() {
                Ok(value) => Some(Number::Long(value)),
                Err(_) => decimal(text),
            },
            Node::Float(text) => {
                let double: f64 = text.parse().ok()?;
                if double.is_infinite() {
                    return Some(Number::Infinite(double));
                }
                decimal(text)
            }
            _ => None,
        }
    }
}

fn decimal(text: &str) -> Option<Number> {
    match Decimal::parse(text) {
        Ok(decimal) => Some(Number::Decimal(decimal)),
        Err(DecimalError::TooLarge) => DecimalDigits::parse(text).ok().map(Number::Vast),
        Err(_) => None,
    }
}

/// A number that is not infinite as a DOUBLE has to be a decimal, and its scale has 32 bits.
pub(super) fn check_exponent(text: &str) -> Result<(), String> {
    let exponent = text.rsplit(['e', 'E']).next().filter(|exponent| exponent.len() < text.len());
    if exponent.is_none_or(|exponent| exponent.len() < LONG_EXPONENT)
        || text.parse().is_ok_and(f64::is_infinite)
    {
        return Ok(());
    }
    match DecimalDigits::parse(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(super::messages::no_decimal(text, &error.to_string())),
    }
}

fn is_infinite(text: &str) -> bool {
    text.parse().is_ok_and(f64::is_infinite)
}

/// A list or an object that is being written.
struct Open<'t> {
    /// The names and positions of its parts.
    parts: Vec<(Option<&'t str>, usize)>,
    /// How many of them are written.
    done: usize,
    /// Whether it is written as JSON, or as Java prints a list.
    is_json: bool,
    close: u8,
}

/// Closes what is complete, and appends what stands before the next part; the position of that.
fn next_part(open: &mut Vec<Open<'_>>, out: &mut Vec<u8>) -> Option<usize> {
    while let Some(last) = open.last_mut() {
        let Some((name, at)) = last.parts.get(last.done).copied() else {
            out.push(last.close);
            open.pop();
            continue;
        };
        if last.done > 0 {
            out.extend_from_slice(if last.is_json { b"," } else { b", " });
        }
        last.done += 1;
        if let Some(name) = name {
            super::writer::write_text_raw(name, out);
            out.push(b':');
        }
        return Some(at);
    }
    None
}

impl Tape<'_> {
    /// The position after the value at `at`.
    pub(super) fn after(&self, at: usize) -> usize {
        match self.nodes[at] {
            Node::Array { end } | Node::Object { end } => end,
            _ => at + 1,
        }
    }

    /// The positions of the items of the array at `at`.
    pub(in crate::formats) fn items(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.after(at);
        let first = (at + 1 < end).then_some(at + 1);
        std::iter::successors(first, move |at| Some(self.after(*at)).filter(|next| *next < end))
    }

    /// The names of the object at `at` and the positions of their values. Of equal names the last
    /// value counts, in the place of the first.
    pub(in crate::formats) fn members(&self, at: usize) -> Vec<(&str, usize)> {
        let (mut members, end): (Vec<(&str, usize)>, _) = (Vec::new(), self.after(at));
        let mut seen = hashbrown::HashMap::new();
        let mut at = at + 1;
        while at < end {
            let Node::Name(name) = &self.nodes[at] else { unreachable!("a value has a name") };
            match seen.entry(&**name) {
                hashbrown::hash_map::Entry::Occupied(place) => {
                    let place: &usize = place.get();
                    members[*place].1 = at + 1;
                }
                hashbrown::hash_map::Entry::Vacant(place) => {
                    place.insert(members.len());
                    members.push((name, at + 1));
                }
            }
            at = self.after(at + 1);
        }
        members
    }

    /// The text of the value at `at` as a VARCHAR takes it: numbers in Java's notation, objects as
    /// compact JSON, arrays as `[a, b]`.
    pub(in crate::formats) fn to_text(&self, at: usize) -> Cow<'_, str> {
        if let Node::Text(text) | Node::Name(text) = &self.nodes[at] {
            return Cow::Borrowed(text);
        }
        let mut out = Vec::new();
        self.write(at, false, &mut out);
        Cow::Owned(String::from_utf8(out).unwrap_or_default())
    }

    /// The value at `at` as compact JSON, with numbers in Java's notation: what Jackson makes of a tree.
    pub(in crate::formats) fn to_json(&self, at: usize) -> String {
        let mut out = Vec::new();
        self.write(at, true, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends the value at `at`, without recursion: it may be nested deeper than the stack is.
    fn write(&self, at: usize, is_json: bool, out: &mut Vec<u8>) {
        let mut open: Vec<Open<'_>> = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            let is_json = open.last().map_or(is_json, |open| open.is_json);
            match &self.nodes[at] {
                Node::Array { .. } => {
                    out.push(b'[');
                    let parts = self.items(at).map(|item| (None, item)).collect();
                    open.push(Open { parts, done: 0, is_json, close: b']' });
                }
                Node::Object { .. } => {
                    out.push(b'{');
                    let members = self.members(at).into_iter();
                    let parts = members.map(|(name, value)| (Some(name), value)).collect();
                    open.push(Open { parts, done: 0, is_json: true, close: b'}' });
                }
                _ => self.write_scalar(at, is_json, out),
            }
            next = next_part(&mut open, out);
        }
    }

    fn write_scalar(&self, at: usize, is_json: bool, out: &mut Vec<u8>) {
        match &self.nodes[at] {
            Node::Text(text) | Node::Name(text) if is_json => {
                super::writer::write_text_raw(text, out);
            }
            Node::Text(text) | Node::Name(text) => out.extend_from_slice(text.as_bytes()),
            Node::Float(text) if is_json && is_infinite(text) => {
                out.push(b'"');
                out.extend_from_slice(self.number_text(at).as_bytes());
                out.push(b'"');
            }
            Node::Integer(_) | Node::Float(_) => {
                out.extend_from_slice(self.number_text(at).as_bytes());
            }
            Node::Boolean(true) => out.extend_from_slice(b"true"),
            Node::Boolean(false) => out.extend_from_slice(b"false"),
            _ => out.extend_from_slice(b"null"),
        }
    }

    fn number_text(&self, at: usize) -> String {
        match self.nodes[at].number() {
            Some(Number::Long(value)) => value.to_string(),
            Some(Number::Decimal(value)) => value.to_string(),
            Some(Number::Vast(digits)) => digits.to_string(),
            Some(Number::Infinite(value)) => {
                let mut text = Vec::new();
                write_double(value, &mut text);
                String::from_utf8(text).unwrap_or_default()
            }
            None => String::new(),
        }
    }

    /// How deeply the value at `at` is nested.
    pub(super) fn depth(&self, at: usize) -> usize {
        let end = self.after(at);
        let (mut open, mut deepest) = (Vec::new(), 0);
        for (index, node) in self.nodes[at..end].iter().enumerate() {
            while open.last().is_some_and(|end| *end <= at + index) {
                open.pop();
            }
            if let Node::Array { end } | Node::Object { end } = node {
                open.push(*end);
                deepest = deepest.max(open.len());
            }
        }
        deepest
    }
}
