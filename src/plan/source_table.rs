//! `CREATE SOURCE TABLE`: a query of its own keeps the rows of the table, so that they can be asked for. It writes nothing.

use std::sync::Arc;

use super::builder::source_node;
use super::frame::{defs, named_columns};
use super::query_plan::{Gives, Node};
use super::{QueryPlan, Sink, Source};
use crate::sql::ast::SourceKind;
use crate::types::Schema;

/// Plans the query that keeps the rows of a table. `None` of a stream, which has no rows to keep.
pub fn plan_source_table(source: &Arc<Source>) -> Option<QueryPlan> {
    if source.kind != SourceKind::Table {
        return None;
    }
    let schema = Schema { key: source.schema.key.clone(), value: defs(&named_columns(source)) };
    let node = Node {
        kind: source_node(source, "KsqlTopic-Reduce"),
        name: "KsqlTopic.Source".to_owned(),
        inputs: Vec::new(),
        schema: schema.clone(),
        gives: Gives::Changes,
    };
    Some(QueryPlan { nodes: vec![node], sink: Sink::nowhere(schema), sql: source.sql.clone() })
}
