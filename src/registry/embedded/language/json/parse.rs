//! From JSON to nodes. Each place in a document becomes one node, however many references lead there.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{
    Arrays, Criterion, DEPTH_MAX, Kind, More, Node, NodeId, Numbers, Objects, Schema, Strings,
};
use crate::registry::schema::Import;

/// How many nodes a schema may have, with all that it uses.
const NODES_MAX: usize = 100_000;

pub(super) fn schema(text: &str, imports: &[Import]) -> Result<Schema, String> {
    let read = |text: &str| -> Result<Value, String> {
        let json: Value =
            serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        match json {
            Value::Object(_) | Value::Bool(_) => Ok(json),
            _ => Err("a JSON schema is an object, or true or false".to_owned()),
        }
    };
    let mut documents = vec![Document { name: String::new(), json: read(text)? }];
    for import in imports {
        documents.push(Document { name: import.name.clone(), json: read(&import.text)? });
    }
    let mut parser = Parser { documents: &documents, nodes: Vec::new(), places: HashMap::new() };
    let root = parser.at(&Place { document: 0, pointer: String::new() }, 0)?;
    let nodes = parser.nodes;
    let json = documents.swap_remove(0).json;
    Ok(Schema { nodes, root, json })
}

struct Document {
    name: String,
    json: Value,
}

/// A place in a document, as a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    document: usize,
    pointer: String,
}

impl Place {
    fn inner(&self, name: &str) -> Self {
        let name = name.replace('~', "~0").replace('/', "~1");
        Self { document: self.document, pointer: format!("{}/{name}", self.pointer) }
    }
}

struct Parser<'d> {
    documents: &'d [Document],
    nodes: Vec<Node>,
    places: HashMap<Place, NodeId>,
}

impl<'d> Parser<'d> {
    /// The node of a place, which is read if it was not before.
    fn at(&mut self, place: &Place, depth: usize) -> Result<NodeId, String> {
        if let Some(id) = self.places.get(place) {
            return Ok(*id);
        }
        if depth > DEPTH_MAX || self.nodes.len() >= NODES_MAX {
            return Err(format!("schemas nest deeper than {DEPTH_MAX}, or there are too many"));
        }
        let json = self.documents[place.document].json.pointer(&place.pointer);
        let json = json.ok_or_else(|| format!("there is nothing at #{}", place.pointer))?;
        let id = self.nodes.len();
        self.nodes.push(Node { kind: Kind::Any, has_default: json.get("default").is_some() });
        self.places.insert(place.clone(), id);
        self.nodes[id].kind = self.kind(json, place, depth)?;
        Ok(id)
    }

    fn inner(&mut self, place: &Place, names: &[&str], depth: usize) -> Result<NodeId, String> {
        let place = names.iter().fold(place.clone(), |place, name| place.inner(name));
        self.at(&place, depth + 1)
    }

    fn kind(&mut self, json: &'d Value, place: &Place, depth: usize) -> Result<Kind, String> {
        let keywords = match json {
            Value::Bool(true) => return Ok(Kind::Any),
            Value::Bool(false) => return Ok(Kind::Never),
            Value::Object(keywords) => keywords,
            _ => return Err(format!("#{} is no schema", place.pointer)),
        };
        if let Some(target) = keywords.get("$ref") {
            let target = target.as_str().ok_or("$ref is no string")?;
            return self.reference(target, place, depth);
        }
        let mut parts = Vec::new();
        self.typed(keywords, place, depth, &mut parts)?;
        if let Some(values) = keywords.get("enum") {
            let values = values.as_array().ok_or("enum is no list")?;
            parts.push(Kind::Enum(values.clone()));
        }
        if keywords.contains_key("const") {
            parts.push(Kind::Const);
        }
        let lists =
            [("allOf", Criterion::All), ("anyOf", Criterion::Any), ("oneOf", Criterion::One)];
        for (name, criterion) in lists {
            if keywords.contains_key(name) {
                parts.push(Kind::Combined(criterion, self.list(keywords, name, place, depth)?));
            }
        }
        if keywords.contains_key("not") {
            parts.push(Kind::Not(self.inner(place, &["not"], depth)?));
        }
        if keywords.contains_key("if") {
            parts.push(Kind::Conditional);
        }
        Ok(self.all(parts))
    }

    /// What several parts say together.
    fn all(&mut self, mut parts: Vec<Kind>) -> Kind {
        match parts.len() {
            0 => Kind::Any,
            1 => parts.swap_remove(0),
            _ => {
                let parts = parts.into_iter().map(|kind| self.add(kind)).collect();
                Kind::Combined(Criterion::All, parts)
            }
        }
    }

    fn add(&mut self, kind: Kind) -> NodeId {
        self.nodes.push(Node { kind, has_default: false });
        self.nodes.len() - 1
    }

