//! A schema's JSON in the order in which Avro for Java writes it, so that the same content is the same text.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{full_name, namespace, primitive, simple_name};

/// Rewrites a schema that is known to make sense.
pub(super) struct Writer {
    /// The full names that are defined so far.
    defined: HashSet<String>,
    /// Whether attributes that mean nothing to Avro are put in the order of their names.
    is_sorted: bool,
}

impl Writer {
    pub(super) fn new(imported: &[String], is_sorted: bool) -> Self {
        Self { defined: imported.iter().cloned().collect(), is_sorted }
    }

    /// The text of a schema.
    pub(super) fn write(mut self, schema: &Value) -> String {
        self.ty(schema, None).to_string()
    }

    fn ty(&mut self, json: &Value, space: Option<&str>) -> Value {
        match json {
            Value::String(name) => self.name(name, space),
            Value::Array(branches) => {
                branches.iter().map(|branch| self.ty(branch, space)).collect()
            }
            Value::Object(attributes) => self.object(attributes, space),
            other => other.clone(),
        }
    }

    /// A type by its name, which is short within its own namespace.
    fn name(&self, name: &str, space: Option<&str>) -> Value {
        if primitive(name).is_some() {
            return name.into();
        }
        let full = full_name(name, space);
        let full = if self.defined.contains(&full) { full } else { name.to_owned() };
        if namespace(&full) == space { simple_name(&full).into() } else { full.into() }
    }

    fn object(&mut self, attributes: &Map<String, Value>, space: Option<&str>) -> Value {
        let Some(ty) = attributes.get("type") else { return attributes.clone().into() };
        let Some(name) = ty.as_str() else { return self.ty(ty, space) };
        match name {
            "record" | "error" => self.record(attributes, space),
            "enum" => {
                let mut out = self.definition(attributes, space).0;
                copy(attributes, &["doc", "symbols", "default"], &mut out);
                let known = ["type", "name", "namespace", "doc", "symbols", "default", "aliases"];
                self.close(attributes, &known, out)
            }
            "fixed" => {
                let mut out = self.definition(attributes, space).0;
                copy(attributes, &["doc", "size"], &mut out);
                let known = ["type", "name", "namespace", "doc", "size", "aliases"];
                self.close(attributes, &known, out)
            }
            "array" => self.container(attributes, "items", space),
            "map" => self.container(attributes, "values", space),
            name => {
                let mut out = Map::new();
                out.insert("type".into(), self.name(name, space));
                self.others(attributes, &["type"], &mut out);
                // A type without anything besides is its name.
                if out.len() == 1 { out.remove("type").unwrap_or_default() } else { out.into() }
            }
        }
    }

    fn container(
        &mut self,
        attributes: &Map<String, Value>,
        items: &str,
        space: Option<&str>,
    ) -> Value {
        let mut out = Map::new();
        copy(attributes, &["type"], &mut out);
        if let Some(of) = attributes.get(items) {
            out.insert(items.into(), self.ty(of, space));
        }
        self.others(attributes, &["type", items], &mut out);
        out.into()
    }

    fn record(&mut self, attributes: &Map<String, Value>, space: Option<&str>) -> Value {
        let (mut out, full) = self.definition(attributes, space);
        copy(attributes, &["doc"], &mut out);
        let fields = attributes.get("fields").and_then(Value::as_array).into_iter().flatten();
        let fields = fields.map(|field| self.field(field, namespace(&full))).collect();
        out.insert("fields".into(), fields);
        self.close(attributes, &["type", "name", "namespace", "doc", "fields", "aliases"], out)
    }

    fn field(&mut self, field: &Value, space: Option<&str>) -> Value {
        let Some(attributes) = field.as_object() else { return field.clone() };
        let mut out = Map::new();
        copy(attributes, &["name"], &mut out);
        if let Some(ty) = attributes.get("type") {
            out.insert("type".into(), self.ty(ty, space));
        }
        copy(attributes, &["doc", "default"], &mut out);
        if attributes.get("order").is_some_and(|order| order != "ascending") {
            copy(attributes, &["order"], &mut out);
        }
        if attributes.get("aliases") != Some(&Value::Array(Vec::new())) {
            copy(attributes, &["aliases"], &mut out);
        }
        let known = ["name", "type", "doc", "default", "order", "aliases"];
        self.others(attributes, &known, &mut out);
        out.into()
    }

    /// Begins a type with a name, and gives its full name.
    fn definition(
        &mut self,
        attributes: &Map<String, Value>,
        space: Option<&str>,
    ) -> (Map<String, Value>, String) {
        let name = attributes.get("name").and_then(Value::as_str).unwrap_or_default();
        let own = attributes.get("namespace").map(|own| own.as_str().unwrap_or_default());
        let full = full_name(name, own.or(space));
        let mut out = Map::new();
        copy(attributes, &["type"], &mut out);
        out.insert("name".into(), simple_name(&full).into());
        if namespace(&full) != space {
            out.insert("namespace".into(), namespace(&full).unwrap_or_default().into());
        }
        self.defined.insert(full.clone());
        (out, full)
    }

    /// Adds the attributes that are not Avro's, then the aliases.
    fn close(
        &self,
        attributes: &Map<String, Value>,
        known: &[&str],
        mut out: Map<String, Value>,
    ) -> Value {
        self.others(attributes, known, &mut out);
        copy(attributes, &["aliases"], &mut out);
        out.into()
    }

    fn others(
        &self,
        attributes: &Map<String, Value>,
        known: &[&str],
        out: &mut Map<String, Value>,
    ) {
        let mut others: Vec<_> =
            attributes.iter().filter(|(name, _)| !known.contains(&name.as_str())).collect();
        if self.is_sorted {
            others.sort_by_key(|(name, _)| *name);
        }
        for (name, value) in others {
            out.insert(name.clone(), value.clone());
        }
    }
}

fn copy(from: &Map<String, Value>, names: &[&str], to: &mut Map<String, Value>) {
    for name in names {
        if let Some(value) = from.get(*name) {
            to.insert((*name).to_owned(), value.clone());
        }
    }
}
