//! What a query writes with schemas of the registry.

use super::{NodeKind, QueryPlan, RESPONSE_COLUMNS, RepartitionKind, RowFormats, Source};
use crate::formats::{FormatSpec, Role};
use crate::registry::schema::Subject;
use crate::types::ColumnDef;

/// Keys or values that are written with a schema.
#[derive(Clone, Debug)]
pub struct SchemaUse {
    /// Keys or values.
    pub role: Role,
    /// The subject of the schema.
    pub subject: Subject,
    /// How they are written.
    pub spec: FormatSpec,
    /// The columns.
    pub columns: Vec<ColumnDef>,
    /// Whether they are of a topic that the query alone writes and reads.
    pub is_internal: bool,
}

/// Rows that are written somewhere.
struct Written<'p> {
    topic: String,
    is_sink: bool,
    key: (&'p FormatSpec, &'p [ColumnDef]),
    value: (&'p FormatSpec, &'p [ColumnDef]),
}

impl SchemaUse {
    /// All that whoever writes into a source writes with schemas.
    pub fn of_source(source: &Source) -> Vec<Self> {
        let written = Written {
            topic: source.topic.clone(),
            is_sink: true,
            key: (&source.key_format, &source.schema.key),
            value: (&source.value_format, &source.schema.value),
        };
        written.uses()
    }
}

impl QueryPlan {
    /// All that the query writes with schemas; the names of its internal topics begin with `prefix`.
    pub fn schema_uses(&self, prefix: &str) -> Vec<SchemaUse> {
        let sink = &self.sink;
        let mut all = vec![Written {
            topic: sink.topic.clone(),
            is_sink: true,
            key: (&sink.key_format, &sink.schema.key),
            value: (&sink.value_format, &sink.schema.value),
        }];
        for (_, node, topic) in self.repartitions() {
            let schema = &self.node(node).schema;
            let mut value = &*schema.value;
            if topic.kind == RepartitionKind::Responses {
                value = &value[..value.len().saturating_sub(RESPONSE_COLUMNS)];
            }
            all.push(Written {
                topic: format!("{prefix}-{}", topic.name),
                is_sink: false,
                key: (&topic.key_format, &schema.key),
                value: (&topic.value_format, value),
            });
        }
        for (_, _, store) in self.stores() {
            all.push(Written {
                topic: format!("{prefix}-{}", store.changelog()),
                is_sink: false,
                key: (&store.key_format, &store.stored.key),
                value: (&store.value_format, &store.stored.value),
            });
        }
        for rows in self.nodes().flat_map(|(_, node)| row_formats(&node.kind)) {
            all.push(Written {
                topic: format!("{prefix}-{}", rows.name),
                is_sink: false,
                key: (&rows.key_format, &rows.schema.key),
                value: (&rows.value_format, &rows.schema.value),
            });
        }
        all.iter().flat_map(Written::uses).collect()
    }
}

impl Written<'_> {
    fn uses(&self) -> Vec<SchemaUse> {
        let sides = [(Role::Key, self.key), (Role::Value, self.value)];
        let is_registered = |spec: &FormatSpec| spec.format.supports_schema_inference();
        let sides = sides.into_iter().filter(|(_, (spec, _))| is_registered(spec));
        let uses = sides.map(|(role, (spec, columns))| SchemaUse {
            role,
            subject: match role {
                Role::Key => Subject::of_keys(&self.topic),
                Role::Value => Subject::of_values(&self.topic),
            },
            // Only the sink is written with a schema that is given by its id.
            spec: FormatSpec { schema_id: spec.schema_id.filter(|_| self.is_sink), ..spec.clone() },
            columns: columns.to_vec(),
            is_internal: !self.is_sink,
        });
        uses.collect()
    }
}

fn row_formats(kind: &NodeKind) -> Vec<&RowFormats> {
    match kind {
        NodeKind::ForeignKeySubscribe(join) => vec![&join.left, &join.right],
        NodeKind::ForeignKeyAnswer(join) => vec![&join.left],
        NodeKind::ForeignKeyResolve(join) => vec![&join.formats],
        _ => Vec::new(),
    }
}
