//! The `WITH` clause: names and values checked once, here.

use super::faults::Faults;
use super::{PlanError, SourceWindow};
use crate::java::time::Pattern;
use crate::sql::ast::{Literal, Property};
use crate::sql::suggest::{self, NameKind};
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
        self.names().any(|known| known == name)
    }

    /// The properties that it may have.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let (common, own) = match self {
            Self::Source => (COMMON, OF_SOURCE),
            Self::Sink => (COMMON, &[] as &[&str]),
            Self::Insert => (&[] as &[&str], OF_INSERT),
        };
        common.iter().chain(own).copied()
    }

    /// The statements that have it.
    pub fn statement(self) -> &'static str {
        match self {
            Self::Source => "CREATE STREAM or CREATE TABLE",
            Self::Sink => "CREATE … AS SELECT",
            Self::Insert => "INSERT INTO",
        }
    }
}

impl Options {
    /// Checks a clause, except for what needs a catalog or the formats.
    pub fn from_clause(clause: &[Property], set: OptionSet) -> Result<Self, PlanError> {
        check_names(clause, set)?;
        let mut options = Self::default();
        let mut clause = Clause { properties: clause, faults: Faults::default() };
        options.read_topic(&mut clause);
        options.read_formats(&mut clause);
        options.read_timestamp_format(&mut clause);
        options.read_window(&mut clause);
        if set == OptionSet::Source && clause.get("KAFKA_TOPIC").is_none() {
            let message = "Missing required property \"KAFKA_TOPIC\" which has no default value.";
            let error = PlanError::prepare(message);
            clause.refuse(error.help("add KAFKA_TOPIC='name of the topic' to the WITH clause"));
        }
        if clause.text("CLEANUP_POLICY").is_some() {
            let message = "Invalid config variable in the WITH clause: CLEANUP_POLICY.\nThe \
                CLEANUP_POLICY config is automatically inferred based on the type of source (STREAM \
                or TABLE).\nUsers can't set the CLEANUP_POLICY config manually.";
            clause.refuse_at("CLEANUP_POLICY", PlanError::execute(message).help("leave it out"));
        }
        clause.faults.result(options)
    }

    fn read_topic(&mut self, clause: &mut Clause<'_>) {
        self.topic = clause.text("KAFKA_TOPIC");
        self.partitions = clause.number("PARTITIONS", "INT");
        self.replicas = clause.number("REPLICAS", "SHORT");
        self.retention_ms = clause.number("RETENTION_MS", "LONG");
        self.timestamp = clause.text("TIMESTAMP").map(|column| identifier(&column));
        self.timestamp_format = clause.text("TIMESTAMP_FORMAT");
        self.query_id = clause.text("QUERY_ID").map(|id| id.to_uppercase());
        self.key_schema_id = clause.number("KEY_SCHEMA_ID", "INT");
        self.value_schema_id = clause.number("VALUE_SCHEMA_ID", "INT");
    }

    fn read_formats(&mut self, clause: &mut Clause<'_>) {
        let both = clause.text("FORMAT");
        self.key_format = clause.text("KEY_FORMAT");
        self.value_format = clause.text("VALUE_FORMAT");
        for (name, single) in
            [("KEY_FORMAT", &self.key_format), ("VALUE_FORMAT", &self.value_format)]
        {
            if both.is_some() && single.is_some() {
                let error = PlanError::prepare(format!(
                    "Cannot supply both '{name}' and 'FORMAT' properties, as 'FORMAT' sets both key \
                     and value formats. Either use just 'FORMAT', or use 'KEY_FORMAT' and \
                     'VALUE_FORMAT'."
                ));
                clause.refuse_at(name, error);
            }
        }
        self.key_format = self.key_format.take().or_else(|| both.clone());
        self.value_format = self.value_format.take().or(both);
        self.wrap_single_value = clause.boolean("WRAP_SINGLE_VALUE");
        self.key_delimiter = clause.delimiter("KEY_DELIMITER");
        self.value_delimiter = clause.delimiter("VALUE_DELIMITER");
        self.key_schema_name = clause.text("KEY_SCHEMA_FULL_NAME");
        self.value_schema_name = clause.text("VALUE_SCHEMA_FULL_NAME");
        let old_name = clause.text("VALUE_AVRO_SCHEMA_FULL_NAME");
        if old_name.is_some() && self.value_schema_name.is_some() {
            let message = "Cannot supply both 'VALUE_AVRO_SCHEMA_FULL_NAME' and \
                'VALUE_SCHEMA_FULL_NAME' properties. Please only set 'VALUE_SCHEMA_FULL_NAME'.";
            clause.refuse_at("VALUE_AVRO_SCHEMA_FULL_NAME", PlanError::prepare(message));
        }
        self.value_schema_name = self.value_schema_name.take().or(old_name);
        self.key_nullable = clause.nullable("KEY_PROTOBUF_NULLABLE_REPRESENTATION");
        self.value_nullable = clause.nullable("VALUE_PROTOBUF_NULLABLE_REPRESENTATION");
    }

