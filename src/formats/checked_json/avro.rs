//! JSON held against an Avro schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::faults::{Faults, is_whole, is_within};
use crate::formats::avro::{AvroSchema, DecimalKind, Node};
use crate::formats::json_text::scaled;

pub(super) fn check(schema: &AvroSchema, json: &Json, faults: &mut Faults) {
    Check { schema }.node(&schema.root, json, faults);
}

struct Check<'s> {
    schema: &'s AvroSchema,
}

impl Check<'_> {
    fn node(&self, node: &Node, json: &Json, faults: &mut Faults) {
        match (node, json) {
            (Node::Union(branches), _) => self.union(branches, json, faults),
            (Node::Record(place), Json::Object(object)) => {
                let record = &self.schema.records[*place];
                for field in &record.fields {
                    match object.get(&field.name) {
                        Some(json) => {
                            faults
                                .field(&field.name, |faults| self.node(&field.node, json, faults));
                        }
                        None if field.default.is_some() => {}
                        None => faults.field(&field.name, |faults| faults.add("it is missing")),
                    }
                }
                let is_known = |name: &str| record.fields.iter().any(|field| field.name == name);
                for name in object.keys().filter(|name| !is_known(name)) {
                    faults.field(name, |faults| {
                        faults.add(format!("the schema's {} has no such field", record.name));
                    });
                }
            }
            (Node::Array(item), Json::Array(items)) => {
                for (index, json) in items.iter().enumerate() {
                    faults.item(index, |faults| self.node(item, json, faults));
                }
            }
            (Node::Map(value), Json::Object(entries)) => {
                for (name, json) in entries {
                    faults.field(name, |faults| self.node(value, json, faults));
                }
            }
            (Node::Entries(key, value), Json::Object(entries)) => {
                for (name, json) in entries {
                    faults.field(name, |faults| {
                        self.node(key, &Json::String(name.clone()), faults);
                        self.node(value, json, faults);
                    });
                }
            }
            (node, json) if is_scalar(node, json) => {}
            (node, json) => faults.wanted(self.name(node), json),
        }
    }

    /// The first branch that takes a value does; where none does and one alone is not NULL, its faults are told.
    fn union(&self, branches: &[Node], json: &Json, faults: &mut Faults) {
        let mut found = Vec::new();
        for branch in branches {
            let faults = faults.tried(|faults| self.node(branch, json, faults));
            if faults.is_empty() {
                return;
            }
            if *branch != Node::Null {
                found.push(faults);
            }
        }
        match <[_; 1]>::try_from(found) {
            Ok([of_branch]) if !json.is_null() => faults.extend(of_branch),
            _ => {
                let names: Vec<_> = branches.iter().map(|branch| self.name(branch)).collect();
                faults.wanted(names.join(" or "), json);
            }
        }
    }

    /// What a type is called.
    fn name(&self, node: &Node) -> String {
        match node {
            Node::Null => "null".to_owned(),
            Node::Boolean => "a boolean".to_owned(),
            Node::Int(_) => "an int".to_owned(),
            Node::Long { .. } => "a long".to_owned(),
            Node::Float => "a float".to_owned(),
            Node::Double => "a double".to_owned(),
            Node::Bytes(Some(kind)) | Node::Fixed(_, Some(kind)) => {
                format!("a decimal({}, {})", kind.precision, kind.scale)
            }
            Node::Bytes(None) => "bytes in Base64".to_owned(),
            Node::Fixed(size, None) => format!("{size} bytes in Base64"),
            Node::String => "a string".to_owned(),
            Node::Enum { symbols, .. } => format!("one of {}", symbols.join(", ")),
            Node::Array(_) => "an array".to_owned(),
            Node::Map(_) | Node::Entries(..) => "a map".to_owned(),
            Node::Union(branches) => {
                branches.iter().map(|branch| self.name(branch)).collect::<Vec<_>>().join(" or ")
            }
            Node::Record(place) => format!("a record {}", self.schema.records[*place].name),
        }
    }
}

fn is_scalar(node: &Node, json: &Json) -> bool {
    match (node, json) {
        (Node::Null, Json::Null)
        | (Node::Boolean, Json::Bool(_))
        | (Node::String, Json::String(_)) => true,
        (Node::Float, json) => is_within(json, f32::MAX.into()),
        (Node::Double, json) => is_within(json, f64::MAX),
        (Node::Int(_), json) => is_whole(json, i32::MIN.into()..=i32::MAX.into()),
        (Node::Long { .. }, json) => is_whole(json, i64::MIN.into()..=i64::MAX.into()),
        (Node::Bytes(Some(kind)), json) => is_decimal(json, *kind),
        (Node::Bytes(None), Json::String(text)) => STANDARD.decode(text).is_ok(),
        (Node::Fixed(size, None), Json::String(text)) => {
            STANDARD.decode(text).is_ok_and(|bytes| bytes.len() == *size)
        }
        (Node::Enum { symbols, .. }, Json::String(text)) => symbols.contains(text),
        _ => false,
    }
}

/// Whether a number, or the text of one, has as many digits as are wanted.
fn is_decimal(json: &Json, kind: DecimalKind) -> bool {
    let unscaled = match json {
        Json::Number(_) | Json::String(_) => scaled(json, kind.scale),
        _ => None,
    };
    let digits = |unscaled: num_bigint::BigInt| unscaled.magnitude().to_string().len();
    unscaled.is_some_and(|unscaled| digits(unscaled) <= kind.precision as usize)
}
