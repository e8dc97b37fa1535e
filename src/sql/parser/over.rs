//! `OVER (…)` behind a call, which no text of ksqlDB's holds: there `OVER` is an alias, and no bracket follows one. Its words are no keywords, so that they stay names everywhere else.

use super::Parser;
use super::cursor::{Parse, Then};
use crate::sql::ast::{Expr, ExprKind, Name, OrderBy, Over, RowBound, RowsBetween};
use crate::sql::lexer::Kind;

impl Parser<'_> {
    /// `call [ OVER ( [PARTITION BY expression, …] [ORDER BY order, …] [ROWS …] ) ]`
    pub(super) fn over(&mut self, call: ExprKind) -> Parse<ExprKind> {
        let ExprKind::Call { name, args } = call else { return Ok(call) };
        let is_over = self.cursor.at_plain(0, "OVER") && self.cursor.at_ahead(1, "(");
        if !is_over || self.dialect.is_strict {
            return Ok(ExprKind::Call { name, args });
        }
        self.count_operator()?;
        // Once the bracket is there, nothing else can be meant.
        let choosing = std::mem::take(&mut self.cursor.choosing);
        let over = self.over_clause(name, args)?;
        self.cursor.choosing = choosing;
        Ok(ExprKind::Over(Box::new(over)))
    }

    fn over_clause(&mut self, name: Name, args: Vec<Expr>) -> Parse<Over> {
        let start = self.cursor.bump().span;
        self.cursor.bump();
        let (partition_by, order_by) = (Vec::new(), Vec::new());
        let mut over = Over { name, args, partition_by, order_by, rows: None, span: start };
        if self.cursor.eat("PARTITION") {
            self.cursor.expect_then("BY", Then::Expression)?;
            over.partition_by = self.separated(|parser| parser.inside(Self::expression))?;
        }
        if self.cursor.eat_plain("ORDER") {
            self.cursor.expect_then("BY", Then::Expression)?;
            over.order_by = self.separated(Self::order)?;
        }
        if self.cursor.eat_plain("ROWS") {
            over.rows = Some(self.rows()?);
        }
        self.cursor.expect(")")?;
        over.span = self.cursor.since(start);
        Ok(over)
    }

    /// One or more of something, with commas between them.
    fn separated<T>(&mut self, item: impl Fn(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut all = vec![item(self)?];
        while self.cursor.eat(",") {
            all.push(item(self)?);
        }
        Ok(all)
    }

    /// `order ::= expression [ ASC | DESC ]`
    fn order(&mut self) -> Parse<OrderBy> {
        let expr = self.inside(Self::expression)?;
        let is_descending = !self.cursor.eat_plain("ASC") && self.cursor.eat_plain("DESC");
        Ok(OrderBy { expr, is_descending })
    }

    /// `rows ::= ROWS ( bound | BETWEEN bound AND bound )`, of which the first word is taken.
    fn rows(&mut self) -> Parse<RowsBetween> {
        let start = self.cursor.span();
        let (first, last) = if self.cursor.eat("BETWEEN") {
            let first = self.bound()?;
            self.cursor.expect("AND")?;
            (first, self.bound()?)
        } else {
            (self.bound()?, RowBound::CurrentRow)
        };
        Ok(RowsBetween { start: first, end: last, span: self.cursor.since(start) })
    }

    /// `bound ::= CURRENT ROW | ( UNBOUNDED | number ) ( PRECEDING | FOLLOWING )`
    fn bound(&mut self) -> Parse<RowBound> {
        if self.cursor.eat_plain("CURRENT") {
            return if self.cursor.eat_plain("ROW") {
                Ok(RowBound::CurrentRow)
            } else {
                Err(self.cursor.refuse(&["ROW"]))
            };
        }
        let rows = if self.cursor.eat_plain("UNBOUNDED") {
            None
        } else if self.cursor.peek().kind == Kind::Integer {
            let token = self.cursor.bump();
            // A count that no number holds is more than any that is allowed.
            Some(self.cursor.text(token).parse().unwrap_or(u64::MAX))
        } else {
            return Err(self.cursor.refuse(&["CURRENT", "UNBOUNDED", "INTEGER_VALUE"]));
        };
        let is_before = self.cursor.eat_plain("PRECEDING");
        if !is_before && !self.cursor.eat_plain("FOLLOWING") {
            return Err(self.cursor.refuse(&["PRECEDING", "FOLLOWING"]));
        }
        Ok(match (rows, is_before) {
            (None, true) => RowBound::UnboundedPreceding,
            (Some(rows), true) => RowBound::Preceding(rows),
            (None, false) => RowBound::UnboundedFollowing,
            (Some(rows), false) => RowBound::Following(rows),
        })
    }
}
