//! What a real ksqlDB 7.4.0 made of records, the broken ones among them, and what we make of them.
//!
//! `tests/formats/*.jsonl.gz` hold one record a line: its value, and either the row that ksqlDB
//! wrote for it or the entry of its processing log.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millstream::formats::{Decoded, Decoder, Encoded, Encoder, Format, FormatSpec, Role};
use millstream::types::{Arena, Column, ColumnDef, SqlType, Value};
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

/// The columns of READINGS_SEEN and PROTO_SEEN: where a record was, then its columns.
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
