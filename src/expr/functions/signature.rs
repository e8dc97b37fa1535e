//! Signatures of functions: the text of a row, and what it says when parsed.
//!
//! `INSTR(str STRING, part STRING, start INT) -> INT` names each argument and its type. `STRING...`
//! takes any number of arguments; one capital letter is a type that the arguments decide.

use std::fmt;

use crate::types::SqlType;

/// The declared type of an argument or a result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ParamType {
    /// A type without parameters. DECIMAL stands for all of its precisions and scales.
    Sql(SqlType),
    /// DECIMAL of any precision and scale.
    Decimal,
    /// A letter that stands for the same type wherever it occurs.
    Generic(char),
    /// Whatever it is, each argument of its own type.
    Any,
    /// A bare unit of time such as DAYS.
    IntervalUnit,
    /// ARRAY.
    Array(Box<ParamType>),
    /// MAP.
    Map(Box<ParamType>, Box<ParamType>),
    /// STRUCT with its fields.
    Struct(Vec<(String, ParamType)>),
    /// `LAMBDA(K, V) => R`.
    Lambda(Vec<ParamType>, Box<ParamType>),
}

/// An argument of a function.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Parameter {
    /// The name, for messages and DESCRIBE FUNCTION.
    pub name: String,
    /// The type of one argument.
    pub ty: ParamType,
    /// Whether there may be any number of them, also none.
    pub variadic: bool,
}

/// A parsed signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    /// The name in capitals.
    pub name: String,
    /// The arguments in order; at most one is variadic.
    pub parameters: Vec<Parameter>,
    /// The type of the result.
    pub returns: ParamType,
}

/// Where the text of a signature is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature `{text}`: expected {expected} at {offset}")]
pub struct SignatureError {
    /// The whole text.
    pub text: String,
    /// What should stand there.
    pub expected: &'static str,
    /// The offset in bytes.
    pub offset: usize,
}

impl ParamType {
    /// Whether a letter occurs in the type.
    pub fn has_generics(&self) -> bool {
        match self {
            Self::Generic(_) => true,
            Self::Array(item) => item.has_generics(),
            Self::Map(key, value) => key.has_generics() || value.has_generics(),
            Self::Struct(fields) => fields.iter().any(|(_, ty)| ty.has_generics()),
            Self::Lambda(inputs, output) => {
                output.has_generics() || inputs.iter().any(Self::has_generics)
            }
            Self::Sql(_) | Self::Decimal | Self::Any | Self::IntervalUnit => false,
        }
    }
}

impl fmt::Display for ParamType {
    /// Prints the type as ksqlDB prints it where it lists functions: `VARCHAR`, `LAMBDA (T) => R`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(SqlType::String) => f.write_str("VARCHAR"),
            Self::Sql(SqlType::Int) => f.write_str("INT"),
            Self::Sql(ty) => f.write_str(ty.base_name()),
            Self::Decimal => f.write_str("DECIMAL"),
            Self::Generic(letter) => write!(f, "{letter}"),
            Self::Any => f.write_str("ANY"),
            Self::IntervalUnit => f.write_str("INTERVAL UNIT"),
            Self::Array(item) => write!(f, "ARRAY<{item}>"),
            Self::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Self::Struct(fields) => {
                f.write_str("STRUCT<")?;
                for (index, (name, ty)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{name} {ty}")?;
                }
                f.write_str(">")
            }
            Self::Lambda(inputs, output) => {
                f.write_str("LAMBDA (")?;
                for (index, ty) in inputs.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{ty}")?;
                }
                write!(f, ") => {output}")
            }
        }
    }
}

impl Signature {
    /// Parses a signature: `name "(" [parameter {"," parameter}] ")" "->" type`.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let mut parser = Parser { text, offset: 0 };
        let name = parser.word("a name")?.to_owned();
        parser.token("(", "`(`")?;
        let mut parameters = Vec::new();
        while !parser.found(")") {
            if !parameters.is_empty() {
                parser.token(",", "`,` or `)`")?;
            }
            let name = parser.word("the name of an argument")?.to_owned();
            let ty = parser.ty()?;
            parameters.push(Parameter { name, ty, variadic: parser.found("...") });
        }
        parser.token("->", "`->`")?;
        let returns = parser.ty()?;
        if !parser.rest().is_empty() {
            return Err(parser.expected("the end"));
        }
        Ok(Self { name, parameters, returns })
    }

    /// The position of the argument that may be repeated.
    pub fn variadic(&self) -> Option<usize> {
        self.parameters.iter().position(|parameter| parameter.variadic)
    }

    /// The parameter that each of `count` arguments belongs to, if the function takes so many.
    pub fn expand(&self, count: usize) -> Option<Vec<&Parameter>> {
        let Some(variadic) = self.variadic() else {
            return (count == self.parameters.len()).then(|| self.parameters.iter().collect());
        };
        let repeated = (count + 1).checked_sub(self.parameters.len())?;
        let (before, after) = (&self.parameters[..variadic], &self.parameters[variadic + 1..]);
        let middle = std::iter::repeat_n(&self.parameters[variadic], repeated);
        Some(before.iter().chain(middle).chain(after).collect())
    }
}

