//! Odd values of every type: the extremes, the empty, the malformed, the very long.

use millstream::types::{Decimal, OwnedValue, SqlType, StructType, Value};
use proptest::prelude::*;

/// Texts that mean something to some function, and pieces of them that mean it no longer.
const PIECES: &[&str] = &[
    "",
    " ",
    "\0",
    "\n",
    "é",
    "ß",
    "ǆ",
    "İ",
    "😀",
    "\u{10F800}",
    "\u{10FE00}",
    "\u{FFFD}",
    "\u{2028}",
    "a",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "true",
    "NaN",
    "-Infinity",
    "0x1p3",
    "0",
    "-0",
    "1",
    "-9223372036854775808",
    "9223372036854775807",
    "170141183460469231731687303715884105728",
    "1e70000",
    "1e2000000000",
    "1e-2147483647",
    "1e99999999999999999999",
    "٣",
    ".",
    "-",
    "2024-02-29",
    "+999999999-12-31T23:59:59.999",
    "-0001-01-01",
    "2024-02-29T24:00:00.000+1800",
    "12:34:56.789",
    "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "uuuu",
    "nnnnnnnnnnnnnnnnnnnnnnnn",
    "YYYYw",
    "GGGGG",
    "zzzz",
    "VV",
    "pppppd",
    "[[[[",
    "]",
    "'",
    "g",
    "A",
    "Etc/GMT-5",
    "Europe/Paris",
    "+12é3",
    "UTC+25:00",
    "Asia/Kathmandu",
    "{\"a\":[1,2,{\"b\":1e400}]}",
    "[[[[[[[[[[[[[[[[",
    "{\"a\":",
    "\"\\ud83d",
    "$.a[0]",
    "$[\"a\"]",
    "$..",
    "[1,\"x\",null,true,1.5e10]",
    "(a+)+$",
    "(?<n>.)\\k<n>",
    "[[:alpha:]&&[^b]]",
    "\\Q",
    "\\p{",
    "\\u12",
    "(",
    "a{99999}",
    "(a{1000}){1000}",
    "$1",
    "${n}",
    "\\",
    "$99999999999999999999",
    "https://a:b@[::1%25]:99999/p%20q?x=1&y#f",
    "http://é.com:-1/%zz",
    "//",
    ":",
    "a=1,b=2,=,,",
    ",",
    "=",
    "%",
    "_",
    "hex",
    "utf8",
    "ascii",
    "base64",
    "aGVsbG8=",
    "====",
    "0x48",
    "X'4'",
    "\\u004b",
    "\\777\\uD800",
    "DAYS",
    "hours",
    "ASC",
    "DESC",
    "BIG_ENDIAN",
    "LITTLE_ENDIAN",
    "MILES",
    "Sat, 29 Feb 2020",
];

/// A text: a few pieces, one of them perhaps again and again.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => prop::sample::select(PIECES).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => (prop::sample::select(PIECES), 0_usize..3_000).prop_map(|(piece, n)| piece.repeat(n)),
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

fn int() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => prop::sample::select(vec![
            0, 1, -1, 2, -2, 3, 7, 12, 16, 17, 31, 64, 255, 256, 366, 1_000, 65_535, 65_536,
            i32::MIN, i32::MIN + 1, i32::MAX, i32::MAX - 1,
        ]),
        1 => -20..20,
        1 => any::<i32>(),
    ]
}

fn bigint() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => int().prop_map(i64::from),
        2 => prop::sample::select(vec![
            i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1, 1 << 53, -62_135_596_800_001,
            253_402_300_800_000, 1_700_000_000_123, 86_400_000, -86_400_001,
        ]),
        1 => any::<i64>(),
    ]
}

fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        2 => prop::sample::select(vec![
            0.0, -0.0, 1.0, -1.5, f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX,
            f64::MIN, f64::MIN_POSITIVE, 5e-324, 1e22, 1e23, 90.0, 180.0, 9.223_372_036_854_776e18,
        ]),
        1 => int().prop_map(f64::from),
        1 => any::<f64>(),
    ]
}

/// A decimal of a column, which has the column's scale unless a Protobuf record brought another.
fn decimal(scale: u32) -> impl Strategy<Value = Decimal> {
    let digits = prop_oneof![
        4 => any::<i64>().prop_map(|digits| digits.to_string()),
        1 => Just("0".to_owned()),
        1 => "-?[1-9][0-9]{0,300}",
    ];
    let scale = prop_oneof![
        8 => Just(i32::try_from(scale).unwrap_or(i32::MAX)),
        1 => prop::sample::select(vec![-100_000, 100_000, -1, 0, 5_000]),
    ];
    (digits, scale).prop_map(|(digits, scale)| {
        let digits = Decimal::parse(&digits).unwrap_or_else(|_| 0.into());
        Decimal::new(digits.unscaled, scale)
    })
}

