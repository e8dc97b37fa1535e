//! The law of the normaliser: it gives what encoding and decoding give.

use num_bigint::BigInt;
use proptest::prelude::*;

use super::{
    Decoder, Encoded, Encoder, Format, FormatSpec, Normaliser, NullableRepresentation, Role,
    Schemas,
};
use crate::registry::schema::{ResolvedSchema, SchemaId};
use crate::types::{Arena, ColumnDef, Decimal, OwnedValue, SqlType, StructType, Value};

fn scalar_type() -> impl Strategy<Value = SqlType> {
    prop_oneof![
        Just(SqlType::Boolean),
        Just(SqlType::Int),
        Just(SqlType::Bigint),
        Just(SqlType::Double),
        Just(SqlType::String),
        Just(SqlType::Bytes),
        Just(SqlType::Decimal { precision: 6, scale: 2 }),
        Just(SqlType::Date),
        Just(SqlType::Time),
        Just(SqlType::Timestamp),
    ]
}

/// Any type that can be read back: neither lists of lists, nor maps of lists or of maps.
fn any_type() -> impl Strategy<Value = SqlType> {
    let record = |field: BoxedStrategy<SqlType>| {
        prop::collection::vec(field, 1..4).prop_map(|fields| {
            let fields = fields.into_iter().enumerate();
            SqlType::Struct(StructType::new(fields.map(|(index, ty)| (format!("F{index}"), ty))))
        })
    };
    let flat = scalar_type().boxed();
    let item = prop_oneof![flat.clone(), record(flat.clone())].boxed();
    prop_oneof![
        4 => flat.clone(),
        1 => item.clone().prop_map(SqlType::array),
        1 => item.prop_map(|item| SqlType::map(SqlType::String, item)),
        1 => record(flat),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z0-9 ,\"\\\\#\n\r\té😀\u{1}-]{0,6}",
        Just("a\u{10F83D}".to_owned()),
        Just("\u{10F83D}\u{10FE00}".to_owned()),
    ]
}

fn scalar(ty: &SqlType) -> BoxedStrategy<OwnedValue> {
    match ty {
        SqlType::Boolean => any::<bool>().prop_map(OwnedValue::Boolean).boxed(),
        SqlType::Int => prop_oneof![Just(0), any::<i32>()].prop_map(OwnedValue::Int).boxed(),
        SqlType::Bigint => prop_oneof![Just(0), any::<i64>()].prop_map(OwnedValue::Bigint).boxed(),
        SqlType::Double => {
            prop_oneof![Just(0.0), Just(-0.0), Just(f64::NAN), Just(f64::INFINITY), any::<f64>()]
                .prop_map(OwnedValue::Double)
                .boxed()
        }
        SqlType::String => text().prop_map(|text| OwnedValue::String(text.into())).boxed(),
        SqlType::Bytes => prop::collection::vec(any::<u8>(), 0..4)
            .prop_map(|bytes| OwnedValue::Bytes(bytes.into()))
            .boxed(),
        SqlType::Date => (-700_000..700_000).prop_map(OwnedValue::Date).boxed(),
        SqlType::Time => (0..86_400_000).prop_map(OwnedValue::Time).boxed(),
        SqlType::Timestamp => {
            (-1_000_000_000_000_i64..4_000_000_000_000).prop_map(OwnedValue::Timestamp).boxed()
        }
        _ => (-999_999_i64..=999_999)
            .prop_map(|unscaled| {
                let unscaled = BigInt::from(unscaled);
                OwnedValue::Decimal(Box::new(Decimal { unscaled, scale: 2 }))
            })
            .boxed(),
    }
}

fn nullable(value: BoxedStrategy<OwnedValue>) -> BoxedStrategy<OwnedValue> {
    prop_oneof![1 => Just(OwnedValue::Null), 3 => value].boxed()
}

fn value(ty: &SqlType) -> BoxedStrategy<OwnedValue> {
    match ty {
        SqlType::Array(item) => {
            prop::collection::vec(present(item), 0..4).prop_map(OwnedValue::Array).boxed()
        }
        SqlType::Map(_, item) => {
            // NULL in a map of logical values cannot be read back.
            let item = match **item {
                SqlType::Decimal { .. } | SqlType::Date => present(item),
                _ => nullable(present(item)),
            };
            prop::collection::btree_map("[a-zé]{0,3}", item, 0..20)
                .prop_map(|entries| {
                    let key = |key: String| OwnedValue::String(key.into());
                    OwnedValue::Map(entries.into_iter().map(|(k, v)| (key(k), v)).collect())
                })
                .boxed()
        }
        _ => present(ty),
    }
}

