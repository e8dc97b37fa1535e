//! A parsed JSON text, flat: one list of nodes, in which a list or an object knows its end.
//!
//! ```text
//! {"a":[1,2]}  ⇒  Object(end 5) Name("a") Array(end 5) Integer("1") Integer("2")
//! ```
//!
//! Flat, because text may be nested deeper than the stack is.

use std::borrow::Cow;

use crate::java::write_double;
use crate::types::Decimal;

/// One value, or the name before one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node<'a> {
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
pub(super) struct Tape<'a> {
    pub(super) nodes: Vec<Node<'a>>,
}

/// A number as Jackson's tree holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    Long(i64),
    /// A whole number beyond 64 bits, or one with a point or an exponent.
    Decimal(Decimal),
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
    pub(super) fn number(&self) -> Option<Number> {
        match self {
            Node::Integer(text) => match text.parse() {
                Ok(value) => Some(Number::Long(value)),
                Err(_) => Decimal::parse(text).ok().map(Number::Decimal),
            },
            Node::Float(text) => {
                let double: f64 = text.parse().ok()?;
                if double.is_infinite() {
                    return Some(Number::Infinite(double));
                }
                Decimal::parse(text).ok().map(Number::Decimal)
            }
            _ => None,
        }
    }
}

fn is_infinite(text: &str) -> bool {
    text.parse().is_ok_and(f64::is_infinite)
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
    pub(super) fn items(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.after(at);
        let first = (at + 1 < end).then_some(at + 1);
        std::iter::successors(first, move |at| Some(self.after(*at)).filter(|next| *next < end))
    }

    /// The names of the object at `at` and the positions of their values. Of equal names the last
    /// value counts, in the place of the first.
    pub(super) fn members(&self, at: usize) -> Vec<(&str, usize)> {
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
    pub(super) fn to_text(&self, at: usize) -> Cow<'_, str> {
        match &self.nodes[at] {
            Node::Text(text) | Node::Name(text) => Cow::Borrowed(text),
            Node::Null => Cow::Borrowed("null"),
            Node::Boolean(true) => Cow::Borrowed("true"),
            Node::Boolean(false) => Cow::Borrowed("false"),
            Node::Integer(_) | Node::Float(_) => Cow::Owned(self.number_text(at)),
            Node::Array { .. } => {
                let items: Vec<_> = self.items(at).map(|item| self.to_text(item)).collect();
                Cow::Owned(format!("[{}]", items.join(", ")))
            }
            Node::Object { .. } => {
                let mut text = Vec::new();
                self.render(at, &mut text);
                Cow::Owned(String::from_utf8(text).unwrap_or_default())
            }
        }
    }

    fn number_text(&self, at: usize) -> String {
        match self.nodes[at].number() {
            Some(Number::Long(value)) => value.to_string(),
            Some(Number::Decimal(value)) => value.to_string(),
            Some(Number::Infinite(value)) => {
                let mut text = Vec::new();
                write_double(value, &mut text);
                String::from_utf8(text).unwrap_or_default()
            }
            None => String::new(),
        }
    }

    /// Appends the value at `at` as compact JSON.
    fn render(&self, at: usize, out: &mut Vec<u8>) {
        match &self.nodes[at] {
            Node::Text(text) | Node::Name(text) => super::writer::write_text_raw(text, out),
            Node::Float(text) if is_infinite(text) => {
                out.push(b'"');
                out.extend_from_slice(self.number_text(at).as_bytes());
                out.push(b'"');
            }
            Node::Array { .. } => {
                out.push(b'[');
                for (index, item) in self.items(at).enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.render(item, out);
                }
                out.push(b']');
            }
            Node::Object { .. } => {
                out.push(b'{');
                for (index, (name, value)) in self.members(at).into_iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    super::writer::write_text_raw(name, out);
                    out.push(b':');
                    self.render(value, out);
                }
                out.push(b'}');
            }
            _ => out.extend_from_slice(self.to_text(at).as_bytes()),
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
