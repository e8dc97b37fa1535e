//! Avro's schemas, read from their JSON.

use std::collections::HashMap;

use serde_json::{Map as JsonMap, Value as Json};

use crate::formats::connect::{ConnectField, ConnectType, DECIMAL_PRECISION};
use crate::registry::schema::ResolvedSchema;

/// A schema with its records apart, since these may contain themselves.
#[derive(Clone, Debug)]
pub(in crate::formats) struct AvroSchema {
    pub(in crate::formats) root: Node,
    pub(in crate::formats) records: Vec<Record>,
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) enum Node {
    Null,
    Boolean,
    Int(IntKind),
    Long {
        is_timestamp: bool,
    },
    Float,
    Double,
    Bytes(Option<DecimalKind>),
    String,
    Fixed(usize, Option<DecimalKind>),
    Enum {
        name: String,
        symbols: Vec<String>,
    },
    Array(Box<Node>),
    /// An array of records of `key` and `value`, which Kafka Connect writes for a map.
    Entries(Box<Node>, Box<Node>),
    Map(Box<Node>),
    Union(Vec<Node>),
    /// By its place among the records.
    Record(usize),
}

/// What an `int` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum IntKind {
    Plain,
    Byte,
    Short,
    Date,
    Time,
}

/// A decimal in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) struct DecimalKind {
    pub(in crate::formats) precision: u32,
    pub(in crate::formats) scale: i32,
}

/// A record.
#[derive(Clone, Debug)]
pub(in crate::formats) struct Record {
    pub(in crate::formats) name: String,
    pub(in crate::formats) fields: Vec<Field>,
}

/// A field of a record.
#[derive(Clone, Debug)]
pub(in crate::formats) struct Field {
    pub(in crate::formats) name: String,
    pub(in crate::formats) node: Node,
    pub(in crate::formats) default: Option<Json>,
}

/// Why a schema cannot be used.
type SchemaError = String;

impl AvroSchema {
    /// Reads a schema and those that it refers to.
    pub(in crate::formats) fn parse(schema: &ResolvedSchema) -> Result<Self, SchemaError> {
        let mut parser = Parser::default();
        for import in &schema.imports {
            parser.text(&import.text)?;
        }
        let root = parser.text(&schema.text)?;
        Ok(Self { root, records: parser.records })
    }

    /// The type as Kafka Connect has it. A record within itself is an error, or, where `cuts`, one
    /// without fields.
    pub(in crate::formats) fn connect_type(&self, cuts: bool) -> Result<ConnectType, SchemaError> {
        Connecting { schema: self, cuts, open: Vec::new() }.of(&self.root)
    }
}

/// The branches of a union: which is NULL, and the only other one if there is but one.
pub(in crate::formats) fn optional(branches: &[Node]) -> Option<(usize, usize)> {
    match branches {
        [Node::Null, other] if *other != Node::Null => Some((0, 1)),
        [other, Node::Null] if *other != Node::Null => Some((1, 0)),
        _ => None,
    }
}

#[derive(Default)]
struct Parser {
    records: Vec<Record>,
    /// The types that have been named so far, by full name.
    named: HashMap<String, Node>,
}

impl Parser {
    fn text(&mut self, text: &str) -> Result<Node, SchemaError> {
        let json: Json = match serde_json::from_str(text) {
            Ok(json) => json,
            // The name of a type may stand without quotes, as Java's parser takes it.
            Err(_) if is_bare_name(text) => Json::String(text.trim().to_owned()),
            Err(error) => return Err(error.to_string()),
        };
        self.node(&json, "")
    }

    fn node(&mut self, json: &Json, namespace: &str) -> Result<Node, SchemaError> {
        match json {
            Json::String(name) => self.named_or_plain(name, namespace),
            Json::Array(branches) => {
                let branches = branches.iter().map(|branch| self.node(branch, namespace));
                Ok(Node::Union(branches.collect::<Result<_, _>>()?))
            }
            Json::Object(object) => self.object(object, namespace),
            _ => Err(format!("No type: {json}")),
        }
    }

    fn named_or_plain(&self, name: &str, namespace: &str) -> Result<Node, SchemaError> {
        if let Some(node) = plain(name) {
            return Ok(node);
        }
        let full = full_name(name, namespace);
        let found = self.named.get(&full).or_else(|| self.named.get(name));
        found.cloned().ok_or_else(|| format!("Undefined name: \"{full}\""))
    }

