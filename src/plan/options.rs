//! The `WITH` clause: names and values checked once, here.

use super::{PlanError, SourceWindow};
use crate::sql::ast::{Literal, Property};
use crate::types::WindowKind;

/// The `WITH` clause of a statement, checked against what such a statement may say.
///
/// As ksqlDB's `CreateSourceProperties`, `CreateSourceAsProperties` and `InsertIntoProperties`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// `KAFKA_TOPIC`.
    pub topic: Option<String>,
    /// `PARTITIONS`.
    pub partitions: Option<i32>,
    /// `REPLICAS`.
    pub replicas: Option<i16>,
    /// `RETENTION_MS`.
    pub retention_ms: Option<i64>,
    /// `KEY_FORMAT`, or `FORMAT`.
    pub key_format: Option<String>,
    /// `VALUE_FORMAT`, or `FORMAT`.
    pub value_format: Option<String>,
    /// `WRAP_SINGLE_VALUE`.
    pub wrap_single_value: Option<bool>,
    /// `KEY_DELIMITER`.
    pub key_delimiter: Option<char>,
    /// `VALUE_DELIMITER`.
    pub value_delimiter: Option<char>,
    /// `TIMESTAMP`: a column, upper-cased unless quoted.
    pub timestamp: Option<String>,
    /// `TIMESTAMP_FORMAT`.
    pub timestamp_format: Option<String>,
    /// `WINDOW_TYPE` and `WINDOW_SIZE`.
    pub window: Option<SourceWindow>,
    /// `KEY_SCHEMA_ID`.
    pub key_schema_id: Option<i32>,
    /// `VALUE_SCHEMA_ID`.
    pub value_schema_id: Option<i32>,
    /// `KEY_SCHEMA_FULL_NAME`.
    pub key_schema_name: Option<String>,
    /// `VALUE_SCHEMA_FULL_NAME`, or `VALUE_AVRO_SCHEMA_FULL_NAME`.
    pub value_schema_name: Option<String>,
    /// `KEY_PROTOBUF_NULLABLE_REPRESENTATION`.
    pub key_nullable: Option<String>,
    /// `VALUE_PROTOBUF_NULLABLE_REPRESENTATION`.
    pub value_nullable: Option<String>,
    /// `QUERY_ID`.
    pub query_id: Option<String>,
}

/// Which properties a statement takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionSet {
    /// `CREATE STREAM` and `CREATE TABLE`.
    Source,
    /// `CREATE … AS SELECT`.
    Sink,
    /// `INSERT INTO … SELECT`.
    Insert,
}

const COMMON: &[&str] = &[
    "KAFKA_TOPIC",
    "PARTITIONS",
    "REPLICAS",
    "RETENTION_MS",
    "FORMAT",
    "KEY_FORMAT",
    "VALUE_FORMAT",
    "WRAP_SINGLE_VALUE",
    "KEY_DELIMITER",
    "VALUE_DELIMITER",
    "TIMESTAMP",
    "TIMESTAMP_FORMAT",
    "KEY_SCHEMA_ID",
    "VALUE_SCHEMA_ID",
    "KEY_SCHEMA_FULL_NAME",
    "VALUE_SCHEMA_FULL_NAME",
    "VALUE_AVRO_SCHEMA_FULL_NAME",
    "KEY_PROTOBUF_NULLABLE_REPRESENTATION",
    "VALUE_PROTOBUF_NULLABLE_REPRESENTATION",
    "CLEANUP_POLICY",
];
const OF_SOURCE: &[&str] =
    &["WINDOW_TYPE", "WINDOW_SIZE", "SOURCED_BY_CONNECTOR", "SOURCE_CONNECTOR"];
const OF_INSERT: &[&str] = &["QUERY_ID"];

impl OptionSet {
    fn takes(self, name: &str) -> bool {
        match self {
            Self::Source => COMMON.contains(&name) || OF_SOURCE.contains(&name),
            Self::Sink => COMMON.contains(&name),
            Self::Insert => OF_INSERT.contains(&name),
        }
    }
}

