//! JSON Schema: what a schema allows, as a graph of nodes, and how two of them differ.

mod arrays;
mod combined;
mod compare;
mod objects;
mod parse;
mod scalars;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use compare::differences;

use super::DEPTH_MAX;
use crate::registry::schema::Import;

/// The number of a node in its schema.
type NodeId = usize;

/// A schema: its nodes, of which references make a graph.
#[derive(Debug)]
pub(in crate::registry::embedded) struct Schema {
    nodes: Vec<Node>,
    root: NodeId,
    json: Value,
}

/// What a value must be.
#[derive(Debug)]
struct Node {
    kind: Kind,
    has_default: bool,
}

#[derive(Debug)]
enum Kind {
    /// Anything: `true`, `{}`, or nothing but annotations.
    Any,
    /// Nothing: `false`.
    Never,
    /// What another node says.
    Reference(NodeId),
    String(Strings),
    Number(Numbers),
    Boolean,
    Null,
    Enum(Vec<Value>),
    Const,
    Object(Box<Objects>),
    Array(Box<Arrays>),
    Combined(Criterion, Vec<NodeId>),
    Not(NodeId),
    /// `if`, `then` and `else`, which are not compared.
    Conditional,
}

/// How many of a list of schemas must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Criterion {
    All,
    Any,
    One,
}

#[derive(Debug, Default)]
struct Strings {
    length_min: Option<f64>,
    length_max: Option<f64>,
    pattern: Option<String>,
}

#[derive(Debug, Default)]
struct Numbers {
    is_integer: bool,
    minimum: Option<f64>,
    maximum: Option<f64>,
    exclusive_minimum: Option<f64>,
    exclusive_maximum: Option<f64>,
    multiple_of: Option<f64>,
}

#[derive(Debug, Default)]
struct Objects {
    properties: BTreeMap<String, NodeId>,
    required: Vec<String>,
    /// Patterns of names, with the schemas of such properties.
    patterns: Vec<(String, NodeId)>,
    additional: More,
    properties_min: Option<f64>,
    properties_max: Option<f64>,
    property_dependencies: BTreeMap<String, Vec<String>>,
    schema_dependencies: BTreeMap<String, NodeId>,
}

#[derive(Debug, Default)]
struct Arrays {
    /// The schema of all items.
    all: Option<NodeId>,
    /// The schemas of the first ones.
    items: Vec<NodeId>,
    additional: More,
    items_min: Option<f64>,
    items_max: Option<f64>,
    is_unique: bool,
}

/// What may stand beside what is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum More {
    /// Anything.
    #[default]
    Open,
    /// Nothing.
    Closed,
    /// What a schema says.
    Of(NodeId),
}

impl Schema {
    /// Reads a schema; `$ref`s to what it uses are by their names.
    pub(super) fn parse(text: &str, imports: &[Import]) -> Result<Self, String> {
        parse::schema(text, imports)
    }

    /// The text without spaces.
    pub(super) fn text(&self) -> String {
        self.json.to_string()
    }

    /// The text with all names in order.
    pub(super) fn normalised(&self) -> String {
        sorted(&self.json).to_string()
    }

    /// What a node says, behind references.
    fn resolve(&self, mut id: NodeId) -> (NodeId, &Node) {
        // A reference that leads back to itself says nothing; its last node is as good as any.
        for _ in 0..self.nodes.len() {
            match self.nodes[id].kind {
                Kind::Reference(next) => id = next,
                _ => break,
            }
        }
        (id, &self.nodes[id])
    }
}

fn sorted(json: &Value) -> Value {
    match json {
        Value::Object(fields) => {
            let mut names: Vec<_> = fields.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            let sorted: Map<String, Value> =
                names.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            sorted.into()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
