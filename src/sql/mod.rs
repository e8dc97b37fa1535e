//! Text to syntax tree and back.
//!
//! [`parse`] takes a text to its statements: the lexer cuts it into tokens, the parser builds the tree of each
//! statement, variables are put in, and what ksqlDB refuses before it looks at any catalog is refused. [`mod@print`]
//! goes the other way, into the form that ksqlDB shows. [`diagnostic`] shows an error with its place, for this layer
//! and those above. Nothing here knows whether a statement makes sense or can be run.

pub mod ast;
mod check;
pub mod diagnostic;
mod keywords;
mod lexer;
mod parsed_statement;
mod parser;
pub mod print;
pub mod span;
pub mod suggest;
pub mod text;
pub mod tokens;
mod variables;
pub mod visit;

pub use diagnostic::Diagnostic;
pub use keywords::{is_reserved, statement_starts};
pub use parsed_statement::ParsedStatement;
pub use parser::{DEPTH_MAX, ERRORS_MAX, OPERATORS_MAX, ParseError};
pub use span::{Lines, Position, Span};
pub use text::Text;
pub use variables::{Replaced, VARIABLE_BYTES_MAX, Variables};

use ast::{Column, Expr, Statement, Type};
use parser::{Dialect, Parsed, Parser, Unparsed};

/// What a text may hold.
#[derive(Debug, Clone, Default)]
pub struct ParseOptions {
    /// The values of variables; `None` where variables are not substituted. `DEFINE` and `UNDEFINE` in the text
    /// change them for the statements that follow.
    pub variables: Option<Variables>,
    /// Whether statements of tests, such as `ASSERT VALUES`, are taken.
    pub testing: bool,
    /// Whether nothing is taken but ksqlDB's own language: no `OVER`.
    pub is_strict: bool,
    /// Whether the text is one that [`print`](mod@print) made: all operators of an expression stand in parentheses then, and as many of
    /// these may lie within one another as there may be operators.
    pub is_printed: bool,
}

impl ParseOptions {
    /// What a statement may hold that was read before and printed.
    pub fn printed() -> Self {
        Self { is_printed: true, ..Self::default() }
    }

    fn dialect(&self) -> Dialect {
        let depth_max = if self.is_printed { DEPTH_MAX + OPERATORS_MAX } else { DEPTH_MAX };
        Dialect { testing: self.testing, is_strict: self.is_strict, depth_max }
    }
}

/// The statements of a text, or all that is wrong with it; the first error is the one that ksqlDB reports.
///
/// As in ksqlDB, a syntax error in the last statement fails the first one too.
pub fn parse(
    text: impl Into<Text>,
    options: &ParseOptions,
) -> Result<Vec<ParsedStatement>, Vec<ParseError>> {
    let Read { statements, faulty } = read(text, options);
    if faulty.is_empty() {
        return Ok(statements);
    }
    let has_syntax_errors = faulty.iter().any(|one| one.is_syntax);
    let told = faulty.into_iter().filter(|one| one.is_syntax || !has_syntax_errors);
    Err(told.flat_map(|one| one.errors).collect())
}

/// What a text holds: its statements, and what should be some but is none.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// The statements.
    pub statements: Vec<ParsedStatement>,
    /// What is wrong with the others.
    pub faulty: Vec<FaultyStatement>,
}

/// A part of a text that is to be a statement.
#[derive(Debug, Clone)]
pub struct FaultyStatement {
    /// Where it stands.
    pub place: Span,
    /// The names of what it would make, as far as they can be told.
    pub makes: Vec<String>,
    /// What is wrong, at least one.
    pub errors: Vec<ParseError>,
    /// Whether its syntax is.
    is_syntax: bool,
}

/// Reads all statements of a text that can be read.
pub fn read(text: impl Into<Text>, options: &ParseOptions) -> Read {
    let source: Text = text.into();
    let mut variables = options.variables.clone();
    let mut room = VARIABLE_BYTES_MAX;
    let mut read = Read::default();
    for one in Parser::new(&source, options.dialect()).statements() {
        let parsed = match one {
            Ok(parsed) => parsed,
            Err(Unparsed { span, makes, error }) => {
                let errors = vec![error];
                read.faulty.push(FaultyStatement { place: span, makes, errors, is_syntax: true });
                continue;
            }
        };
        let (place, makes) = (parsed.span, made(&parsed.statement));
        match prepare(parsed, &source, variables.as_ref().zip(Some(&mut room)), options.dialect()) {
            Ok(statement) => {
                define(&statement.statement, variables.as_mut());
                read.statements.push(statement);
            }
            Err(errors) => {
                let makes = makes.into_iter().collect();
                read.faulty.push(FaultyStatement { place, makes, errors, is_syntax: false });
            }
        }
    }
    read
}

