//! JSON without a schema.
//!
//! ```text
//! bytes ── source ──▶ UTF-8 ── reader ──▶ tape ── convert ──▶ row
//! row ── writer ──▶ bytes
//! ```

mod base64;
mod convert;
mod reader;
mod scan;
mod source;
mod tape;
mod writer;

pub(super) use scan::Scan;
pub(super) use writer::{JsonEncoder, write_integer, write_text_raw};

use super::decoder::Outcome;
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
        scan: &mut Scan<'a>,
    ) -> Result<Outcome, DecodeError> {
        if self.wrapped
            && let Some(row) = scan.read(bytes, &self.columns)
        {
            rows.push_row(row);
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