    fn object(
        &mut self,
        object: &JsonMap<String, Json>,
        namespace: &str,
    ) -> Result<Node, SchemaError> {
        let Some(ty) = object.get("type") else {
            return Err(format!("No type: {}", Json::Object(object.clone())));
        };
        let Json::String(name) = ty else { return self.node(ty, namespace) };
        match name.as_str() {
            "record" | "error" => self.record(object, namespace),
            "enum" => {
                let full = own_name(object, namespace)?;
                let symbols = list(object, "symbols").iter().filter_map(|s| s.as_str());
                let symbols = symbols.map(str::to_owned).collect();
                let node = Node::Enum { name: full.clone(), symbols };
                self.named.insert(full, node.clone());
                Ok(node)
            }
            "fixed" => {
                let full = own_name(object, namespace)?;
                let size = object.get("size").and_then(Json::as_u64);
                let size = size.and_then(|size| usize::try_from(size).ok());
                let size = size.ok_or_else(|| "Invalid or no size".to_owned())?;
                let node = Node::Fixed(size, decimal(object));
                self.named.insert(full, node.clone());
                Ok(node)
            }
            "array" => {
                let items = object.get("items").ok_or("Array has no items type")?;
                let item = self.node(items, namespace)?;
                Ok(match self.entries(&item, items) {
                    Some((key, value)) => Node::Entries(Box::new(key), Box::new(value)),
                    None => Node::Array(Box::new(item)),
                })
            }
            "map" => {
                let values = object.get("values").ok_or("Map has no values type")?;
                Ok(Node::Map(Box::new(self.node(values, namespace)?)))
            }
            _ => Ok(annotated(self.named_or_plain(name, namespace)?, object)),
        }
    }

    fn record(
        &mut self,
        object: &JsonMap<String, Json>,
        namespace: &str,
    ) -> Result<Node, SchemaError> {
        let full = own_name(object, namespace)?;
        let place = self.records.len();
        self.records.push(Record { name: full.clone(), fields: Vec::new() });
        let node = Node::Record(place);
        self.named.insert(full.clone(), node.clone());
        let inner = full.rsplit_once('.').map_or("", |(namespace, _)| namespace);
        let mut fields = Vec::new();
        for field in list(object, "fields") {
            let name = field.get("name").and_then(Json::as_str).ok_or("No field name")?;
            let ty = field.get("type").ok_or_else(|| format!("No field type: {field}"))?;
            fields.push(Field {
                name: name.to_owned(),
                node: self.node(ty, inner)?,
                default: field.get("default").cloned(),
            });
        }
        self.records[place].fields = fields;
        Ok(node)
    }

    /// The types of key and value, if the items of an array are the entries of a map.
    fn entries(&self, item: &Node, json: &Json) -> Option<(Node, Node)> {
        let Node::Record(place) = item else { return None };
        let record = &self.records[*place];
        let is_marked = json.get("connect.internal.type") == Some(&Json::from("MapEntry"))
            || record.name == "io.confluent.connect.avro.MapEntry";
        match &*record.fields {
            [key, value] if is_marked && key.name == "key" && value.name == "value" => {
                Some((key.node.clone(), value.node.clone()))
            }
            _ => None,
        }
    }
}

fn is_bare_name(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}

fn plain(name: &str) -> Option<Node> {
    Some(match name {
        "null" => Node::Null,
        "boolean" => Node::Boolean,
        "int" => Node::Int(IntKind::Plain),
        "long" => Node::Long { is_timestamp: false },
        "float" => Node::Float,
        "double" => Node::Double,
        "bytes" => Node::Bytes(None),
        "string" => Node::String,
        _ => return None,
    })
}

/// A plain type with what its object says about it.
fn annotated(node: Node, object: &JsonMap<String, Json>) -> Node {
    let text = |name: &str| object.get(name).and_then(Json::as_str);
    let logical = text("logicalType");
    let connect = text("connect.name");
    let is = |logical_name: &str, class: &str| {
        logical == Some(logical_name)
            || connect.and_then(|name| name.strip_prefix("org.apache.kafka.connect.data."))
                == Some(class)
    };
    match node {
        Node::Int(_) if is("date", "Date") => Node::Int(IntKind::Date),
        Node::Int(_) if is("time-millis", "Time") => Node::Int(IntKind::Time),
        Node::Int(_) if text("connect.type") == Some("int8") => Node::Int(IntKind::Byte),
        Node::Int(_) if text("connect.type") == Some("int16") => Node::Int(IntKind::Short),
        Node::Long { .. } => Node::Long { is_timestamp: is("timestamp-millis", "Timestamp") },
        Node::Bytes(_) if is("decimal", "Decimal") => Node::Bytes(decimal(object)),
        node => node,
    }
}

/// The decimal that an object describes, if it is one.
fn decimal(object: &JsonMap<String, Json>) -> Option<DecimalKind> {
    let is_decimal = object.get("logicalType") == Some(&Json::from("decimal"))
        || object.get("connect.name") == Some(&Json::from("org.apache.kafka.connect.data.Decimal"));
    let number = |name: &str| object.get(name).and_then(Json::as_i64);
    let parameter = |name: &str| {
        let parameters = object.get("connect.parameters")?;
        parameters.get(name)?.as_str()?.parse::<i64>().ok()
    };
    let precision = number("precision").or_else(|| parameter("connect.decimal.precision"));
    let scale = number("scale").or_else(|| parameter("scale")).unwrap_or(0);
    is_decimal.then(|| DecimalKind {
        precision: precision.and_then(|p| u32::try_from(p).ok()).unwrap_or(DECIMAL_PRECISION),
        scale: i32::try_from(scale).unwrap_or(0),
    })
}

