//! Rows that come as Protobuf messages, in the text form that cases have them in.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Messages that schemas import, in the form that schemas have.
const IMPORTED: &str = "
    message google.protobuf.Timestamp { \n int64 seconds = 1; \n int32 nanos = 2; \n }
    message google.type.Date { \n int32 year = 1; \n int32 month = 2; \n int32 day = 3; \n }
    message google.type.TimeOfDay { \n int32 hours = 1; \n int32 minutes = 2; \n int32 seconds = 3; \n int32 nanos = 4; \n }
    message confluent.type.Decimal { \n bytes value = 1; \n uint32 precision = 2; \n int32 scale = 3; \n }";

/// The name and the type of a field, by its number.
type Fields = BTreeMap<u64, (String, String)>;

/// The messages of a schema, by name.
struct Schema {
    messages: BTreeMap<String, Fields>,
    first: String,
}

/// The parts of an answer, whose rows are texts.
pub(crate) fn answer(parts: &[Value]) -> Result<Vec<Value>, String> {
    let schema = parts.first().and_then(|part| part["header"]["protoSchema"].as_str());
    let schema = Schema::parse(schema.ok_or("the header has no schema of messages")?)?;
    let part = |part: &Value| match part["row"]["protobufBytes"].as_str() {
        Some(bytes) => {
            let bytes = STANDARD.decode(bytes).map_err(|error| error.to_string())?;
            Ok(json!({ "row": schema.text(&schema.first, &bytes, 0)? }))
        }
        None => Ok(part.clone()),
    };
    parts.iter().map(part).collect()
}

impl Schema {
    fn parse(text: &str) -> Result<Self, String> {
        let mut schema = Self { messages: BTreeMap::new(), first: String::new() };
        for text in [text, IMPORTED] {
            let mut open: Vec<String> = Vec::new();
            for line in text.lines().map(str::trim) {
                let words: Vec<&str> = line.split_whitespace().collect();
                match (&*words, open.last()) {
                    (["message", name, "{"], _) => {
                        if schema.first.is_empty() {
                            (*name).clone_into(&mut schema.first);
                        }
                        open.push((*name).to_owned());
                        schema.messages.insert((*name).to_owned(), Fields::new());
                    }
                    (["}"], _) => drop(open.pop()),
                    (
                        ["repeated" | "optional", ty, name, "=", number, ..]
                        | [ty, name, "=", number, ..],
                        Some(message),
                    ) => {
                        let number = number.trim_end_matches(';').parse();
                        let number = number.map_err(|_| format!("{line}: no number"))?;
                        let fields = schema.messages.entry(message.clone()).or_default();
                        fields.insert(number, ((*name).to_owned(), (*ty).to_owned()));
                    }
                    _ => {}
                }
            }
        }
        Ok(schema)
    }

    /// A message in the text form.
    fn text(&self, message: &str, mut bytes: &[u8], depth: usize) -> Result<String, String> {
        let fields = self.messages.get(message).ok_or(format!("there is no message {message}"))?;
        let (mut out, space) = (Vec::new(), "  ".repeat(depth));
        while !bytes.is_empty() {
            let tag = varint(&mut bytes)?;
            let field = fields.get(&(tag >> 3));
            let (name, ty) = field.ok_or(format!("{message} has no field {}", tag >> 3))?;
            let value = match tag & 7 {
                0 => number(ty, varint(&mut bytes)?),
                1 => {
                    let eight = bytes.split_off(..8).ok_or("a number is cut short")?;
                    format!("{:?}", f64::from_le_bytes(eight.try_into().unwrap()))
                }
                2 => {
                    let length = usize::try_from(varint(&mut bytes)?).unwrap_or(usize::MAX);
                    let part = bytes.split_off(..length).ok_or("a field is cut short")?;
                    match &**ty {
                        "string" | "bytes" => format!("\"{}\"", escaped(part)),
                        "bool" | "int32" | "int64" | "double" => packed(ty, part)?,
                        ty => {
                            let inner = self.text(ty, part, depth + 1)?;
                            out.push(format!("{space}{name} {{\n{inner}{space}}}\n"));
                            continue;
                        }
                    }
                }
                other => return Err(format!("the wire type {other} is not known")),
            };
            for value in value.split('\n') {
                out.push(format!("{space}{name}: {value}\n"));
            }
        }
        Ok(out.concat())
    }
}

/// The numbers of a list, a line each.
fn packed(ty: &str, mut bytes: &[u8]) -> Result<String, String> {
    let mut values = Vec::new();
    while !bytes.is_empty() {
        values.push(if ty == "double" {
            let eight = bytes.split_off(..8).ok_or("a number is cut short")?;
            format!("{:?}", f64::from_le_bytes(eight.try_into().unwrap()))
        } else {
            number(ty, varint(&mut bytes)?)
        });
    }
    Ok(values.join("\n"))
}

fn number(ty: &str, value: u64) -> String {
    match ty {
        "bool" => (value != 0).to_string(),
        _ => (value as i64).to_string(),
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64, String> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.split_off_first().ok_or("a number is cut short")?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("a number is too long".to_owned())
}

fn escaped(bytes: &[u8]) -> String {
    let byte = |byte: &u8| match byte {
        b'\n' => "\\n".to_owned(),
        b'"' => "\\\"".to_owned(),
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        byte => format!("\\{byte:03o}"),
    };
    bytes.iter().map(byte).collect()
}
