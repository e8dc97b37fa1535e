//! JSON without a schema.
//!
//! ```text
//! bytes ── source ──▶ UTF-8 ── reader ──▶ tape ── convert ──▶ row
//! row ── writer ──▶ bytes
//! ```

mod base64;
mod convert;
mod cursor;
mod messages;
mod reader;
mod scan;
mod source;
mod tape;
mod writer;

pub(super) use base64::decode as decode_base64;
pub(super) use convert::number_to_double;
pub(super) use reader::read as read_tape;
pub use reader::{json_refusal, located_at_end, located_at_start};
pub(super) use scan::Scan;
pub(super) use source::to_utf8;
pub(super) use tape::{Node as TapeNode, Number as TapeNumber, Tape};
pub(super) use writer::{JsonEncoder, MapStyle, write_integer, write_text_raw};

use super::rows::Outcome;
use super::rows::Rows;
use super::{DecodeError, Role};
use crate::types::{Arena, ColumnDef, Value};
use convert::Converter;

/// Reads rows of some columns.
#[derive(Debug)]
pub(super) struct JsonDecoder {
    columns: Vec<ColumnDef>,
    wrapped: bool,
    /// `Failed to deserialize value from topic: t. `
    prefix: String,
}

impl JsonDecoder {
    pub(super) fn new(columns: &[ColumnDef], wrapped: bool, role: Role, topic: &str) -> Self {
        let role = if role == Role::Key { "key" } else { "value" };
        let prefix = format!("Failed to deserialize {role} from topic: {topic}. ");
        Self { columns: columns.to_vec(), wrapped, prefix }
    }

    pub(super) fn decode<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
        scan: &mut Scan,
    ) -> Result<Outcome, DecodeError> {
        if self.wrapped && scan.read(bytes, &self.columns, rows) {
            return Ok(Outcome::Row);
        }
        match self.read(bytes, arena)? {
            Some(row) => {
                rows.push_row(&row);
                Ok(Outcome::Row)
            }
            None => Ok(Outcome::Null),
        }
    }

    /// Reads one row by the plain way, which knows every case and every message.
    fn read<'a>(
        &self,
        bytes: &[u8],
        arena: &'a Arena,
    ) -> Result<Option<Vec<Value<'a>>>, DecodeError> {
        let utf8 = source::to_utf8(bytes).map_err(|message| self.error(vec![message]))?;
        let tape = reader::read(&utf8, bytes).map_err(|message| self.error(vec![message]))?;
        let Some(tape) = tape else {
            let required = convert::row_name(&self.columns, self.wrapped);
            let message =
                format!("Can't convert type. sourceType: MissingNode, requiredType: {required}");
            return Err(self.error(vec![format!("{message}, path: $"), message]));
        };
        let converter = Converter { tape: &tape, arena };
        let row = converter
            .root(&self.columns, self.wrapped)
            .map_err(|failure| self.error(failure.messages()))?;
        if row.is_none() && self.wrapped {
            return Err(null_struct());
        }
        Ok(row)
    }

    /// The entry about a failure: the outermost message after the prefix, then all of them.
    fn error(&self, causes: Vec<String>) -> DecodeError {
        let message = causes.first().map_or("null", String::as_str);
        DecodeError { message: format!("{}{message}", self.prefix), causes }
    }
}

/// The exception that a JSON `null` raises where an object is needed.
fn null_struct() -> DecodeError {
    DecodeError {
        message: "Cannot invoke \"org.apache.kafka.connect.data.Struct.schema()\" because \
                  \"<local3>\" is null"
            .into(),
        causes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::SqlType;

    fn columns() -> Vec<ColumnDef> {
        let columns = [
            ("ID", SqlType::Bigint),
            ("INDEX", SqlType::Int),
            ("DEVICE", SqlType::String),
            ("X", SqlType::Double),
            ("OK", SqlType::Boolean),
            ("x", SqlType::String),
            ("AT", SqlType::Timestamp),
        ];
        columns.map(|(name, ty)| ColumnDef::new(name, ty)).into()
    }

    /// Whatever the fast way reads, the plain way reads too, with the same result.
    fn check(texts: &[Vec<u8>]) {
        let decoder = JsonDecoder::new(&columns(), true, Role::Value, "t");
        let (arena, mut scan) = (Arena::new(), Scan::default());
        let used = vec![true; decoder.columns.len()];
        let mut rows = Rows::new(&decoder.columns, &used, 0);
        let mut read = |text| scan.read(text, &decoder.columns, &mut rows);
        let (fast, _): (Vec<_>, Vec<_>) = texts.iter().partition(|text| read(text));
        let columns = rows.finish();
        for (row, text) in fast.into_iter().enumerate() {
            let fast: Vec<_> = columns.iter().map(|column| column.value(row)).collect();
            let plain = decoder.read(text, &arena).unwrap().unwrap();
            let shown = String::from_utf8_lossy(text);
            assert_eq!(format!("{fast:?}"), format!("{plain:?}"), "{shown}");
        }
    }

    fn number() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?(0|[1-9][0-9]{0,24})",
            "-?(0|[1-9][0-9]{0,18})[.][0-9]{1,20}",
            "-?[0-9]{1,3}([.][0-9]{1,3})?[eE][+-]?[0-9]{1,3}",
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| format!("{number:e}")),
        ]
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => number(),
            2 => "\"[a-zé😀 \\\\\"/n]{0,12}\"",
            1 => "true|false|null|nul|NaN|[+]1|01|1[.]|[.]5|0x1",
            1 => Just("{\"a\":[1,\"b\",{\"c\":null}],\"d\":{}}".to_owned()),
            1 => "[\\[\\]{},:1\"a]{0,8}",
        ]
    }

    fn object() -> impl Strategy<Value = Vec<u8>> {
        let name = "id|ID|Id|index|Device|DEVICE|x|X|ok|at|other|dev\u{131}ce|";
        let member = (name, value(), " ?", " ?");
        prop::collection::vec(member, 0..8).prop_map(|members| {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value, before, after)| format!("\"{name}\"{before}:{after}{value}"))
                .collect();
            format!("{{{}}}", members.join(",")).into_bytes()
        })
    }

    fn mutated() -> impl Strategy<Value = Vec<u8>> {
        let edit = (any::<prop::sample::Index>(), prop::option::of(any::<u8>()), any::<bool>());
        (object(), prop::collection::vec(edit, 0..3)).prop_map(|(mut text, edits)| {
            for (index, byte, inserts) in edits {
                let at = index.index(text.len());
                match byte {
                    Some(byte) if inserts => text.insert(at, byte),
                    Some(byte) => text[at] = byte,
                    None if text.len() > 1 => drop(text.remove(at)),
                    None => {}
                }
            }
            text
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_fast_way_reads_what_the_plain_way_reads(
            texts in prop::collection::vec(prop_oneof![object(), mutated()], 1..6)
        ) {
            check(&texts);
        }
    }

    #[test]
    fn ordinary_records_go_the_fast_way() {
        let (columns, mut scan) = (columns(), Scan::default());
        let mut rows = Rows::new(&columns, &[], 0);
        for text in [
            r#"{"id":1,"index":2,"device":"a","X":0.5,"ok":true,"at":-1}"#,
            r#"{"id":9223372036854775807,"x1":[1,{"a":{}},[]],"Index":null} and more"#,
            " { \"DEVICE\" : \"é😀\" , \"X\" : 1e-5 } ",
            "{}",
        ] {
            assert!(scan.read(text.as_bytes(), &columns, &mut rows), "{text}");
        }
    }
}