impl fmt::Display for Signature {
    /// Prints the signature as ksqlDB lists alternatives: `LPAD(VARCHAR input, INT length)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (index, parameter) in self.parameters.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let dots = if parameter.variadic { "..." } else { "" };
            write!(f, "{comma}{}{dots} {}", parameter.ty, parameter.name)?;
        }
        f.write_str(")")
    }
}

struct Parser<'t> {
    text: &'t str,
    offset: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text[self.offset..].trim_start()
    }

    fn expected(&self, expected: &'static str) -> SignatureError {
        SignatureError { text: self.text.to_owned(), expected, offset: self.offset }
    }

    fn found(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest().strip_prefix(token) else { return false };
        self.offset = self.text.len() - rest.len();
        true
    }

    fn token(&mut self, token: &str, expected: &'static str) -> Result<(), SignatureError> {
        if self.found(token) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn word(&mut self, expected: &'static str) -> Result<&'t str, SignatureError> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 {
            return Err(self.expected(expected));
        }
        self.offset = self.text.len() - rest.len() + end;
        Ok(&rest[..end])
    }

    fn ty(&mut self) -> Result<ParamType, SignatureError> {
        let word = self.word("a type")?;
        Ok(match word {
            "BOOLEAN" => ParamType::Sql(SqlType::Boolean),
            "INT" => ParamType::Sql(SqlType::Int),
            "BIGINT" => ParamType::Sql(SqlType::Bigint),
            "DOUBLE" => ParamType::Sql(SqlType::Double),
            "STRING" => ParamType::Sql(SqlType::String),
            "BYTES" => ParamType::Sql(SqlType::Bytes),
            "DATE" => ParamType::Sql(SqlType::Date),
            "TIME" => ParamType::Sql(SqlType::Time),
            "TIMESTAMP" => ParamType::Sql(SqlType::Timestamp),
            "DECIMAL" => ParamType::Decimal,
            "ANY" => ParamType::Any,
            "INTERVALUNIT" => ParamType::IntervalUnit,
            "ARRAY" => ParamType::Array(Box::new(self.angles(Self::ty)?)),
            "MAP" => self.angles(|parser| {
                let key = parser.ty()?;
                parser.token(",", "`,`")?;
                Ok(ParamType::Map(Box::new(key), Box::new(parser.ty()?)))
            })?,
            "STRUCT" => self.angles(Self::fields)?,
            "LAMBDA" => self.lambda()?,
            letter if letter.len() == 1 => ParamType::Generic(char::from(letter.as_bytes()[0])),
            _ => return Err(self.expected("a type")),
        })
    }

    fn angles<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, SignatureError>,
    ) -> Result<T, SignatureError> {
        self.token("<", "`<`")?;
        let inner = inner(self)?;
        self.token(">", "`>`")?;
        Ok(inner)
    }

    fn fields(&mut self) -> Result<ParamType, SignatureError> {
        let mut fields = Vec::new();
        loop {
            fields.push((self.word("the name of a field")?.to_owned(), self.ty()?));
            if !self.found(",") {
                return Ok(ParamType::Struct(fields));
            }
        }
    }

    fn lambda(&mut self) -> Result<ParamType, SignatureError> {
        self.token("(", "`(`")?;
        let mut inputs = vec![self.ty()?];
        while self.found(",") {
            inputs.push(self.ty()?);
        }
        self.token(")", "`)`")?;
        self.token("=>", "`=>`")?;
        Ok(ParamType::Lambda(inputs, Box::new(self.ty()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = Signature::parse(text).map_or_else(
            |error| error.to_string(),
            |signature| format!("{signature} {}", signature.returns),
        );
        assert_eq!(shown, expected);
    }

    #[test]
    fn signatures_print_as_ksqldb_lists_them() {
        check("PI() -> DOUBLE", "PI() DOUBLE");
        check("CONCAT(inputs STRING...) -> STRING", "CONCAT(VARCHAR... inputs) VARCHAR");
        check(
            "TRANSFORM(map MAP<K, V>, a LAMBDA(K, V) => R) -> ARRAY<STRUCT<K R, V INT>>",
            "TRANSFORM(MAP<K, V> map, LAMBDA (K, V) => R a) ARRAY<STRUCT<K R, V INT>>",
        );
        check("F(a STRIN) -> INT", "signature `F(a STRIN) -> INT`: expected a type at 9");
    }

    #[test]
    fn a_variadic_argument_stands_anywhere() {
        let signature = Signature::parse("F(a INT, b STRING..., c INT) -> INT").unwrap();
        let names = |count| {
            let parameters = signature.expand(count)?;
            Some(parameters.iter().map(|parameter| &*parameter.name).collect::<String>())
        };
        assert_eq!(names(1), None);
        assert_eq!(names(2).as_deref(), Some("ac"));
        assert_eq!(names(4).as_deref(), Some("abbc"));
    }
}