fn present(ty: &SqlType) -> BoxedStrategy<OwnedValue> {
    match ty {
        SqlType::Struct(ty) => {
            let fields: Vec<_> = ty.fields.iter().map(|field| nullable(value(&field.ty))).collect();
            fields.prop_map(OwnedValue::Struct).boxed()
        }
        SqlType::Array(_) | SqlType::Map(..) => value(ty),
        _ => scalar(ty),
    }
}

fn row(types: Vec<SqlType>) -> impl Strategy<Value = (Vec<SqlType>, Vec<OwnedValue>)> {
    let values: Vec<_> = types.iter().map(|ty| nullable(value(ty))).collect();
    (Just(types), values)
}

fn rows() -> impl Strategy<Value = (Vec<SqlType>, Vec<OwnedValue>)> {
    prop::collection::vec(any_type(), 2..5).prop_flat_map(row)
}

fn flat_rows() -> impl Strategy<Value = (Vec<SqlType>, Vec<OwnedValue>)> {
    prop::collection::vec(scalar_type(), 2..5).prop_flat_map(row)
}

/// Holds the normaliser against the round trip. A row that cannot be written is no case.
fn check(spec: &FormatSpec, types: &[SqlType], row: &[OwnedValue]) {
    let column = |(index, ty): (usize, &SqlType)| ColumnDef::new(format!("C{index}"), ty.clone());
    let columns: Vec<_> = types.iter().enumerate().map(column).collect();
    let arena = Arena::new();
    let values: Vec<_> = row.iter().map(|value| value.as_value(&arena)).collect();
    let mut bytes = Vec::new();
    let mut schemas = Schemas::default();
    if let Some(schema) = spec.registered_schema(&columns, Role::Value).unwrap() {
        let (id, ty, text) = (SchemaId(7), schema.ty, schema.text.clone());
        schemas.add_registered(&schema, ResolvedSchema { id, ty, text, imports: Vec::new() });
    }
    let encoder = Encoder::new(spec, &columns, Role::Value, "t", &schemas).unwrap();
    let Ok(Encoded::Bytes) = encoder.encode_values(&values, &mut bytes) else { return };
    let decoder = Decoder::new(spec, &columns, Role::Value, "t", &schemas).unwrap();
    let decoded = decoder.decode(&[Some(&bytes)], &[], &arena);
    assert_eq!(decoded.failures, [], "{:?} {row:?}", String::from_utf8_lossy(&bytes));
    let read: Vec<_> = decoded.columns.iter().map(|column| column.value(0)).collect();
    let normaliser = Normaliser::new(spec, &columns);
    let singles = values.iter().enumerate();
    let singles: Vec<_> =
        singles.map(|(index, value)| normaliser.single(index, *value, &arena)).collect();
    assert_eq!(format!("{singles:?}"), format!("{read:?}"), "{spec:?}");
    let columns: Vec<_> = types
        .iter()
        .zip(&values)
        .map(|(ty, value)| crate::types::Column::from_values(ty, [*value]))
        .collect();
    let normalised = normaliser.normalise(columns, 1, &arena);
    let normalised: Vec<Value<'_>> = normalised.iter().map(|column| column.value(0)).collect();
    assert_eq!(format!("{normalised:?}"), format!("{read:?}"), "{spec:?}");
}

proptest! {
    #[test]
    fn json_rows_are_normalised_as_a_round_trip_does((types, row) in rows()) {
        check(&Format::Json.into(), &types, &row);
    }

    #[test]
    fn json_sr_rows_are_normalised_as_a_round_trip_does((types, row) in rows()) {
        check(&Format::JsonSr.into(), &types, &row);
    }

    #[test]
    fn avro_rows_are_normalised_as_a_round_trip_does((types, row) in rows()) {
        check(&Format::Avro.into(), &types, &row);
    }

    #[test]
    fn registered_protobuf_rows_are_normalised_as_a_round_trip_does((types, row) in rows()) {
        for nullable in
            [None, Some(NullableRepresentation::Optional), Some(NullableRepresentation::Wrapper)]
        {
            check(&FormatSpec { nullable, ..Format::Protobuf.into() }, &types, &row);
        }
    }

    #[test]
    fn protobuf_rows_are_normalised_as_a_round_trip_does((types, row) in rows()) {
        for nullable in
            [None, Some(NullableRepresentation::Optional), Some(NullableRepresentation::Wrapper)]
        {
            check(&FormatSpec { nullable, ..Format::ProtobufNosr.into() }, &types, &row);
        }
    }

    #[test]
    fn delimited_rows_are_normalised_as_a_round_trip_does((types, row) in flat_rows()) {
        check(&Format::Delimited.into(), &types, &row);
    }

    #[test]
    fn kafka_values_are_normalised_as_a_round_trip_does(ty in scalar_type(), text in text()) {
        if ty == SqlType::String {
            check(&Format::Kafka.into(), &[ty], &[OwnedValue::String(text.into())]);
        }
    }
}
