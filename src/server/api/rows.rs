//! Rows of queries in ksqlDB's JSON, each a frame of its own.

use std::sync::Arc;

use serde_json::json;

use super::{errors, values};
use crate::engine::ReadColumn;
use crate::engine::host::{HostError, RowMessages};
use crate::types::OwnedValue;

/// How rows are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A JSON value a line.
    Lines,
    /// An array of arrays, after a header.
    Array,
    /// An array of objects, which say what they are.
    Objects,
    /// Messages, each an object by itself.
    Messages,
}

/// Frames of one answer.
#[derive(Debug)]
pub struct Frames {
    framing: Framing,
    columns: Arc<[ReadColumn]>,
    /// Whether an end says why it comes; else it is seen beforehand that there are no more rows.
    says_end: bool,
    /// What writes rows, where they are Protobuf messages.
    messages: Option<RowMessages>,
}

impl Frames {
    /// Frames of rows of these columns; `says_end` if an end says why it comes.
    pub fn new(framing: Framing, columns: Arc<[ReadColumn]>, says_end: bool) -> Self {
        Self { framing, columns, says_end, messages: None }
    }

    /// The same, whose rows are Protobuf messages, if these are given.
    #[must_use]
    pub fn with_messages(self, messages: Option<RowMessages>) -> Self {
        Self { messages, ..self }
    }

    /// What stands before all rows.
    pub fn header(&self, id: &str) -> String {
        match self.framing {
            Framing::Objects => {
                let mut header = json!({ "queryId": id, "schema": self.schema() });
                if let Some(messages) = &self.messages {
                    header["protoSchema"] = json!(messages.schema());
                }
                let (_, after) = self.around();
                format!("[{{\"header\":{header}}}{after}")
            }
            Framing::Lines => format!("{}\n", self.names(id)),
            Framing::Array => format!("[{}", self.names(id)),
            Framing::Messages => String::new(),
        }
    }

    /// A row. One that no Protobuf message can hold is an error.
    pub fn row(&self, row: &[OwnedValue], is_tombstone: bool) -> Result<String, HostError> {
        let mut out = String::new();
        match self.framing {
            Framing::Objects => {
                let (before, after) = self.around();
                out.push_str(before);
                self.write_object(row, is_tombstone, &mut out)?;
                out.push_str(after);
            }
            Framing::Messages => self.write_object(row, is_tombstone, &mut out)?,
            Framing::Lines => {
                self.write(row, &mut out);
                out.push('\n');
            }
            Framing::Array => {
                out.push(',');
                self.write(row, &mut out);
            }
        }
        Ok(out)
    }

    /// What stands after all rows: why there are no more.
    pub fn end(&self, message: &str) -> String {
        match self.framing {
            Framing::Objects if !self.says_end => "]".to_owned(),
            Framing::Objects => format!("{}]", json!({ "finalMessage": message })),
            Framing::Lines | Framing::Messages => String::new(),
            Framing::Array => "]".to_owned(),
        }
    }

    /// What stands after the rows of a query that has failed.
    pub fn failed(&self, error: &HostError) -> String {
        let (_, error) = errors::render(error);
        match self.framing {
            Framing::Objects => {
                let (before, _) = self.around();
                format!("{before}{}]", json!({ "errorMessage": error }))
            }
            Framing::Lines => format!("{error}\n"),
            Framing::Messages => error.to_string(),
            Framing::Array => format!(",{error}]"),
        }
    }

    /// What stands before and after an object. Where more is to come in any case, clients see each as it comes.
    fn around(&self) -> (&'static str, &'static str) {
        if self.says_end { ("", ",\n") } else { (",\n", "") }
    }

    /// A row that says what it is.
    fn write_object(
        &self,
        row: &[OwnedValue],
        is_tombstone: bool,
        out: &mut String,
    ) -> Result<(), HostError> {
        if let Some(messages) = &self.messages {
            out.push_str("{\"row\":{\"protobufBytes\":");
            values::text(&messages.message(row)?, out);
        } else {
            out.push_str("{\"row\":{\"columns\":");
            self.write(row, out);
        }
        if is_tombstone {
            out.push_str(",\"tombstone\":true");
        }
        out.push_str("}}");
        Ok(())
    }

    fn write(&self, row: &[OwnedValue], out: &mut String) {
        out.push('[');
        for (at, (value, column)) in row.iter().zip(&*self.columns).enumerate() {
            if at > 0 {
                out.push(',');
            }
            values::write(value, &column.ty, out);
        }
        out.push(']');
    }

    /// The columns as text.
    fn schema(&self) -> String {
        let column = |column: &ReadColumn| {
            let key = if column.is_key { " KEY" } else { "" };
            format!("`{}` {}{key}", column.name, column.ty)
        };
        self.columns.iter().map(column).collect::<Vec<_>>().join(", ")
    }

    /// The columns by their names and types.
    fn names(&self, id: &str) -> String {
        let mut out = "{\"queryId\":".to_owned();
        values::text(id, &mut out);
        let mut list = |name: &str, write: &dyn Fn(&ReadColumn, &mut String)| {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":[");
            for (at, column) in self.columns.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(column, &mut out);
            }
            out.push(']');
        };
        list("columnNames", &|column, out| values::text(&column.name, out));
        list("columnTypes", &|column, out| values::text(&column.ty.to_string(), out));
        out.push('}');
        out
    }
}
