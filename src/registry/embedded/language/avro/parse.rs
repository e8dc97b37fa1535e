//! From JSON to types.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{DEPTH_MAX, Field, Kind, Named, Names, Type, full_name, namespace, primitive};

/// Reads types, and remembers those with names.
#[derive(Default)]
pub(super) struct Parser {
    named: Vec<Named>,
    names: Names,
}

/// Reads the JSON of a schema. A bare word is the name of a type, as Avro for Java has it.
pub(super) fn json(text: &str) -> Result<Value, String> {
    let is_word = text.trim().chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.');
    if is_word && primitive(text.trim()).is_some() {
        return Ok(Value::from(text.trim()));
    }
    serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))
}

impl Parser {
    /// The full names of all types so far.
    pub(super) fn names(&self) -> Vec<String> {
        self.named.iter().map(|named| named.name.clone()).collect()
    }

    pub(super) fn into_named(self) -> Vec<Named> {
        self.named
    }

    /// Reads a type that stands in a namespace.
    pub(super) fn ty(
        &mut self,
        json: &Value,
        space: Option<&str>,
        depth: usize,
    ) -> Result<Type, String> {
        if depth > DEPTH_MAX {
            return Err(format!("types nest deeper than {DEPTH_MAX}"));
        }
        match json {
            Value::String(name) => self.by_name(name, space),
            Value::Array(branches) => self.union(branches, space, depth),
            Value::Object(attributes) => self.object(attributes, space, depth),
            other => Err(format!("No type: {other}")),
        }
    }

    fn by_name(&self, name: &str, space: Option<&str>) -> Result<Type, String> {
        if let Some(ty) = primitive(name) {
            return Ok(ty);
        }
        let found = self.names.get(&full_name(name, space)).or_else(|| self.names.get(name));
        let found = found.map(|index| Type::Named(*index));
        found.ok_or_else(|| format!("Undefined name: \"{name}\""))
    }

    fn union(
        &mut self,
        branches: &[Value],
        space: Option<&str>,
        depth: usize,
    ) -> Result<Type, String> {
        let mut types: Vec<Type> = Vec::new();
        for branch in branches {
            let ty = self.ty(branch, space, depth + 1)?;
            if matches!(ty, Type::Union(_)) {
                return Err(format!("Nested union: {branch}"));
            }
            let is_same = |other: &Type| match (other, &ty) {
                (Type::Array(_), Type::Array(_)) | (Type::Map(_), Type::Map(_)) => true,
                (other, ty) => other == ty,
            };
            if types.iter().any(is_same) {
                return Err(format!("Duplicate in union: {branch}"));
            }
            types.push(ty);
        }
        Ok(Type::Union(types))
    }

    fn object(
        &mut self,
        attributes: &Map<String, Value>,
        space: Option<&str>,
        depth: usize,
    ) -> Result<Type, String> {
        let Some(ty) = attributes.get("type") else {
            return Err(format!("No type: {}", Value::from(attributes.clone())));
        };
        let Some(name) = ty.as_str() else { return self.ty(ty, space, depth + 1) };
        match name {
            "record" | "error" => self.record(attributes, space, depth),
            "enum" => self.enumeration(attributes, space),
            "fixed" => self.fixed(attributes, space),
            "array" => {
                let items = attributes.get("items").ok_or("Array has no items type")?;
                Ok(Type::Array(Box::new(self.ty(items, space, depth + 1)?)))
            }
            "map" => {
                let values = attributes.get("values").ok_or("Map has no values type")?;
                Ok(Type::Map(Box::new(self.ty(values, space, depth + 1)?)))
            }
            name => self.by_name(name, space),
        }
    }

    fn record(
        &mut self,
        attributes: &Map<String, Value>,
        space: Option<&str>,
        depth: usize,
    ) -> Result<Type, String> {
        // Its fields may already be of its own type.
        let index = self.define(attributes, space, Kind::Open)?;
        let full = self.named[index].name.clone();
        let fields = attributes.get("fields").and_then(Value::as_array);
        let fields = fields.ok_or_else(|| format!("Record has no fields: {full}"))?;
        let mut read: Vec<Field> = Vec::new();
        let mut names = HashSet::new();
        for field in fields {
            let field = self.field(field, &full, depth)?;
            if !names.insert(field.name.clone()) {
                return Err(format!("Duplicate field {} in record {full}", field.name));
            }
            read.push(field);
        }
        self.named[index].kind = Kind::Record(read);
        Ok(Type::Named(index))
    }