    fn reference(&mut self, target: &str, place: &Place, depth: usize) -> Result<Kind, String> {
        let (name, pointer) = target.split_once('#').unwrap_or((target, ""));
        let is_own = name.is_empty() || self.is_called(place.document, name);
        let document = if is_own {
            Some(place.document)
        } else {
            (0..self.documents.len()).find(|index| self.is_called(*index, name))
        };
        let Some(document) = document else {
            return if name.contains("json-schema.org") {
                Ok(Kind::Any)
            } else {
                Err(format!("$ref {target} is in no reference"))
            };
        };
        let pointer = if pointer.is_empty() || pointer.starts_with('/') {
            percent_decoded(pointer)
        } else {
            anchor(&self.documents[document].json, pointer, "", 0)
                .ok_or_else(|| format!("there is no anchor #{pointer}"))?
        };
        self.at(&Place { document, pointer }, depth + 1).map(Kind::Reference)
    }

    fn is_called(&self, document: usize, name: &str) -> bool {
        let document = &self.documents[document];
        let id = document.json.get("$id").or_else(|| document.json.get("id"));
        let id = id.and_then(Value::as_str).unwrap_or_default().trim_end_matches('#');
        document.name == name || id == name || (!id.is_empty() && id.ends_with(&format!("/{name}")))
    }

    fn list(
        &mut self,
        keywords: &Map<String, Value>,
        name: &str,
        place: &Place,
        depth: usize,
    ) -> Result<Vec<NodeId>, String> {
        let list = keywords.get(name).and_then(Value::as_array);
        let list = list.ok_or_else(|| format!("{name} is no list"))?;
        (0..list.len()).map(|index| self.inner(place, &[name, &index.to_string()], depth)).collect()
    }

    fn typed(
        &mut self,
        keywords: &Map<String, Value>,
        place: &Place,
        depth: usize,
        parts: &mut Vec<Kind>,
    ) -> Result<(), String> {
        match keywords.get("type") {
            Some(Value::String(name)) => parts.push(self.of_type(name, keywords, place, depth)?),
            Some(Value::Array(names)) => {
                let mut kinds = Vec::new();
                for name in names {
                    let name = name.as_str().ok_or("a type that is no string")?;
                    let kind = self.of_type(name, keywords, place, depth)?;
                    kinds.push(self.add(kind));
                }
                match kinds.len() {
                    1 => parts.push(Kind::Reference(kinds[0])),
                    _ => parts.push(Kind::Combined(Criterion::Any, kinds)),
                }
            }
            Some(_) => return Err(format!("type is no string and no list at #{}", place.pointer)),
            None => {
                for (name, words) in KEYWORDS {
                    if words.iter().any(|word| keywords.contains_key(*word)) {
                        parts.push(self.of_type(name, keywords, place, depth)?);
                    }
                }
            }
        }
        Ok(())
    }

    fn of_type(
        &mut self,
        name: &str,
        keywords: &Map<String, Value>,
        place: &Place,
        depth: usize,
    ) -> Result<Kind, String> {
        Ok(match name {
            "string" => Kind::String(Strings {
                length_min: number(keywords, "minLength")?,
                length_max: number(keywords, "maxLength")?,
                pattern: keywords.get("pattern").and_then(Value::as_str).map(str::to_owned),
            }),
            "number" | "integer" => Kind::Number(numbers(keywords, name == "integer")?),
            "boolean" => Kind::Boolean,
            "null" => Kind::Null,
            "object" => Kind::Object(Box::new(self.object(keywords, place, depth)?)),
            "array" => Kind::Array(Box::new(self.array(keywords, place, depth)?)),
            unknown => return Err(format!("unknown type: [{unknown}]")),
        })
    }

    fn object(
        &mut self,
        keywords: &Map<String, Value>,
        place: &Place,
        depth: usize,
    ) -> Result<Objects, String> {
        let mut objects = Objects {
            required: strings(keywords.get("required"))?,
            additional: self.more(keywords, "additionalProperties", place, depth)?,
            properties_min: number(keywords, "minProperties")?,
            properties_max: number(keywords, "maxProperties")?,
            properties: self.map(keywords, "properties", place, depth)?,
            patterns: self.map(keywords, "patternProperties", place, depth)?.into_iter().collect(),
            schema_dependencies: self.map(keywords, "dependentSchemas", place, depth)?,
            ..Objects::default()
        };
        for name in ["dependencies", "dependentRequired"] {
            let dependencies = keywords.get(name).and_then(Value::as_object).into_iter().flatten();
            for (property, on) in dependencies {
                if on.is_array() {
                    objects.property_dependencies.insert(property.clone(), strings(Some(on))?);
                } else {
                    let node = self.inner(place, &[name, property], depth)?;
                    objects.schema_dependencies.insert(property.clone(), node);
                }
            }
        }
        Ok(objects)
    }