impl Options {
    /// Checks a clause, except for what needs a catalog or the formats.
    pub fn from_clause(clause: &[Property], set: OptionSet) -> Result<Self, PlanError> {
        let unknown = clause.iter().filter(|property| !set.takes(&property.name.text));
        let unknown: Vec<_> = unknown.map(|property| property.name.text.as_str()).collect();
        if !unknown.is_empty() {
            let message = "Invalid config variable(s) in the WITH clause: ";
            return Err(PlanError::prepare(format!("{message}{}", unknown.join(","))));
        }
        let mut options = Self::default();
        let mut clause = Clause { properties: clause };
        options.read_topic(&mut clause)?;
        options.read_formats(&mut clause)?;
        options.read_window(&clause)?;
        if set == OptionSet::Source && options.topic.is_none() {
            let message = "Missing required property \"KAFKA_TOPIC\" which has no default value.";
            return Err(PlanError::prepare(message));
        }
        if clause.text("CLEANUP_POLICY")?.is_some() {
            let message = "Invalid config variable in the WITH clause: CLEANUP_POLICY.\nThe \
                CLEANUP_POLICY config is automatically inferred based on the type of source (STREAM \
                or TABLE).\nUsers can't set the CLEANUP_POLICY config manually.";
            return Err(PlanError::execute(message));
        }
        Ok(options)
    }

    fn read_topic(&mut self, clause: &mut Clause<'_>) -> Result<(), PlanError> {
        self.topic = clause.text("KAFKA_TOPIC")?;
        self.partitions = clause.number("PARTITIONS", "INT")?;
        self.replicas = clause.number("REPLICAS", "SHORT")?;
        self.retention_ms = clause.number("RETENTION_MS", "LONG")?;
        self.timestamp = clause.text("TIMESTAMP")?.map(|column| identifier(&column));
        self.timestamp_format = clause.text("TIMESTAMP_FORMAT")?;
        self.query_id = clause.text("QUERY_ID")?.map(|id| id.to_uppercase());
        self.key_schema_id = clause.number("KEY_SCHEMA_ID", "INT")?;
        self.value_schema_id = clause.number("VALUE_SCHEMA_ID", "INT")?;
        Ok(())
    }

    fn read_formats(&mut self, clause: &mut Clause<'_>) -> Result<(), PlanError> {
        let both = clause.text("FORMAT")?;
        self.key_format = clause.text("KEY_FORMAT")?;
        self.value_format = clause.text("VALUE_FORMAT")?;
        for (name, single) in
            [("KEY_FORMAT", &self.key_format), ("VALUE_FORMAT", &self.value_format)]
        {
            if both.is_some() && single.is_some() {
                return Err(PlanError::prepare(format!(
                    "Cannot supply both '{name}' and 'FORMAT' properties, as 'FORMAT' sets both key \
                     and value formats. Either use just 'FORMAT', or use 'KEY_FORMAT' and \
                     'VALUE_FORMAT'."
                )));
            }
        }
        self.key_format = self.key_format.take().or_else(|| both.clone());
        self.value_format = self.value_format.take().or(both);
        self.wrap_single_value = clause.boolean("WRAP_SINGLE_VALUE")?;
        self.key_delimiter = clause.delimiter("KEY_DELIMITER")?;
        self.value_delimiter = clause.delimiter("VALUE_DELIMITER")?;
        self.key_schema_name = clause.text("KEY_SCHEMA_FULL_NAME")?;
        self.value_schema_name = clause.text("VALUE_SCHEMA_FULL_NAME")?;
        let old_name = clause.text("VALUE_AVRO_SCHEMA_FULL_NAME")?;
        if old_name.is_some() && self.value_schema_name.is_some() {
            let message = "Cannot supply both 'VALUE_AVRO_SCHEMA_FULL_NAME' and \
                'VALUE_SCHEMA_FULL_NAME' properties. Please only set 'VALUE_SCHEMA_FULL_NAME'.";
            return Err(PlanError::prepare(message));
        }
        self.value_schema_name = self.value_schema_name.take().or(old_name);
        self.key_nullable = clause.nullable("KEY_PROTOBUF_NULLABLE_REPRESENTATION")?;
        self.value_nullable = clause.nullable("VALUE_PROTOBUF_NULLABLE_REPRESENTATION")?;
        Ok(())
    }