/// Types that hold no others.
pub(crate) fn scalar_type() -> impl Strategy<Value = SqlType> {
    let decimals = vec![(1, 0), (6, 2), (38, 38), (400, 7), (i32::MAX as u32, 3)];
    prop_oneof![
        Just(SqlType::Boolean),
        Just(SqlType::Int),
        Just(SqlType::Bigint),
        Just(SqlType::Double),
        Just(SqlType::String),
        Just(SqlType::Bytes),
        Just(SqlType::Date),
        Just(SqlType::Time),
        Just(SqlType::Timestamp),
        prop::sample::select(decimals)
            .prop_map(|(precision, scale)| SqlType::Decimal { precision, scale }),
    ]
}

/// Any type, the parts of which hold a few others.
pub(crate) fn any_type() -> impl Strategy<Value = SqlType> {
    scalar_type().prop_recursive(3, 8, 3, |part| {
        prop_oneof![
            part.clone().prop_map(SqlType::array),
            part.clone().prop_map(|value| SqlType::map(SqlType::String, value)),
            prop::collection::vec(part, 0..3).prop_map(|fields| {
                let fields = fields.into_iter().enumerate();
                SqlType::Struct(StructType::new(fields.map(|(i, ty)| (format!("F{i}"), ty))))
            }),
        ]
    })
}

/// A value of a type, or NULL.
pub(crate) fn value(ty: &SqlType) -> BoxedStrategy<OwnedValue> {
    prop_oneof![1 => Just(OwnedValue::Null), 7 => present(ty)].boxed()
}

fn present(ty: &SqlType) -> BoxedStrategy<OwnedValue> {
    match ty {
        SqlType::Boolean => any::<bool>().prop_map(OwnedValue::Boolean).boxed(),
        SqlType::Int => int().prop_map(OwnedValue::Int).boxed(),
        SqlType::Bigint => bigint().prop_map(OwnedValue::Bigint).boxed(),
        SqlType::Double => double().prop_map(OwnedValue::Double).boxed(),
        SqlType::Decimal { scale, .. } => {
            decimal(*scale).prop_map(|value| OwnedValue::Decimal(Box::new(value))).boxed()
        }
        SqlType::String => text().prop_map(|text| OwnedValue::String(text.into())).boxed(),
        SqlType::Bytes => prop_oneof![
            prop::collection::vec(any::<u8>(), 0..20),
            prop::sample::select(vec![4_usize, 8, 16, 3_000]).prop_map(|len| vec![0xFF; len]),
            text().prop_map(String::into_bytes),
        ]
        .prop_map(|bytes| OwnedValue::Bytes(bytes.into()))
        .boxed(),
        SqlType::Date => int().prop_map(OwnedValue::Date).boxed(),
        SqlType::Time => int().prop_map(OwnedValue::Time).boxed(),
        SqlType::Timestamp => bigint().prop_map(OwnedValue::Timestamp).boxed(),
        SqlType::Array(item) => prop_oneof![
            4 => prop::collection::vec(value(item), 0..6),
            1 => (value(item), 0_usize..200).prop_map(|(item, n)| vec![item; n]),
        ]
        .prop_map(OwnedValue::Array)
        .boxed(),
        SqlType::Map(key, item) => {
            let keys = prop_oneof![8 => present(key), 1 => Just(OwnedValue::Null)];
            prop::collection::vec((keys, value(item)), 0..6).prop_map(OwnedValue::Map).boxed()
        }
        SqlType::Struct(ty) => {
            let fields: Vec<_> = ty.fields.iter().map(|field| value(&field.ty)).collect();
            fields.prop_map(OwnedValue::Struct).boxed()
        }
    }
}

/// Whether a value is one of a type.
pub(crate) fn is_of(value: Value<'_>, ty: &SqlType) -> bool {
    match (value, ty) {
        (Value::Array(items), SqlType::Array(ty)) => items.iter().all(|item| is_of(*item, ty)),
        (Value::Map(entries), SqlType::Map(key, ty)) => {
            entries.iter().all(|(k, v)| is_of(*k, key) && is_of(*v, ty))
        }
        (Value::Struct(values), SqlType::Struct(ty)) => {
            values.len() == ty.fields.len()
                && values.iter().zip(&*ty.fields).all(|(value, field)| is_of(*value, &field.ty))
        }
        (value, ty) => matches!(
            (value, ty),
            (Value::Null, _)
                | (Value::Boolean(_), SqlType::Boolean)
                | (Value::Int(_), SqlType::Int)
                | (Value::Bigint(_), SqlType::Bigint)
                | (Value::Double(_), SqlType::Double)
                | (Value::Decimal(_), SqlType::Decimal { .. })
                | (Value::String(_), SqlType::String)
                | (Value::Bytes(_), SqlType::Bytes)
                | (Value::Date(_), SqlType::Date)
                | (Value::Time(_), SqlType::Time)
                | (Value::Timestamp(_), SqlType::Timestamp)
        ),
    }
}