    /// ksqlDB compiles the pattern with the statement.
    fn read_timestamp_format(&self, clause: &mut Clause<'_>) {
        let Some(pattern) = &self.timestamp_format else { return };
        let Err(fault) = Pattern::parse(pattern) else { return };
        let reason = fault.to_string();
        let error = PlanError::prepare(format!(
            "Invalid datetime format for config:TIMESTAMP_FORMAT, reason:{reason}"
        ));
        let letter = reason.strip_prefix("Unknown pattern letter: ");
        let help = letter.map(|letter| {
            format!("a letter that stands for itself is quoted, with the quotes doubled here: ''{letter}''")
        });
        clause.refuse_at("TIMESTAMP_FORMAT", error.maybe_help(help));
    }

    fn read_window(&mut self, clause: &mut Clause<'_>) {
        let size = clause.text("WINDOW_SIZE");
        let kind = clause.text("WINDOW_TYPE");
        if clause.get("WINDOW_TYPE").is_some() && kind.is_none() {
            return;
        }
        let (at, window) = windows(kind.as_deref(), size.as_deref());
        match window {
            Ok(window) => self.window = window,
            Err(error) => clause.refuse_at(at, error),
        }
    }
}

/// Refuses properties that the statement does not take.
fn check_names(clause: &[Property], set: OptionSet) -> Result<(), PlanError> {
    let unknown = clause.iter().filter(|property| !set.takes(&property.name.text));
    let unknown: Vec<&Property> = unknown.collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = unknown.iter().map(|property| property.name.text.as_str()).collect();
    let message = format!("Invalid config variable(s) in the WITH clause: {}", names.join(","));
    let places = unknown.iter().map(|property| {
        let name = &property.name.text;
        let is_known = OptionSet::Source.takes(name) || OptionSet::Insert.takes(name);
        let reason = if is_known {
            format!("{name} does not go with {}", set.statement())
        } else {
            format!("there is no {name}")
        };
        (property.name.span, reason)
    });
    let known: Vec<&str> = set.names().collect();
    let helps = names.iter().filter_map(|name| suggest::help(NameKind::Option, name, &known));
    let error = PlanError::prepare(message).at_each(places);
    Err(helps.fold(error, PlanError::help))
}

/// The windows that `WINDOW_TYPE` and `WINDOW_SIZE` say, and which of the two is at fault if one is.
fn windows(
    kind: Option<&str>,
    size: Option<&str>,
) -> (&'static str, Result<Option<SourceWindow>, PlanError>) {
    let Some(kind) = kind else {
        let refused = PlanError::prepare(
            "'WINDOW_SIZE' should only be set when 'WINDOW_TYPE' is set to TUMBLING or HOPPING.",
        );
        let refused = refused.help("add WINDOW_TYPE='TUMBLING' or WINDOW_TYPE='HOPPING'");
        return ("WINDOW_SIZE", size.map_or(Ok(None), |_| Err(refused)));
    };
    let kind = match kind.to_uppercase().as_str() {
        "SESSION" => WindowKind::Session,
        "HOPPING" => WindowKind::Hopping,
        "TUMBLING" => WindowKind::Tumbling,
        _ => {
            let error = PlanError::prepare(format!(
                "Invalid value {kind} for property WINDOW_TYPE: String must be one of: SESSION, \
                 HOPPING, TUMBLING, null"
            ));
            return ("WINDOW_TYPE", Err(error));
        }
    };
    let size_ms = match size.map(window_size).transpose() {
        Ok(size_ms) => size_ms,
        Err(error) => {
            return (
                "WINDOW_SIZE",
                Err(error.help("write a number and a unit, as in '10 SECONDS'")),
            );
        }
    };
    match (kind, size_ms) {
        (WindowKind::Session, Some(_)) => {
            let error = PlanError::prepare("'WINDOW_SIZE' should not be set for SESSION windows.");
            ("WINDOW_SIZE", Err(error))
        }
        (WindowKind::Hopping | WindowKind::Tumbling, None) => {
            let error = PlanError::prepare(format!(
                "{} windows require 'WINDOW_SIZE' to be provided in the WITH clause. For example: \
                 'WINDOW_SIZE'='10 SECONDS'",
                kind.as_str()
            ));
            ("WINDOW_TYPE", Err(error.help("add WINDOW_SIZE, as in WINDOW_SIZE='10 SECONDS'")))
        }
        _ => ("WINDOW_TYPE", Ok(Some(SourceWindow { kind, size_ms }))),
    }
}