    fn field(&mut self, json: &Value, record: &str, depth: usize) -> Result<Field, String> {
        let name = json.get("name").and_then(Value::as_str).ok_or("No field name")?;
        check_name(name)?;
        let ty = json.get("type").ok_or_else(|| format!("No field type: {name}"))?;
        let ty = self.ty(ty, namespace(record), depth + 1)?;
        let default = json.get("default");
        if let Some(default) = default {
            self.check_default(name, &ty, default)?;
        }
        let order = json.get("order").map(|order| order.as_str().unwrap_or_default());
        if order.is_some_and(|order| !["ascending", "descending", "ignore"].contains(&order)) {
            return Err(format!("Invalid order of field {name}"));
        }
        Ok(Field {
            name: name.to_owned(),
            aliases: strings(json.get("aliases"), "aliases")?,
            ty,
            has_default: default.is_some(),
        })
    }

    fn enumeration(
        &mut self,
        attributes: &Map<String, Value>,
        space: Option<&str>,
    ) -> Result<Type, String> {
        if !attributes.get("symbols").is_some_and(Value::is_array) {
            return Err("Enum has no symbols".to_owned());
        }
        let symbols = strings(attributes.get("symbols"), "symbols")?;
        let mut seen = HashSet::new();
        for symbol in &symbols {
            check_name(symbol)?;
            if !seen.insert(symbol) {
                return Err(format!("Duplicate enum symbol: {symbol}"));
            }
        }
        let default = match attributes.get("default") {
            None => None,
            Some(default) => {
                let known =
                    default.as_str().filter(|default| seen.contains(&(*default).to_owned()));
                let known = known.ok_or_else(|| {
                    format!("The Enum Default: {default} is not in the enum symbol set")
                })?;
                Some(known.to_owned())
            }
        };
        Ok(Type::Named(self.define(attributes, space, Kind::Enum { symbols, default })?))
    }

    fn fixed(
        &mut self,
        attributes: &Map<String, Value>,
        space: Option<&str>,
    ) -> Result<Type, String> {
        let size = attributes.get("size").and_then(Value::as_u64);
        let size = size.ok_or("Invalid or no size")?;
        Ok(Type::Named(self.define(attributes, space, Kind::Fixed { size })?))
    }

    /// Gives a type its name.
    fn define(
        &mut self,
        attributes: &Map<String, Value>,
        space: Option<&str>,
        kind: Kind,
    ) -> Result<usize, String> {
        let name = attributes.get("name").and_then(Value::as_str).ok_or("No name in schema")?;
        let own = attributes.get("namespace").map(|own| own.as_str().unwrap_or_default());
        let name = full_name(name, own.or(space));
        name.split('.').try_for_each(check_name)?;
        if primitive(&name).is_some() {
            return Err(format!("Schemas may not be named after primitives: {name}"));
        }
        let index = self.named.len();
        if self.names.insert(name.clone(), index).is_some() {
            return Err(format!("Can't redefine: {name}"));
        }
        let aliases = strings(attributes.get("aliases"), "aliases")?;
        let space = namespace(&name);
        let aliases = aliases.iter().map(|alias| full_name(alias, space)).collect();
        self.named.push(Named { name, aliases, kind });
        Ok(index)
    }

    fn check_default(&self, name: &str, ty: &Type, default: &Value) -> Result<(), String> {
        if super::default::fits(&self.named, ty, default, 0) {
            return Ok(());
        }
        Err(format!("Invalid default for field {name}: {default} not a {ty:?}"))
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let mut letters = name.chars();
    let first = letters.next().ok_or("Empty name")?;
    if !(first.is_ascii_alphabetic() || first == '_') {
        return Err(format!("Illegal initial character: {name}"));
    }
    if !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Err(format!("Illegal character in: {name}"));
    }
    Ok(())
}

fn strings(list: Option<&Value>, what: &str) -> Result<Vec<String>, String> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let strings = list.as_array().and_then(|list| {
        list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()
    });
    strings.ok_or_else(|| format!("{what} are no list of strings"))
}
