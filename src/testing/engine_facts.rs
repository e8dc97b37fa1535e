//! What cases ask of sources, formats and internal topics.

use serde_json::Value as Json;

use super::source_info::{FormatInfo, SourceInfo, TopicInfo, WindowInfo};
use crate::formats::{Format, FormatSpec, Role};
use crate::plan::{QueryPlan, Source};
use crate::registry::{ResolvedSchema, SchemaType};
use crate::sql::ast::SourceKind;
use crate::types::{ColumnDef, SqlType};

/// The format of a source's keys or values.
pub(super) fn side(source: &Source, is_key: bool) -> (&FormatSpec, &[ColumnDef], Role) {
    if is_key {
        (&source.key_format, &source.schema.key, Role::Key)
    } else {
        (&source.value_format, &source.schema.value, Role::Value)
    }
}

/// The repartition and changelog topics of a query.
pub(super) fn internal_topics(prefix: &str, plan: &QueryPlan) -> Vec<TopicInfo> {
    let topic = |end: &str, key: (&FormatSpec, usize), value: (&FormatSpec, usize)| TopicInfo {
        name: format!("{prefix}-{end}"),
        key_format: format_info(key.0, key.1, Role::Key),
        value_format: format_info(value.0, value.1, Role::Value),
        ..TopicInfo::default()
    };
    let repartitions = plan.repartitions().map(|(_, node, end)| {
        let schema = &plan.node(node).schema;
        let key = (&end.key_format, schema.key.len());
        topic(&end.name, key, (&end.value_format, schema.value.len()))
    });
    let changelogs = plan.stores().map(|(.., store)| {
        let key = (&store.key_format, store.stored.key.len());
        topic(&store.changelog(), key, (&store.value_format, store.stored.value.len()))
    });
    repartitions.chain(changelogs).collect()
}

/// What cases ask of a source.
pub(super) fn info(source: &Source) -> SourceInfo {
    SourceInfo {
        name: source.name.clone(),
        is_table: source.kind == SourceKind::Table,
        is_read_only: source.is_read_only,
        topic: source.topic.clone(),
        schema: source.schema.to_string(),
        key: source.schema.key.clone(),
        value: source.schema.value.clone(),
        key_format: format_info(&source.key_format, source.schema.key.len(), Role::Key),
        value_format: format_info(&source.value_format, source.schema.value.len(), Role::Value),
        window: source
            .window
            .map(|window| WindowInfo { kind: window.kind, size_ms: window.size_ms }),
    }
}

fn format_info(spec: &FormatSpec, columns: usize, role: Role) -> FormatInfo {
    let properties = spec.properties().into_iter();
    let properties = properties.map(|(name, value)| (name.to_owned(), value)).collect();
    FormatInfo {
        name: spec.format.name().to_owned(),
        features: spec.feature(columns, role).map(str::to_owned).into_iter().collect(),
        properties,
    }
}

/// How what was written is looked at: Protobuf always writes a message, so that a bare column is a field of one. A
/// column of another wire type than its field is NULL there.
pub(super) fn read_as(spec: &FormatSpec, columns: &[ColumnDef], role: Role) -> (FormatSpec, Role) {
    let is_protobuf = matches!(spec.format, Format::Protobuf | Format::ProtobufNosr);
    let is_struct = matches!(columns, [ColumnDef { ty: SqlType::Struct(_), .. }]);
    if is_protobuf && !is_struct {
        (FormatSpec { wrap: Some(true), ..spec.clone() }, Role::Value)
    } else {
        (spec.clone(), role)
    }
}

/// A schema as Connect's converters write records with it: they know no enums.
pub(super) fn as_written(schema: &ResolvedSchema) -> String {
    fn without_enums(json: Json) -> Json {
        match json {
            Json::Object(object) if object.get("type").is_some_and(|ty| ty == "enum") => {
                Json::from("string")
            }
            Json::Object(object) => {
                object.into_iter().map(|(name, json)| (name, without_enums(json))).collect()
            }
            Json::Array(items) => items.into_iter().map(without_enums).collect(),
            json => json,
        }
    }
    let json = (schema.ty == SchemaType::Avro).then(|| serde_json::from_str(&schema.text).ok());
    json.flatten().map_or_else(|| schema.text.clone(), |json| without_enums(json).to_string())
}
