//! Which statement it is, and those that are short.

use super::Parser;
use super::cursor::{Parse, Then, starts, unquote};
use super::error::unknown_statement;
use crate::sql::ast::{
    AddColumn, AlterSource, AssertSchema, AssertSource, AssertTombstone, AssertTopic, AssertValues,
    ConnectorKind, ControlQuery, Describe, Drop, DropKind, Duration, Explain, List, Print,
    QueryAction, QueryTarget, SourceKind, Statement,
};
use crate::sql::keywords::STATEMENT_STARTS;
use crate::sql::lexer::Kind;

impl Parser<'_> {
    /// One statement, without its semicolon.
    pub(super) fn statement(&mut self) -> Parse<Statement> {
        self.nested(|parser| {
            let outer = std::mem::replace(&mut parser.statement_depth, parser.depth);
            let parsed = parser.statement_inside();
            parser.statement_depth = outer;
            parsed
        })
    }

    fn statement_inside(&mut self) -> Parse<Statement> {
        let Kind::Word(word) = self.cursor.peek().kind else { return Err(self.unknown()) };
        let parsed = match word {
            "SELECT" => self.query().map(Statement::Query),
            "CREATE" => self.create(),
            "INSERT" => self.insert(),
            "DROP" => self.drop(),
            "ALTER" => self.alter(),
            "DESCRIBE" => self.describe().map(Statement::Describe),
            "EXPLAIN" => self.explain().map(Statement::Explain),
            "SHOW" | "LIST" => self.list().map(Statement::List),
            "PRINT" => self.print().map(Statement::Print),
            "TERMINATE" => self.control(QueryAction::Terminate),
            "PAUSE" => self.control(QueryAction::Pause),
            "RESUME" => self.control(QueryAction::Resume),
            "SET" => self.set(),
            "UNSET" => self.unset(),
            "DEFINE" => self.define(),
            "UNDEFINE" => self.undefine(),
            "ASSERT" => self.assert(),
            "RUN" if self.dialect.testing => self.run_script(),
            _ => return Err(self.unknown()),
        };
        self.cursor.choosing = false;
        parsed
    }

    fn unknown(&self) -> super::ParseError {
        let text = self.cursor.shown(self.cursor.peek());
        self.cursor.error(&unknown_statement(text))
    }

    /// `DROP STREAM|TABLE [IF EXISTS] name [DELETE TOPIC]`, `DROP TYPE|CONNECTOR [IF EXISTS] name`
    fn drop(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        let kind = if self.cursor.eat("STREAM") {
            DropKind::Source(SourceKind::Stream)
        } else if self.cursor.eat("TABLE") {
            DropKind::Source(SourceKind::Table)
        } else if self.cursor.eat("TYPE") {
            DropKind::Type
        } else if self.cursor.eat("CONNECTOR") {
            DropKind::Connector
        } else {
            return Err(self.cursor.near());
        };
        let if_exists = self.if_exists();
        let is_source = matches!(kind, DropKind::Source(_));
        let name = if is_source { self.source_name()? } else { self.cursor.identifier()? };
        let delete_topic = is_source && self.cursor.eat("DELETE");
        if delete_topic {
            self.cursor.expect_then("TOPIC", Then::Word(";"))?;
        }
        Ok(Statement::Drop(Drop { kind, if_exists, name, delete_topic }))
    }

    /// `ALTER SYSTEM 'p' = 'v'`, `ALTER STREAM|TABLE name ADD [COLUMN] name type , …`
    fn alter(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        if self.cursor.eat("SYSTEM") {
            let name = self.cursor.expect_string()?;
            self.cursor.expect("=")?;
            return Ok(Statement::AlterSystem { name, value: self.cursor.expect_string()? });
        }
        self.cursor.choosing = true;
        let kind = self.source_kind()?;
        self.cursor.choosing = false;
        let name = self.source_name()?;
        let mut add = Vec::new();
        loop {
            self.cursor.expect_then("ADD", Then::Unknown)?;
            // COLUMN is a name as well.
            if starts(self.cursor.peek_at(1), Then::Identifier) && !self.is_column_of_that_name() {
                self.cursor.eat("COLUMN");
            }
            add.push(AddColumn { name: self.cursor.identifier()?, ty: self.type_()? });
            if !self.cursor.eat(",") {
                return Ok(Statement::AlterSource(AlterSource { kind, name, add }));
            }
        }
    }

    /// Whether `COLUMN type` follows rather than `COLUMN name type`.
    fn is_column_of_that_name(&self) -> bool {
        let ends = |ahead| self.cursor.at_ahead(ahead, ",") || self.cursor.at_ahead(ahead, ";");
        self.cursor.at("COLUMN") && (ends(2) || self.cursor.at_ahead(2, "<"))
    }

    /// `DESCRIBE name|STREAMS|TABLES [EXTENDED]`, `DESCRIBE FUNCTION|CONNECTOR name`
    fn describe(&mut self) -> Parse<Describe> {
        self.cursor.bump();
        if self.cursor.eat("STREAMS") {
            return Ok(Describe::Streams { extended: self.cursor.eat("EXTENDED") });
        }
        if self.cursor.eat("CONNECTOR") {
            return self.cursor.identifier().map(Describe::Connector);
        }
        if self.cursor.at("FUNCTION") && starts(self.cursor.peek_at(1), Then::Identifier) {
            self.cursor.bump();
            return self.cursor.identifier().map(Describe::Function);
        }
        if !self.cursor.at_identifier() {
            return Err(self.cursor.near());
        }
        let name = self.source_name()?;
        let extended = self.cursor.eat("EXTENDED");
        Ok(match name.text.as_str() {
            "TABLES" if !name.quoted => Describe::Tables { extended },
            _ => Describe::Source { name, extended },
        })
    }

    /// `EXPLAIN statement|queryId`
    fn explain(&mut self) -> Parse<Explain> {
        self.cursor.bump();
        let Kind::Word(word) = self.cursor.peek().kind else {
            return self.cursor.identifier().map(Explain::Query);
        };
        let is_id = self.cursor.at_identifier() && self.cursor.at_ahead(1, ";");
        if !STATEMENT_STARTS.contains(&word) || is_id {
            return self.cursor.identifier().map(Explain::Query);
        }
        let start = self.cursor.span();
        let statement = Box::new(self.statement()?);
        Ok(Explain::Statement { statement, span: self.cursor.since(start) })
    }

    /// `SHOW|LIST …`
    fn list(&mut self) -> Parse<List> {
        self.cursor.bump();
        let all = self.cursor.eat("ALL");
        if all {
            self.cursor.expect("TOPICS")?;
            return Ok(List::Topics { all, extended: self.cursor.eat("EXTENDED") });
        }
        let Kind::Word(word) = self.cursor.peek().kind else { return Err(self.cursor.near()) };
        let connectors = match word {
            "SOURCE" => Some(ConnectorKind::Source),
            "SINK" => Some(ConnectorKind::Sink),
            _ => None,
        };
        if connectors.is_some() {
            self.cursor.bump();
            self.cursor.expect("CONNECTORS")?;
            return Ok(List::Connectors(connectors));
        }
        let plain = match word {
            "PROPERTIES" => List::Properties,
            "FUNCTIONS" => List::Functions,
            "TYPES" => List::Types,
            "VARIABLES" => List::Variables,
            "CONNECTORS" => List::Connectors(None),
            "CONNECTOR" => List::ConnectorPlugins,
            "TOPICS" | "STREAMS" | "TABLES" | "QUERIES" => return Ok(self.list_extended(word)),
            _ => return Err(self.cursor.near()),
        };
        self.cursor.bump();
        if plain == List::ConnectorPlugins {
            self.cursor.expect("PLUGINS")?;
        }
        Ok(plain)
    }

    fn list_extended(&mut self, word: &str) -> List {
        self.cursor.bump();
        let extended = self.cursor.eat("EXTENDED");
        match word {
            "TOPICS" => List::Topics { all: false, extended },
            "STREAMS" => List::Streams { extended },
            "TABLES" => List::Tables { extended },
            _ => List::Queries { extended },
        }
    }

    /// `PRINT topic [FROM BEGINNING] [INTERVAL|SAMPLE n] [LIMIT n]`
    fn print(&mut self) -> Parse<Print> {
        self.cursor.bump();
        let topic = self.cursor.resource()?;
        let from_beginning = self.cursor.eat("FROM");
        if from_beginning {
            self.cursor.expect("BEGINNING")?;
        }
        let interval = if self.cursor.eat("INTERVAL") || self.cursor.eat("SAMPLE") {
            self.whole_number("INTERVAL")?
        } else {
            1
        };
        let limit = if self.cursor.eat("LIMIT") { Some(self.whole_number("LIMIT")?) } else { None };
        Ok(Print { topic, from_beginning, interval, limit })
    }

    /// `TERMINATE|PAUSE|RESUME id|ALL`
    fn control(&mut self, action: QueryAction) -> Parse<Statement> {
        self.cursor.bump();
        self.cursor.choosing = true;
        let target = if self.cursor.eat("ALL") {
            QueryTarget::All
        } else {
            QueryTarget::Id(self.cursor.identifier()?)
        };
        Ok(Statement::ControlQuery(ControlQuery { action, target }))
    }

    /// `SET 'p' = 'v'`
    fn set(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        let name = self.property_text()?;
        self.cursor.expect("=")?;
        Ok(Statement::Set { name, value: self.property_text()? })
    }

    /// `UNSET 'p'`
    fn unset(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        Ok(Statement::Unset { name: self.property_text()? })
    }

    /// A string, or a variable where those are not substituted.
    fn property_text(&mut self) -> Parse<String> {
        let token = self.cursor.peek();
        match token.kind {
            Kind::String => {
                self.cursor.bump();
                Ok(unquote(self.cursor.text(token)))
            }
            Kind::Variable => {
                self.cursor.bump();
                Ok(self.cursor.text(token).to_owned())
            }
            _ => Err(self.cursor.refuse(&["STRING_LITERAL", "VARIABLE"])),
        }
    }

    /// `DEFINE name = 'v'`
    fn define(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        let name = self.variable_name()?;
        self.cursor.expect("=")?;
        Ok(Statement::Define { name, value: self.cursor.expect_string()? })
    }

    /// `UNDEFINE name`
    fn undefine(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        Ok(Statement::Undefine { name: self.variable_name()? })
    }

    /// A word, reserved or not.
    fn variable_name(&mut self) -> Parse<String> {
        let token = self.cursor.peek();
        let text = self.cursor.text(token);
        let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic());
        if matches!(token.kind, Kind::Word(_)) && is_word {
            self.cursor.bump();
            return Ok(text.to_owned());
        }
        let token = self.cursor.expect_kind(Kind::Identifier, "IDENTIFIER")?;
        Ok(self.cursor.text(token).to_owned())
    }

    /// `ASSERT …`
    fn assert(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        self.cursor.choosing = true;
        let exists = !self.cursor.eat("NOT");
        if !exists {
            self.cursor.expect("EXISTS")?;
        }
        if self.cursor.eat("TOPIC") {
            self.cursor.choosing = false;
            let topic = self.cursor.resource()?;
            let with = self.with()?;
            let timeout = self.timeout()?;
            return Ok(Statement::AssertTopic(AssertTopic { exists, topic, with, timeout }));
        }
        if self.cursor.eat("SCHEMA") {
            self.cursor.choosing = false;
            return self.assert_schema(exists);
        }
        if exists && self.dialect.testing {
            return self.assert_of_tests();
        }
        Err(self.cursor.near())
    }

    fn assert_schema(&mut self, exists: bool) -> Parse<Statement> {
        let subject = if self.cursor.eat("SUBJECT") { Some(self.cursor.resource()?) } else { None };
        let id = if self.cursor.eat("ID") { Some(self.literal()?.0) } else { None };
        let timeout = self.timeout()?;
        Ok(Statement::AssertSchema(AssertSchema { exists, subject, id, timeout }))
    }

    fn timeout(&mut self) -> Parse<Option<Duration>> {
        if self.cursor.eat("TIMEOUT") { self.duration().map(Some) } else { Ok(None) }
    }

    /// `ASSERT VALUES …`, `ASSERT NULL VALUES …`, `ASSERT STREAM|TABLE …`
    fn assert_of_tests(&mut self) -> Parse<Statement> {
        if self.cursor.eat("VALUES") {
            self.cursor.choosing = false;
            let source = self.source_name()?;
            let columns = self.names()?;
            self.cursor.expect("VALUES")?;
            let values = self.values()?;
            return Ok(Statement::AssertValues(AssertValues { source, columns, values }));
        }
        if self.cursor.eat("NULL") {
            self.cursor.choosing = false;
            self.cursor.expect("VALUES")?;
            let source = self.source_name()?;
            let columns = self.names()?;
            self.cursor.expect("KEY")?;
            let values = self.values()?;
            return Ok(Statement::AssertTombstone(AssertTombstone { source, columns, values }));
        }
        let kind = self.source_kind()?;
        self.cursor.choosing = false;
        let name = self.source_name()?;
        let columns = if self.cursor.at("(") { self.columns()? } else { Vec::new() };
        let with = self.with()?;
        Ok(Statement::AssertSource(AssertSource { kind, name, columns, with }))
    }

    /// `RUN SCRIPT 'file'`
    fn run_script(&mut self) -> Parse<Statement> {
        self.cursor.bump();
        self.cursor.expect("SCRIPT")?;
        Ok(Statement::RunScript { file: self.cursor.expect_string()? })
    }
}
