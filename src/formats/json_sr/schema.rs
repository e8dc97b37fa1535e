//! JSON schemas, as Confluent's converter takes them for Kafka Connect's types.

use serde_json::{Map as JsonMap, Value as Json};

use crate::formats::connect::{ConnectField, ConnectType, DECIMAL_PRECISION};
use crate::java::{DEFAULT_CAPACITY, hash_code, hash_map_order};
use crate::registry::schema::ResolvedSchema;

/// How deeply schemas may be nested, references counted.
const DEPTH_MAX: usize = 100;

/// What the fields of a choice between several types are called, before their number.
const CHOICE: &str = "io.confluent.connect.json.OneOf.field.";

/// A type, and what a value of it may be.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Whether `null` may stand for it.
    pub(super) is_optional: bool,
    /// What stands for it where it is not there, or `null`.
    pub(super) default: Option<Json>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    String,
    Bytes,
    Decimal {
        precision: u32,
        scale: i32,
    },
    Date,
    Time,
    Timestamp,
    Array(Box<Node>),
    /// Objects of `key` and `value`, or the members of an object.
    Map(Box<Node>, Box<Node>),
    Struct(Vec<Property>),
    /// One of several types: a record with a field for each.
    Choice(Vec<Property>),
}

#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) node: Node,
}

type SchemaError = String;

/// Reads a schema.
pub(super) fn parse(schema: &ResolvedSchema) -> Result<Node, SchemaError> {
    let read = |text: &str| serde_json::from_str::<Json>(text).map_err(|error| error.to_string());
    let root = read(&schema.text)?;
    let mut imports = Vec::new();
    for import in &schema.imports {
        imports.push((import.name.clone(), read(&import.text)?));
    }
    Parser { root: &root, imports: &imports, depth: 0 }.node(&root)
}

struct Parser<'j> {
    /// The document that local references are looked up in.
    root: &'j Json,
    imports: &'j [(String, Json)],
    depth: usize,
}

type Object = JsonMap<String, Json>;

impl<'j> Parser<'j> {
    fn node(&mut self, json: &'j Json) -> Result<Node, SchemaError> {
        if self.depth >= DEPTH_MAX {
            return Err("java.lang.StackOverflowError".to_owned());
        }
        let Json::Object(object) = json else {
            return Err(format!("Unsupported schema type {json}"));
        };
        self.depth += 1;
        let node = self.object(object);
        self.depth -= 1;
        let node = node?;
        Ok(match object.get("default") {
            Some(default) if !default.is_null() => Node { default: Some(default.clone()), ..node },
            _ => node,
        })
    }

    fn object(&mut self, object: &'j Object) -> Result<Node, SchemaError> {
        if let Some(Json::String(reference)) = object.get("$ref") {
            return self.reference(reference);
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(Json::Array(branches)) = object.get(choice) {
                return self.choice(branches);
            }
        }
        if let Some(Json::Array(parts)) = object.get("allOf") {
            return self.all_of(parts);
        }
        match object.get("type") {
            Some(Json::String(ty)) => self.typed(ty, object),
            Some(Json::Array(types)) => self.type_list(types, object),
            _ if object.contains_key("properties") => self.typed("object", object),
            _ if object.contains_key("items") => self.typed("array", object),
            _ if object.contains_key("enum") || object.contains_key("const") => {
                self.typed("string", object)
            }
            _ => Err("Unsupported schema type org.everit.json.schema.EmptySchema".to_owned()),
        }
    }

