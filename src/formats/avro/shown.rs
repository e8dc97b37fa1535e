//! Records as Avro's Java library prints them (`GenericData.toString`): what `PRINT` shows.
//!
//! Maps have the order of the `HashMap` that Java reads them into.

use std::fmt::Write as _;

use super::cursor::{Cursor, WireError};
use super::schema::{AvroSchema, Node};
use crate::java::{double_to_string, float_to_string, hash_map_order};

/// How deeply values may lie within each other: no record of people does as deeply, and a stack ends.
const DEPTH_MAX: usize = 200;

/// How many values are shown: bytes of no length make a list as long as they like.
const VALUES_MAX: usize = 1 << 18;

/// The text of a record, or why it has none.
pub(in crate::formats) fn shown(schema: &AvroSchema, bytes: &[u8]) -> Result<String, WireError> {
    let mut printer = Printer { schema, cursor: Cursor::new(bytes), out: String::new(), values: 0 };
    match &schema.root {
        // What stands alone is printed by itself, not as a part of something.
        Node::Null => printer.out.push_str("<null>"),
        Node::String | Node::Enum { .. } => {
            let text = printer.text(&schema.root)?;
            printer.out.push_str(&text);
        }
        root => printer.value(root, 0)?,
    }
    Ok(printer.out)
}

struct Printer<'s, 'a> {
    schema: &'s AvroSchema,
    cursor: Cursor<'a>,
    out: String,
    /// How many values have been shown.
    values: usize,
}

impl Printer<'_, '_> {
    fn value(&mut self, node: &Node, depth: usize) -> Result<(), WireError> {
        if depth >= DEPTH_MAX {
            return Err("java.lang.StackOverflowError".to_owned());
        }
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err("java.lang.OutOfMemoryError: Java heap space".to_owned());
        }
        match node {
            Node::Null => self.out.push_str("null"),
            Node::Boolean => {
                let value = self.cursor.boolean()?;
                self.out.push_str(if value { "true" } else { "false" });
            }
            Node::Int(_) => {
                let value = self.cursor.int()?;
                self.push(value);
            }
            Node::Long { .. } => {
                let value = self.cursor.long()?;
                self.push(value);
            }
            Node::Float => {
                let value = self.cursor.float()?;
                self.real(value.is_finite(), &float_to_string(value));
            }
            Node::Double => {
                let value = self.cursor.double()?;
                self.real(value.is_finite(), &double_to_string(value));
            }
            Node::Bytes(_) => {
                let text: String = self.cursor.bytes()?.iter().copied().map(char::from).collect();
                self.quoted(&text);
            }
            Node::String | Node::Enum { .. } => {
                let text = self.text(node)?;
                self.quoted(&text);
            }
            Node::Fixed(size, _) => {
                let bytes = self.cursor.take(*size)?.iter().map(|byte| *byte as i8);
                let bytes: Vec<String> = bytes.map(|byte| byte.to_string()).collect();
                self.push(format_args!("[{}]", bytes.join(", ")));
            }
            Node::Array(item) => self.list(|printer| printer.value(item, depth + 1))?,
            Node::Entries(key, value) => self.list(|printer| {
                printer.out.push_str("{\"key\": ");
                printer.value(key, depth + 2)?;
                printer.out.push_str(", \"value\": ");
                printer.value(value, depth + 2)?;
                printer.out.push('}');
                Ok(())
            })?,
            Node::Map(value) => self.map(value, depth)?,
            Node::Union(branches) => {
                let branch = self.cursor.index(branches.len())?;
                self.value(&branches[branch], depth + 1)?;
            }
            Node::Record(place) => self.record(*place, depth)?,
        }
        Ok(())
    }

    fn push(&mut self, text: impl std::fmt::Display) {
        // Writing to a text does not fail.
        let _ = write!(self.out, "{text}");
    }

    /// A number with a point, in quotes where it is none.
    fn real(&mut self, is_finite: bool, text: &str) {
        let quote = if is_finite { "" } else { "\"" };
        self.push(format_args!("{quote}{text}{quote}"));
    }

    /// A text, or the name of a symbol.
    fn text(&mut self, node: &Node) -> Result<String, WireError> {
        Ok(match node {
            Node::Enum { symbols, .. } => symbols[self.cursor.index(symbols.len())?].clone(),
            _ => String::from_utf8_lossy(self.cursor.bytes()?).into_owned(),
        })
    }

    fn record(&mut self, place: usize, depth: usize) -> Result<(), WireError> {
        let schema = self.schema;
        self.out.push('{');
        for (at, field) in schema.records[place].fields.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            self.push(format_args!("{comma}\"{}\": ", field.name));
            self.value(&field.node, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn list(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        let mut is_first = true;
        self.out.push('[');
        self.blocks(|printer, _| {
            if !std::mem::take(&mut is_first) {
                printer.out.push_str(", ");
            }
            item(printer)
        })?;
        self.out.push(']');
        Ok(())
    }

    fn map(&mut self, value: &Node, depth: usize) -> Result<(), WireError> {
        let (mut entries, mut capacity): (Vec<(Vec<u8>, String)>, _) = (Vec::new(), None);
        let before = std::mem::take(&mut self.out);
        let mut places = hashbrown::HashMap::new();
        let read = self.blocks(|printer, size| {
            capacity.get_or_insert(size);
            let key = printer.cursor.bytes()?.to_vec();
            printer.out.clear();
            printer.value(value, depth + 1)?;
            let text = std::mem::take(&mut printer.out);
            let next = entries.len();
            let place = *places.entry(key.clone()).or_insert(next);
            if place == next {
                entries.push((key, text));
            } else {
                entries[place] = (key, text);
            }
            Ok(())
        });
        self.out = before;
        read?;
        let hash = |key: &[u8]| {
            key.iter().fold(0_i32, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(i32::from(*byte as i8))
            })
        };
        let hashes: Vec<i32> = entries.iter().map(|(key, _)| hash(key)).collect();
        let capacity = capacity.and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        self.out.push('{');
        let order = hash_map_order(&hashes, capacity.min(entries.len().next_power_of_two() * 2));
        for (at, entry) in order.into_iter().enumerate() {
            let (key, text) = &entries[entry];
            if at > 0 {
                self.out.push_str(", ");
            }
            self.quoted(&String::from_utf8_lossy(key));
            self.push(format_args!(": {text}"));
        }
        self.out.push('}');
        Ok(())
    }

    /// Reads items, block by block; each is told how many its block has.
    fn blocks(
        &mut self,
        mut item: impl FnMut(&mut Self, u64) -> Result<(), WireError>,
    ) -> Result<(), WireError> {
        loop {
            let count = self.cursor.block()?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                item(self, count)?;
            }
        }
    }

    /// A text in quotes; what Avro does not take for printable is escaped.
    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2000}'..='\u{20ff}' => {
                    self.push(format_args!("\\u{:04X}", u32::from(c)));
                }
                _ => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}
