//! Constants, numbers and lengths of time.

use super::Parser;
use super::cursor::{Parse, Then, starts, unquote};
use super::error::ParseError;
use crate::sql::ast::{Duration, Literal, TimeUnit};
use crate::sql::lexer::Kind;
use crate::sql::span::Span;

/// The units of time, in ksqlDB's order.
static UNITS: &[(&str, TimeUnit)] = &[
    ("DAY", TimeUnit::Days),
    ("HOUR", TimeUnit::Hours),
    ("MINUTE", TimeUnit::Minutes),
    ("SECOND", TimeUnit::Seconds),
    ("MILLISECOND", TimeUnit::Milliseconds),
    ("DAYS", TimeUnit::Days),
    ("HOURS", TimeUnit::Hours),
    ("MINUTES", TimeUnit::Minutes),
    ("SECONDS", TimeUnit::Seconds),
    ("MILLISECONDS", TimeUnit::Milliseconds),
];

impl Parser<'_> {
    /// `literal ::= NULL | TRUE | FALSE | 'text' | number | ${variable}`
    pub(super) fn literal(&mut self) -> Parse<(Literal, Span)> {
        let token = self.cursor.peek();
        let literal = match token.kind {
            Kind::Word("NULL") => Literal::Null,
            Kind::Word("TRUE") => Literal::Boolean(true),
            Kind::Word("FALSE") => Literal::Boolean(false),
            Kind::String => Literal::String(unquote(self.cursor.text(token))),
            // Only where variables are not substituted.
            Kind::Variable => Literal::String(self.cursor.text(token).to_owned()),
            _ if starts(token, Then::Number) => return self.number(),
            _ => return Err(self.cursor.refuse_start(Then::Number)),
        };
        self.cursor.bump();
        Ok((literal, token.span))
    }

    /// Whether a number is next, possibly after a minus.
    pub(super) fn at_number(&self) -> bool {
        let ahead = usize::from(self.cursor.at("-"));
        matches!(self.cursor.peek_at(ahead).kind, Kind::Integer | Kind::Decimal | Kind::Float)
    }

    /// `number ::= [-] digits | [-] digits.digits | [-] digitsEdigits`
    pub(super) fn number(&mut self) -> Parse<(Literal, Span)> {
        if !self.at_number() {
            if self.cursor.at("-") {
                self.cursor.bump();
            }
            return Err(self.cursor.refuse_start(Then::Number));
        }
        let start = self.cursor.span();
        let is_negative = self.cursor.at("-");
        if is_negative {
            self.cursor.bump();
        }
        let token = self.cursor.bump();
        let digits = self.cursor.text(token);
        let text = if is_negative { format!("-{digits}") } else { digits.to_owned() };
        let span = start.to(token.span);
        let literal = match token.kind {
            Kind::Integer => self.integer(&text, span),
            Kind::Float => self.double(&text, span),
            _ => Literal::Decimal(plain_decimal(&text)),
        };
        Ok((literal, span))
    }

    fn integer(&mut self, text: &str, span: Span) -> Literal {
        if let Ok(value) = text.parse() {
            return Literal::Integer(value);
        }
        match text.parse() {
            Ok(value) => Literal::Bigint(value),
            Err(_) => self.out_of_range(span, &format!("Invalid numeric literal: {text}")),
        }
    }

    fn double(&mut self, text: &str, span: Span) -> Literal {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Literal::Double(value),
            _ => self.out_of_range(span, &format!("Number overflows DOUBLE: {text}")),
        }
    }

    fn out_of_range(&mut self, span: Span, reason: &str) -> Literal {
        self.cursor.deferred.push(ParseError::literal(self.cursor.source, span, reason));
        Literal::Null
    }

    /// `duration ::= number ( MILLISECOND | SECOND | MINUTE | HOUR | DAY )[S]`
    pub(super) fn duration(&mut self) -> Parse<Duration> {
        let start = self.cursor.span();
        if !self.at_number() {
            return Err(self.cursor.refuse_start(Then::Number));
        }
        let sign =
            if self.cursor.at("-") { self.cursor.bump().span.text(self.cursor.source) } else { "" };
        let token = self.cursor.bump();
        let text = format!("{sign}{}", self.cursor.text(token));
        let number = self.cursor.since(start);
        let count = text.parse().unwrap_or_else(|_| {
            self.cursor.defer(number, &format!("For input string: \"{text}\""));
            0
        });
        let unit = self.unit()?;
        Ok(Duration { count, unit, span: self.cursor.since(start) })
    }

    /// The unit of time that is next, if one is.
    pub(super) fn at_unit(&self) -> Option<TimeUnit> {
        let Kind::Word(word) = self.cursor.peek().kind else { return None };
        UNITS.iter().find(|(name, _)| *name == word).map(|(_, unit)| *unit)
    }

    fn unit(&mut self) -> Parse<TimeUnit> {
        if let Some(unit) = self.at_unit() {
            self.cursor.bump();
            return Ok(unit);
        }
        let names: Vec<&'static str> = UNITS.iter().map(|(name, _)| *name).collect();
        if !self.cursor.choosing && self.cursor.at_any(&[")", ",", "GRACE", "ON", ";"]) {
            return Err(self.cursor.missing(&names));
        }
        Err(self.cursor.refuse(&names))
    }
}

/// A decimal with a digit before its point, without zeros before that, and with a point only before a digit.
pub(super) fn plain_decimal(text: &str) -> String {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    let is_zero = whole == "0" && fraction.bytes().all(|b| b == b'0');
    let sign = if is_zero { "" } else { sign };
    format!("{sign}{whole}{point}{fraction}")
}