fn list<'j>(object: &'j JsonMap<String, Json>, name: &str) -> &'j [Json] {
    object.get(name).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// The full name that an object gives itself.
fn own_name(object: &JsonMap<String, Json>, namespace: &str) -> Result<String, SchemaError> {
    let name = object.get("name").and_then(Json::as_str).ok_or("No name in schema")?;
    let namespace = object.get("namespace").and_then(Json::as_str).unwrap_or(namespace);
    Ok(full_name(name, namespace))
}

fn full_name(name: &str, namespace: &str) -> String {
    if namespace.is_empty() || name.contains('.') {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}

/// Turns types into Kafka Connect's.
struct Connecting<'s> {
    schema: &'s AvroSchema,
    cuts: bool,
    /// The records that are being turned.
    open: Vec<usize>,
}

impl Connecting<'_> {
    fn of(&mut self, node: &Node) -> Result<ConnectType, SchemaError> {
        Ok(match node {
            Node::Null => {
                return Err("Standalone null schemas are not supported by this converter".into());
            }
            Node::Boolean => ConnectType::Boolean,
            Node::Int(IntKind::Plain) => ConnectType::Int32,
            Node::Int(IntKind::Byte) => ConnectType::Int8,
            Node::Int(IntKind::Short) => ConnectType::Int16,
            Node::Int(IntKind::Date) => ConnectType::Date,
            Node::Int(IntKind::Time) => ConnectType::Time,
            Node::Long { is_timestamp: true } => ConnectType::Timestamp,
            Node::Long { .. } => ConnectType::Int64,
            Node::Float => ConnectType::Float32,
            Node::Double => ConnectType::Float64,
            Node::Bytes(None) | Node::Fixed(_, None) => ConnectType::Bytes,
            Node::Bytes(Some(decimal)) | Node::Fixed(_, Some(decimal)) => {
                ConnectType::Decimal { precision: decimal.precision, scale: decimal.scale }
            }
            Node::String | Node::Enum { .. } => ConnectType::String,
            Node::Array(item) => ConnectType::Array(Box::new(self.of(item)?)),
            Node::Entries(key, value) => {
                ConnectType::Map(Box::new(self.of(key)?), Box::new(self.of(value)?))
            }
            Node::Map(value) => {
                ConnectType::Map(Box::new(ConnectType::String), Box::new(self.of(value)?))
            }
            Node::Union(branches) => match optional(branches) {
                Some((_, other)) => self.of(&branches[other])?,
                None => self.union(branches)?,
            },
            Node::Record(place) => self.record(*place)?,
        })
    }

    fn record(&mut self, place: usize) -> Result<ConnectType, SchemaError> {
        if self.open.contains(&place) {
            return if self.cuts {
                Ok(ConnectType::Struct(Vec::new()))
            } else {
                Err("java.lang.StackOverflowError".to_owned())
            };
        }
        self.open.push(place);
        let schema = self.schema;
        let fields = schema.records[place]
            .fields
            .iter()
            .map(|field| Ok(ConnectField { name: field.name.clone(), ty: self.of(&field.node)? }));
        let fields = fields.collect::<Result<_, SchemaError>>()?;
        self.open.pop();
        Ok(ConnectType::Struct(fields))
    }

    /// A union of several types is a record with a field for each.
    fn union(&mut self, branches: &[Node]) -> Result<ConnectType, SchemaError> {
        let mut fields = Vec::new();
        for branch in branches.iter().filter(|branch| **branch != Node::Null) {
            let name = branch_name(branch, &self.schema.records).to_owned();
            fields.push(ConnectField { name, ty: self.of(branch)? });
        }
        Ok(ConnectType::Struct(fields))
    }
}

/// What the field for a branch of a union is called.
fn branch_name<'s>(branch: &'s Node, records: &'s [Record]) -> &'s str {
    let short = |name: &'s str| name.rsplit('.').next().unwrap_or(name);
    match branch {
        Node::Null => "null",
        Node::Boolean => "boolean",
        Node::Int(_) => "int",
        Node::Long { .. } => "long",
        Node::Float => "float",
        Node::Double => "double",
        Node::Bytes(_) => "bytes",
        Node::String => "string",
        Node::Fixed(..) => "fixed",
        Node::Array(_) | Node::Entries(..) => "array",
        Node::Map(_) => "map",
        Node::Union(_) => "union",
        Node::Enum { name, .. } => short(name),
        Node::Record(place) => short(&records[*place].name),
    }
}