    fn read_window(&mut self, clause: &Clause<'_>) -> Result<(), PlanError> {
        let size = clause.text("WINDOW_SIZE")?;
        let Some(kind) = clause.text("WINDOW_TYPE")? else {
            return match size {
                Some(_) => Err(PlanError::prepare(
                    "'WINDOW_SIZE' should only be set when 'WINDOW_TYPE' is set to TUMBLING or HOPPING.",
                )),
                None => Ok(()),
            };
        };
        let kind = match kind.to_uppercase().as_str() {
            "SESSION" => WindowKind::Session,
            "HOPPING" => WindowKind::Hopping,
            "TUMBLING" => WindowKind::Tumbling,
            _ => {
                return Err(PlanError::prepare(format!(
                    "Invalid value {kind} for property WINDOW_TYPE: String must be one of: SESSION, \
                     HOPPING, TUMBLING, null"
                )));
            }
        };
        let size_ms = size.as_deref().map(window_size).transpose()?;
        match (kind, size_ms) {
            (WindowKind::Session, Some(_)) => {
                Err(PlanError::prepare("'WINDOW_SIZE' should not be set for SESSION windows."))
            }
            (WindowKind::Hopping | WindowKind::Tumbling, None) => Err(PlanError::prepare(
                "'WINDOW_SIZE' property must be set for Tumbling and Hopping windows.",
            )),
            _ => {
                self.window = Some(SourceWindow { kind, size_ms });
                Ok(())
            }
        }
    }
}

/// The properties of a clause, looked up by name.
struct Clause<'a> {
    properties: &'a [Property],
}

impl Clause<'_> {
    fn get(&self, name: &str) -> Option<&Literal> {
        self.properties.iter().rev().find(|property| property.name.text == name).map(|p| &p.value)
    }

    fn text(&self, name: &str) -> Result<Option<String>, PlanError> {
        match self.get(name) {
            None | Some(Literal::Null) => Ok(None),
            Some(Literal::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(PlanError::prepare(format!(
                "Invalid value {} for property {name}: Expected value to be a string, but it was a {}",
                literal_text(other),
                java_class(other)
            ))),
        }
    }

    fn number<T: TryFrom<i64> + std::str::FromStr>(
        &self,
        name: &str,
        ty: &str,
    ) -> Result<Option<T>, PlanError> {
        let Some(literal) = self.get(name) else { return Ok(None) };
        let value = match literal {
            Literal::Null => return Ok(None),
            Literal::Integer(number) => T::try_from(i64::from(*number)).ok(),
            Literal::Bigint(number) => T::try_from(*number).ok(),
            Literal::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let message = || {
            let text = literal_text(literal);
            format!("Invalid value {text} for property {name}: Not a number of type {ty}")
        };
        value.map(Some).ok_or_else(|| PlanError::prepare(message()))
    }

    fn boolean(&self, name: &str) -> Result<Option<bool>, PlanError> {
        let Some(literal) = self.get(name) else { return Ok(None) };
        let value = match literal {
            Literal::Null => return Ok(None),
            Literal::Boolean(value) => Some(*value),
            Literal::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Literal::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        let message = || {
            let text = literal_text(literal);
            format!(
                "Invalid value {text} for property {name}: Expected value to be either true or false"
            )
        };
        value.map(Some).ok_or_else(|| PlanError::prepare(message()))
    }

    fn delimiter(&self, name: &str) -> Result<Option<char>, PlanError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let refuse = |reason: String| {
            PlanError::prepare(format!(
                "Configuration {name} is invalid: {reason}\nExample valid value: ';'"
            ))
        };
        match text.to_uppercase().as_str() {
            "TAB" => return Ok(Some('\t')),
            "SPACE" => return Ok(Some(' ')),
            _ => {}
        }
        if text.is_empty() || text.chars().all(char::is_whitespace) {
            return Err(refuse(
                "Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please \
                 use the special values 'TAB' or 'SPACE'"
                    .to_owned(),
            ));
        }
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(delimiter), None) => Ok(Some(delimiter)),
            _ => Err(refuse(format!(
                "Invalid delimiter value: '{text}'. Delimiter must be a single character or TAB,SPACE"
            ))),
        }
    }

    fn nullable(&self, name: &str) -> Result<Option<String>, PlanError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let upper = text.trim().to_uppercase();
        if upper != "OPTIONAL" && upper != "WRAPPER" {
            return Err(PlanError::prepare(format!(
                "Invalid value {text} for property {name}: String must be one of: OPTIONAL, WRAPPER, null"
            )));
        }
        let name = text.trim();
        if upper != name {
            // ksqlDB reads it where nothing catches what is wrong with it.
            return Err(PlanError::execute(format!(
                "No enum constant io.confluent.ksql.properties.with.CommonCreateConfigs.\
                 ProtobufNullableConfigValues.{name}"
            )));
        }
        Ok(Some(upper))
    }
}