    fn array(
        &mut self,
        keywords: &Map<String, Value>,
        place: &Place,
        depth: usize,
    ) -> Result<Arrays, String> {
        let mut arrays = Arrays {
            items_min: number(keywords, "minItems")?,
            items_max: number(keywords, "maxItems")?,
            is_unique: keywords.get("uniqueItems").and_then(Value::as_bool).unwrap_or(false),
            ..Arrays::default()
        };
        // Since draft 2020 the first items are `prefixItems`, and `items` are those behind them.
        if keywords.contains_key("prefixItems") {
            arrays.items = self.list(keywords, "prefixItems", place, depth)?;
            arrays.additional = self.more(keywords, "items", place, depth)?;
            return Ok(arrays);
        }
        match keywords.get("items") {
            Some(Value::Array(_)) => arrays.items = self.list(keywords, "items", place, depth)?,
            Some(_) => arrays.all = Some(self.inner(place, &["items"], depth)?),
            None => {}
        }
        arrays.additional = self.more(keywords, "additionalItems", place, depth)?;
        Ok(arrays)
    }

    fn more(
        &mut self,
        keywords: &Map<String, Value>,
        name: &str,
        place: &Place,
        depth: usize,
    ) -> Result<More, String> {
        Ok(match keywords.get(name) {
            None | Some(Value::Bool(true)) => More::Open,
            Some(Value::Bool(false)) => More::Closed,
            Some(_) => More::Of(self.inner(place, &[name], depth)?),
        })
    }

    fn map(
        &mut self,
        keywords: &Map<String, Value>,
        name: &str,
        place: &Place,
        depth: usize,
    ) -> Result<BTreeMap<String, NodeId>, String> {
        let Some(map) = keywords.get(name) else { return Ok(BTreeMap::new()) };
        let map = map.as_object().ok_or_else(|| format!("{name} is no object"))?;
        let inner = map
            .keys()
            .map(|property| Ok((property.clone(), self.inner(place, &[name, property], depth)?)));
        inner.collect()
    }
}

/// The words that are about values of a type, where no type is said.
const KEYWORDS: [(&str, &[&str]); 4] = [
    (
        "object",
        &[
            "properties",
            "required",
            "additionalProperties",
            "patternProperties",
            "minProperties",
            "maxProperties",
            "dependencies",
            "dependentRequired",
            "dependentSchemas",
        ],
    ),
    ("array", &["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems"]),
    ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    ("string", &["minLength", "maxLength", "pattern"]),
];

fn numbers(keywords: &Map<String, Value>, is_integer: bool) -> Result<Numbers, String> {
    let mut numbers = Numbers {
        is_integer,
        minimum: number(keywords, "minimum")?,
        maximum: number(keywords, "maximum")?,
        multiple_of: number(keywords, "multipleOf")?,
        ..Numbers::default()
    };
    // In draft 4 these are true or false, and say how the limits are meant.
    match keywords.get("exclusiveMinimum") {
        Some(Value::Bool(true)) => numbers.exclusive_minimum = numbers.minimum.take(),
        Some(Value::Bool(false)) => {}
        _ => numbers.exclusive_minimum = number(keywords, "exclusiveMinimum")?,
    }
    match keywords.get("exclusiveMaximum") {
        Some(Value::Bool(true)) => numbers.exclusive_maximum = numbers.maximum.take(),
        Some(Value::Bool(false)) => {}
        _ => numbers.exclusive_maximum = number(keywords, "exclusiveMaximum")?,
    }
    Ok(numbers)
}

fn number(keywords: &Map<String, Value>, name: &str) -> Result<Option<f64>, String> {
    let Some(value) = keywords.get(name) else { return Ok(None) };
    value.as_f64().map(Some).ok_or_else(|| format!("{name} is no number"))
}

fn strings(list: Option<&Value>) -> Result<Vec<String>, String> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let strings = list.as_array().and_then(|list| {
        list.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<_>>()
    });
    strings.ok_or_else(|| "a list of names is none".to_owned())
}

/// Where in a document a schema has a name of its own.
fn anchor(json: &Value, name: &str, pointer: &str, depth: usize) -> Option<String> {
    if depth > DEPTH_MAX {
        return None;
    }
    let is_called = |word: &str, text: &str| json.get(word).and_then(Value::as_str) == Some(text);
    if is_called("$anchor", name)
        || is_called("$id", &format!("#{name}"))
        || is_called("id", &format!("#{name}"))
    {
        return Some(pointer.to_owned());
    }
    let fields = json.as_object().into_iter().flatten();
    let mut inner = fields.map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value));
    inner.find_map(|(key, value)| anchor(value, name, &format!("{pointer}/{key}"), depth + 1))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = (*first == b'%').then(|| behind.get(..2)).flatten();
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
