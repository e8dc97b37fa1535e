//! Types.

use super::Parser;
use super::cursor::{Parse, Then};
use crate::sql::ast::{Field, Literal, Primitive, Type, TypeKind};
use crate::sql::lexer::Kind;
use crate::types::SqlType;

impl Parser<'_> {
    /// `type ::= type ARRAY | ARRAY<type> | MAP<type, type> | STRUCT<…> | DECIMAL(n, n) | name [(n, …)]`
    pub(super) fn type_(&mut self) -> Parse<Type> {
        self.nested(Self::type_inside)
    }

    fn type_inside(&mut self) -> Parse<Type> {
        let start = self.cursor.span();
        let kind = self.type_kind()?;
        let mut ty = Type { kind, span: self.cursor.since(start) };
        let mut wraps = 0;
        while self.cursor.eat("ARRAY") {
            wraps += 1;
            self.check_depth(wraps)?;
            let span = self.cursor.since(start);
            ty = Type { kind: TypeKind::Array(Box::new(ty)), span };
        }
        Ok(ty)
    }

    fn type_kind(&mut self) -> Parse<TypeKind> {
        let opens = self.cursor.at_ahead(1, "<");
        if opens && self.cursor.at("ARRAY") {
            self.open()?;
            let element = self.type_()?;
            self.cursor.expect(">")?;
            return Ok(TypeKind::Array(Box::new(element)));
        }
        if opens && self.cursor.at("MAP") {
            self.open()?;
            let key = self.type_()?;
            self.map_comma()?;
            let value = self.type_()?;
            self.cursor.expect(">")?;
            return Ok(TypeKind::Map(Box::new(key), Box::new(value)));
        }
        if opens && self.cursor.at("STRUCT") {
            self.open()?;
            return self.struct_fields();
        }
        if self.cursor.at("DECIMAL") {
            return self.decimal();
        }
        if !self.cursor.at_identifier() {
            return Err(self.cursor.refuse_start(Then::Identifier));
        }
        let name = self.cursor.identifier()?;
        self.type_parameters()?;
        Ok(primitive(&name.text).map_or(TypeKind::Custom(name), TypeKind::Primitive))
    }

    /// Takes `ARRAY <` and its like.
    fn open(&mut self) -> Parse<()> {
        self.cursor.bump();
        self.cursor.expect("<").map(|_| ())
    }

    /// The comma between a map's types; without it, ksqlDB says nothing of what it expects.
    fn map_comma(&mut self) -> Parse<()> {
        if self.cursor.eat(",") {
            return Ok(());
        }
        Err(if self.cursor.choosing { self.cursor.near() } else { self.cursor.error("") })
    }

    fn struct_fields(&mut self) -> Parse<TypeKind> {
        let mut fields = Vec::new();
        if self.cursor.eat(">") {
            return Ok(TypeKind::Struct(fields));
        }
        loop {
            let name = self.cursor.identifier()?;
            fields.push(Field { name, ty: self.type_()? });
            if self.cursor.eat(">") {
                return Ok(TypeKind::Struct(fields));
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ">"]));
            }
        }
    }

    fn decimal(&mut self) -> Parse<TypeKind> {
        let start = self.cursor.bump().span;
        self.cursor.expect_then("(", Then::Number).map_err(|error| {
            let help =
                "write DECIMAL(10, 2), with the digits in all and after the point that are meant";
            error.with_help(help)
        })?;
        let precision = self.whole_number("DECIMAL(PRECISION)")?;
        self.cursor.expect_then(",", Then::Number)?;
        let scale = self.whole_number("DECIMAL(SCALE)")?;
        self.cursor.expect(")")?;
        if let Err(reason) = SqlType::decimal(precision, scale) {
            self.cursor.defer(self.cursor.since(start), &reason);
        }
        Ok(TypeKind::Decimal { precision, scale })
    }

    /// Parameters such as the 10 of `VARCHAR(10)`, which mean nothing.
    fn type_parameters(&mut self) -> Parse<()> {
        if !self.cursor.eat("(") {
            return Ok(());
        }
        loop {
            if self.cursor.peek().kind != Kind::Integer && !self.cursor.at("STRING") {
                return Err(self.cursor.refuse(&["STRING", "INTEGER_VALUE"]));
            }
            self.cursor.bump();
            if self.cursor.eat(")") {
                return Ok(());
            }
            if !self.cursor.eat(",") {
                return Err(self.cursor.refuse(&[",", ")"]));
            }
        }
    }

    /// A number that has to be an INT; `what` says of what in the error.
    pub(super) fn whole_number(&mut self, what: &str) -> Parse<i32> {
        let (literal, span) = self.number()?;
        if let Literal::Integer(value) = literal {
            return Ok(value);
        }
        self.cursor.defer(span, &format!("Value must be integer for command: {what}"));
        Ok(0)
    }
}

/// The type without parts of that name.
fn primitive(name: &str) -> Option<Primitive> {
    Some(match name.to_ascii_uppercase().as_str() {
        "BOOLEAN" => Primitive::Boolean,
        "INT" | "INTEGER" => Primitive::Int,
        "BIGINT" => Primitive::Bigint,
        "DOUBLE" => Primitive::Double,
        "STRING" | "VARCHAR" => Primitive::String,
        "BYTES" => Primitive::Bytes,
        "DATE" => Primitive::Date,
        "TIME" => Primitive::Time,
        "TIMESTAMP" => Primitive::Timestamp,
        _ => return None,
    })
}