/// The properties of a clause, looked up by name, and what is wrong with them.
struct Clause<'a> {
    properties: &'a [Property],
    faults: Faults,
}

impl<'a> Clause<'a> {
    fn get(&self, name: &str) -> Option<&'a Property> {
        let given = self.properties.iter().rev().find(|property| property.name.text == name);
        given.filter(|property| property.value != Literal::Null)
    }

    fn refuse(&mut self, error: PlanError) {
        self.faults.keep::<()>(Err(error));
    }

    /// Refuses the value of a property.
    fn refuse_at(&mut self, name: &str, error: PlanError) {
        let error = match self.get(name) {
            Some(given) => error.at(given.value_span),
            None => error,
        };
        self.refuse(error);
    }

    /// Refuses a value in Kafka's words.
    fn refuse_value(&mut self, given: &Property, reason: &str) {
        let (text, name) = (literal_text(&given.value), &given.name.text);
        let error =
            PlanError::prepare(format!("Invalid value {text} for property {name}: {reason}"));
        // Java's class of what stands there says little to whoever wrote it.
        let is_text = matches!(given.value, Literal::String(_));
        let wants_text = !is_text && reason.starts_with("Expected value to be a string");
        let help = wants_text.then(|| format!("write '{text}': the value is a text"));
        self.refuse(error.at(given.value_span).maybe_help(help));
    }

    fn text(&mut self, name: &str) -> Option<String> {
        let given = self.get(name)?;
        if let Literal::String(text) = &given.value {
            return Some(text.clone());
        }
        let class = java_class(&given.value);
        self.refuse_value(given, &format!("Expected value to be a string, but it was a {class}"));
        None
    }

    fn number<T: TryFrom<i64> + std::str::FromStr>(&mut self, name: &str, ty: &str) -> Option<T> {
        let given = self.get(name)?;
        let value = match &given.value {
            Literal::Integer(number) => T::try_from(i64::from(*number)).ok(),
            Literal::Bigint(number) => T::try_from(*number).ok(),
            Literal::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if value.is_none() {
            self.refuse_value(given, &format!("Not a number of type {ty}"));
        }
        value
    }

    fn boolean(&mut self, name: &str) -> Option<bool> {
        let given = self.get(name)?;
        let value = match &given.value {
            Literal::Boolean(value) => Some(*value),
            Literal::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Literal::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        if value.is_none() {
            self.refuse_value(given, "Expected value to be either true or false");
        }
        value
    }

    fn delimiter(&mut self, name: &str) -> Option<char> {
        let text = self.text(name)?;
        let reason = match text.to_uppercase().as_str() {
            "TAB" => return Some('\t'),
            "SPACE" => return Some(' '),
            _ if text.chars().all(char::is_whitespace) => {
                "Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please \
                 use the special values 'TAB' or 'SPACE'"
                    .to_owned()
            }
            _ => {
                let mut chars = text.chars();
                if let (Some(delimiter), None) = (chars.next(), chars.next()) {
                    return Some(delimiter);
                }
                format!(
                    "Invalid delimiter value: '{text}'. Delimiter must be a single character or TAB,SPACE"
                )
            }
        };
        let error = PlanError::prepare(format!(
            "Configuration {name} is invalid: {reason}\nExample valid value: ';'"
        ));
        self.refuse_at(name, error);
        None
    }

    fn nullable(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let given = self.get(name)?;
        let upper = text.trim().to_uppercase();
        if upper != "OPTIONAL" && upper != "WRAPPER" {
            self.refuse_value(given, "String must be one of: OPTIONAL, WRAPPER, null");
            return None;
        }
        let name = text.trim();
        if upper != name {
            // ksqlDB reads it where nothing catches what is wrong with it.
            let error = PlanError::execute(format!(
                "No enum constant io.confluent.ksql.properties.with.CommonCreateConfigs.\
                 ProtobufNullableConfigValues.{name}"
            ));
            self.refuse(error.at(given.value_span).help(format!("write '{upper}'")));
            return None;
        }
        Some(upper)
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
