//! What a real ksqlDB 7.4.0 made of records, the broken ones among them, and what we make of them.
//!
//! `tests/formats/*.jsonl.gz` hold one record a line: its value, and either the row that ksqlDB
//! wrote for it or the entry of its processing log.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millstream::formats::{
    Decoded, Decoder, Encoded, Encoder, Format, FormatSpec, NullableRepresentation, Role,
};
use millstream::types::{Arena, Column, ColumnDef, SqlType, StructType, Value};
use serde_json::Value as Json;

fn evidence(file: &str) -> Vec<Json> {
    let path = format!("{}/tests/formats/{file}.jsonl.gz", env!("CARGO_MANIFEST_DIR"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bytes(value: &Json) -> Option<Vec<u8>> {
    value.as_str().map(|text| STANDARD.decode(text).unwrap())
}

fn readings() -> Vec<ColumnDef> {
    let columns = [
        ("ARRIVAL_TIME", SqlType::Bigint),
        ("CREATION_TIME", SqlType::Bigint),
        ("DEVICE", SqlType::String),
        ("INDEX", SqlType::Int),
        ("MODEL", SqlType::String),
        ("USER", SqlType::String),
        ("GT", SqlType::String),
        ("X", SqlType::Double),
        ("Y", SqlType::Double),
        ("Z", SqlType::Double),
    ];
    columns.map(|(name, ty)| ColumnDef::new(name, ty)).into()
}

/// The columns of `READINGS_SEEN` and `PROTO_SEEN`: where a record was, then its columns.
fn seen() -> Vec<ColumnDef> {
    let place = [
        ("SRC_PARTITION", SqlType::Int),
        ("SRC_OFFSET", SqlType::Bigint),
        ("SRC_TIME", SqlType::Bigint),
    ];
    place.map(|(name, ty)| ColumnDef::new(name, ty)).into_iter().chain(readings()).collect()
}

/// The sink's bytes for a row, or its log entry.
fn outcome(
    decoded: &Decoded<'_>,
    row: u32,
    place: &[Column<'_>],
    encoder: &Encoder,
) -> Result<Option<String>, (String, Vec<String>)> {
    if let Some((_, error)) = decoded.failures.iter().find(|(failed, _)| *failed == row) {
        return Err((error.message.clone(), error.causes.clone()));
    }
    if decoded.nulls.contains(&row) {
        return Ok(None);
    }
    let columns: Vec<_> = place.iter().chain(&decoded.columns).cloned().collect();
    let mut out = Vec::new();
    assert_eq!(encoder.encode(&columns, row as usize, &mut out).unwrap(), Encoded::Bytes);
    Ok(Some(String::from_utf8(out).unwrap()))
}

fn expected(record: &Json) -> Result<Option<String>, (String, Vec<String>)> {
    let Some(message) = record["error"].as_str() else {
        return Ok(record["row"].as_str().map(str::to_owned));
    };
    let causes = record["cause"].as_array().unwrap().iter();
    Err((message.to_owned(), causes.map(|cause| cause.as_str().unwrap().to_owned()).collect()))
}

fn check(format: Format, file: &str, topic: &str) {
    let records = evidence(file);
    let payloads: Vec<_> = records.iter().map(|record| bytes(&record["value"])).collect();
    let borrowed: Vec<_> = payloads.iter().map(Option::as_deref).collect();
    let arena = Arena::new();
    let decoder = Decoder::new(&FormatSpec::new(format), &readings(), Role::Value, topic).unwrap();
    let decoded = decoder.decode(&borrowed, &[true; 10], &arena);
    let number =
        |field: &'static str| move |record: &Json| Value::Bigint(record[field].as_i64().unwrap());
    let place = [
        Column::Constant(Value::Int(0)),
        Column::from_values(&SqlType::Bigint, records.iter().map(number("offset"))),
        Column::from_values(&SqlType::Bigint, records.iter().map(number("time"))),
    ];
    let encoder =
        Encoder::new(&FormatSpec::new(Format::Json), &seen(), Role::Value, "SEEN").unwrap();
    let mut different = Vec::new();
    for (row, record) in records.iter().enumerate() {
        let (ours, theirs) = (outcome(&decoded, row as u32, &place, &encoder), expected(record));
        if ours != theirs {
            different.push(format!("{}\n  ours   {ours:?}\n  theirs {theirs:?}", record["case"]));
        }
    }
    assert!(
        different.is_empty(),
        "{} of {}:\n{}",
        different.len(),
        records.len(),
        different.join("\n")
    );
}

#[test]
fn json_readings_become_the_rows_or_the_log_entries_of_ksqldb() {
    check(Format::Json, "readings-json", "device-sensors");
}

#[test]
fn protobuf_readings_become_the_rows_or_the_log_entries_of_ksqldb() {
    check(Format::ProtobufNosr, "readings-protobuf", "device-sensors-proto");
}

/// Reads the types of columns as ksqlDB prints them: `` `A` INTEGER, `B` ARRAY<STRING> ``.
struct Types<'a>(&'a str);

impl Types<'_> {
    fn eat(&mut self, text: &str) -> bool {
        let rest = self.0.trim_start();
        let found = rest.strip_prefix(text);
        self.0 = found.unwrap_or(rest);
        found.is_some()
    }

    fn number(&mut self) -> u32 {
        let rest = self.0.trim_start();
        let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
        self.0 = &rest[len..];
        rest[..len].parse().unwrap()
    }

    fn columns(&mut self) -> Vec<(String, SqlType)> {
        let mut columns = Vec::new();
        while self.eat("`") {
            let (name, rest) = self.0.split_once('`').unwrap();
            self.0 = rest;
            let name = name.to_owned();
            columns.push((name, self.ty()));
            self.eat(",");
        }
        columns
    }

    fn ty(&mut self) -> SqlType {
        let plain = [
            ("BOOLEAN", SqlType::Boolean),
            ("INTEGER", SqlType::Int),
            ("BIGINT", SqlType::Bigint),
            ("DOUBLE", SqlType::Double),
            ("STRING", SqlType::String),
            ("BYTES", SqlType::Bytes),
            ("DATE", SqlType::Date),
            ("TIMESTAMP", SqlType::Timestamp),
            ("TIME", SqlType::Time),
        ];
        if let Some((_, ty)) = plain.iter().find(|(name, _)| self.eat(name)) {
            return ty.clone();
        }
        if self.eat("DECIMAL(") {
            let precision = self.number();
            self.eat(",");
            let scale = self.number();
            self.eat(")");
            return SqlType::Decimal { precision, scale };
        }
        let ty = if self.eat("ARRAY<") {
            SqlType::array(self.ty())
        } else if self.eat("MAP<") {
            let key = self.ty();
            self.eat(",");
            SqlType::map(key, self.ty())
        } else {
            assert!(self.eat("STRUCT<"), "{}", self.0);
            SqlType::Struct(StructType::new(self.columns()))
        };
        assert!(self.eat(">"), "{}", self.0);
        ty
    }
}

/// The format of one side. A registry's frame was cut off, so its message is that of the columns.
fn spec(json: &Json) -> FormatSpec {
    let name = json["format"].as_str().unwrap();
    let format = Format::from_name(name).unwrap();
    let format = if format == Format::Protobuf { Format::ProtobufNosr } else { format };
    FormatSpec {
        wrap: json["wrap"].as_bool(),
        delimiter: json["delimiter"]
            .as_str()
            .map(|text| FormatSpec::parse_delimiter(text).unwrap()),
        nullable: json["nullable"].as_str().map(|text| match text {
            "OPTIONAL" => NullableRepresentation::Optional,
            _ => NullableRepresentation::Wrapper,
        }),
        ..format.into()
    }
}

/// What becomes of one record from one format to another.
fn piped(decoder: &Decoder, encoder: &Encoder, bytes: Option<&[u8]>) -> Json {
    let arena = Arena::new();
    let decoded = decoder.decode(&[bytes], &[], &arena);
    if !decoded.failures.is_empty() {
        return Json::String(format!("dropped: {:?}", decoded.failures));
    }
    if !decoded.nulls.is_empty() {
        return Json::Null;
    }
    let mut out = Vec::new();
    match encoder.encode(&decoded.columns, 0, &mut out) {
        Ok(Encoded::Null) => Json::Null,
        Ok(Encoded::Bytes) => Json::String(STANDARD.encode(out)),
        Err(error) => Json::String(format!("{error:?}")),
    }
}

#[test]
fn records_go_from_format_to_format_as_in_ksqldb() {
    let mut different = Vec::new();
    for pipe in evidence("pipes") {
        let columns = Types(pipe["columns"].as_str().unwrap()).columns();
        let columns: Vec<_> =
            columns.into_iter().map(|(name, ty)| ColumnDef::new(name, ty)).collect();
        let decoder = Decoder::new(&spec(&pipe["from"]), &columns, Role::Value, "t").unwrap();
        let encoder = Encoder::new(&spec(&pipe["to"]), &columns, Role::Value, "t").unwrap();
        if let Some(schema) = pipe["schema"].as_str() {
            let ours = spec(&pipe["to"]).schema_text(&columns, Role::Value).unwrap();
            assert_eq!(ours, schema, "{}", pipe["name"]);
        }
        for record in pipe["records"].as_array().unwrap() {
            let ours = piped(&decoder, &encoder, bytes(&record["in"]).as_deref());
            let is_dropped = ours.as_str().is_some_and(|text| text.starts_with("dropped"));
            let same = if record["dropped"] == true { is_dropped } else { ours == record["out"] };
            if !same {
                different
                    .push(format!("{} {}\n  {record}\n  ours {ours}", pipe["name"], pipe["to"]));
            }
        }
    }
    assert!(different.is_empty(), "{}:\n{}", different.len(), different.join("\n"));
}
