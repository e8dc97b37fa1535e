//! Functions that belong to no family, and those that make rows.

use super::{ArgType, Call, Scalar, TableFunction, check_items, strict_math};
use crate::expr::EvalError;
use crate::types::{SqlType, Value};

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "AS_VALUE(keyColumn T) -> T",
        summary: "Copies a key column into the value.",
        examples: &[("AS_VALUE('key')", "'key'")],
        shown_as: Some("AS_VALUE"),
        eval: |call| Ok(call.arg(0)),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "GEO_DISTANCE(lat1 DOUBLE, lon1 DOUBLE, lat2 DOUBLE, lon2 DOUBLE, \
                    units STRING) -> DOUBLE",
        summary: "Returns the great-circle distance of two points, in KM or MILES.",
        examples: &[("ROUND(GEO_DISTANCE(37.4, -122.1, 51.5, -0.1, 'MILES'))", "5368")],
        eval: geo_distance,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "GEO_DISTANCE(lat1 DOUBLE, lon1 DOUBLE, lat2 DOUBLE, lon2 DOUBLE) -> DOUBLE",
        summary: "Returns the great-circle distance of two points in kilometres.",
        examples: &[("ROUND(GEO_DISTANCE(37.4, -122.1, 51.5, -0.1))", "8638")],
        eval: geo_distance,
        ..Scalar::LENIENT
    },
];

pub(super) static TABLES: &[TableFunction] = &[
    TableFunction {
        signature: "EXPLODE(input ARRAY<DECIMAL>) -> DECIMAL",
        summary: "Makes a row of each item of a list.",
        examples: &[("EXPLODE(ARRAY[1.5, 2.5])", "1.5, 2.5")],
        eval: |call| Ok(explode(call)),
        returns: Some(item_type),
    },
    TableFunction {
        signature: "EXPLODE(list ARRAY<T>) -> T",
        summary: "Makes a row of each item of a list.",
        examples: &[("EXPLODE(ARRAY['a', 'b'])", "'a', 'b'")],
        eval: |call| Ok(explode(call)),
        returns: None,
    },
    TableFunction {
        signature: "CUBE_EXPLODE(columns ARRAY<T>) -> ARRAY<T>",
        summary: "Makes a row of each way to replace items of a list by NULL.",
        examples: &[("CUBE_EXPLODE(ARRAY[1])", "ARRAY[NULL], ARRAY[1]")],
        eval: cube_explode,
        returns: None,
    },
];

/// The mean radius of the earth, as ksqlDB has it.
const EARTH_RADIUS_KM: f64 = 6371.0;
/// The same in miles.
const EARTH_RADIUS_MILES: f64 = 3959.0;

fn geo_distance<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (Some(lat1), Some(lon1), Some(lat2), Some(lon2)) =
        (call.double(0), call.double(1), call.double(2), call.double(3))
    else {
        return Ok(Value::Null);
    };
    let radius = match call.text(4).map(str::to_ascii_uppercase) {
        Some(unit) if unit.starts_with("MI") => EARTH_RADIUS_MILES,
        Some(unit) if !unit.starts_with("KM") => {
            return Err(EvalError::new(
                "GeoDistance function units parameter must be one of MI/MILES/KM",
            ));
        }
        _ => EARTH_RADIUS_KM,
    };
    if lat1.abs() > 90.0 || lat2.abs() > 90.0 || lon1.abs() > 180.0 || lon2.abs() > 180.0 {
        return Err(EvalError::new(
            "valid latitude values for GeoDistance function are in the range of -90 to 90 and \
             valid longitude values are in the range of -180 to +180",
        ));
    }
    let haversine = |angle: f64| strict_math::pow(strict_math::sin(angle / 2.0), 2.0);
    let part = haversine((lat2 - lat1).to_radians())
        + haversine((lon2 - lon1).to_radians())
            * strict_math::cos(lat1.to_radians())
            * strict_math::cos(lat2.to_radians());
    Ok(Value::Double(2.0 * strict_math::asin(part.sqrt()) * radius))
}

fn explode<'a>(call: &Call<'_, 'a>) -> Vec<Value<'a>> {
    call.items(0).unwrap_or_default().to_vec()
}

fn item_type(args: &[ArgType]) -> Result<SqlType, String> {
    match args.first().and_then(ArgType::sql_type) {
        Some(SqlType::Array(item)) => Ok((**item).clone()),
        _ => Err("Could not find mapping for generic type: T".to_owned()),
    }
}

/// The most items that are cubed, which make 2^16 rows.
const CUBED_ITEMS_MAX: usize = 16;

/// A list with a NULL in it is not cubed at that place, which would give the same row twice.
fn cube_explode<'a>(call: &Call<'_, 'a>) -> Result<Vec<Value<'a>>, EvalError> {
    let Some(items) = call.items(0) else { return Ok(Vec::new()) };
    let known: Vec<usize> = (0..items.len()).filter(|index| !items[*index].is_null()).collect();
    if known.len() > CUBED_ITEMS_MAX {
        return Err(EvalError::out_of_memory());
    }
    // NULLs make no more rows, but longer ones.
    check_items(items.len() << known.len())?;
    let row = |bits: usize| {
        let mut row = vec![Value::Null; items.len()];
        for (place, index) in known.iter().rev().enumerate() {
            if bits >> place & 1 == 1 {
                row[*index] = items[*index];
            }
        }
        call.array(&row)
    };
    Ok((0..1usize << known.len()).map(row).collect())
}
