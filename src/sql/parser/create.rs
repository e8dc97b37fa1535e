//! `CREATE`, `INSERT`, and the parts that they share with other statements.

use super::Parser;
use super::cursor::{Parse, Then, starts};
use super::error::ParseError;
use crate::sql::ast::{
    Column, ConnectorKind, Constraint, CreateAs, CreateConnector, CreateSource, CreateType, Emit,
    InsertInto, InsertValues, Name, Property, Query, SourceKind, Statement,
};

impl Parser<'_> {
    /// `CREATE …`, whose kind shows only after some words: until then errors are ones of choosing.
    pub(super) fn create(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        self.cursor.choosing = true;
        let or_replace = self.cursor.eat("OR");
        if or_replace {
            self.cursor.expect("REPLACE")?;
        }
        if !or_replace && self.cursor.at("TYPE") {
            return self.create_type();
        }
        let is_connector = self.cursor.at("SOURCE") && self.cursor.at_ahead(1, "CONNECTOR");
        if !or_replace && (is_connector || self.cursor.at("SINK")) {
            return self.create_connector();
        }
        let is_source = self.cursor.eat("SOURCE");
        let kind = self.source_kind()?;
        self.cursor.choosing = !is_source;
        let if_not_exists = self.if_not_exists()?;
        let name = self.source_name()?;
        let head = CreateSource {
            kind,
            or_replace,
            is_source,
            if_not_exists,
            name,
            columns: Vec::new(),
            with: Vec::new(),
        };
        self.create_source_or_as(head)
    }

    fn create_source_or_as(&mut self, mut head: CreateSource) -> Parse<Statement> {
        let has_columns = self.cursor.at("(");
        if has_columns {
            self.cursor.choosing = false;
            head.columns = self.columns()?;
        } else {
            self.cursor.skip(&["("]);
        }
        head.with = self.with()?;
        self.cursor.choosing = false;
        if has_columns || head.is_source || !self.cursor.at("AS") {
            return Ok(Statement::CreateSource(head));
        }
        self.cursor.bump();
        Ok(Statement::CreateAs(CreateAs {
            kind: head.kind,
            or_replace: head.or_replace,
            if_not_exists: head.if_not_exists,
            name: head.name,
            with: head.with,
            query: self.persistent_query()?,
        }))
    }

    /// The query of a statement that keeps running, which emits changes unless it says otherwise.
    fn persistent_query(&mut self) -> Parse<Query> {
        let mut query = self.query()?;
        query.emit = query.emit.or(Some(Emit::Changes));
        Ok(query)
    }

    fn create_type(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        self.cursor.choosing = false;
        let if_not_exists = self.if_not_exists()?;
        let name = self.cursor.identifier()?;
        self.cursor.expect_then("AS", Then::Identifier)?;
        Ok(Statement::CreateType(CreateType { if_not_exists, name, ty: self.type_()? }))
    }

    fn create_connector(&mut self) -> Parse<Statement> {
        let kind =
            if self.cursor.eat("SOURCE") { ConnectorKind::Source } else { ConnectorKind::Sink };
        self.cursor.choosing = false;
        if kind == ConnectorKind::Sink {
            self.cursor.bump();
        }
        self.cursor.expect_then("CONNECTOR", Then::Identifier)?;
        let if_not_exists = self.if_not_exists()?;
        let name = self.cursor.identifier()?;
        self.cursor.expect_then("WITH", Then::Word("("))?;
        let with = self.properties()?;
        Ok(Statement::CreateConnector(CreateConnector { kind, if_not_exists, name, with }))
    }

    /// `STREAM | TABLE`
    pub(super) fn source_kind(&mut self) -> Parse<SourceKind> {
        if self.cursor.eat("STREAM") {
            Ok(SourceKind::Stream)
        } else if self.cursor.eat("TABLE") {
            Ok(SourceKind::Table)
        } else {
            Err(self.cursor.refuse(&["STREAM", "TABLE"]))
        }
    }

    /// `[IF NOT EXISTS]`; a lone `IF` is a name.
    fn if_not_exists(&mut self) -> Parse<bool> {
        if !self.cursor.at("IF") || !self.cursor.at_ahead(1, "NOT") {
            return Ok(false);
        }
        self.cursor.bump();
        self.cursor.bump();
        self.cursor.expect_then("EXISTS", Then::Identifier)?;
        Ok(true)
    }

    /// `[IF EXISTS]`; a lone `IF` is a name.
    pub(super) fn if_exists(&mut self) -> bool {
        let found = self.cursor.at("IF") && self.cursor.at_ahead(1, "EXISTS");
        if found {
            self.cursor.bump();
            self.cursor.bump();
        }
        found
    }

    /// The name of a stream or table, which has to be able to name a topic.
    pub(super) fn source_name(&mut self) -> Parse<Name> {
        let name = self.cursor.identifier()?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.text.chars().all(fits) {
            return Ok(name);
        }
        let at = self.location(name.span);
        let message = format!(
            "Illegal argument at {at}. Source names may only contain alphanumeric values, '_' or '-'. \
             Got: '{}'",
            name.text
        );
        let error = ParseError::prepare(self.cursor.source, name.span, "");
        self.cursor.deferred.push(ParseError {
            unlogged: message.clone(),
            message,
            statement: name.text.clone(),
            ..error
        });
        Ok(name)
    }

    /// `( column , … )`
    pub(super) fn columns(&mut self) -> Parse<Vec<Column>> {
        self.cursor.expect("(")?;
        let mut columns = Vec::new();
        loop {
            columns.push(self.column()?);
            if self.cursor.eat(")") {
                return Ok(columns);
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ")"]));
            }
        }
    }

    /// `column ::= name type [PRIMARY KEY | KEY | HEADERS | HEADER ( 'key' )]`
    pub(super) fn column(&mut self) -> Parse<Column> {
        let start = self.cursor.span();
        let name = self.cursor.identifier()?;
        let ty = self.type_()?;
        let constraint = if self.cursor.eat("PRIMARY") {
            self.cursor.expect("KEY")?;
            Some(Constraint::PrimaryKey)
        } else if self.cursor.eat("KEY") {
            Some(Constraint::Key)
        } else if self.cursor.eat("HEADERS") {
            Some(Constraint::Headers)
        } else if self.cursor.eat("HEADER") {
            self.cursor.expect("(")?;
            let key = self.cursor.expect_string()?;
            self.cursor.expect(")")?;
            Some(Constraint::Header(key))
        } else {
            None
        };
        Ok(Column { name, ty, constraint, span: self.cursor.since(start) })
    }

    /// `[WITH ( property , … )]`
    pub(super) fn with(&mut self) -> Parse<Vec<Property>> {
        if self.cursor.eat("WITH") { self.properties() } else { Ok(Vec::new()) }
    }

    /// `( name = literal , … )`
    fn properties(&mut self) -> Parse<Vec<Property>> {
        self.cursor.expect_then("(", Then::Property)?;
        let mut properties = Vec::new();
        loop {
            let token = self.cursor.peek();
            if !starts(token, Then::Property) {
                return Err(self.cursor.refuse_start(Then::Property));
            }
            self.cursor.bump();
            let name = self.cursor.name(token);
            self.cursor.expect("=")?;
            let (value, value_span) = self.literal()?;
            properties.push(Property { name, value, value_span });
            if self.cursor.eat(")") {
                // Their order means nothing; so that it plays no part when trees are compared:
                properties.sort_by(|a, b| a.name.text.cmp(&b.name.text));
                return Ok(properties);
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ")"]));
            }
        }
    }

    /// `INSERT INTO name [WITH (…)] query`, `INSERT INTO name [(columns)] VALUES (…)`
    pub(super) fn insert(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        self.cursor.choosing = true;
        self.cursor.expect("INTO")?;
        let target = self.source_name()?;
        if self.cursor.at_any(&["WITH", "SELECT"]) {
            self.cursor.choosing = false;
            let with = self.with()?;
            let query = self.persistent_query()?;
            return Ok(Statement::InsertInto(InsertInto { target, with, query }));
        }
        if !self.cursor.at_any(&["(", "VALUES"]) {
            return Err(self.cursor.near());
        }
        self.cursor.choosing = false;
        let columns = self.names()?;
        self.cursor.expect_then("VALUES", Then::Word("("))?;
        Ok(Statement::InsertValues(InsertValues { target, columns, values: self.values()? }))
    }

    /// `[( name , … )]`
    pub(super) fn names(&mut self) -> Parse<Vec<Name>> {
        let mut names = Vec::new();
        if !self.cursor.eat("(") {
            return Ok(names);
        }
        loop {
            names.push(self.cursor.identifier()?);
            if self.cursor.eat(")") {
                return Ok(names);
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ")"]));
            }
        }
    }
}
