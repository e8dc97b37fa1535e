//! Functions of numbers.

use super::{ArgType, Call, Scalar, strict_math};
use crate::expr::EvalError;
use crate::java::printed_decimal;
use crate::types::{Decimal, DecimalError, Rounding, SqlType, Value};

/// The three rows of a function from any number to DOUBLE; DECIMALs are widened.
macro_rules! unary {
    ($name:literal, $summary:literal, $example:expr, $kernel:expr) => {
        [
            unary!($name, "INT", $summary, $example, $kernel),
            unary!($name, "BIGINT", $summary, $example, $kernel),
            Scalar {
                double_kernel: Some($kernel),
                ..unary!($name, "DOUBLE", $summary, $example, $kernel)
            },
        ]
    };
    ($name:literal, $ty:literal, $summary:literal, $example:expr, $kernel:expr) => {
        Scalar {
            signature: concat!($name, "(value ", $ty, ") -> DOUBLE"),
            summary: $summary,
            examples: &[$example],
            eval: |call| Ok(call.double(0).map_or(Value::Null, |x| Value::Double($kernel(x)))),
            ..Scalar::STRICT
        }
    };
}

/// The three rows of a function from two numbers to DOUBLE.
macro_rules! binary {
    ($name:literal, $a:literal, $b:literal, $summary:literal, $example:expr, $kernel:expr) => {
        [
            binary!($name, $a, $b, "INT", $summary, $example, $kernel),
            binary!($name, $a, $b, "BIGINT", $summary, $example, $kernel),
            binary!($name, $a, $b, "DOUBLE", $summary, $example, $kernel),
        ]
    };
    ($name:literal, $a:literal, $b:literal, $ty:literal, $summary:literal, $example:expr,
     $kernel:expr) => {
        Scalar {
            signature: concat!($name, "(", $a, " ", $ty, ", ", $b, " ", $ty, ") -> DOUBLE"),
            summary: $summary,
            examples: &[$example],
            eval: |call| {
                let (a, b) = (call.double(0), call.double(1));
                Ok(a.zip(b).map_or(Value::Null, |(a, b)| Value::Double($kernel(a, b))))
            },
            ..Scalar::STRICT
        }
    };
}

static ACOS: [Scalar; 3] =
    unary!("ACOS", "Returns the arc cosine.", ("ACOS(1)", "0.0"), strict_math::acos);
static ASIN: [Scalar; 3] =
    unary!("ASIN", "Returns the arc sine.", ("ASIN(0)", "0.0"), strict_math::asin);
static ATAN: [Scalar; 3] =
    unary!("ATAN", "Returns the arc tangent.", ("ATAN(0)", "0.0"), strict_math::atan);
static ATAN2: [Scalar; 3] = binary!(
    "ATAN2",
    "y",
    "x",
    "Returns the angle of the point (x, y) from the x axis.",
    ("ATAN2(0, 1)", "0.0"),
    strict_math::atan2
);
static CBRT: [Scalar; 3] =
    unary!("CBRT", "Returns the cube root.", ("CBRT(-27)", "-3.0"), strict_math::cbrt);
static COS: [Scalar; 3] = unary!(
    "COS",
    "Returns the cosine of an angle in radians.",
    ("COS(0)", "1.0"),
    strict_math::cos
);
static COSH: [Scalar; 3] =
    unary!("COSH", "Returns the hyperbolic cosine.", ("COSH(0)", "1.0"), strict_math::cosh);
static COT: [Scalar; 3] = unary!(
    "COT",
    "Returns the cotangent of an angle in radians.",
    ("COT(0)", "Infinity"),
    strict_math::cot
);
static DEGREES: [Scalar; 3] = unary!(
    "DEGREES",
    "Turns an angle from radians into degrees.",
    ("DEGREES(PI())", "180.0"),
    f64::to_degrees
);
static EXP: [Scalar; 3] =
    unary!("EXP", "Returns the power of e.", ("EXP(0)", "1.0"), strict_math::exp);
static LN: [Scalar; 3] =
    unary!("LN", "Returns the natural logarithm.", ("LN(1)", "0.0"), strict_math::log);
static LOG: [Scalar; 3] =
    unary!("LOG", "Returns the natural logarithm.", ("LOG(1)", "0.0"), strict_math::log);
static LOG_BASE: [Scalar; 3] =
    binary!("LOG", "base", "value", "Returns the logarithm to a base.", ("LOG(2, 8)", "3.0"), log);
