//! Expressions, by precedence: postfix, sign, `* / %`, `+ -`, `||`, predicates, `NOT`, `AND`, `OR`.

use super::Parser;
use super::cursor::{Parse, Then};
use crate::sql::ast::{ArithmeticOp, Comparison, Expr, ExprKind, LogicalOp, Name, Sign};
use crate::sql::lexer::Kind;
use crate::sql::span::Span;

/// How tightly an operator between values binds.
fn binary(word: &str) -> Option<(u8, Binary)> {
    Some(match word {
        "*" => (3, Binary::Arithmetic(ArithmeticOp::Multiply)),
        "/" => (3, Binary::Arithmetic(ArithmeticOp::Divide)),
        "%" => (3, Binary::Arithmetic(ArithmeticOp::Modulus)),
        "+" => (2, Binary::Arithmetic(ArithmeticOp::Add)),
        "-" => (2, Binary::Arithmetic(ArithmeticOp::Subtract)),
        "||" => (1, Binary::Concat),
        _ => return None,
    })
}

#[derive(Clone, Copy)]
enum Binary {
    Arithmetic(ArithmeticOp),
    Concat,
}

/// Binding of a sign, tighter than any operator between values.
const SIGN: u8 = 4;

impl Parser<'_> {
    /// `expression ::= expression OR expression | expression AND expression | NOT expression | predicated`
    pub(super) fn expression(&mut self) -> Parse<Expr> {
        self.nested(|parser| parser.logical(0))
    }

    /// `OR` binds with 0, `AND` with 1.
    fn logical(&mut self, binding: u8) -> Parse<Expr> {
        let start = self.cursor.span();
        let mut left = if self.cursor.at("NOT") { self.not()? } else { self.predicated()? };
        loop {
            let (op, op_binding) = if self.cursor.at("AND") {
                (LogicalOp::And, 1)
            } else if self.cursor.at("OR") {
                (LogicalOp::Or, 0)
            } else {
                return Ok(left);
            };
            if op_binding < binding {
                return Ok(left);
            }
            self.count_operator()?;
            self.decided();
            self.cursor.bump();
            let right = self.nested(|parser| parser.logical(op_binding + 1))?;
            let kind = ExprKind::Logical { op, left: Box::new(left), right: Box::new(right) };
            left = Expr { kind, span: self.cursor.since(start) };
        }
    }

    /// `NOT` binds tighter than `AND`, so its operand takes neither.
    fn not(&mut self) -> Parse<Expr> {
        let start = self.cursor.span();
        self.decided();
        self.cursor.bump();
        let operand = self.nested(|parser| parser.logical(2))?;
        Ok(Expr { kind: ExprKind::Not(Box::new(operand)), span: self.cursor.since(start) })
    }

    /// `predicated ::= value [= value | [NOT] BETWEEN … | [NOT] IN (…) | [NOT] LIKE … | IS [NOT] …]`
    fn predicated(&mut self) -> Parse<Expr> {
        let start = self.cursor.span();
        let value = self.value()?;
        let Kind::Word(word) = self.cursor.peek().kind else { return Ok(value) };
        let op = match word {
            "=" => Comparison::Equal,
            "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            "NOT" | "BETWEEN" | "IN" | "LIKE" | "IS" => return self.predicate(start, value),
            _ => return Ok(value),
        };
        self.decided();
        self.cursor.bump();
        let right = self.value()?;
        let kind = ExprKind::Comparison { op, left: Box::new(value), right: Box::new(right) };
        Ok(Expr { kind, span: self.cursor.since(start) })
    }

    fn predicate(&mut self, start: Span, value: Expr) -> Parse<Expr> {
        self.decided();
        let value = Box::new(value);
        if self.cursor.at("IS") {
            return self.is(start, value);
        }
        let negated = self.cursor.eat("NOT");
        let kind = if self.cursor.eat("BETWEEN") {
            let low = Box::new(self.value()?);
            self.cursor.expect_then("AND", Then::Expression)?;
            ExprKind::Between { value, low, high: Box::new(self.value()?) }
        } else if self.cursor.eat("IN") {
            self.cursor.expect_then("(", Then::Expression)?;
            ExprKind::In { value, list: self.expressions(")")? }
        } else if self.cursor.eat("LIKE") {
            let pattern = Box::new(self.value()?);
            ExprKind::Like { value, pattern, escape: self.escape()? }
        } else {
            return Err(self.cursor.near());
        };
        let span = self.cursor.since(start);
        Ok(negate(negated, Expr { kind, span }))
    }

    /// `value IS [NOT] NULL`, `value IS [NOT] DISTINCT FROM value`
    fn is(&mut self, start: Span, value: Box<Expr>) -> Parse<Expr> {
        self.cursor.bump();
        let negated = self.cursor.eat("NOT");
        if self.cursor.eat("NULL") {
            let kind = if negated { ExprKind::IsNotNull(value) } else { ExprKind::IsNull(value) };
            return Ok(Expr { kind, span: self.cursor.since(start) });
        }
        if !self.cursor.eat("DISTINCT") {
            return Err(self.cursor.near());
        }
        self.cursor.expect_then("FROM", Then::Expression)?;
        let right = Box::new(self.value()?);
        let kind = ExprKind::Comparison { op: Comparison::DistinctFrom, left: value, right };
        let span = self.cursor.since(start);
        Ok(negate(negated, Expr { kind, span }))
    }

    fn escape(&mut self) -> Parse<Option<char>> {
        if !self.cursor.at("ESCAPE") || self.cursor.peek_at(1).kind != Kind::String {
            return Ok(None);
        }
        self.cursor.bump();
        let span = self.cursor.span();
        let text = self.cursor.expect_string()?;
        let mut chars = text.chars();
        if let (Some(only), None) = (chars.next(), chars.next()) {
            return Ok(Some(only));
        }
        let at = self.location(span);
        let reason = format!("Optional[{at}]: Expected single character escape but got: {text}");
        self.cursor.defer(span, &reason);
        Ok(None)
    }

    /// `value ::= value || value | value + value | value * value | - value | value AT TIME ZONE '…' | primary`
    pub(super) fn value(&mut self) -> Parse<Expr> {
        self.value_of(0)
    }

    fn value_of(&mut self, binding: u8) -> Parse<Expr> {
        let start = self.cursor.span();
        let mut left = self.signed()?;
        loop {
            if self.cursor.at("AT") {
                self.count_operator()?;
                self.at_time_zone()?;
                continue;
            }
            let Kind::Word(word) = self.cursor.peek().kind else { return Ok(left) };
            let Some((op_binding, op)) = binary(word) else { return Ok(left) };
            if op_binding <= binding {
                return Ok(left);
            }
            self.count_operator()?;
            self.decided();
            let op_span = self.cursor.bump().span;
            let right = self.nested(|parser| parser.value_of(op_binding))?;
            let span = self.cursor.since(start);
            left = Expr { kind: combine(op, op_span, left, right), span };
        }
    }

    /// A sign before anything but a number, or a primary expression.
    fn signed(&mut self) -> Parse<Expr> {
        let start = self.cursor.span();
        let sign = if self.cursor.at("+") {
            Sign::Plus
        } else if self.cursor.at("-") && !self.at_number() {
            Sign::Minus
        } else {
            return self.primary();
        };
        self.decided();
        self.cursor.bump();
        let value = Box::new(self.nested(|parser| parser.value_of(SIGN))?);
        Ok(Expr { kind: ExprKind::Sign { sign, value }, span: self.cursor.since(start) })
    }

    /// ksqlDB's grammar has `AT TIME ZONE '…'`, but nothing behind it.
    fn at_time_zone(&mut self) -> Parse<()> {
        let start = self.cursor.bump().span;
        self.cursor.expect_then("TIME", Then::Word("ZONE"))?;
        self.cursor.expect("ZONE")?;
        self.cursor.expect_string()?;
        self.cursor.defer(start, "not yet implemented");
        Ok(())
    }

    /// One or more expressions and the closing `end`.
    pub(super) fn expressions(&mut self, end: &'static str) -> Parse<Vec<Expr>> {
        let mut all = vec![self.expression()?];
        while self.cursor.eat(",") {
            all.push(self.expression()?);
        }
        if !self.cursor.eat(end) {
            return Err(self.cursor.refuse(&[",", end]));
        }
        Ok(all)
    }
}

fn negate(negated: bool, expr: Expr) -> Expr {
    if !negated {
        return expr;
    }
    let span = expr.span;
    Expr { kind: ExprKind::Not(Box::new(expr)), span }
}

fn combine(op: Binary, op_span: Span, left: Expr, right: Expr) -> ExprKind {
    match op {
        Binary::Arithmetic(op) => {
            ExprKind::Arithmetic { op, left: Box::new(left), right: Box::new(right) }
        }
        Binary::Concat => {
            let name = Name { text: "concat".to_owned(), quoted: true, span: op_span };
            ExprKind::Call { name, args: vec![left, right] }
        }
    }
}
