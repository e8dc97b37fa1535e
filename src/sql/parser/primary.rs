//! Primary expressions: constants, columns, calls, constructors, `CASE`, `CAST`, parentheses, `[…]` and `->`.

use super::Parser;
use super::cursor::{Parse, Then, starts, unquote};
use super::literal::plain_decimal;
use crate::sql::ast::{Expr, ExprKind, Literal, Name, StructValue, WhenClause};
use crate::sql::lexer::Kind;
use crate::sql::span::Span;

impl Parser<'_> {
    /// A primary expression with its `[…]` and `->field`.
    pub(super) fn primary(&mut self) -> Parse<Expr> {
        let start = self.cursor.span();
        let kind = self.primary_kind()?;
        let mut base = match kind {
            Primary::Expr(expr) => expr,
            Primary::Kind(kind) => Expr { kind, span: self.cursor.since(start) },
        };
        loop {
            if self.cursor.at("->") && !self.cursor.at_ahead(1, "*") {
                self.count_operator()?;
                self.cursor.bump();
                let name = self.cursor.identifier()?;
                let kind = ExprKind::Field { base: Box::new(base), name };
                base = Expr { kind, span: self.cursor.since(start) };
            } else if self.cursor.at("[") {
                self.count_operator()?;
                self.cursor.bump();
                let index = Box::new(self.inside(Self::value)?);
                self.cursor.expect("]")?;
                let kind = ExprKind::Subscript { base: Box::new(base), index };
                base = Expr { kind, span: self.cursor.since(start) };
            } else {
                return Ok(base);
            }
        }
    }

    fn primary_kind(&mut self) -> Parse<Primary> {
        let token = self.cursor.peek();
        if self.at_number() || matches!(token.kind, Kind::String) {
            return Ok(Primary::Kind(ExprKind::Literal(self.literal()?.0)));
        }
        let Kind::Word(word) = token.kind else { return self.named() };
        let kind = match word {
            "NULL" | "TRUE" | "FALSE" => ExprKind::Literal(self.literal()?.0),
            "CASE" => self.case()?,
            "CAST" => self.cast()?,
            "ARRAY" if self.cursor.at_ahead(1, "[") => self.array()?,
            "MAP" if self.cursor.at_ahead(1, "(") && self.is_map() => self.map()?,
            "STRUCT" if self.cursor.at_ahead(1, "(") && self.is_struct() => self.struct_()?,
            "(" => {
                self.cursor.bump();
                let mut inner = self.inside(Self::expression)?;
                self.cursor.expect(")")?;
                inner.span = token.span.to(self.cursor.since(token.span));
                return Ok(Primary::Expr(inner));
            }
            _ => return self.named(),
        };
        Ok(Primary::Kind(kind))
    }

    /// What starts with an identifier: a call, a typed constant or a column.
    fn named(&mut self) -> Parse<Primary> {
        if !self.cursor.at_identifier() {
            return Err(self.cursor.refuse_start(Then::Expression));
        }
        let token = self.cursor.bump();
        if self.cursor.at("(") {
            let name = self.cursor.name(token);
            let call = self.call(name)?;
            return self.over(call).map(Primary::Kind);
        }
        if self.cursor.peek().kind == Kind::String {
            let name = self.cursor.name(token);
            return Ok(Primary::Kind(self.typed_constant(&name)));
        }
        // Only where variables are not substituted.
        if token.kind == Kind::Variable && !self.cursor.at(".") {
            let text = self.cursor.text(token).to_owned();
            return Ok(Primary::Kind(ExprKind::Literal(Literal::String(text))));
        }
        let name = self.cursor.name(token);
        if !self.cursor.at(".") || self.cursor.at_ahead(1, "*") {
            let is_bound = self.lambda_names.contains(&name.text);
            let kind = if is_bound {
                ExprKind::LambdaVariable(name)
            } else {
                ExprKind::Column { source: None, name }
            };
            return Ok(Primary::Kind(kind));
        }
        self.cursor.bump();
        let column = self.cursor.identifier()?;
        Ok(Primary::Kind(ExprKind::Column { source: Some(name), name: column }))
    }

    /// `DECIMAL '1.2'`, which needs quotes as the word is reserved: `` `DECIMAL` '1.2' ``.
    fn typed_constant(&mut self, name: &Name) -> ExprKind {
        let token = self.cursor.bump();
        let text = unquote(self.cursor.text(token));
        if name.text == "DECIMAL" && text.parse::<f64>().is_ok() && !text.contains(['e', 'E']) {
            return ExprKind::Literal(Literal::Decimal(plain_decimal(&text)));
        }
        let at = self.location(name.span);
        let reason = format!("Unknown type: {}, location:Optional[{at}]", name.text);
        self.cursor.defer(name.span.to(token.span), &reason);
        ExprKind::Literal(Literal::Null)
    }

    /// `name ( * )` or `name ( [argument, …] [, lambda, …] )`
    fn call(&mut self, name: Name) -> Parse<ExprKind> {
        self.cursor.bump();
        let mut args = Vec::new();
        if self.cursor.eat("*") || self.cursor.at(")") {
            self.cursor.expect(")")?;
            return Ok(ExprKind::Call { name, args });
        }
        let choosing = self.cursor.choosing;
        let mut only_lambdas = false;
        loop {
            let arg = self.argument(!args.is_empty(), only_lambdas)?;
            only_lambdas |= matches!(arg.kind, ExprKind::Lambda { .. });
            args.push(arg);
            if self.cursor.eat(")") {
                self.cursor.choosing = choosing;
                return Ok(ExprKind::Call { name, args });
            }
            if !self.cursor.eat(",") {
                self.cursor.choosing = choosing || args.len() > 1;
                return Err(self.cursor.refuse(&[",", ")"]));
            }
            // From the second argument on, a lambda may come as well.
            self.cursor.choosing = true;
        }
    }

    fn argument(&mut self, may_be_lambda: bool, only_lambdas: bool) -> Parse<Expr> {
        if may_be_lambda && let Some(params) = self.lambda_params() {
            return self.lambda(params);
        }
        if only_lambdas {
            return Err(self.cursor.near());
        }
        let start = self.cursor.span();
        // A unit that is also a name, such as `DAY`, is a column to ksqlDB; `DAYS` is a unit.
        if let Some(unit) = self.at_unit()
            && !self.cursor.at_identifier()
        {
            self.cursor.bump();
            return Ok(Expr { kind: ExprKind::Unit(unit), span: start });
        }
        self.inside(Self::expression)
    }

    /// The names before a `=>`, if that is what comes next.
    fn lambda_params(&self) -> Option<usize> {
        if self.cursor.at_identifier() {
            return self.cursor.at_ahead(1, "=>").then_some(1);
        }
        if !self.cursor.at("(") {
            return None;
        }
        let mut ahead = 1;
        loop {
            if !starts(self.cursor.peek_at(ahead), Then::Identifier) {
                return None;
            }
            if self.cursor.at_ahead(ahead + 1, ")") {
                let count = ahead.div_ceil(2);
                return self.cursor.at_ahead(ahead + 2, "=>").then_some(count);
            }
            if !self.cursor.at_ahead(ahead + 1, ",") {
                return None;
            }
            ahead += 2;
        }
    }

    /// `x => expression`, `(x, y) => expression`, of which [`Self::lambda_params`] has seen the head.
    fn lambda(&mut self, count: usize) -> Parse<Expr> {
        let start = self.cursor.span();
        let mut params = Vec::with_capacity(count);
        while !self.cursor.at("=>") {
            let token = self.cursor.bump();
            if !matches!(token.kind, Kind::Word("(" | ")" | ",")) {
                params.push(self.cursor.name(token));
            }
        }
        self.cursor.bump();
        let bound = self.lambda_names.len();
        self.lambda_names.extend(params.iter().map(|name| name.text.clone()));
        let body = self.inside(Self::expression);
        self.lambda_names.truncate(bound);
        let kind = ExprKind::Lambda { params, body: Box::new(body?) };
        Ok(Expr { kind, span: self.cursor.since(start) })
    }

    /// `CASE [value] WHEN … THEN … [ELSE …] END`
    fn case(&mut self) -> Parse<ExprKind> {
        self.cursor.bump();
        let operand =
            if self.cursor.at("WHEN") { None } else { Some(Box::new(self.inside(Self::value)?)) };
        let mut whens = Vec::new();
        while whens.is_empty() || self.cursor.at("WHEN") {
            self.cursor.expect_then("WHEN", Then::Expression)?;
            let condition = self.inside(Self::expression)?;
            self.cursor.expect_then("THEN", Then::Expression)?;
            whens.push(WhenClause { condition, result: self.inside(Self::expression)? });
        }
        let otherwise = if self.cursor.eat("ELSE") {
            Some(Box::new(self.inside(Self::expression)?))
        } else {
            None
        };
        self.cursor.expect("END")?;
        Ok(match operand {
            None => ExprKind::SearchedCase { whens, otherwise },
            Some(operand) => ExprKind::SimpleCase { operand, whens, otherwise },
        })
    }

    /// `CAST ( expression AS type )`
    fn cast(&mut self) -> Parse<ExprKind> {
        self.cursor.bump();
        self.cursor.expect_then("(", Then::Expression)?;
        let value = Box::new(self.inside(Self::expression)?);
        self.cursor.expect_then("AS", Then::Identifier)?;
        let ty = self.type_()?;
        self.cursor.expect(")")?;
        Ok(ExprKind::Cast { value, ty })
    }

    /// `ARRAY [ expression, … ]`
    fn array(&mut self) -> Parse<ExprKind> {
        self.cursor.bump();
        self.cursor.bump();
        if self.cursor.eat("]") {
            return Ok(ExprKind::Array(Vec::new()));
        }
        Ok(ExprKind::Array(self.inside(|parser| parser.expressions("]"))?))
    }

    /// Whether `MAP (` starts a constructor and not a call: a `:=` comes before the first argument ends.
    fn is_map(&self) -> bool {
        if self.cursor.at_ahead(2, ")") {
            return true;
        }
        let mut open = 0_usize;
        for ahead in 1.. {
            match self.cursor.peek_at(ahead).kind {
                Kind::Word("(" | "[") => open += 1,
                Kind::Word(":=") if open == 1 => return true,
                Kind::Word("," | ")" | "]") if open == 1 => return false,
                Kind::Word(")" | "]") => open -= 1,
                Kind::Word(";") | Kind::Eof => return false,
                _ => {}
            }
        }
        false
    }

    /// `MAP ( key := value, … )`
    fn map(&mut self) -> Parse<ExprKind> {
        self.cursor.bump();
        self.cursor.bump();
        let mut entries = Vec::new();
        if self.cursor.eat(")") {
            return Ok(ExprKind::Map(entries));
        }
        loop {
            let key = self.inside(Self::expression)?;
            self.cursor.expect_then(":=", Then::Expression)?;
            entries.push((key, self.inside(Self::expression)?));
            if self.cursor.eat(")") {
                return Ok(ExprKind::Map(entries));
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ")"]));
            }
        }
    }

    /// Whether `STRUCT (` starts a constructor and not a call.
    fn is_struct(&self) -> bool {
        self.cursor.at_ahead(2, ")") || self.cursor.at_ahead(3, ":=")
    }

    /// `STRUCT ( name := value, … )`
    fn struct_(&mut self) -> Parse<ExprKind> {
        self.cursor.bump();
        self.cursor.bump();
        let mut fields = Vec::new();
        if self.cursor.eat(")") {
            return Ok(ExprKind::Struct(fields));
        }
        loop {
            let name = self.cursor.identifier()?;
            self.cursor.expect_then(":=", Then::Expression)?;
            fields.push(StructValue { name, value: self.inside(Self::expression)? });
            if self.cursor.eat(")") {
                return Ok(ExprKind::Struct(fields));
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ")"]));
            }
        }
    }

    /// Parses what stands inside brackets, where operators leave open which alternative surrounds them.
    pub(super) fn inside<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.brackets += 1;
        let parsed = parse(self);
        self.brackets -= 1;
        parsed
    }

    /// Called at an operator: unless in brackets, no alternative is left to choose from.
    pub(super) fn decided(&mut self) {
        if self.brackets == 0 {
            self.cursor.choosing = false;
        }
    }

    /// A place in words, as ksqlDB's messages have it.
    pub(super) fn location(&self, span: Span) -> String {
        let position = span.position(self.cursor.source);
        format!("Line: {}, Col: {}", position.line, position.column)
    }
}

/// A primary expression, which already has its place if it stood in parentheses.
enum Primary {
    Expr(Expr),
    Kind(ExprKind),
}
