//! What tells whether state belongs to a plan.
//!
//! The fingerprint covers everything that decides the bytes and the meaning of a query's state: the
//! statement, how its sources are read, and the nodes with their stores, schemas, formats and windows.
//! It is kept beside state on disk, so it must not change by itself: what is hashed is a text of its
//! own, not what people are shown, and its version stands in its first line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::{
    AggregateWindow, Aggregation, JoinKind, Node, NodeId, NodeKind, Over, OverFunction, QueryPlan,
    RowFormats, Source, SourceColumn, SourceWindow, StoreSpec, StreamStreamJoin, frame_columns,
};
use crate::formats::{FormatSpec, NullableRepresentation};
use crate::sql::ast::SourceKind;
use crate::types::{Schema, WindowKind};

/// How many bytes of the hash are enough.
const BYTES: usize = 16;

/// The fingerprint of a plan, in hexadecimal digits.
pub fn fingerprint(plan: &QueryPlan) -> String {
    let mut text = Text("millstream plan 1\n".to_owned());
    text.field("sql", &plan.sql);
    let counted = counted_columns(plan);
    for (id, source) in plan.sources() {
        text.source(source, counted.get(&id).unwrap_or(&source.schema));
    }
    for (NodeId(index), node) in plan.nodes() {
        text.field("step", &node.name);
        text.inputs(index, node);
        text.field("does", name_of(&node.kind));
        text.kind(&node.kind);
        let schema = counted.get(&NodeId(index)).unwrap_or(&node.schema);
        text.field("gives", &schema.to_string());
    }
    let hash = Sha256::digest(text.0.as_bytes());
    hash.iter().take(BYTES).fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}"); // writing to a text cannot fail
        digits
    })
}

/// The columns that count where not all do. Those of a stream whose schema is in a registry change by themselves: a field
/// that others add, and that the query does not read, changes nothing of its state.
fn counted_columns(plan: &QueryPlan) -> BTreeMap<NodeId, Schema> {
    let mut counted = BTreeMap::new();
    for (id, source) in plan.sources() {
        let is_stream = matches!(plan.node(id).kind, NodeKind::StreamSource { .. });
        if !is_stream || !source.value_format.format.supports_schema_inference() {
            continue;
        }
        let (used, frame) = (plan.used_columns(id), frame_columns(source));
        let is_used = |at: usize| {
            let columns = frame.iter().zip(&used);
            columns
                .into_iter()
                .any(|(column, used)| *used && column.from == SourceColumn::Value(at))
        };
        let mut schema = source.schema.clone();
        let mut at = 0..;
        schema.value.retain(|_| at.next().is_some_and(is_used));
        // Filters give on what they are given.
        let mut node = Some(id);
        while let Some(at) = node {
            counted.insert(at, schema.clone());
            let next = plan.successor(at).map(|(next, _)| next);
            node = next.filter(|next| matches!(plan.node(*next).kind, NodeKind::Filter { .. }));
        }
    }
    counted
}

/// Fields, one a line. Each says how long it is, so that none can look like two.
struct Text(String);

