//! Schemas in the languages of formats that have one.

use super::{FormatSpec, Role, protobuf};
use crate::types::ColumnDef;

impl FormatSpec {
    /// The schema of `columns` in the format's own language, for a format that has one.
    pub fn schema_text(&self, columns: &[ColumnDef], role: Role) -> Option<String> {
        let wrapped = self.is_wrapped(columns.len(), role);
        self.format.is_protobuf().then(|| protobuf::schema_text(self, columns, wrapped))
    }
}
