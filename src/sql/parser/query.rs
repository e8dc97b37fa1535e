//! `SELECT` and its clauses.

use super::Parser;
use super::cursor::{Parse, Then, starts};
use crate::sql::ast::{
    Duration, Emit, Expr, Join, JoinKind, Query, Relation, SelectItem, Source, Window, WindowKind,
    Within,
};
use crate::sql::lexer::Kind;
use crate::sql::span::Span;

/// What may go on with an expression.
static OPERATORS: &[&str] = &["AND", "OR", "=", "<", "+", "-", "*", "/"];

impl Parser<'_> {
    /// `SELECT item, … FROM relation [WINDOW …] [WHERE …] [GROUP BY …] [PARTITION BY …] [HAVING …] [EMIT …]
    /// [LIMIT …]`
    pub(super) fn query(&mut self) -> Parse<Query> {
        let start = self.cursor.span();
        self.cursor.expect_then("SELECT", Then::Expression)?;
        let select = self.select_items()?;
        let from = self.relation()?;
        let window = if self.cursor.eat("WINDOW") { Some(self.window()?) } else { None };
        let filter = self.condition("WHERE")?;
        let group_by = self.expression_list("GROUP")?;
        let partition_by = self.expression_list("PARTITION")?;
        let having = self.condition("HAVING")?;
        let tail = self.cursor.span();
        let emit = self.emit()?;
        let limit = if self.cursor.eat("LIMIT") { Some(self.whole_number("LIMIT")?) } else { None };
        let tail = if emit.is_some() || limit.is_some() {
            self.cursor.since(tail)
        } else {
            Span::default()
        };
        let span = self.cursor.since(start);
        Ok(Query {
            select,
            from,
            window,
            filter,
            group_by,
            partition_by,
            having,
            emit,
            limit,
            tail,
            span,
        })
    }

    fn select_items(&mut self) -> Parse<Vec<SelectItem>> {
        let mut items = vec![self.select_item()?];
        while self.cursor.eat(",") {
            items.push(self.select_item()?);
        }
        if !self.cursor.eat("FROM") {
            return Err(self.cursor.refuse(&[",", "FROM"]));
        }
        Ok(items)
    }

    /// `item ::= expression [[AS] alias] | struct->* | source.* | *`
    fn select_item(&mut self) -> Parse<SelectItem> {
        let start = self.cursor.span();
        if self.cursor.eat("*") {
            return Ok(SelectItem::All { source: None, span: start });
        }
        let first = self.cursor.peek();
        if self.cursor.at_identifier()
            && self.cursor.at_ahead(1, ".")
            && self.cursor.at_ahead(2, "*")
        {
            let source = Some(self.cursor.name(first));
            (0..3).for_each(|_| {
                self.cursor.bump();
            });
            return Ok(SelectItem::All { source, span: self.cursor.since(start) });
        }
        if !starts(first, Then::Expression) {
            let then =
                if self.cursor.at_ahead(1, "*") { Then::Word("*") } else { Then::Expression };
            return Err(self.cursor.refuse_start(then));
        }
        self.cursor.choosing = true;
        let expr = self.expression()?;
        let is_primary = std::mem::take(&mut self.cursor.choosing);
        if is_primary && self.cursor.at("->") {
            self.cursor.bump();
            self.cursor.expect("*")?;
            return Ok(SelectItem::StructAll { base: expr, span: self.cursor.since(start) });
        }
        if self.cursor.at("->") {
            self.cursor.bump();
            return Err(self.cursor.refuse_start(Then::Identifier));
        }
        let alias = if self.cursor.eat("AS") || self.cursor.at_identifier() {
            Some(self.cursor.identifier()?)
        } else {
            None
        };
        Ok(SelectItem::Expr { expr, alias, span: self.cursor.since(start) })
    }

    /// `relation ::= source ( [kind] JOIN source [WITHIN …] ON condition )*`
    fn relation(&mut self) -> Parse<Relation> {
        let first = self.source()?;
        let mut joins = Vec::new();
        while self.cursor.at_any(&["JOIN", "INNER", "LEFT", "RIGHT", "FULL"]) {
            joins.push(self.join()?);
        }
        self.cursor.skip(&["JOIN", "INNER", "LEFT", "RIGHT", "FULL"]);
        Ok(Relation { first, joins })
    }

    /// `source ::= name [[AS] alias]`
    fn source(&mut self) -> Parse<Source> {
        let name = self.source_name()?;
        let is_clause = self.cursor.at("EMIT")
            && (self.cursor.at_ahead(1, "CHANGES") || self.cursor.at_ahead(1, "FINAL"))
            || self.cursor.at("PARTITION") && self.cursor.at_ahead(1, "BY");
        let alias = if self.cursor.eat("AS") || self.cursor.at_identifier() && !is_clause {
            self.source_name()?
        } else {
            name.clone()
        };
        Ok(Source { name, alias })
    }

    fn join(&mut self) -> Parse<Join> {
        let start = self.cursor.span();
        let kind = if self.cursor.eat("LEFT") {
            JoinKind::Left
        } else if self.cursor.eat("RIGHT") {
            JoinKind::Right
        } else if self.cursor.eat("FULL") {
            JoinKind::Full
        } else {
            self.cursor.eat("INNER");
            JoinKind::Inner
        };
        if kind != JoinKind::Inner {
            self.cursor.eat("OUTER");
        }
        self.cursor.expect_then("JOIN", Then::Identifier)?;
        let source = self.source()?;
        let within = match self.cursor.eat("WITHIN") {
            true => Some(self.within()?),
            false if self.cursor.at("ON") => None,
            false => return Err(self.cursor.refuse(&["WITHIN", "ON"])),
        };
        self.cursor.expect_then("ON", Then::Expression)?;
        let on = self.expression()?;
        self.cursor.skip(OPERATORS);
        Ok(Join { kind, source, within, on, span: self.cursor.since(start) })
    }

    /// `WITHIN duration [GRACE PERIOD duration]`, `WITHIN ( duration , duration ) [GRACE PERIOD duration]`
    fn within(&mut self) -> Parse<Within> {
        let start = self.cursor.span();
        let (before, after) = if self.cursor.eat("(") {
            let before = self.duration()?;
            self.cursor.expect_then(",", Then::Number)?;
            let after = self.duration()?;
            self.cursor.expect(")")?;
            (before, after)
        } else {
            let size = self.duration()?;
            (size, size)
        };
        let grace = if self.cursor.eat("GRACE") { Some(self.period()?) } else { None };
        Ok(Within { before, after, grace, span: self.cursor.since(start) })
    }

    /// What follows `GRACE`.
    fn period(&mut self) -> Parse<Duration> {
        self.cursor.expect_then("PERIOD", Then::Number)?;
        self.duration()
    }

    /// `window ::= [name] ( TUMBLING ( … ) | HOPPING ( … ) | SESSION ( … ) )`
    fn window(&mut self) -> Parse<Window> {
        let start = self.cursor.span();
        if self.cursor.peek().kind == Kind::Identifier {
            self.cursor.bump();
        }
        let kind = if self.cursor.eat("TUMBLING") {
            self.cursor.expect_then("(", Then::Word("SIZE"))?;
            self.cursor.expect_then("SIZE", Then::Number)?;
            WindowKind::Tumbling { size: self.duration()? }
        } else if self.cursor.eat("HOPPING") {
            self.hopping()?
        } else if self.cursor.eat("SESSION") {
            self.cursor.expect_then("(", Then::Number)?;
            WindowKind::Session { gap: self.duration()? }
        } else {
            return Err(self.cursor.refuse(&["TUMBLING", "HOPPING", "SESSION"]));
        };
        let (retention, grace) = self.window_limits()?;
        Ok(Window { kind, retention, grace, span: self.cursor.since(start) })
    }

    fn hopping(&mut self) -> Parse<WindowKind> {
        self.cursor.expect_then("(", Then::Word("SIZE"))?;
        self.cursor.expect_then("SIZE", Then::Number)?;
        let size = self.duration()?;
        self.cursor.expect_then(",", Then::Word("ADVANCE"))?;
        self.cursor.expect_then("ADVANCE", Then::Word("BY"))?;
        self.cursor.expect_then("BY", Then::Number)?;
        Ok(WindowKind::Hopping { size, advance: self.duration()? })
    }

    /// `[, RETENTION duration] [, GRACE PERIOD duration] )`
    fn window_limits(&mut self) -> Parse<(Option<Duration>, Option<Duration>)> {
        let mut retention = None;
        if self.cursor.at(",") && self.cursor.at_ahead(1, "RETENTION") {
            self.cursor.bump();
            self.cursor.bump();
            retention = Some(self.duration()?);
        }
        let mut grace = None;
        if self.cursor.eat(",") {
            let expected: &[&str] =
                if retention.is_none() { &["RETENTION", "GRACE"] } else { &["GRACE"] };
            if !self.cursor.eat("GRACE") {
                return Err(match retention {
                    None => self.cursor.near(),
                    Some(_) => self.cursor.refuse(expected),
                });
            }
            grace = Some(self.period()?);
        } else if !self.cursor.at(")") {
            return Err(self.cursor.refuse(&[",", ")"]));
        }
        self.cursor.expect(")")?;
        Ok((retention, grace))
    }

    /// `WHERE condition` or `HAVING condition`
    fn condition(&mut self, word: &'static str) -> Parse<Option<Expr>> {
        if !self.cursor.eat(word) {
            return Ok(None);
        }
        let condition = self.expression()?;
        self.cursor.skip(OPERATORS);
        Ok(Some(condition))
    }

    /// `GROUP BY` or `PARTITION BY` with `value, …`, `( value, … )` or `()`
    fn expression_list(&mut self, word: &'static str) -> Parse<Option<Vec<Expr>>> {
        if !self.cursor.eat(word) {
            return Ok(None);
        }
        self.cursor.expect_then("BY", Then::Expression)?;
        let values =
            if self.is_parenthesized_list() { self.values()? } else { self.bare_values()? };
        self.cursor.skip(OPERATORS);
        Ok(Some(values))
    }

    fn bare_values(&mut self) -> Parse<Vec<Expr>> {
        let mut values = vec![self.nested(Self::value)?];
        while self.cursor.eat(",") {
            values.push(self.nested(Self::value)?);
        }
        Ok(values)
    }

    /// `( [value, …] )`
    pub(super) fn values(&mut self) -> Parse<Vec<Expr>> {
        self.cursor.expect_then("(", Then::Expression)?;
        let mut values = Vec::new();
        if self.cursor.eat(")") {
            return Ok(values);
        }
        loop {
            values.push(self.nested(Self::value)?);
            if self.cursor.eat(")") {
                return Ok(values);
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ")"]));
            }
        }
    }

    /// Whether the parenthesis that is next holds a list, rather than one expression.
    fn is_parenthesized_list(&self) -> bool {
        if !self.cursor.at("(") {
            return false;
        }
        let mut open = 0_usize;
        for ahead in 0.. {
            let token = self.cursor.peek_at(ahead);
            match token.kind {
                Kind::Word("(" | "[") => open += 1,
                Kind::Word(")" | "]") if open == 1 => return ahead == 1,
                Kind::Word(")" | "]") => open -= 1,
                Kind::Word(",") if open == 1 => return true,
                Kind::Word(";") | Kind::Eof => return false,
                _ => {}
            }
        }
        false
    }

    fn emit(&mut self) -> Parse<Option<Emit>> {
        if !self.cursor.eat("EMIT") {
            return Ok(None);
        }
        if self.cursor.eat("CHANGES") {
            Ok(Some(Emit::Changes))
        } else if self.cursor.eat("FINAL") {
            Ok(Some(Emit::Final))
        } else {
            Err(self.cursor.refuse(&["CHANGES", "FINAL"]))
        }
    }
}
