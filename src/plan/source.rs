//! A stream or a table over a topic, as queries see it.

use crate::formats::FormatSpec;
use crate::sql::ast::SourceKind;
use crate::types::{ColumnDef, Schema, SqlType, WindowKind};

/// A stream or a table over a topic.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Stream or table.
    pub kind: SourceKind,
    /// Its key and value columns, header columns left out.
    pub schema: Schema,
    /// The columns filled from headers.
    pub headers: Vec<HeaderColumn>,
    /// All columns in the order in which they were declared.
    pub order: Vec<String>,
    /// The topic.
    pub topic: String,
    /// How keys are read and written.
    pub key_format: FormatSpec,
    /// How values are read and written.
    pub value_format: FormatSpec,
    /// The windows of its keys.
    pub window: Option<SourceWindow>,
    /// The column that holds the time of a row, if it is not the record's own.
    pub timestamp: Option<TimestampColumn>,
    /// Whether it may only be read (`CREATE SOURCE …`).
    pub is_read_only: bool,
    /// Whether a `CREATE … AS SELECT` made it.
    pub is_created_by_query: bool,
    /// The statement that made it, as it was written.
    pub sql: String,
}

/// What a column of a source is filled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilledFrom<'s> {
    /// The key of a record.
    Key,
    /// Its value.
    Value,
    /// Its last header of this name, or all of its headers.
    Headers(Option<&'s str>),
}

impl Source {
    /// All columns in the order in which they were declared, each with its type.
    pub fn columns(&self) -> impl Iterator<Item = (&str, SqlType, FilledFrom<'_>)> {
        self.order.iter().filter_map(|name| {
            let named = |columns: &[ColumnDef]| {
                let found = columns.iter().find(|column| *column.name == **name);
                found.map(|column| column.ty.clone())
            };
            let header = || self.headers.iter().find(|header| header.name == *name);
            let (ty, from) = named(&self.schema.key)
                .map(|ty| (ty, FilledFrom::Key))
                .or_else(|| Some((named(&self.schema.value)?, FilledFrom::Value)))
                .or_else(|| {
                    let header = header()?;
                    Some((header.ty(), FilledFrom::Headers(header.key.as_deref())))
                })?;
            Some((name.as_str(), ty, from))
        })
    }
}

/// The windows of the keys of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceWindow {
    /// Which bytes follow the key.
    pub kind: WindowKind,
    /// How long a window is; sessions have no size.
    pub size_ms: Option<i64>,
}

/// A column that is filled from a record's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderColumn {
    /// Its name.
    pub name: String,
    /// The header whose last value it holds; `None` for all headers.
    pub key: Option<String>,
}

/// The `TIMESTAMP` of a `WITH` clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimestampColumn {
    /// The column.
    pub column: String,
    /// The pattern of its text, for a VARCHAR.
    pub format: Option<String>,
}

impl HeaderColumn {
    /// The type of the column: the bytes of one header, or all names and values.
    pub fn ty(&self) -> SqlType {
        if self.key.is_some() { SqlType::Bytes } else { all_headers() }
    }
}

/// The type of a column of all headers.
pub fn all_headers() -> SqlType {
    let fields = [("KEY", SqlType::String), ("VALUE", SqlType::Bytes)];
    SqlType::array(SqlType::Struct(crate::types::StructType::new(fields)))
}

impl Source {
    /// Whether its keys are windowed.
    pub fn is_windowed(&self) -> bool {
        self.window.is_some()
    }

    /// The type of the column called `name`.
    pub fn column_type(&self, name: &str) -> Option<SqlType> {
        let columns = self.schema.key.iter().chain(&self.schema.value);
        let declared = columns.filter(|column| &*column.name == name).map(|c| c.ty.clone());
        let headers = self.headers.iter().filter(|column| column.name == name);
        declared.chain(headers.map(HeaderColumn::ty)).next()
    }
}
