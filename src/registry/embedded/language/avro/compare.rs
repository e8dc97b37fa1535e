//! Whether a reader's schema resolves a writer's: the rules of *Schema Resolution* in Avro's specification, with the
//! kinds of differences that Avro for Java tells.

use std::collections::HashMap;

use super::super::{COMPARED_DEPTH_MAX, DIFFERENCES_MAX, Difference, TOO_DEEP};
use super::{Field, Kind, Named, Schema, Type, simple_name};

/// How many pairs of types are compared before two schemas count as too different.
const PAIRS_MAX: usize = 1_000_000;

/// What keeps `reader` from reading what `writer` wrote.
pub(in super::super) fn differences(
    reader: &Schema,
    writer: &Schema,
    names: [&str; 2],
) -> Vec<Difference> {
    let mut comparison = Comparison {
        reader,
        writer,
        names,
        is_trial: false,
        verdicts: HashMap::new(),
        depth: 0,
        pairs_left: PAIRS_MAX,
        found: Vec::new(),
    };
    comparison.types(&reader.root, &writer.root, &mut Vec::new());
    comparison.found
}

struct Comparison<'a> {
    reader: &'a Schema,
    writer: &'a Schema,
    names: [&'a str; 2],
    /// Whether only the verdict counts.
    is_trial: bool,
    /// Which pairs of named types fit. One that is being compared fits if the rest does, for types contain themselves.
    verdicts: HashMap<(usize, usize), bool>,
    /// How many types the stack is in.
    depth: usize,
    pairs_left: usize,
    found: Vec<Difference>,
}

type Path = Vec<String>;

impl<'a> Comparison<'a> {
    fn limit(&self) -> usize {
        if self.is_trial { 1 } else { DIFFERENCES_MAX }
    }

    fn tell(&mut self, kind: &'static str, path: &Path, words: &str, info: String) {
        let at = format!("/{}", path.join("/"));
        let [reader, writer] = self.names;
        let description = words
            .replace("{at}", &at)
            .replace("{reader}", reader)
            .replace("{writer}", writer)
            .replace("{info}", &info);
        self.found.push(Difference { kind, description, info: Some(info) });
    }

    fn types(&mut self, reader: &'a Type, writer: &'a Type, path: &mut Path) {
        if self.found.len() >= self.limit() {
            return;
        }
        if self.depth == COMPARED_DEPTH_MAX {
            return self.tell(
                TOO_DEEP,
                path,
                "The types are too deep at path '{at}'",
                String::new(),
            );
        }
        let Some(left) = self.pairs_left.checked_sub(1) else {
            return self.tell(
                "TOO_MANY_TYPES",
                path,
                "There are too many types to compare at path '{at}'",
                String::new(),
            );
        };
        self.pairs_left = left;
        self.depth += 1;
        self.same_types(reader, writer, path);
        self.depth -= 1;
    }

    fn same_types(&mut self, reader: &'a Type, writer: &'a Type, path: &mut Path) {
        match (reader, writer) {
            (Type::Union(branches), Type::Union(writers)) => {
                for (index, writer) in writers.iter().enumerate() {
                    path.push(index.to_string());
                    self.union(branches, writer, path);
                    path.pop();
                }
            }
            (reader, Type::Union(writers)) => {
                for writer in writers {
                    self.types(reader, writer, path);
                }
            }
            (Type::Union(branches), writer) => self.union(branches, writer, path),
            (Type::Array(reader), Type::Array(writer)) => {
                self.inner("items", reader, writer, path);
            }
            (Type::Map(reader), Type::Map(writer)) => self.inner("values", reader, writer, path),
            (Type::Named(reader), Type::Named(writer)) => self.named(*reader, *writer, path),
            (reader, writer) if is_promoted(reader, writer) => {}
            (reader, writer) => self.mismatch(reader, writer, path),
        }
    }

    fn mismatch(&mut self, reader: &Type, writer: &Type, path: &Path) {
        let (wanted, given) = (self.reader.type_name(reader), self.writer.type_name(writer));
        let info = format!("reader type: {wanted} not compatible with writer type: {given}");
        self.tell(
            "TYPE_MISMATCH",
            path,
            "The type (path '{at}') of a field in the {reader} schema does not match with the {writer} schema",
            info,
        );
    }

