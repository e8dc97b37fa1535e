//! The steps of a query in ksqlDB's JSON, each with its type, its version and its fields in their order.

use serde_json::{Map, Number, Value, json};

use crate::formats::{FormatSpec, Role};
use crate::plan::steps::{KeyedBy, Step, StepKind};
use crate::plan::{
    Aggregation, FilledFrom, JoinKind, NamedExpr, Sink, Source, SourceWindow, StreamStreamJoin,
    TimestampColumn,
};
use crate::sql::ast;
use crate::sql::print::identifier;
use crate::types::{ColumnDef, Schema, SqlType};

/// The version of the pseudo-columns that sources have: ROWTIME, ROWPARTITION and ROWOFFSET.
const PSEUDO_COLUMNS: u32 = 1;

/// A step with all that it reads; `window` is that of its aggregation.
pub(super) fn step(step: &Step<'_>, window: &Value) -> Value {
    Steps { window }.step(step)
}

struct Steps<'w> {
    window: &'w Value,
}

/// Fields in the order in which they are added.
struct Fields(Map<String, Value>);

impl Fields {
    fn of(step: &Step<'_>, ty: &str) -> Self {
        let context = match step.kind {
            StepKind::Sink(_) => step.context.to_owned(),
            _ => step.context.replace('.', "/"),
        };
        let fields = Self(Map::new()).with("@type", json!(ty));
        fields.with("properties", json!({ "queryContext": context }))
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    fn end(self) -> Value {
        Value::Object(self.0)
    }
}

impl Steps<'_> {
    fn step(&self, step: &Step<'_>) -> Value {
        let is_table = step.is_table();
        let ty = |stream: &'static str, table: &'static str| if is_table { table } else { stream };
        let read = |ty: &str| self.reading(step, ty);
        match &step.kind {
            StepKind::Source { source, .. } => source_step(step, source),
            StepKind::Filter { text } => read(ty("streamFilterV1", "tableFilterV1"))
                .with("filterExpression", json!(text))
                .end(),
            StepKind::Select { columns, .. } => self.select(step, columns),
            StepKind::FlatMap { functions } => {
                let calls: Vec<&str> = functions.iter().map(|call| call.text.as_str()).collect();
                read("streamFlatMapV1").with("tableFunctions", json!(calls)).end()
            }
            StepKind::SelectKey { keys, store } => self.select_key(step, *keys, store.is_some()),
            StepKind::GroupBy { keys: None } => {
                read("streamGroupByKeyV1").with("internalFormats", internal(step)).end()
            }
            StepKind::GroupBy { keys: Some(keys) } => read(ty("streamGroupByV2", "tableGroupByV2"))
                .with("internalFormats", internal(step))
                .with("groupByExpressions", json!(texts(keys)))
                .end(),
            StepKind::Aggregate(aggregation) => self.aggregate(step, aggregation),
            // A query with such a step has no plan.
            StepKind::Over(_) => read("over").end(),
            StepKind::StreamStreamJoin(join) => self.stream_stream(step, join),
            StepKind::StreamTableJoin(joined) => {
                let fields = Fields::of(step, "streamTableJoinV1")
                    .with("joinType", json!(join_type(joined.kind)))
                    .with("internalFormats", internal(&step.inputs[0]));
                self.sides(step, fields).with("keyColName", key_name(step)).end()
            }
            StepKind::TableTableJoin(joined) => {
                let fields = Fields::of(step, "tableTableJoinV1")
                    .with("joinType", json!(join_type(joined.kind)));
                self.sides(step, fields).with("keyColName", key_name(step)).end()
            }
            StepKind::ForeignKeyJoin { subscribe, .. } => {
                let fields = Fields::of(step, "fkTableTableJoinV1")
                    .with("joinType", json!(if subscribe.is_left { "LEFT" } else { "INNER" }))
                    .with("leftJoinColumnName", Value::Null)
                    .with("leftJoinExpression", json!(subscribe.foreign_key.text))
                    .with("formats", internal(&step.inputs[0]));
                self.sides(step, fields).end()
            }
            StepKind::Sink(sink) => read(ty("streamSinkV1", "tableSinkV1"))
                .with("formats", sink_formats(sink))
                .with("topicName", json!(sink.topic))
                .with("timestampColumn", timestamp(sink.timestamp.as_ref()))
                .end(),
        }
    }

    /// The fields of a step that reads one other.
    fn reading(&self, step: &Step<'_>, ty: &str) -> Fields {
        Fields::of(step, ty).with("source", self.step(&step.inputs[0]))
    }