static POWER: [Scalar; 3] = binary!(
    "POWER",
    "base",
    "exponent",
    "Raises a base to a power.",
    ("POWER(2, 10)", "1024.0"),
    strict_math::pow
);
static RADIANS: [Scalar; 3] = unary!(
    "RADIANS",
    "Turns an angle from degrees into radians.",
    ("RADIANS(180)", "3.141592653589793"),
    f64::to_radians
);
static SIN: [Scalar; 3] =
    unary!("SIN", "Returns the sine of an angle in radians.", ("SIN(0)", "0.0"), strict_math::sin);
static SINH: [Scalar; 3] =
    unary!("SINH", "Returns the hyperbolic sine.", ("SINH(0)", "0.0"), strict_math::sinh);
static SQRT: [Scalar; 3] =
    unary!("SQRT", "Returns the square root.", ("SQRT(16)", "4.0"), f64::sqrt);
static TAN: [Scalar; 3] = unary!(
    "TAN",
    "Returns the tangent of an angle in radians.",
    ("TAN(0)", "0.0"),
    strict_math::tan
);
static TANH: [Scalar; 3] =
    unary!("TANH", "Returns the hyperbolic tangent.", ("TANH(0)", "0.0"), strict_math::tanh);

/// The functions with a result of type DOUBLE, three rows each.
pub(super) static TO_DOUBLE: &[&[Scalar; 3]] = &[
    &ACOS, &ASIN, &ATAN, &ATAN2, &CBRT, &COS, &COSH, &COT, &DEGREES, &EXP, &LN, &LOG, &LOG_BASE,
    &POWER, &RADIANS, &SIN, &SINH, &SQRT, &TAN, &TANH,
];

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "ABS(val DECIMAL) -> DECIMAL",
        summary: "Returns the number without its sign.",
        examples: &[("ABS(-1.50)", "1.50")],
        shown_as: Some("Abs"),
        eval: |call| map_decimal(call, |value| Ok(value.abs())),
        returns: Some(same_type),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ABS(val DOUBLE) -> DOUBLE",
        summary: "Returns the number without its sign.",
        examples: &[("ABS(-1.5E0)", "1.5")],
        eval: |call| Ok(Value::Double(call.double(0).unwrap_or_default().abs())),
        double_kernel: Some(f64::abs),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ABS(val INT) -> INT",
        summary: "Returns the number without its sign.",
        examples: &[("ABS(-1)", "1"), ("ABS(NULLIF(1, 1))", "NULL")],
        eval: |call| Ok(Value::Int(call.int(0).unwrap_or_default().wrapping_abs())),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ABS(val BIGINT) -> BIGINT",
        summary: "Returns the number without its sign.",
        examples: &[("ABS(-3000000000)", "3000000000")],
        eval: |call| Ok(Value::Bigint(call.long(0).unwrap_or_default().wrapping_abs())),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "CEIL(val DECIMAL) -> DECIMAL",
        summary: "Rounds up to a whole number.",
        examples: &[("CEIL(1.20)", "2.00")],
        shown_as: Some("Ceil"),
        eval: |call| map_decimal(call, |value| keep_scale(value, 0, Rounding::Ceiling)),
        returns: Some(same_type),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "CEIL(val DOUBLE) -> DOUBLE",
        summary: "Rounds up to a whole number.",
        examples: &[("CEIL(-1.5E0)", "-1.0")],
        eval: |call| Ok(Value::Double(call.double(0).unwrap_or_default().ceil())),
        double_kernel: Some(f64::ceil),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "CEIL(val INT) -> INT",
        summary: "Returns the number as it is.",
        examples: &[("CEIL(1)", "1")],
        eval: |call| Ok(call.arg(0)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "CEIL(val BIGINT) -> BIGINT",
        summary: "Returns the number as it is.",
        examples: &[("CEIL(3000000000)", "3000000000")],
        eval: |call| Ok(call.arg(0)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FLOOR(val DECIMAL) -> DECIMAL",
        summary: "Rounds down to a whole number.",
        examples: &[("FLOOR(-1.20)", "-2.00")],
        shown_as: Some("Floor"),
        eval: |call| map_decimal(call, |value| keep_scale(value, 0, Rounding::Floor)),
        returns: Some(same_type),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FLOOR(val DOUBLE) -> DOUBLE",
        summary: "Rounds down to a whole number.",
        examples: &[("FLOOR(-1.5E0)", "-2.0")],
        eval: |call| Ok(Value::Double(call.double(0).unwrap_or_default().floor())),
        double_kernel: Some(f64::floor),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FLOOR(val INT) -> INT",
        summary: "Returns the number as it is.",
        examples: &[("FLOOR(1)", "1")],
        eval: |call| Ok(call.arg(0)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FLOOR(val BIGINT) -> BIGINT",
        summary: "Returns the number as it is.",
        examples: &[("FLOOR(3000000000)", "3000000000")],
        eval: |call| Ok(call.arg(0)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ROUND(val DECIMAL) -> DECIMAL",
        summary: "Rounds to the nearest whole number; halves go up.",
        examples: &[("ROUND(2.5)", "3"), ("ROUND(-2.5)", "-2")],
        shown_as: Some("Round"),
        eval: |call| map_decimal(call, |value| value.set_scale(0, halves_up(value))),
        returns: Some(whole_type),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ROUND(val DOUBLE, decimalPlaces INT) -> DOUBLE",
        summary: "Rounds to a number of decimal places, or of zeros if it is negative.",
        examples: &[("ROUND(2.675E0, 2)", "2.68"), ("ROUND(1234E0, -2)", "1200.0")],
        eval: |call| map_double(call, halves_up),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ROUND(val DOUBLE) -> BIGINT",
        summary: "Rounds to the nearest whole number; halves go up.",
        examples: &[("ROUND(-1.5E0)", "-1")],
        eval: |call| Ok(Value::Bigint(round(call.double(0).unwrap_or_default()))),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ROUND(val DECIMAL, decimalPlaces INT) -> DECIMAL",
        summary: "Rounds to a number of decimal places, and keeps the scale.",
        examples: &[("ROUND(1.256, 2)", "1.260")],
        eval: |call| {
            let places = call.int(1).unwrap_or_default();
            map_decimal(call, |value| keep_scale(value, places, halves_up(value)))
        },
        returns: Some(same_type),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ROUND(val INT) -> BIGINT",
        summary: "Returns the number as it is.",
        examples: &[("ROUND(1)", "1")],
        eval: |call| Ok(call.long(0).map_or(Value::Null, Value::Bigint)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "ROUND(val BIGINT) -> BIGINT",
        summary: "Returns the number as it is.",
        examples: &[("ROUND(3000000000)", "3000000000")],
        eval: |call| Ok(call.arg(0)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TRUNC(val DECIMAL) -> DECIMAL",
        summary: "Drops what follows the decimal point.",
        examples: &[("TRUNC(-2.7)", "-2")],
        eval: |call| map_decimal(call, |value| value.set_scale(0, Rounding::Down)),
        returns: Some(whole_type),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TRUNC(val DOUBLE, decimalPlaces INT) -> DOUBLE",
        summary: "Drops what follows a decimal place.",
        examples: &[("TRUNC(2.678E0, 2)", "2.67")],
        eval: |call| map_double(call, |_| Rounding::Down),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TRUNC(val DOUBLE) -> BIGINT",
        summary: "Drops what follows the decimal point.",
        examples: &[("TRUNC(-2.7E0)", "-2")],
        eval: |call| Ok(Value::Bigint(call.double(0).unwrap_or_default() as i64)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TRUNC(val DECIMAL, decimalPlaces INT) -> DECIMAL",
        summary: "Drops what follows a decimal place, and keeps the scale.",
        examples: &[("TRUNC(1.256, 2)", "1.250")],
        eval: |call| {
            let places = call.int(1).unwrap_or_default();
            map_decimal(call, |value| keep_scale(value, places, Rounding::Down))
        },
        returns: Some(same_type),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TRUNC(val INT) -> BIGINT",
        summary: "Returns the number as it is.",
        examples: &[("TRUNC(1)", "1")],
        eval: |call| Ok(call.long(0).map_or(Value::Null, Value::Bigint)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TRUNC(val BIGINT) -> BIGINT",
        summary: "Returns the number as it is.",
        examples: &[("TRUNC(3000000000)", "3000000000")],
        eval: |call| Ok(call.arg(0)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SIGN(value INT) -> INT",
        summary: "Returns 1, 0 or -1 as the number is positive, zero or negative.",
        examples: &[("SIGN(-5)", "-1")],
        eval: |call| Ok(Value::Int(call.int(0).unwrap_or_default().signum())),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SIGN(value BIGINT) -> INT",
        summary: "Returns 1, 0 or -1 as the number is positive, zero or negative.",
        examples: &[("SIGN(3000000000)", "1")],
        eval: |call| Ok(Value::Int(call.long(0).unwrap_or_default().signum() as i32)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SIGN(value DOUBLE) -> INT",
        summary: "Returns 1, 0 or -1 as the number is positive, zero or negative.",
        examples: &[("SIGN(-0.5E0)", "-1")],
        eval: |call| {
            let value = call.double(0).unwrap_or_default();
            Ok(Value::Int(i32::from(value > 0.0) - i32::from(value < 0.0)))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "PI() -> DOUBLE",
        summary: "Returns pi.",
        examples: &[("PI()", "3.141592653589793")],
        eval: |_| Ok(Value::Double(std::f64::consts::PI)),
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "RANDOM() -> DOUBLE",
        summary: "Returns a random number from 0 on and below 1.",
        examples: &[("FLOOR(RANDOM())", "0.0")],
        eval: |call| {
            let bits = call.context.random.next_u64() >> 11;
            Ok(Value::Double(bits as f64 / (1u64 << 53) as f64))
        },
        deterministic: false,
        ..Scalar::LENIENT
    },
];

fn log(base: f64, value: f64) -> f64 {
    if base <= 0.0 || base == 1.0 {
        return f64::NAN;
    }
    strict_math::log(value) / strict_math::log(base)
}

/// Java's `Math.round`: to the nearest, halves up, NaN to 0, within the limits of a BIGINT.
fn round(value: f64) -> i64 {
    let floor = value.floor();
    (if value - floor >= 0.5 { floor + 1.0 } else { floor }) as i64
}

/// Rounds halves up in the direction of positive infinity, as `Math.round` does.
fn halves_up(value: &Decimal) -> Rounding {
    if value.signum() > 0 { Rounding::HalfUp } else { Rounding::HalfDown }
}

/// Rounds to a number of places, and then writes as many digits as before.
fn keep_scale(value: &Decimal, places: i32, rounding: Rounding) -> Result<Decimal, DecimalError> {
    value.set_scale(places, rounding)?.set_scale(value.scale, Rounding::Unnecessary)
}

fn map_decimal<'a>(
    call: &Call<'_, 'a>,
    map: impl FnOnce(&Decimal) -> Result<Decimal, DecimalError>,
) -> Result<Value<'a>, EvalError> {
    let Value::Decimal(value) = call.arg(0) else { return Ok(Value::Null) };
    let value = map(value).map_err(|error| EvalError::new(error.to_string()))?;
    Ok(Value::Decimal(call.context.arena.decimal(value)))
}

/// The change of scale that drops the most digits: a power of ten with more has no room in Java.
const DROPPED_MIN: i64 = -646_456_993;

/// Rounds a DOUBLE as the decimal number that it is printed as.
fn map_double<'a>(
    call: &Call<'_, 'a>,
    rounding: impl FnOnce(&Decimal) -> Rounding,
) -> Result<Value<'a>, EvalError> {
    let (value, places) = (call.double(0).unwrap_or_default(), call.int(1).unwrap_or_default());
    let rounded = printed_decimal(value)
        .and_then(|value| match i64::from(places) - i64::from(value.scale) {
            DROPPED_MIN.. => value.set_scale(places, rounding(&value)),
            _ if value.is_zero() => Ok(value),
            _ => Err(DecimalError::TooLarge),
        })
        .map_err(|error| EvalError::new(error.to_string()))?;
    Ok(Value::Double(rounded.to_f64()))
}

fn same_type(args: &[ArgType]) -> Result<SqlType, String> {
    match args.first().and_then(ArgType::sql_type) {
        Some(ty @ SqlType::Decimal { .. }) => Ok(ty.clone()),
        Some(SqlType::Int) => Ok(SqlType::Decimal { precision: 10, scale: 0 }),
        Some(SqlType::Bigint) => Ok(SqlType::Decimal { precision: 19, scale: 0 }),
        _ => Err("The schema provider method expects a BigDecimal parameter type".to_owned()),
    }
}

fn whole_type(args: &[ArgType]) -> Result<SqlType, String> {
    match same_type(args)? {
        SqlType::Decimal { precision, scale } => {
            Ok(SqlType::Decimal { precision: precision - scale, scale: 0 })
        }
        ty => Ok(ty),
    }
}