    /// One branch of the reader's must read what the writer wrote.
    fn union(&mut self, branches: &'a [Type], writer: &'a Type, path: &mut Path) {
        let is_read = branches.iter().any(|branch| {
            let mut trial = Comparison {
                is_trial: true,
                verdicts: std::mem::take(&mut self.verdicts),
                found: Vec::new(),
                ..*self
            };
            trial.types(branch, writer, path);
            self.verdicts = trial.verdicts;
            self.pairs_left = trial.pairs_left;
            trial.found.is_empty()
        });
        if !is_read {
            let lacking = self.writer.type_name(writer).to_owned();
            self.tell(
                "MISSING_UNION_BRANCH",
                path,
                "The {reader} schema is missing a type inside a union field at path '{at}' in the {writer} schema",
                format!("reader union lacking writer type: {lacking}"),
            );
        }
    }

    fn inner(&mut self, name: &str, reader: &'a Type, writer: &'a Type, path: &mut Path) {
        path.push(name.to_owned());
        self.types(reader, writer, path);
        path.pop();
    }

    fn named(&mut self, reader: usize, writer: usize, path: &mut Path) {
        let pair = (reader, writer);
        match self.verdicts.insert(pair, true) {
            Some(true) => return,
            Some(false) if self.is_trial => {
                self.verdicts.insert(pair, false);
                self.mismatch(&Type::Named(reader), &Type::Named(writer), path);
                return;
            }
            _ => {}
        }
        let before = self.found.len();
        self.definitions(reader, writer, path);
        self.verdicts.insert(pair, self.found.len() == before);
    }

    fn definitions(&mut self, reader: usize, writer: usize, path: &mut Path) {
        let (read, written) = (&self.reader.named[reader], &self.writer.named[writer]);
        match (&read.kind, &written.kind) {
            (Kind::Record(fields), Kind::Record(written_fields)) => {
                self.same_name(read, written, path);
                path.push("fields".to_owned());
                self.fields(fields, written_fields, path);
                path.pop();
            }
            (Kind::Enum { symbols, default }, Kind::Enum { symbols: written_symbols, .. }) => {
                self.same_name(read, written, path);
                let missing: Vec<&str> = written_symbols
                    .iter()
                    .filter(|symbol| !symbols.contains(symbol))
                    .map(String::as_str)
                    .collect();
                if !missing.is_empty() && default.is_none() {
                    let missing = format!("[{}]", missing.join(", "));
                    path.push("symbols".to_owned());
                    self.tell(
                        "MISSING_ENUM_SYMBOLS",
                        path,
                        "The {reader} schema is missing enum symbols '{info}' at path '{at}' in the {writer} schema",
                        missing,
                    );
                    path.pop();
                }
            }
            (Kind::Fixed { size }, Kind::Fixed { size: written_size }) => {
                self.same_name(read, written, path);
                if size != written_size {
                    let info = format!("expected: {written_size}, found: {size}");
                    path.push("size".to_owned());
                    self.tell(
                        "FIXED_SIZE_MISMATCH",
                        path,
                        "The size of FIXED type field at path '{at}' in the {reader} schema does not match with the {writer} schema",
                        info,
                    );
                    path.pop();
                }
            }
            _ => self.mismatch(&Type::Named(reader), &Type::Named(writer), path),
        }
    }

    /// Namespaces may differ, or the reader knows the writer's by an alias.
    fn same_name(&mut self, reader: &Named, writer: &Named, path: &mut Path) {
        let is_same = simple_name(&reader.name) == simple_name(&writer.name)
            || reader.aliases.contains(&writer.name);
        if !is_same {
            path.push("name".to_owned());
            self.tell(
                "NAME_MISMATCH",
                path,
                "The name of the schema has changed (path '{at}')",
                format!("expected: {}", writer.name),
            );
            path.pop();
        }
    }

    fn fields(&mut self, fields: &'a [Field], written: &'a [Field], path: &mut Path) {
        for (index, field) in fields.iter().enumerate() {
            path.push(index.to_string());
            let by_name = written.iter().find(|other| other.name == field.name);
            let by_alias = || written.iter().find(|other| field.aliases.contains(&other.name));
            match by_name.or_else(by_alias) {
                Some(written) => self.inner("type", &field.ty, &written.ty, path),
                None if field.has_default => {}
                None => self.tell(
                    "READER_FIELD_MISSING_DEFAULT_VALUE",
                    path,
                    "The field '{info}' at path '{at}' in the {reader} schema has no default value and is missing in the {writer} schema",
                    field.name.clone(),
                ),
            }
            path.pop();
        }
    }
}

/// Whether a reader of one type reads another.
fn is_promoted(reader: &Type, writer: &Type) -> bool {
    reader == writer
        || matches!(
            (reader, writer),
            (Type::Long, Type::Int)
                | (Type::Float, Type::Int | Type::Long)
                | (Type::Double, Type::Int | Type::Long | Type::Float)
                | (Type::Bytes, Type::String)
                | (Type::String, Type::Bytes)
        )
}