    fn reference(&mut self, reference: &str) -> Result<Node, SchemaError> {
        let missing = || format!("could not evaluate URI \"{reference}\"");
        let (document, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let outer = self.root;
        if !document.is_empty() {
            let found = self.imports.iter().find(|(name, _)| name == document);
            self.root = found.map(|(_, json)| json).ok_or_else(missing)?;
        }
        let found = self.root.pointer(pointer).ok_or_else(missing);
        let node = found.and_then(|json| self.node(json));
        self.root = outer;
        node
    }

    /// A choice between types, of which `null` only says that it may be absent.
    fn choice(&mut self, branches: &'j [Json]) -> Result<Node, SchemaError> {
        let (nulls, others): (Vec<_>, Vec<_>) =
            branches.iter().partition(|branch| branch.get("type") == Some(&Json::from("null")));
        let nodes = others.into_iter().map(|branch| self.node(branch));
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        Ok(chosen(nodes, !nulls.is_empty()))
    }

    /// A list of types; what is said beside it belongs to none of them.
    fn type_list(&mut self, types: &[Json], object: &'j Object) -> Result<Node, SchemaError> {
        let is_nullable = types.iter().any(|ty| ty == "null");
        let mut nodes = Vec::new();
        for ty in types.iter().filter_map(Json::as_str).filter(|ty| *ty != "null") {
            nodes.push(match ty {
                "object" | "array" => self.typed(ty, object)?,
                _ => self.typed(ty, &EMPTY)?,
            });
        }
        Ok(chosen(nodes, is_nullable))
    }

    /// All of several schemas at once: the properties of all objects, or the first that is a type.
    fn all_of(&mut self, parts: &'j [Json]) -> Result<Node, SchemaError> {
        let mut merged: Option<Node> = None;
        for part in parts {
            let Ok(node) = self.node(part) else { continue };
            merged = Some(match (merged, node) {
                (None, node) => node,
                (Some(mut first), Node { kind: Kind::Struct(more), .. }) => {
                    if let Kind::Struct(properties) = &mut first.kind {
                        properties.extend(more);
                    }
                    first
                }
                (Some(first), _) => first,
            });
        }
        merged.ok_or_else(|| "Unsupported criterion allOf".to_owned())
    }

    fn typed(&mut self, ty: &str, object: &'j Object) -> Result<Node, SchemaError> {
        let text = |name: &str| object.get(name).and_then(Json::as_str);
        let connect = text("connect.type");
        let title = text("title").and_then(|t| t.strip_prefix("org.apache.kafka.connect.data."));
        let kind = match (ty, connect, title) {
            ("boolean", ..) => Kind::Boolean,
            (_, Some("bytes"), Some("Decimal")) => decimal(object),
            ("integer", _, Some("Date")) => Kind::Date,
            ("integer", _, Some("Time")) => Kind::Time,
            ("integer", _, Some("Timestamp")) => Kind::Timestamp,
            ("integer" | "number", Some("int8"), _) => Kind::Int8,
            ("integer" | "number", Some("int16"), _) => Kind::Int16,
            ("integer" | "number", Some("int32"), _) => Kind::Int32,
            ("integer", ..) | ("number", Some("int64"), _) => Kind::Int64,
            ("number", Some("float32"), _) => Kind::Float32,
            ("number", ..) => Kind::Float64,
            ("string", Some("bytes"), _) => Kind::Bytes,
            ("string", ..) => Kind::String,
            ("array", Some("map"), _) => self.entries(object)?,
            ("array", ..) => {
                let items = object.get("items").ok_or("Array schema did not specify the items")?;
                Kind::Array(Box::new(self.node(items)?))
            }
            ("object", Some("map"), _) => {
                let values = object.get("additionalProperties");
                let values = values.ok_or("Map schema did not specify the values")?;
                let key = Node { kind: Kind::String, is_optional: false, default: None };
                Kind::Map(Box::new(key), Box::new(self.node(values)?))
            }
            ("object", ..) => Kind::Struct(self.properties(object)?),
            (other, ..) => return Err(format!("Unsupported schema type {other}")),
        };
        Ok(Node { kind, is_optional: false, default: None })
    }

    fn entries(&mut self, object: &'j Object) -> Result<Kind, SchemaError> {
        let properties = object.get("items").and_then(|items| items.get("properties"));
        let part = |name: &str| properties.and_then(|properties| properties.get(name));
        let (Some(key), Some(value)) = (part("key"), part("value")) else {
            return Err("Map schema did not specify key and value".to_owned());
        };
        Ok(Kind::Map(Box::new(self.node(key)?), Box::new(self.node(value)?)))
    }

    /// The properties in the order of their `connect.index`, else as a `HashMap` holds them.
    fn properties(&mut self, object: &'j Object) -> Result<Vec<Property>, SchemaError> {
        let Some(Json::Object(members)) = object.get("properties") else { return Ok(Vec::new()) };
        let members: Vec<_> = members.iter().collect();
        let hashes: Vec<_> = members.iter().map(|(name, _)| hash_code(name)).collect();
        let mut order = hash_map_order(&hashes, DEFAULT_CAPACITY);
        let place = |at: &usize| {
            let index = members[*at].1.get("connect.index").and_then(Json::as_i64);
            index.unwrap_or(i64::from(i32::MAX))
        };
        order.sort_by_key(place);
        let mut properties = Vec::new();
        for at in order {
            let (name, json) = members[at];
            properties.push(Property { name: name.clone(), node: self.node(json)? });
        }
        Ok(properties)
    }
}

/// An object that says nothing.
static EMPTY: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Object::new);

/// The only type of a choice, or the record of all of them.
fn chosen(mut nodes: Vec<Node>, is_optional: bool) -> Node {
    if nodes.len() == 1 && is_optional {
        let node = nodes.swap_remove(0);
        return Node { is_optional: true, ..node };
    }
    let property = |(index, node)| Property { name: format!("{CHOICE}{index}"), node };
    let properties = nodes.into_iter().enumerate().map(property).collect();
    Node { kind: Kind::Choice(properties), is_optional, default: None }
}

fn decimal(object: &Object) -> Kind {
    let parameter = |name: &str| {
        object.get("connect.parameters")?.get(name)?.as_str()?.trim().parse::<i64>().ok()
    };
    let precision = parameter("connect.decimal.precision").and_then(|p| u32::try_from(p).ok());
    let scale = parameter("scale").and_then(|scale| i32::try_from(scale).ok());
    Kind::Decimal { precision: precision.unwrap_or(DECIMAL_PRECISION), scale: scale.unwrap_or(0) }
}

impl Node {
    /// The type as Kafka Connect has it.
    pub(super) fn connect_type(&self) -> ConnectType {
        match &self.kind {
            Kind::Boolean => ConnectType::Boolean,
            Kind::Int8 => ConnectType::Int8,
            Kind::Int16 => ConnectType::Int16,
            Kind::Int32 => ConnectType::Int32,
            Kind::Int64 => ConnectType::Int64,
            Kind::Float32 => ConnectType::Float32,
            Kind::Float64 => ConnectType::Float64,
            Kind::String => ConnectType::String,
            Kind::Bytes => ConnectType::Bytes,
            Kind::Decimal { precision, scale } => {
                ConnectType::Decimal { precision: *precision, scale: *scale }
            }
            Kind::Date => ConnectType::Date,
            Kind::Time => ConnectType::Time,
            Kind::Timestamp => ConnectType::Timestamp,
            Kind::Array(item) => ConnectType::Array(Box::new(item.connect_type())),
            Kind::Map(key, value) => {
                ConnectType::Map(Box::new(key.connect_type()), Box::new(value.connect_type()))
            }
            Kind::Struct(properties) | Kind::Choice(properties) => {
                let field = |property: &Property| ConnectField {
                    name: property.name.clone(),
                    ty: property.node.connect_type(),
                };
                ConnectType::Struct(properties.iter().map(field).collect())
            }
        }
    }
}
