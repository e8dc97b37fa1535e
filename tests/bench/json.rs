//! Nanoseconds a record for reading and writing JSON readings of about 196 bytes.
//!
//! `cargo bench --bench json`: seven of ten columns are kept. `serde_json` reads into a struct that
//! borrows its text, for comparison. A word after `--` picks the measurements whose names have it.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures wall-clock time")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "reading.rs"]
mod reading;

use std::hint::black_box;
use std::time::Instant;

use millstream::formats::{Decoder, Encoder, Format, FormatSpec, Role, Schemas};
use millstream::types::{Arena, ColumnDef, SqlType};

use self::reading::Reading;

const RECORDS: usize = 100_000;
const CHUNK: usize = 1_000;
const ROUNDS: usize = 7;

/// The columns that are kept: all but the two times and the index.
const USED: [bool; 10] = [false, false, true, false, true, true, true, true, true, true];

fn columns() -> Vec<ColumnDef> {
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

fn records() -> Vec<Vec<u8>> {
    let record = |index: usize| {
        let axis = |factor: usize| ((index * factor) % 2_000_003) as f64 / 1e9 - 0.001;
        format!(
            "{{\"Arrival_Time\":{},\"Creation_Time\":{},\"Device\":\"galaxy_s21_{}\",\"Index\":{index},\
             \"Model\":\"galaxy_s21\",\"User\":\"{}\",\"gt\":\"walk\",\"x\":{:.10},\"y\":{:.10},\"z\":{:.10}}}",
            1_700_000_000_000 + index,
            1_700_000_000_000_000_000 + index * 1_001,
            index % 12,
            char::from(b'a' + (index % 9) as u8),
            axis(7_919),
            axis(104_729),
            axis(1_299_709)
        )
        .into_bytes()
    };
    (0..RECORDS).map(record).collect()
}

/// The best of some rounds, in nanoseconds a record.
fn measure(name: &str, mut round: impl FnMut()) {
    let words: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    if !words.is_empty() && !words.iter().any(|word| name.contains(word)) {
        return;
    }
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{name:<40} {:>8.1} ns a record", best.as_nanos() as f64 / RECORDS as f64);
}

fn main() {
    let records = records();
    let payloads: Vec<_> = records.iter().map(|record| Some(record.as_slice())).collect();
    let spec = FormatSpec::new(Format::Json);
    let decoder = Decoder::new(&spec, &columns(), Role::Value, "readings", &Schemas::default())
        .expect("JSON reads");
    let encoder = Encoder::new(&spec, &columns(), Role::Value, "readings", &Schemas::default())
        .expect("JSON writes");
    println!("{} bytes a record", records[RECORDS / 2].len());
    measure("serde_json, borrowing struct", || {
        for record in &records {
            black_box(serde_json::from_slice::<Reading<'_>>(record).expect("a reading"));
        }
    });
    measure("decode, 7 of 10 columns", || {
        for chunk in payloads.chunks(CHUNK) {
            let arena = Arena::new();
            let decoded = decoder.decode(chunk, &USED, &arena);
            assert!(black_box(&decoded).failures.is_empty());
        }
    });
    let arena = Arena::new();
    let decoded = decoder.decode(&payloads[..CHUNK], &[], &arena);
    let mut out = Vec::new();
    measure("encode, 10 columns", || {
        for row in 0..RECORDS {
            out.clear();
            encoder.encode(&decoded.columns, row % CHUNK, &mut out).expect("JSON writes");
            black_box(&out);
        }
    });
}