impl Text {
    fn field(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.0, "{name} {} {value}", value.len());
    }

    fn number(&mut self, name: &str, value: i64) {
        self.field(name, &value.to_string());
    }

    fn flag(&mut self, name: &str, is: bool) {
        self.field(name, if is { "yes" } else { "no" });
    }

    /// What a node reads, unless it is the node before it: a chain says nothing of it.
    fn inputs(&mut self, index: usize, node: &Node) {
        match &*node.inputs {
            [] if index == 0 => {}
            [NodeId(input)] if input + 1 == index => {}
            inputs => {
                self.number("reads", inputs.len() as i64);
                for NodeId(input) in inputs {
                    self.number("node", *input as i64);
                }
            }
        }
    }

    fn source(&mut self, source: &Source, columns: &Schema) {
        let kind = match source.kind {
            SourceKind::Stream => "stream",
            SourceKind::Table => "table",
        };
        self.field(kind, &source.topic);
        self.formats(&source.key_format, &source.value_format);
        self.field("columns", &columns.to_string());
        for header in &source.headers {
            self.field("header column", &header.name);
            self.field("header", header.key.as_deref().unwrap_or_default());
        }
        self.window(source.window);
        if let Some(timestamp) = &source.timestamp {
            self.field("time", &timestamp.column);
            self.field("pattern", timestamp.format.as_deref().unwrap_or_default());
        }
    }

    fn window(&mut self, window: Option<SourceWindow>) {
        let Some(SourceWindow { kind, size_ms }) = window else { return };
        let name = match kind {
            WindowKind::Tumbling => "tumbling",
            WindowKind::Hopping => "hopping",
            WindowKind::Session => "session",
        };
        self.number(name, size_ms.unwrap_or(0));
    }

    fn formats(&mut self, key: &FormatSpec, value: &FormatSpec) {
        for (role, spec) in [("key", key), ("value", value)] {
            self.field(role, &spec.format.to_string());
            if let Some(wrap) = spec.wrap {
                self.flag("wrap", wrap);
            }
            if let Some(delimiter) = spec.delimiter {
                self.field("delimiter", &delimiter.to_string());
            }
            if let Some(id) = spec.schema_id {
                self.number("schema", id.0.into());
            }
            if let Some(name) = &spec.full_schema_name {
                self.field("schema", name);
            }
            if let Some(nullable) = spec.nullable {
                let name = match nullable {
                    NullableRepresentation::Optional => "optional",
                    NullableRepresentation::Wrapper => "wrapper",
                };
                self.field("nullable", name);
            }
        }
    }

    fn kind(&mut self, kind: &NodeKind) {
        match kind {
            NodeKind::StreamSource { .. } | NodeKind::Held | NodeKind::Frame { .. } => {}
            NodeKind::TableSource { source, store } => {
                self.field("store", &store.name);
                if !source.headers.is_empty() {
                    self.flag("keeps headers", true);
                }
            }
            NodeKind::Filter { text, .. } => self.field("if", text),
            NodeKind::Select { columns: exprs }
            | NodeKind::PartitionBy { keys: exprs }
            | NodeKind::GroupBy { keys: exprs, .. } => {
                for expr in exprs {
                    self.field("column", &expr.name);
                    self.field("is", &expr.text);
                }
            }
            NodeKind::FlatMap { functions } => {
                for function in functions {
                    self.field("column", &function.name);
                    self.field("is", &function.text);
                }
            }
            NodeKind::Repartition(topic) => {
                self.field("topic", &topic.name);
                self.formats(&topic.key_format, &topic.value_format);
            }
            NodeKind::Aggregate(aggregation) => self.aggregation(aggregation),
            NodeKind::Over(over) => self.over(over),
            NodeKind::SelectKey { key, appends_key } => {
                self.field("column", &key.name);
                self.field("is", &key.text);
                self.flag("appends", *appends_key);
            }
            NodeKind::Materialize { store } => self.store(store),
            NodeKind::StreamStreamJoin(join) => self.stream_join(join),
            NodeKind::StreamTableJoin(joined) | NodeKind::TableTableJoin(joined) => {
                self.joined(joined.kind, joined.appends_key);
            }
            NodeKind::ForeignKeySubscribe(subscribe) => {
                self.field("is", &subscribe.foreign_key.text);
                self.flag("left", subscribe.is_left);
                self.rows(&subscribe.left);
                self.rows(&subscribe.right);
            }
            NodeKind::ForeignKeyAnswer(answer) => {
                self.store(&answer.store);
                self.rows(&answer.left);
                self.number("of", answer.right.0 as i64);
            }
            NodeKind::ForeignKeyResolve(resolve) => {
                self.flag("left", resolve.is_left);
                self.rows(&resolve.formats);
                self.number("of", resolve.left.0 as i64);
            }
        }
    }

    fn store(&mut self, store: &StoreSpec) {
        self.field("store", &store.name);
        self.field("stored", &store.stored.to_string());
        self.formats(&store.key_format, &store.value_format);
    }

    fn rows(&mut self, rows: &RowFormats) {
        self.field("rows", &rows.schema.to_string());
        self.formats(&rows.key_format, &rows.value_format);
    }

    fn joined(&mut self, kind: JoinKind, appends_key: bool) {
        let name = match kind {
            JoinKind::Inner => "inner",
            JoinKind::Left => "left",
            JoinKind::Right => "right",
            JoinKind::Full => "full",
        };
        self.field("join", name);
        self.flag("appends", appends_key);
    }

    fn aggregation(&mut self, aggregation: &Aggregation) {
        self.store(&aggregation.store);
        self.number("kept", aggregation.kept_columns as i64);
        for call in &aggregation.calls {
            self.field("call", &call.name);
            for arg in &call.args {
                self.number("of", *arg as i64);
            }
        }
        self.flag("final", aggregation.is_final);
        match aggregation.window {
            None => {}
            Some(AggregateWindow::Time { windows, retention_ms, is_hopping }) => {
                self.number(if is_hopping { "hopping" } else { "tumbling" }, windows.size_ms);
                self.number("advance", windows.advance_ms);
                self.number("grace", windows.grace_ms);
                self.number("retention", retention_ms);
            }
            Some(AggregateWindow::Session { gap_ms, grace_ms, retention_ms }) => {
                self.number("session", gap_ms);
                self.number("grace", grace_ms);
                self.number("retention", retention_ms);
            }
        }
    }

    fn over(&mut self, over: &Over) {
        over.stores().for_each(|store| self.store(store));
        if let Some(held) = &over.held {
            self.number("grace", held.grace_ms);
        }
        if let Some(retention_ms) = over.retention_ms {
            self.number("retention", retention_ms);
        }
        self.number("depth", over.depth as i64);
        self.number("lead", over.lead as i64);
        over.kept.iter().for_each(|column| self.number("kept", *column as i64));
        for call in &over.calls {
            self.field("call", &call.name);
            match &call.function {
                OverFunction::Lag { value, rows, default } => {
                    self.number("of", *value as i64);
                    self.number("before", *rows as i64);
                    if let Some(default) = default {
                        self.number("else", *default as i64);
                    }
                }
                OverFunction::Lead { value, rows, default } => {
                    self.number("of", *value as i64);
                    self.number("after", *rows as i64);
                    if let Some(default) = default {
                        self.number("else", *default as i64);
                    }
                }
                OverFunction::Aggregate { call, rows } => {
                    call.args.iter().for_each(|arg| self.number("of", *arg as i64));
                    match rows {
                        Some(rows) => self.number("rows", *rows as i64),
                        None => self.flag("all", true),
                    }
                }
            }
        }
    }

    fn stream_join(&mut self, join: &StreamStreamJoin) {
        self.joined(join.kind, join.appends_key);
        self.number("before", join.before_ms);
        self.number("after", join.after_ms);
        if let Some(grace_ms) = join.grace_ms {
            self.number("grace", grace_ms);
        }
        self.flag("exchanged", join.is_exchanged);
        self.window(join.window);
        join.stores().for_each(|store| self.store(store));
    }
}

fn name_of(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::StreamSource { .. } => "stream",
        NodeKind::TableSource { .. } => "table",
        NodeKind::Held => "held",
        NodeKind::Frame { .. } => "frame",
        NodeKind::Filter { .. } => "filter",
        NodeKind::Select { .. } => "select",
        NodeKind::PartitionBy { .. } => "partition",
        NodeKind::FlatMap { .. } => "flat map",
        NodeKind::GroupBy { .. } => "group",
        NodeKind::Repartition(_) => "repartition",
        NodeKind::Aggregate(_) => "aggregate",
        NodeKind::Over(_) => "over",
        NodeKind::SelectKey { .. } => "select key",
        NodeKind::Materialize { .. } => "materialize",
        NodeKind::StreamStreamJoin(_) => "stream stream join",
        NodeKind::StreamTableJoin(_) => "stream table join",
        NodeKind::TableTableJoin(_) => "table table join",
        NodeKind::ForeignKeySubscribe(_) => "foreign key subscribe",
        NodeKind::ForeignKeyAnswer(_) => "foreign key answer",
        NodeKind::ForeignKeyResolve(_) => "foreign key resolve",
    }
}