    /// The same of one that reads two.
    fn sides(&self, step: &Step<'_>, fields: Fields) -> Fields {
        let fields = fields.with("leftSource", self.step(&step.inputs[0]));
        fields.with("rightSource", self.step(&step.inputs[1]))
    }

    fn select(&self, step: &Step<'_>, columns: &[NamedExpr]) -> Value {
        let ty = if step.is_table() { "tableSelectV1" } else { "streamSelectV1" };
        let fields = self.reading(step, ty).with("keyColumnNames", json!(names(&step.schema.key)));
        let selected = json!(selected(columns, step.inputs[0].schema));
        if step.is_table() {
            let fields = fields.with("selectExpressions", selected);
            fields.with("internalFormats", internal(step)).end()
        } else {
            let fields = fields.with("selectedKeys", Value::Null);
            fields.with("selectExpressions", selected).end()
        }
    }

    fn select_key(&self, step: &Step<'_>, keys: KeyedBy<'_>, is_table: bool) -> Value {
        let fields = if is_table {
            self.reading(step, "tableSelectKeyV1").with("internalFormats", internal(step))
        } else {
            self.reading(step, "streamSelectKeyV2")
        };
        fields.with("keyExpression", json!(key_texts(keys))).end()
    }

    fn aggregate(&self, step: &Step<'_>, aggregation: &Aggregation) -> Value {
        let grouped = &step.inputs[0];
        let ty = match (grouped.is_table(), aggregation.window.is_some()) {
            (true, _) => "tableAggregateV1",
            (false, false) => "streamAggregateV1",
            (false, true) => "streamWindowedAggregateV1",
        };
        let kept = grouped.schema.value.iter().take(aggregation.kept_columns);
        let kept: Vec<&str> = kept.map(|column| &*column.name).collect();
        let calls: Vec<&str> = aggregation.calls.iter().map(|call| call.text.as_str()).collect();
        let fields = Fields::of(step, ty)
            .with("source", self.step(grouped))
            .with("internalFormats", internal(step))
            .with("nonAggregateColumns", json!(kept))
            .with("aggregationFunctions", json!(calls));
        match aggregation.window {
            Some(_) => fields.with("windowExpression", self.window.clone()).end(),
            None => fields.end(),
        }
    }

    fn stream_stream(&self, step: &Step<'_>, join: &StreamStreamJoin) -> Value {
        let stores = [&join.this_store, &join.other_store];
        let [left, right] = if join.is_exchanged { [stores[1], stores[0]] } else { stores };
        let kind = if join.is_exchanged { JoinKind::Right } else { join.kind };
        let formats = |store: &crate::plan::StoreSpec| {
            internal_formats(&store.key_format, &store.value_format, store.stored.key.len())
        };
        let fields = Fields::of(step, "streamStreamJoinV1")
            .with("joinType", json!(join_type(kind)))
            .with("leftInternalFormats", formats(left))
            .with("rightInternalFormats", formats(right));
        self.sides(step, fields)
            .with("beforeMillis", seconds(join.before_ms))
            .with("afterMillis", seconds(join.after_ms))
            .with("graceMillis", join.grace_ms.map_or(Value::Null, seconds))
            .with("keyColName", key_name(step))
            .end()
    }
}

fn source_step(step: &Step<'_>, source: &Source) -> Value {
    let is_windowed = source.is_windowed();
    let ty = match (step.is_table(), is_windowed) {
        (false, false) => "streamSourceV1",
        (false, true) => "windowedStreamSourceV1",
        (true, false) => "tableSourceV2",
        (true, true) => "windowedTableSourceV1",
    };
    let mut fields = Fields::of(step, ty)
        .with("topicName", json!(source.topic))
        .with("formats", formats(source));
    if is_windowed {
        fields = fields.with("windowInfo", window_info(source.window, None));
    }
    fields = fields
        .with("timestampColumn", timestamp(source.timestamp.as_ref()))
        .with("sourceSchema", json!(source_schema(source)))
        .with("pseudoColumnVersion", json!(PSEUDO_COLUMNS));
    if step.is_table() && !is_windowed {
        fields = fields.with("stateStoreFormats", internal(step));
    }
    fields.end()
}

fn join_type(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "INNER",
        JoinKind::Left => "LEFT",
        JoinKind::Right => "RIGHT",
        JoinKind::Full => "OUTER",
    }
}

