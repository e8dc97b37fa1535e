//! Tokens to syntax tree, by recursive descent: a method for each rule, the rule above it.
//!
//! Depth and the number of operators are limited, so that no text can exhaust the stack, neither here nor where
//! the tree is walked, of threads that have [`STACK_BYTES`](crate::expr::STACK_BYTES) of it.

mod create;
mod cursor;
mod error;
mod expression;
mod hints;
mod literal;
mod over;
mod primary;
mod query;
mod statement;
mod then;
mod types;

pub(super) use cursor::unquote;
pub use error::ParseError;

use crate::sql::ast::{Column, Expr, Statement, Type};
use crate::sql::span::Span;
use crate::sql::text::Text;
use cursor::{Cursor, Parse, Then};

/// The most expressions, types and statements within one another.
pub const DEPTH_MAX: usize = 64;

/// The most operators of one expression.
pub const OPERATORS_MAX: usize = 1_000;

/// The most errors that are reported of one text.
pub const ERRORS_MAX: usize = 100;

/// A statement and its place, the semicolon included.
pub(super) struct Parsed {
    pub(super) statement: Statement,
    pub(super) span: Span,
    /// What is wrong with it although its syntax is right.
    pub(super) errors: Vec<ParseError>,
}

/// A text between semicolons that is no statement.
pub(super) struct Unparsed {
    pub(super) span: Span,
    /// The names that stand where a statement has that of what it makes.
    pub(super) makes: Vec<String>,
    pub(super) error: ParseError,
}

/// Which statements and words are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// Whether statements of tests are.
    pub(super) testing: bool,
    /// Whether nothing is that ksqlDB does not know.
    pub(super) is_strict: bool,
    /// How deep expressions may lie within one another.
    pub(super) depth_max: usize,
}

pub(super) struct Parser<'a> {
    cursor: Cursor<'a>,
    dialect: Dialect,
    depth: usize,
    operators: usize,
    /// How deep the parts of a statement lie.
    statement_depth: usize,
    brackets: usize,
    lambda_names: Vec<String>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a Text, dialect: Dialect) -> Self {
        Self {
            cursor: Cursor::new(source),
            dialect,
            depth: 0,
            operators: 0,
            statement_depth: 0,
            brackets: 0,
            lambda_names: Vec::new(),
        }
    }

    /// `statements ::= ( statement ; )*`, the errors of all of which are found.
    pub(super) fn statements(mut self) -> Vec<Result<Parsed, Unparsed>> {
        let mut found = Vec::new();
        let mut errors = 0;
        while !self.cursor.is_eof() && errors < ERRORS_MAX {
            let (start, mark) = (self.cursor.span(), self.cursor.mark());
            found.push(match self.terminated_statement() {
                Ok(statement) => {
                    let span = self.cursor.since(start);
                    Ok(Parsed { statement, span, errors: self.take_deferred(span) })
                }
                Err(error) => {
                    errors += 1;
                    let error = self.with_statement(error, start);
                    self.restart();
                    let makes = self.cursor.made_since(mark);
                    Err(Unparsed { span: self.cursor.since(start), makes, error })
                }
            });
        }
        found
    }

    fn terminated_statement(&mut self) -> Parse<Statement> {
        let statement = self.statement()?;
        self.cursor.expect_then(";", Then::Statement)?;
        Ok(statement)
    }

    fn take_deferred(&mut self, statement: Span) -> Vec<ParseError> {
        let mut errors = std::mem::take(&mut self.cursor.deferred);
        let text = statement.text(self.cursor.source);
        for error in errors.iter_mut().filter(|error| error.statement.is_empty()) {
            text.clone_into(&mut error.statement);
        }
        errors
    }

    /// An error of preparation shows its statement, which ends with the next semicolon.
    fn with_statement(&mut self, mut error: ParseError, start: Span) -> ParseError {
        if error.statement.is_empty() {
            let mark = self.cursor.mark();
            self.cursor.recover();
            self.cursor.since(start).text(self.cursor.source).clone_into(&mut error.statement);
            self.cursor.reset(mark);
        }
        error
    }

    fn restart(&mut self) {
        self.cursor.recover();
        self.cursor.deferred.clear();
        self.depth = 0;
        self.statement_depth = 0;
        self.brackets = 0;
        self.lambda_names.clear();
    }

    /// An expression and nothing else.
    pub(super) fn only_expression(mut self) -> Parse<Expr> {
        let expr = self.expression()?;
        self.end()?;
        Ok(expr)
    }

    /// A type and nothing else.
    pub(super) fn only_type(mut self) -> Parse<Type> {
        let ty = self.type_()?;
        self.end()?;
        Ok(ty)
    }

    /// Columns with commas between them, and nothing else; possibly none.
    pub(super) fn only_columns(mut self) -> Parse<Vec<Column>> {
        let mut columns = Vec::new();
        while !self.cursor.is_eof() {
            columns.push(self.column()?);
            if !self.cursor.eat(",") {
                break;
            }
        }
        self.end()?;
        Ok(columns)
    }

    fn end(&mut self) -> Parse<()> {
        if !self.cursor.is_eof() {
            return Err(self.cursor.refuse(&[]));
        }
        let whole = Span::new(0, self.cursor.source.len());
        self.take_deferred(whole).into_iter().next().map_or(Ok(()), Err)
    }

    /// Parses one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth == self.statement_depth {
            self.operators = 0;
        }
        self.check_depth(1)?;
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn check_depth(&self, more: usize) -> Parse<()> {
        if self.depth + more <= self.dialect.depth_max { Ok(()) } else { Err(self.too_large()) }
    }

    fn count_operator(&mut self) -> Parse<()> {
        self.operators += 1;
        if self.operators <= OPERATORS_MAX { Ok(()) } else { Err(self.too_large()) }
    }

    fn too_large(&self) -> ParseError {
        let reason = "Error processing statement: Statement is too large to parse. \
                      This may be caused by having too many nested expressions in the statement.";
        self.cursor.prepare_error(self.cursor.span(), reason)
    }
}
