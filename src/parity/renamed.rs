//! Statements with other names: those of sources, topics and types, each replaced where the tree has it.

use std::collections::BTreeMap;

use crate::sql::ast::{
    Expr, ExprKind, Literal, Name, Property, Query, SelectItem, Statement, Type, TypeKind,
};
use crate::sql::span::Span;
use crate::sql::visit::children_mut;

/// What is called otherwise, by what it was called.
#[derive(Clone, Debug, Default)]
pub(super) struct Renaming {
    /// Streams and tables.
    pub(super) sources: BTreeMap<String, String>,
    /// Custom types.
    pub(super) types: BTreeMap<String, String>,
    /// Topics.
    pub(super) topics: BTreeMap<String, String>,
}

impl Renaming {
    /// A statement under other names. What a query calls its sources, and its columns after them, stays.
    pub(super) fn apply(&self, statement: &Statement) -> Statement {
        let mut statement = statement.clone();
        match &mut statement {
            Statement::CreateSource(create) => {
                self.source(&mut create.name);
                create.columns.iter_mut().for_each(|column| self.ty(&mut column.ty));
                self.topic(&mut create.with);
            }
            Statement::CreateAs(create) => {
                self.source(&mut create.name);
                self.topic(&mut create.with);
                self.query(&mut create.query);
            }
            Statement::InsertInto(insert) => {
                self.source(&mut insert.target);
                self.query(&mut insert.query);
            }
            Statement::AlterSource(alter) => {
                self.source(&mut alter.name);
                alter.add.iter_mut().for_each(|column| self.ty(&mut column.ty));
            }
            Statement::CreateType(create) => {
                if let Some(other) = self.types.get(&create.name.text) {
                    create.name = Name::new(other);
                }
                self.ty(&mut create.ty);
            }
            _ => {}
        }
        statement
    }

    fn source(&self, name: &mut Name) {
        if let Some(other) = self.sources.get(&name.text) {
            *name = Name::new(other);
        }
    }

    fn topic(&self, with: &mut [Property]) {
        let topic = with.iter_mut().find(|property| property.name.text == TOPIC);
        if let Some(Property { value: Literal::String(topic), .. }) = topic
            && let Some(other) = self.topics.get(topic)
        {
            topic.clone_from(other);
        }
    }

    /// The alias of a source stays, so that what names its columns means the same, and these are called the same.
    fn query(&self, query: &mut Query) {
        let joined = query.from.joins.iter_mut().map(|join| &mut join.source);
        for source in std::iter::once(&mut query.from.first).chain(joined) {
            self.source(&mut source.name);
        }
        for expr in expressions(query) {
            self.expr(expr);
        }
    }

    fn expr(&self, expr: &mut Expr) {
        if let ExprKind::Cast { ty, .. } = &mut expr.kind {
            self.ty(ty);
        }
        for child in children_mut(expr) {
            self.expr(child);
        }
    }

    fn ty(&self, ty: &mut Type) {
        match &mut ty.kind {
            TypeKind::Primitive(_) | TypeKind::Decimal { .. } => {}
            TypeKind::Array(element) => self.ty(element),
            TypeKind::Map(key, value) => {
                self.ty(key);
                self.ty(value);
            }
            TypeKind::Struct(fields) => fields.iter_mut().for_each(|field| self.ty(&mut field.ty)),
            TypeKind::Custom(name) => {
                if let Some(other) = self.types.get(&name.text) {
                    *name = Name::new(other);
                }
            }
        }
    }
}

/// The property that names a topic.
pub(super) const TOPIC: &str = "KAFKA_TOPIC";

/// The text of a property, if it has one.
pub(super) fn text_of<'a>(with: &'a [Property], name: &str) -> Option<&'a str> {
    with.iter().find(|property| property.name.text == name).and_then(|property| {
        match &property.value {
            Literal::String(text) => Some(text.as_str()),
            _ => None,
        }
    })
}

/// Adds a property, unless it is there.
pub(super) fn add_property(with: &mut Vec<Property>, name: &str, value: Literal) {
    if with.iter().any(|property| property.name.text == name) {
        return;
    }
    let value_span = Span::default();
    with.push(Property { name: Name::new(name), value, value_span });
    with.sort_by(|one, other| one.name.text.cmp(&other.name.text));
}

/// The outermost expressions of a query.
pub(super) fn expressions(query: &mut Query) -> Vec<&mut Expr> {
    let items = query.select.iter_mut().filter_map(|item| match item {
        SelectItem::Expr { expr, .. } | SelectItem::StructAll { base: expr, .. } => Some(expr),
        SelectItem::All { .. } => None,
    });
    let lists = [&mut query.group_by, &mut query.partition_by];
    items
        .chain(query.from.joins.iter_mut().map(|join| &mut join.on))
        .chain(query.filter.as_mut())
        .chain(lists.into_iter().flatten().flatten())
        .chain(query.having.as_mut())
        .collect()
}