/// A column named in a text: upper-cased unless it stands in back-ticks or quotes.
fn identifier(text: &str) -> String {
    for quote in ['`', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote)) {
            return inner.to_owned();
        }
    }
    text.to_uppercase()
}

/// `'10 SECONDS'` in milliseconds, as ksqlDB's `DurationParser` reads it.
fn window_size(text: &str) -> Result<i64, PlanError> {
    let refuse = |reason: String| {
        let message =
            format!("Configuration WINDOW_SIZE is invalid: Invalid duration: '{text}'. {reason}");
        PlanError::prepare(message)
    };
    let tokens: Vec<_> = text.split_whitespace().collect();
    let &[count, unit] = &tokens[..] else {
        return Err(refuse(format!("Expected 2 tokens, got: {}", tokens.len())));
    };
    let count: i64 = count.parse().map_err(|_| refuse(format!("Not numeric: '{count}'")))?;
    let upper = unit.to_uppercase();
    let plural = if upper.ends_with('S') { upper.clone() } else { format!("{upper}S") };
    let unit_ms = match plural.as_str() {
        "NANOSECONDS" => return Ok(count / 1_000_000),
        "MICROSECONDS" => return Ok(count / 1_000),
        "MILLISECONDS" => 1,
        "SECONDS" => 1_000,
        "MINUTES" => 60_000,
        "HOURS" => 3_600_000,
        "DAYS" => 86_400_000,
        _ => {
            return Err(refuse(format!(
                "Unknown time unit: '{upper}'\nSupported time units are: NANOSECONDS, MICROSECONDS, \
                 MILLISECONDS, SECONDS, MINUTES, HOURS, DAYS"
            )));
        }
    };
    count.checked_mul(unit_ms).ok_or_else(|| refuse("long overflow".to_owned()))
}

/// A literal as Java prints it.
fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
        Literal::Bigint(value) => value.to_string(),
        Literal::Double(value) => crate::java::double_to_string(*value),
        Literal::Decimal(text) | Literal::String(text) => text.clone(),
    }
}

fn java_class(literal: &Literal) -> &'static str {
    match literal {
        Literal::Null => "null",
        Literal::Boolean(_) => "java.lang.Boolean",
        Literal::Integer(_) => "java.lang.Integer",
        Literal::Bigint(_) => "java.lang.Long",
        Literal::Double(_) => "java.lang.Double",
        Literal::Decimal(_) => "java.math.BigDecimal",
        Literal::String(_) => "java.lang.String",
    }
}
