//! What ksqlDB refuses while it builds a statement, before it looks at any catalog.

use std::collections::HashSet;

use super::ast::{
    Column, Constraint, CreateAs, CreateSource, Expr, ExprKind, InsertValues, Name, Property,
    Query, SelectItem, SourceKind, Statement,
};
use super::parser::ParseError;
use super::span::Span;
use super::suggest::{self, NameKind};
use super::{ParsedStatement, print, visit};

type Check = Result<(), ParseError>;

/// Refuses the first thing that is wrong with a statement.
pub(super) fn check(parsed: &ParsedStatement) -> Check {
    Checker { parsed }.statement(&parsed.statement)
}

struct Checker<'a> {
    parsed: &'a ParsedStatement,
}

impl Checker<'_> {
    fn statement(&self, statement: &Statement) -> Check {
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::CreateSource(create) => self.create_source(create),
            Statement::CreateAs(create) => self.create_as(create),
            Statement::InsertInto(insert) => {
                self.query(&insert.query)?;
                self.unique(&insert.with)
            }
            Statement::InsertValues(insert) => self.insert_values(insert),
            Statement::CreateConnector(create) => self.unique(&create.with),
            Statement::Explain(super::ast::Explain::Statement { statement, .. }) => {
                self.statement(statement)
            }
            _ => Ok(()),
        }
    }

    fn error(&self, span: Span, reason: &str) -> ParseError {
        let error = ParseError::prepare(&self.parsed.source, span, reason);
        ParseError { statement: self.parsed.text.clone(), ..error }
    }

    fn create_source(&self, create: &CreateSource) -> Check {
        self.unique(&create.with)?;
        self.columns(&create.columns)?;
        let wrong = match create.kind {
            SourceKind::Stream => Constraint::PrimaryKey,
            SourceKind::Table => Constraint::Key,
        };
        match create.columns.iter().find(|column| column.constraint.as_ref() == Some(&wrong)) {
            Some(column) => Err(self.wrong_key(create.kind, column)),
            None => Ok(()),
        }
    }

    /// `KEY` in a table or `PRIMARY KEY` in a stream, which ksqlDB reports without its usual introduction.
    fn wrong_key(&self, kind: SourceKind, column: &Column) -> ParseError {
        let (found, wanted, sources) = match kind {
            SourceKind::Stream => ("PRIMARY KEY", "KEY", "streams"),
            SourceKind::Table => ("KEY", "PRIMARY KEY", "tables"),
        };
        let at = column.span.position(&self.parsed.source);
        let text = |name: &str| {
            format!(
                "Line: {}, Col: {}: Column {name}is a '{found}' column: please use '{wanted}' for {sources}.\n\
                 Tables have PRIMARY KEYs, which are unique and NON NULL.\n\
                 Streams have KEYs, which have no uniqueness or NON NULL constraints.",
                at.line, at.column
            )
        };
        // ksqlDB takes the column for the statement here.
        let statement = format!("`{}`", column.name.text);
        let unlogged = text(&format!("{statement} "));
        let error = self.error(column.span, "");
        ParseError { message: text(""), unlogged, statement, ..error }
    }

    fn columns(&self, columns: &[Column]) -> Check {
        let (mut repeated, mut told) = (Vec::new(), HashSet::new());
        let mut names = HashSet::with_capacity(columns.len());
        for column in columns {
            if !names.insert(&column.name) && told.insert(&column.name) {
                repeated.push(&column.name);
            }
        }
        if let Some(first) = repeated.first() {
            let names: Vec<_> = repeated.iter().map(|name| format!("`{}`", name.text)).collect();
            let reason = format!("Duplicate column names: {}", names.join(", "));
            return Err(self.error(first.span, &reason));
        }
        let mut headers = columns.iter().filter(|c| c.constraint == Some(Constraint::Headers));
        match headers.nth(1) {
            Some(second) => {
                Err(self.error(second.span, "Schema already contains a HEADERS column."))
            }
            None => Ok(()),
        }
    }

    /// A property may be given once.
    fn unique(&self, properties: &[Property]) -> Check {
        for (i, property) in properties.iter().enumerate() {
            let same = properties[..i].iter().find(|earlier| earlier.name == property.name);
            if let Some(earlier) = same {
                let name = &property.name.text;
                let (first, second) =
                    (print::literal(&earlier.value), print::literal(&property.value));
                let reason =
                    format!("Multiple entries with same key: {name}={second} and {name}={first}");
                return Err(self.error(property.name.span, &reason));
            }
        }
        Ok(())
    }

    fn create_as(&self, create: &CreateAs) -> Check {
        self.unique(&create.with)?;
        self.query(&create.query)?;
        if create.query.limit.is_none() {
            return Ok(());
        }
        let kind = create.kind.as_str();
        let reason = format!("CREATE {kind} AS SELECT statements don't support LIMIT clause.");
        Err(self.error(create.query.tail, &reason))
    }

    fn insert_values(&self, insert: &InsertValues) -> Check {
        for value in &insert.values {
            self.expr(value, &[])?;
        }
        let (columns, values) = (insert.columns.len(), insert.values.len());
        if columns > 0 && columns != values {
            let reason =
                format!("Expected number columns and values to match: {columns}, {values}");
            return Err(self.error(insert.target.span, &reason));
        }
        Ok(())
    }

    /// Names before a point have to be sources of the query, in the order in which ksqlDB comes by.
    fn query(&self, query: &Query) -> Check {
        let joined = query.from.joins.iter().map(|join| &join.source);
        let sources = std::iter::once(&query.from.first).chain(joined);
        let names: Vec<&Name> = sources.flat_map(|source| [&source.name, &source.alias]).collect();
        for join in &query.from.joins {
            self.expr(&join.on, &names)?;
        }
        for item in &query.select {
            match item {
                SelectItem::Expr { expr: base, .. } | SelectItem::StructAll { base, .. } => {
                    self.expr(base, &names)?;
                }
                SelectItem::All { source: Some(source), .. } => self.source(source, &names)?,
                SelectItem::All { source: None, .. } => {}
            }
        }
        let lists = query.group_by.iter().chain(&query.partition_by).flatten();
        for expr in query.filter.iter().chain(lists).chain(&query.having) {
            self.expr(expr, &names)?;
        }
        Ok(())
    }

    fn source(&self, name: &Name, known: &[&Name]) -> Check {
        if known.contains(&name) {
            return Ok(());
        }
        let reason = format!("'{}' is not a valid stream/table name or alias.", name.text);
        let mut error = self.error(name.span, &reason);
        let mut names: Vec<&str> = known.iter().map(|name| name.as_str()).collect();
        names.dedup();
        error.help = suggest::help(NameKind::Source, &name.text, &names);
        Err(error)
    }

    fn expr(&self, expr: &Expr, known: &[&Name]) -> Check {
        match &expr.kind {
            ExprKind::Column { source: Some(source), .. } => return self.source(source, known),
            ExprKind::Map(entries) => self.unique_keys(entries)?,
            _ => {}
        }
        visit::children(expr).into_iter().try_for_each(|child| self.expr(child, known))
    }

    fn unique_keys(&self, entries: &[(Expr, Expr)]) -> Check {
        for (i, (key, value)) in entries.iter().enumerate() {
            let same = entries[..i].iter().find(|(earlier, _)| earlier == key);
            if let Some((_, earlier)) = same {
                let key_text = print::expression(key);
                let (first, second) = (print::expression(earlier), print::expression(value));
                let reason = format!(
                    "Multiple entries with same key: {key_text}={second} and {key_text}={first}"
                );
                return Err(self.error(key.span, &reason));
            }
        }
        Ok(())
    }
}
