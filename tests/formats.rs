//! What a real ksqlDB 7.4.0 made of records, the broken ones among them, and what we make of them.
//!
//! `tests/formats/*.jsonl.gz` hold one record a line: its value, and either the row that ksqlDB
//! wrote for it or the entry of its processing log.

#![expect(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

#[path = "odd/values.rs"]
mod values;

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use millstream::formats::{
    Decoded, Decoder, Encoded, Encoder, Format, FormatSpec, Normaliser, NullableRepresentation,
    Role, Schemas, row_text,
};
use millstream::types::{Arena, Column, ColumnDef, OwnedValue, SqlType, StructType, Value};
use proptest::prelude::*;
use serde_json::Value as Json;
use values::{any_type, is_of, scalar_type, value};

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
    let decoder = Decoder::new(
        &FormatSpec::new(format),
        &readings(),
        Role::Value,
        topic,
        &Schemas::default(),
    )
    .unwrap();
    let decoded = decoder.decode(&borrowed, &[true; 10], &arena);
    let number =
        |field: &'static str| move |record: &Json| Value::Bigint(record[field].as_i64().unwrap());
    let place = [
        Column::Constant(Value::Int(0)),
        Column::from_values(&SqlType::Bigint, records.iter().map(number("offset"))),
        Column::from_values(&SqlType::Bigint, records.iter().map(number("time"))),
    ];
    let encoder = Encoder::new(
        &FormatSpec::new(Format::Json),
        &seen(),
        Role::Value,
        "SEEN",
        &Schemas::default(),
    )
    .unwrap();
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
        let decoder =
            Decoder::new(&spec(&pipe["from"]), &columns, Role::Value, "t", &Schemas::default())
                .unwrap();
        let encoder =
            Encoder::new(&spec(&pipe["to"]), &columns, Role::Value, "t", &Schemas::default())
                .unwrap();
        if let Some(schema) = pipe["schema"].as_str() {
            let ours = spec(&pipe["to"]).schema_text(&columns, Role::Value).unwrap().unwrap();
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

/// A format of one side, and columns that it may hold.
fn shape() -> impl Strategy<Value = (FormatSpec, Vec<SqlType>)> {
    let nullable = prop::sample::select(vec![
        None,
        Some(NullableRepresentation::Optional),
        Some(NullableRepresentation::Wrapper),
    ]);
    let json = any::<Option<bool>>().prop_map(|wrap| FormatSpec { wrap, ..Format::Json.into() });
    let protobuf = (any::<Option<bool>>(), nullable).prop_map(|(wrap, nullable)| FormatSpec {
        wrap,
        nullable,
        ..Format::ProtobufNosr.into()
    });
    let delimiter = prop::sample::select(vec![None, Some('\t'), Some('é'), Some('"'), Some('\n')]);
    let delimited =
        delimiter.prop_map(|delimiter| FormatSpec { delimiter, ..Format::Delimited.into() });
    let nested = || prop::collection::vec(any_type(), 1..5);
    let flat = || prop::collection::vec(scalar_type(), 1..5);
    let single = scalar_type().prop_map(|ty| vec![ty]);
    prop_oneof![
        3 => (json, nested()),
        3 => (protobuf, nested()),
        2 => (delimited, flat()),
        1 => (Just(Format::Kafka.into()), single),
    ]
}

/// What is done to the bytes of a record: a byte is set, put in or taken out, or a part is repeated.
#[derive(Clone, Debug)]
enum Edit {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    Repeat(prop::sample::Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    let byte = || {
        prop_oneof![
            any::<u8>(),
            prop::sample::select(b"{}[]\",:-+.eE\\0129u\xFF\x80\0\x0B".to_vec())
        ]
    };
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), byte()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        4 => (at(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        4 => at().prop_map(Edit::Remove),
        1 => at().prop_map(Edit::Cut),
        1 => (at(), 0_usize..2_000).prop_map(|(at, count)| Edit::Repeat(at, count)),
    ]
}

fn edited(mut bytes: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let len = bytes.len();
        match edit {
            _ if len == 0 => {}
            Edit::Set(at, byte) => bytes[at.index(len)] = *byte,
            Edit::Insert(at, byte) => bytes.insert(at.index(len), *byte),
            Edit::Remove(at) => drop(bytes.remove(at.index(len))),
            Edit::Cut(at) => bytes.truncate(at.index(len)),
            Edit::Repeat(at, count) => {
                let at = at.index(len);
                let part = bytes[at..len.min(at + 3)].repeat(*count);
                bytes.splice(at..at, part);
            }
        }
    }
    bytes
}

/// A chunk: rows that are written and then tampered with, and bytes that never were a row.
#[derive(Clone, Debug)]
struct Chunk {
    spec: FormatSpec,
    types: Vec<SqlType>,
    rows: Vec<(Vec<OwnedValue>, Vec<Edit>)>,
    noise: Vec<Vec<u8>>,
}

fn chunk() -> impl Strategy<Value = Chunk> {
    shape().prop_flat_map(|(spec, types)| {
        let row: Vec<_> = types.iter().map(value).collect();
        let rows = prop::collection::vec((row, prop::collection::vec(edit(), 0..4)), 0..4);
        let text = value(&SqlType::String).prop_map(|text| match text {
            OwnedValue::String(text) => text.as_bytes().to_vec(),
            _ => Vec::new(),
        });
        let bytes = prop::collection::vec(any::<u8>(), 0..40);
        let noise = prop::collection::vec(prop_oneof![text, bytes], 0..4);
        (Just(spec), Just(types), rows, noise).prop_map(|(spec, types, rows, noise)| Chunk {
            spec,
            types,
            rows,
            noise,
        })
    })
}

/// Writes rows, tampers with them, and reads what has become of them.
fn check_chunk(chunk: &Chunk) {
    let Chunk { spec, types, rows, noise } = chunk;
    let column = |(index, ty): (usize, &SqlType)| ColumnDef::new(format!("C{index}"), ty.clone());
    let columns: Vec<_> = types.iter().enumerate().map(column).collect();
    if spec.validate(&columns, Role::Value).is_err() {
        return;
    }
    let encoder = Encoder::new(spec, &columns, Role::Value, "t", &Schemas::default()).unwrap();
    let decoder = Decoder::new(spec, &columns, Role::Value, "t", &Schemas::default()).unwrap();
    let normaliser = Normaliser::new(spec, &columns);
    let arena = Arena::new();
    let mut payloads = noise.clone();
    for (row, edits) in rows {
        let row: Vec<_> = row.iter().map(|value| value.as_value(&arena)).collect();
        let _ = row_text(&row[..], types);
        for (index, (value, ty)) in row.iter().zip(types).enumerate() {
            assert!(is_of(normaliser.single(index, *value, &arena), ty));
        }
        let mut bytes = Vec::new();
        if encoder.encode_values(&row, &mut bytes).is_ok() {
            payloads.push(edited(bytes, edits));
        }
    }
    let borrowed: Vec<_> = payloads.iter().map(|payload| Some(&payload[..])).collect();
    let decoded = decoder.decode(&borrowed, &[], &arena);
    for row in 0..payloads.len() {
        let values: Vec<_> = decoded.columns.iter().map(|column| column.value(row)).collect();
        for (value, ty) in values.iter().zip(types) {
            assert!(is_of(*value, ty), "{value:?} is no {ty}");
        }
        let _ = (encoder.encode_values(&values, &mut Vec::new()), row_text(&values[..], types));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(chunk in chunk()) {
        check_chunk(&chunk);
    }
}

/// The causes of the entry about a record that cannot be read.
fn refused(format: Format, types: &[(&str, SqlType)], payload: &[u8]) -> Vec<String> {
    let columns: Vec<_> =
        types.iter().map(|(name, ty)| ColumnDef::new(*name, ty.clone())).collect();
    let decoder =
        Decoder::new(&format.into(), &columns, Role::Value, "t", &Schemas::default()).unwrap();
    let arena = Arena::new();
    let mut decoded = decoder.decode(&[Some(payload)], &[], &arena);
    decoded.failures.pop().map(|(_, error)| error.causes).unwrap_or_default()
}

#[test]
fn nesting_of_any_depth_fits_a_small_stack() {
    let columns = [("A", SqlType::String), ("B", SqlType::array(SqlType::String))];
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{{\"A\":{}1{}}}", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    let reading = std::thread::Builder::new().stack_size(1024 * 1024).spawn(move || {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
            for (depth, is_read) in [(900, true), (3_000, false), (400_000, false)] {
                let causes = refused(Format::Json, &columns, &nested(open, close, depth));
                assert_eq!(causes.is_empty(), is_read, "{open} {depth}");
                assert!(!refused(Format::Json, &columns, &nested(open, "", depth)).is_empty());
            }
        }
        // Groups of Protobuf's within one another, and messages within messages.
        for tag in [&b"\x0B"[..], b"\x9B\x06"] {
            assert!(!refused(Format::ProtobufNosr, &columns, &tag.repeat(500_000)).is_empty());
        }
    });
    reading.unwrap().join().unwrap();
}

/// The only column of a record in JSON, or the causes of the entry about it.
fn read_json(ty: &SqlType, number: &str) -> Result<OwnedValue, Vec<String>> {
    let columns = [ColumnDef::new("V", ty.clone())];
    let decoder =
        Decoder::new(&Format::Json.into(), &columns, Role::Value, "t", &Schemas::default())
            .unwrap();
    let (arena, record) = (Arena::new(), format!("{{\"V\":{number}}}"));
    let mut decoded = decoder.decode(&[Some(record.as_bytes())], &[], &arena);
    match decoded.failures.pop() {
        Some((_, error)) => Err(error.causes),
        None => Ok(decoded.columns[0].value(0).to_owned()),
    }
}

/// The texts and numbers are those of Jackson 2.13.5.
#[test]
fn numbers_of_any_length_are_read_as_jackson_reads_them() {
    let long = "7".repeat(100_005);
    let many = |start: &str, end: &str| format!("{start}{long}{end}");
    let text = |text: &str| Ok(OwnedValue::String(text.into()));
    for (number, shown, whole) in [
        (many("", ""), many("", ""), 2_049_638_230_412_172_401),
        (many("-", ""), many("-", ""), -2_049_638_230_412_172_401),
        (many("0.", ""), many("0.", ""), 0),
        (many("-0.", "0"), many("-0.", "0"), 0),
        (many("", "e-100000"), format!("77777.{}", &long[5..]), 77_777),
        (many("0.0000000", ""), format!("7.{}E-8", &long[1..]), 0),
        (many("0.00000", "e3"), many("0.00", ""), 0),
        ("0e-3".to_owned(), "0.000".to_owned(), 0),
        ("-0e5".to_owned(), "0E+5".to_owned(), 0),
        ("1e99999999999".to_owned(), "Infinity".to_owned(), i64::MAX),
    ] {
        let named = &number[..number.len().min(20)];
        assert!(read_json(&SqlType::String, &number) == text(&shown), "{named}");
        assert_eq!(read_json(&SqlType::Bigint, &number), Ok(OwnedValue::Bigint(whole)), "{named}");
    }
    let decimal = SqlType::Decimal { precision: 6, scale: 2 };
    let cause = "BigInteger would overflow supported range";
    assert!(read_json(&decimal, &long).unwrap_err().ends_with(&[cause.to_owned()]));
    for (number, reason) in [
        ("1e-99999999999", "Too many nonzero exponent digits."),
        ("1.5e-2147483647", "Scale out of range."),
        ("12e-2147483649", "Exponent overflow."),
    ] {
        let cause = format!(
            "Value \"{number}\" can not be represented as `java.math.BigDecimal`, reason: {reason}"
        );
        for ty in [SqlType::String, SqlType::Bigint, SqlType::Double, decimal.clone()] {
            assert_eq!(read_json(&ty, number), Err(vec![cause.clone()]), "{ty}");
        }
    }
}