/// The name of what a statement makes.
fn made(statement: &Statement) -> Option<String> {
    match statement {
        Statement::CreateSource(create) => Some(create.name.text.clone()),
        Statement::CreateAs(create) => Some(create.name.text.clone()),
        Statement::CreateType(create) => Some(create.name.text.clone()),
        _ => None,
    }
}

/// Puts in variables and refuses what no catalog can make right.
fn prepare(
    parsed: Parsed,
    source: &Text,
    variables: Option<(&Variables, &mut usize)>,
    dialect: Dialect,
) -> Result<ParsedStatement, Vec<ParseError>> {
    let text = parsed.span.text(source);
    let start = parsed.span.start;
    let mut unset = Vec::new();
    if let Some((values, _)) = &variables {
        for (span, name) in variables::unset(text, values) {
            let place = Span::new(start + span.start, start + span.end);
            unset.push((place, variables::help_with(&name, values)));
        }
    }
    let substituted = match variables {
        Some((values, room)) => {
            variables::substitute(&text.into(), values, room).map_err(|mut error| {
                error.span = Span::new(start + error.span.start, start + error.span.end);
                vec![error]
            })?
        }
        None => None,
    };
    let mut errors = parsed.errors;
    let mut prepared = ParsedStatement {
        statement: parsed.statement,
        text: text.to_owned(),
        span: parsed.span,
        place: parsed.span,
        source: source.clone(),
        replaced: Vec::new(),
        unset,
    };
    if let Some(variables::Substituted { text, replaced }) = substituted {
        prepared.replaced = replaced;
        let text = Text::from(text);
        let again = Parser::new(&text, dialect).statements();
        let again: Result<Vec<Parsed>, Unparsed> = again.into_iter().collect();
        let mut again = again.map_err(|Unparsed { mut error, .. }| {
            error.span = prepared.written_place(error.span);
            vec![error]
        })?;
        if let Some(Parsed { statement, span, errors: found }) = again.pop() {
            errors = found;
            let own = text.to_string();
            prepared = ParsedStatement { statement, text: own, span, source: text, ..prepared };
        }
    }
    if errors.is_empty() {
        errors.extend(check::check(&prepared).err());
    }
    if errors.is_empty() {
        return Ok(prepared);
    }
    for error in &mut errors {
        error.span = prepared.written_place(error.span);
        let is_within = |(place, _): &&(Span, String)| {
            place.start >= error.span.start && place.end <= error.span.end
        };
        let help = prepared.unset.iter().find(is_within).map(|(_, help)| help.clone());
        error.help = error.help.take().or(help);
    }
    // What is reported with an error shows no secrets.
    for error in errors.iter_mut().filter(|error| error.statement == prepared.text) {
        error.statement = print::masked(&prepared);
    }
    Err(errors)
}

/// Lets a `DEFINE` or `UNDEFINE` change the variables of what follows.
fn define(statement: &Statement, variables: Option<&mut Variables>) {
    let Some(variables) = variables else { return };
    match statement {
        Statement::Define { name, value } => {
            variables.insert(name.to_lowercase(), value.clone());
        }
        Statement::Undefine { name } => {
            variables.remove(&name.to_lowercase());
        }
        _ => {}
    }
}

/// The name that a text stands for: what stands in quotes as it is, and everything else in capitals.
pub fn identifier_text(text: &str) -> String {
    let quotes = [('`', '`'), ('"', '"')];
    let ends = text.chars().next().zip(text.chars().next_back());
    let is_quoted = text.len() > 1 && ends.is_some_and(|ends| quotes.contains(&ends));
    if is_quoted { parser::unquote(text) } else { text.to_uppercase() }
}

/// One expression and nothing else.
pub fn parse_expression(text: &str) -> Result<Expr, ParseError> {
    Parser::new(&text.into(), ParseOptions::default().dialect()).only_expression()
}

/// One type and nothing else, such as `ARRAY<INT>`.
pub fn parse_type(text: &str) -> Result<Type, ParseError> {
    Parser::new(&text.into(), ParseOptions::default().dialect()).only_type()
}

/// The columns of a schema, such as `` `K` STRING KEY, `V` INTEGER ``; possibly none.
pub fn parse_schema(text: &str) -> Result<Vec<Column>, ParseError> {
    Parser::new(&text.into(), ParseOptions::default().dialect()).only_columns()
}