fn names(columns: &[ColumnDef]) -> Vec<&str> {
    columns.iter().map(|column| &*column.name).collect()
}

fn key_name(step: &Step<'_>) -> Value {
    json!(names(&step.schema.key).first())
}

fn texts(exprs: &[NamedExpr]) -> Vec<&str> {
    exprs.iter().map(|expr| expr.text.as_str()).collect()
}

fn key_texts(keys: KeyedBy<'_>) -> Vec<&str> {
    match keys {
        KeyedBy::Expressions(keys) => texts(keys),
        KeyedBy::Nothing => vec!["null"],
    }
}

/// Expressions with the columns that they fill.
fn selected(columns: &[NamedExpr], input: &Schema) -> Vec<String> {
    let is_column = |text: &str| input.value.iter().any(|column| &*column.name == text);
    let text = |text: &str| if is_column(text) { identifier(text) } else { text.to_owned() };
    let selected = columns.iter();
    selected
        .map(|column| format!("{} AS {}", text(&column.text), identifier(&column.name)))
        .collect()
}

/// The columns of a source, in the order in which they were declared.
pub(super) fn source_schema(source: &Source) -> String {
    let text = |(name, ty, from): (&str, SqlType, FilledFrom<'_>)| match from {
        FilledFrom::Key => format!("`{name}` {ty} KEY"),
        FilledFrom::Value => format!("`{name}` {ty}"),
        FilledFrom::Headers(Some(key)) => format!("`{name}` {ty} HEADER('{key}')"),
        FilledFrom::Headers(None) => format!("`{name}` {ty} HEADERS"),
    };
    source.columns().map(text).collect::<Vec<_>>().join(", ")
}

/// The formats of a source.
pub(super) fn formats(source: &Source) -> Value {
    let columns = (source.schema.key.len(), source.schema.value.len());
    formats_of((&source.key_format, &source.value_format), columns)
}

fn sink_formats(sink: &Sink) -> Value {
    let columns = (sink.schema.key.len(), sink.schema.value.len());
    formats_of((&sink.key_format, &sink.value_format), columns)
}

fn formats_of((key, value): (&FormatSpec, &FormatSpec), columns: (usize, usize)) -> Value {
    let key_feature = key.feature(columns.0, Role::Key);
    let value_feature = value.feature(columns.1, Role::Value);
    with_features(key, value, key_feature, value_feature)
}

/// How what a step gives is written where only its query reads it.
fn internal(step: &Step<'_>) -> Value {
    internal_formats(step.key_format, step.value_format, step.schema.key.len())
}

fn internal_formats(key: &FormatSpec, value: &FormatSpec, key_columns: usize) -> Value {
    with_features(key, value, key.feature(key_columns, Role::Key), None)
}

fn with_features(
    key: &FormatSpec,
    value: &FormatSpec,
    key_feature: Option<&str>,
    value_feature: Option<&str>,
) -> Value {
    let mut formats = Map::new();
    formats.insert("keyFormat".to_owned(), format(key));
    formats.insert("valueFormat".to_owned(), format(value));
    for (name, feature) in [("keyFeatures", key_feature), ("valueFeatures", value_feature)] {
        if let Some(feature) = feature {
            formats.insert(name.to_owned(), json!([feature]));
        }
    }
    Value::Object(formats)
}

fn format(spec: &FormatSpec) -> Value {
    let properties: Map<String, Value> = spec
        .properties()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({ "format": spec.format.name(), "properties": properties })
}

/// The column that gives records their time.
pub(super) fn timestamp(timestamp: Option<&TimestampColumn>) -> Value {
    timestamp.map_or(
        Value::Null,
        |timestamp| json!({ "column": timestamp.column, "format": timestamp.format }),
    )
}

/// The windows of keys, and when their results are emitted.
pub(super) fn window_info(window: Option<SourceWindow>, emit: Option<&str>) -> Value {
    window.map_or(Value::Null, |window| {
        json!({
            "type": window.kind.as_str(),
            "size": window.size_ms.map_or(Value::Null, seconds),
            "emitStrategy": emit,
        })
    })
}

/// A length of time as it is written in a statement.
pub(super) fn duration(duration: ast::Duration) -> Value {
    json!({ "value": duration.count, "timeUnit": duration.unit.as_str() })
}

/// A length of time in seconds, to the billionth.
fn seconds(ms: i64) -> Value {
    let text = format!("{}.{:03}000000", ms / 1_000, ms % 1_000);
    text.parse::<Number>().map_or(Value::Null, Value::Number)
}
