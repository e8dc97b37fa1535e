//! The columns of a source: key and value, by name and type.

use std::fmt;

use super::SqlType;

/// A column of a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColumnDef {
    /// The name.
    pub name: Box<str>,
    /// The type.
    pub ty: SqlType,
}

impl ColumnDef {
    /// A column called `name`.
    pub fn new(name: impl Into<Box<str>>, ty: SqlType) -> Self {
        Self { name: name.into(), ty }
    }
}

/// Key columns, then value columns. Pseudo-columns are never part of a schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Schema {
    /// The columns of the record's key.
    pub key: Vec<ColumnDef>,
    /// The columns of the record's value.
    pub value: Vec<ColumnDef>,
}

impl fmt::Display for Schema {
    /// Prints the schema as ksqlDB prints it: `` `K` STRING KEY, `V` INTEGER ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.key.iter().map(|column| (column, " KEY"));
        let values = self.value.iter().map(|column| (column, ""));
        for (index, (column, role)) in keys.chain(values).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}`{}` {}{role}", column.name, column.ty)?;
        }
        Ok(())
    }
}
