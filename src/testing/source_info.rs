//! What an engine says of its sources and topics.

use std::collections::BTreeMap;

use crate::types::{ColumnDef, WindowKind};

/// A stream or table, as far as its topic's bytes are concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceInfo {
    /// Its name.
    pub name: String,
    /// Whether it is a table.
    pub is_table: bool,
    /// Whether it was made by `CREATE SOURCE …`.
    pub is_read_only: bool,
    /// Its topic.
    pub topic: String,
    /// Its columns, as DESCRIBE prints them: `` `K` STRING KEY, `V` INTEGER ``.
    pub schema: String,
    /// The key columns.
    pub key: Vec<ColumnDef>,
    /// The value columns.
    pub value: Vec<ColumnDef>,
    /// How keys are laid out.
    pub key_format: FormatInfo,
    /// How values are laid out.
    pub value_format: FormatInfo,
    /// The windows of its keys.
    pub window: Option<WindowInfo>,
}

impl SourceInfo {
    /// How keys or values are laid out.
    pub fn format(&self, is_key: bool) -> &FormatInfo {
        if is_key { &self.key_format } else { &self.value_format }
    }

    /// The columns of keys or values.
    pub fn columns(&self, is_key: bool) -> &[ColumnDef] {
        if is_key { &self.key } else { &self.value }
    }
}

/// The layout of keys or values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormatInfo {
    /// `JSON`, `KAFKA` and so on.
    pub name: String,
    /// `WRAP_SINGLES` and `UNWRAP_SINGLES`, where they are set.
    pub features: Vec<String>,
    /// Further properties, such as `fullSchemaName`.
    pub properties: BTreeMap<String, String>,
}

/// The windows of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowInfo {
    /// Which bytes follow the key.
    pub kind: WindowKind,
    /// How long a window is; sessions have no size.
    pub size_ms: Option<i64>,
}

/// A topic, as far as a case asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// How keys are laid out.
    pub key_format: FormatInfo,
    /// How values are laid out.
    pub value_format: FormatInfo,
    /// The windows of keys.
    pub window: Option<WindowInfo>,
    /// The id and the text of the registered key schema.
    pub key_schema: Option<(i32, String)>,
    /// The id and the text of the registered value schema.
    pub value_schema: Option<(i32, String)>,
}
