//! Functions of dates and times.

use std::rc::Rc;

use super::cache::Cache;
use super::{Call, Scalar, fast_date};
use crate::expr::EvalError;
use crate::java::time::{Moment, NANOS_PER_DAY, Pattern, Zone};
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "FORMAT_DATE(date DATE, formatPattern STRING) -> STRING",
        summary: "Writes a date by a pattern of Java's DateTimeFormatter.",
        examples: &[("FORMAT_DATE(FROM_DAYS(18321), 'd MMM yyyy')", "'29 Feb 2020'")],
        eval: |call| match call.arg(0) {
            Value::Date(days) => format(call, "date", &Moment::date(days.into())),
            _ => Ok(Value::Null),
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FORMAT_TIME(time TIME, formatPattern STRING) -> STRING",
        summary: "Writes a time of the day by a pattern of Java's DateTimeFormatter.",
        examples: &[("FORMAT_TIME(PARSE_TIME('13:05', 'HH:mm'), 'h:mm a')", "'1:05 PM'")],
        eval: |call| match call.arg(0) {
            Value::Time(millis) => {
                format(call, "time", &Moment::time(i64::from(millis) * 1_000_000))
            }
            _ => Ok(Value::Null),
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FORMAT_TIMESTAMP(timestamp TIMESTAMP, formatPattern STRING) -> STRING",
        summary: "Writes a timestamp in UTC by a pattern of Java's DateTimeFormatter.",
        examples: &[(
            "FORMAT_TIMESTAMP(FROM_UNIXTIME(0), 'yyyy-MM-dd HH:mm')",
            "'1970-01-01 00:00'",
        )],
        eval: format_timestamp,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FORMAT_TIMESTAMP(timestamp TIMESTAMP, formatPattern STRING, timeZone STRING) \
                    -> STRING",
        summary: "Writes a timestamp as a time zone sees it.",
        examples: &[("FORMAT_TIMESTAMP(FROM_UNIXTIME(0), 'HH:mm', 'Asia/Tokyo')", "'09:00'")],
        eval: format_timestamp,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TIMESTAMPTOSTRING(epochMilli BIGINT, formatPattern STRING) -> STRING",
        summary: "Writes milliseconds since the epoch by a pattern of Java's DateTimeFormatter.",
        examples: &[("TIMESTAMPTOSTRING(1000, 'HH:mm:ss')", "'00:00:01'")],
        eval: format_timestamp,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TIMESTAMPTOSTRING(epochMilli BIGINT, formatPattern STRING, timeZone STRING) \
                    -> STRING",
        summary: "Writes milliseconds since the epoch as a time zone sees them.",
        examples: &[("TIMESTAMPTOSTRING(0, 'HH:mm zzz', 'Europe/Berlin')", "'01:00 CET'")],
        eval: format_timestamp,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "DATETOSTRING(epochDays INT, formatPattern STRING) -> STRING",
        summary: "Writes days since the epoch by a pattern of Java's DateTimeFormatter.",
        examples: &[("DATETOSTRING(18321, 'yyyy-MM-dd')", "'2020-02-29'")],
        eval: |call| match call.int(0) {
            Some(days) => format(call, "date", &Moment::date(days.into())),
            None => Ok(Value::Null),
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "PARSE_DATE(formattedDate STRING, formatPattern STRING) -> DATE",
        summary: "Reads a date by a pattern, carrying days and months over.",
        examples: &[("UNIX_DATE(PARSE_DATE('29.2.2020', 'd.M.yyyy'))", "18321")],
        eval: |call| {
            let (text, pattern) = (call.text(0).unwrap_or_default(), call.text(1));
            let pattern = pattern.unwrap_or_default();
            fast_date::parse(text, pattern, call.context.now.0)
                .map(Value::Date)
                .map_err(|fault| failed_to_parse("date", text, pattern, fault))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "PARSE_TIME(formattedTime STRING, formatPattern STRING) -> TIME",
        summary: "Reads a time of the day by a pattern of Java's DateTimeFormatter.",
        examples: &[("FORMAT_TIME(PARSE_TIME('1:05 pm', 'h:mm a'), 'HH:mm')", "'13:05'")],
        eval: parse_time,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "PARSE_TIMESTAMP(formattedTimestamp STRING, formatPattern STRING) -> TIMESTAMP",
        summary: "Reads a timestamp by a pattern of Java's DateTimeFormatter.",
        examples: &[("UNIX_TIMESTAMP(PARSE_TIMESTAMP('1970-01-02', 'yyyy-MM-dd'))", "86400000")],
        eval: |call| parse_timestamp(call).map(Value::Timestamp),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "PARSE_TIMESTAMP(formattedTimestamp STRING, formatPattern STRING, \
                    timeZone STRING) -> TIMESTAMP",
        summary: "Reads a timestamp in a time zone, unless the text has its own.",
        examples: &[(
            "UNIX_TIMESTAMP(PARSE_TIMESTAMP('1970-01-02', 'yyyy-MM-dd', '+01:00'))",
            "82800000",
        )],
        eval: |call| parse_timestamp(call).map(Value::Timestamp),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "STRINGTOTIMESTAMP(formattedTimestamp STRING, formatPattern STRING) -> BIGINT",
        summary: "Reads a time as milliseconds since the epoch.",
        examples: &[("STRINGTOTIMESTAMP('1970-01-01 00:01', 'yyyy-MM-dd HH:mm')", "60000")],
        eval: |call| parse_timestamp(call).map(Value::Bigint),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "STRINGTOTIMESTAMP(formattedTimestamp STRING, formatPattern STRING, \
                    timeZone STRING) -> BIGINT",
        summary: "Reads a time in a time zone as milliseconds since the epoch.",
        examples: &[("STRINGTOTIMESTAMP('1970-01-01', 'yyyy-MM-dd', '-01:00')", "3600000")],
        eval: |call| parse_timestamp(call).map(Value::Bigint),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "STRINGTODATE(formattedDate STRING, formatPattern STRING) -> INT",
        summary: "Reads a date as days since the epoch.",
        examples: &[("STRINGTODATE('2020-02-29', 'yyyy-MM-dd')", "18321")],
        eval: |call| {
            let (text, pattern) = (call.text(0).unwrap_or_default(), call.text(1));
            let pattern = pattern.unwrap_or_default();
            let read = pattern_of(pattern)
                .and_then(|parsed| parsed.read(text, true).map_err(|fault| fault.to_string()))
                .and_then(|fields| fields.date().ok_or("Unable to obtain LocalDate".to_owned()));
            read.map(|days| Value::Int(days as i32))
                .map_err(|fault| failed_to_parse("date", text, pattern, fault))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "CONVERT_TZ(timestamp TIMESTAMP, fromTimeZone STRING, toTimeZone STRING) \
                    -> TIMESTAMP",
        summary: "Moves a timestamp by the difference of two time zones.",
        examples: &[("UNIX_TIMESTAMP(CONVERT_TZ(FROM_UNIXTIME(0), 'UTC', '+02:00'))", "7200000")],
        eval: convert_tz,
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FROM_DAYS(days INT) -> DATE",
        summary: "Makes a date of days since the epoch.",
        examples: &[("FORMAT_DATE(FROM_DAYS(0), 'yyyy-MM-dd')", "'1970-01-01'")],
        eval: |call| Ok(call.int(0).map_or(Value::Null, Value::Date)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "FROM_UNIXTIME(epochMilli BIGINT) -> TIMESTAMP",
        summary: "Makes a timestamp of milliseconds since the epoch.",
        examples: &[("UNIX_TIMESTAMP(FROM_UNIXTIME(5))", "5")],
        eval: |call| Ok(call.long(0).map_or(Value::Null, Value::Timestamp)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "UNIX_DATE() -> INT",
        summary: "Returns today as days since the epoch.",
        examples: &[("UNIX_DATE()", "19675")],
        eval: |call| Ok(Value::Int(call.context.now.0.div_euclid(86_400_000) as i32)),
        deterministic: false,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "UNIX_DATE(date DATE) -> INT",
        summary: "Returns a date as days since the epoch.",
        examples: &[("UNIX_DATE(FROM_DAYS(5))", "5")],
        eval: |call| match call.arg(0) {
            Value::Date(days) => Ok(Value::Int(days)),
            _ => Ok(Value::Null),
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "UNIX_TIMESTAMP() -> BIGINT",
        summary: "Returns the time of the clock as milliseconds since the epoch.",
        examples: &[("UNIX_TIMESTAMP()", "1700000000000")],
        eval: |call| Ok(Value::Bigint(call.context.now.0)),
        deterministic: false,
        ..Scalar::LENIENT
    },
    Scalar {
        signature: "UNIX_TIMESTAMP(timestamp TIMESTAMP) -> BIGINT",
        summary: "Returns a timestamp as milliseconds since the epoch.",
        examples: &[("UNIX_TIMESTAMP(FROM_UNIXTIME(5))", "5")],
        eval: |call| match call.arg(0) {
            Value::Timestamp(millis) => Ok(Value::Bigint(millis)),
            _ => Ok(Value::Null),
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "DATEADD(unit INTERVALUNIT, interval INT, date DATE) -> DATE",
        summary: "Adds an interval to a date; less than a day is cut off.",
        examples: &[("UNIX_DATE(DATEADD(HOURS, 50, FROM_DAYS(1)))", "3")],
        eval: |call| add_to_date(call, 1),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "DATESUB(unit INTERVALUNIT, interval INT, date DATE) -> DATE",
        summary: "Takes an interval off a date; less than a day is cut off.",
        examples: &[("UNIX_DATE(DATESUB(DAYS, 2, FROM_DAYS(5)))", "3")],
        eval: |call| add_to_date(call, -1),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TIMEADD(unit INTERVALUNIT, interval INT, time TIME) -> TIME",
        summary: "Adds an interval to a time of the day, past midnight if need be.",
        examples: &[(
            "FORMAT_TIME(TIMEADD(MINUTES, 90, PARSE_TIME('23:00', 'HH:mm')), 'HH:mm')",
            "'00:30'",
        )],
        eval: |call| add_to_time(call, 1),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TIMESUB(unit INTERVALUNIT, interval INT, time TIME) -> TIME",
        summary: "Takes an interval off a time of the day, past midnight if need be.",
        examples: &[(
            "FORMAT_TIME(TIMESUB(HOURS, 2, PARSE_TIME('01:00', 'HH:mm')), 'HH:mm')",
            "'23:00'",
        )],
        eval: |call| add_to_time(call, -1),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TIMESTAMPADD(unit INTERVALUNIT, interval INT, timestamp TIMESTAMP) -> TIMESTAMP",
        summary: "Adds an interval to a timestamp.",
        examples: &[("UNIX_TIMESTAMP(TIMESTAMPADD(SECONDS, 5, FROM_UNIXTIME(1)))", "5001")],
        eval: |call| add_to_timestamp(call, 1),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "TIMESTAMPSUB(unit INTERVALUNIT, interval INT, timestamp TIMESTAMP) -> TIMESTAMP",
        summary: "Takes an interval off a timestamp.",
        examples: &[("UNIX_TIMESTAMP(TIMESTAMPSUB(SECONDS, 5, FROM_UNIXTIME(6000)))", "1000")],
        eval: |call| add_to_timestamp(call, -1),
        ..Scalar::STRICT
    },
];

thread_local! {
    static PATTERNS: Cache<Result<Rc<Pattern>, String>> = Cache::new();
    static ZONES: Cache<Result<Zone, String>> = Cache::new();
}

fn pattern_of(text: &str) -> Result<Rc<Pattern>, String> {
    let compile = || Pattern::parse(text).map(Rc::new).map_err(|fault| fault.to_string());
    (*PATTERNS.with(|patterns| patterns.get(text, compile))).clone()
}

/// The zone of the third argument, or ksqlDB's own.
fn zone_of(call: &Call<'_, '_>) -> Result<Zone, String> {
    match call.text(2) {
        Some(id) => zone(id),
        None => Ok(Zone::system()),
    }
}

fn zone(id: &str) -> Result<Zone, String> {
    let find = || Zone::of(id).map_err(|fault| fault.to_string());
    (*ZONES.with(|zones| zones.get(id, find))).clone()
}

fn failed_to_parse(kind: &str, text: &str, pattern: &str, fault: String) -> EvalError {
    let message = format!("Failed to parse {kind} '{text}' with formatter '{pattern}': {fault}");
    EvalError::new(fault).wrap(message)
}

fn format<'a>(call: &Call<'_, 'a>, kind: &str, moment: &Moment) -> Result<Value<'a>, EvalError> {
    let pattern = call.text(1).unwrap_or_default();
    let text = pattern_of(pattern)
        .and_then(|parsed| parsed.format(moment).map_err(|fault| fault.to_string()))
        .map_err(|fault| {
            let message = format!("Failed to format {kind} with formatter '{pattern}': {fault}");
            EvalError::new(fault).wrap(message)
        })?;
    Ok(call.string(&text))
}

fn format_timestamp<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (Value::Timestamp(millis) | Value::Bigint(millis)) = call.arg(0) else {
        return Ok(Value::Null);
    };
    let zone = zone_of(call).map_err(|fault| {
        let message = format!("Failed to format timestamp {millis}: {fault}");
        EvalError::new(fault).wrap(message)
    })?;
    format(call, "timestamp", &Moment::instant(millis, zone))
}

fn parse_time<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let (text, pattern) = (call.text(0).unwrap_or_default(), call.text(1).unwrap_or_default());
    let nanos = pattern_of(pattern)
        .and_then(|parsed| parsed.read(text, true).map_err(|fault| fault.to_string()))
        .and_then(|fields| {
            if fields.has_date_fields() {
                return Err("Unsupported field".to_owned());
            }
            fields.time().ok_or("Unable to obtain LocalTime".to_owned())
        })
        .map_err(|fault| failed_to_parse("time", text, pattern, fault))?;
    Ok(Value::Time((nanos / 1_000_000) as i32))
}

fn parse_timestamp(call: &Call<'_, '_>) -> Result<i64, EvalError> {
    let (text, pattern) = (call.text(0).unwrap_or_default(), call.text(1).unwrap_or_default());
    pattern_of(pattern)
        .and_then(|parsed| {
            let fields = parsed.read_short_names(text).map_err(|fault| fault.to_string())?;
            fields.timestamp(&zone_of(call)?).map_err(|fault| fault.to_string())
        })
        .map_err(|fault| failed_to_parse("timestamp", text, pattern, fault))
}

fn convert_tz<'a>(call: &Call<'_, 'a>) -> Result<Value<'a>, EvalError> {
    let Value::Timestamp(millis) = call.arg(0) else { return Ok(Value::Null) };
    let offset = |index| {
        let name = call.text(index).unwrap_or_default();
        // Java's older time zones know no offsets from UTC: these are Greenwich to them.
        let is_unknown = name.starts_with("UT") && name.contains(['+', '-']);
        let offset = |zone: Zone| zone.legacy_offset_at(millis.div_euclid(1000));
        zone(name)
            .map(|zone| if is_unknown { 0 } else { i64::from(offset(zone)) })
            .map_err(|fault| EvalError::new(format!("Invalid time zone: {fault}")))
    };
    let seconds = offset(2)? - offset(1)?;
    Ok(Value::Timestamp(millis.wrapping_add(seconds * 1000)))
}

/// The interval of a call in milliseconds.
fn interval_ms(call: &Call<'_, '_>, sign: i64) -> Result<i64, EvalError> {
    let unit = call.text(0).unwrap_or_default().to_ascii_uppercase();
    let unit_ms = match unit.strip_suffix('S').unwrap_or(&unit) {
        "DAY" => 86_400_000,
        "HOUR" => 3_600_000,
        "MINUTE" => 60_000,
        "SECOND" => 1_000,
        "MILLISECOND" => 1,
        _ => return Err(EvalError::new(format!("Unknown time unit: {unit}"))),
    };
    Ok(sign * i64::from(call.int(1).unwrap_or_default()) * unit_ms)
}

fn add_to_date<'a>(call: &Call<'_, 'a>, sign: i64) -> Result<Value<'a>, EvalError> {
    let Value::Date(days) = call.arg(2) else { return Ok(Value::Null) };
    let millis = i64::from(days) * 86_400_000 + interval_ms(call, sign)?;
    Ok(Value::Date((millis / 86_400_000) as i32))
}

fn add_to_time<'a>(call: &Call<'_, 'a>, sign: i64) -> Result<Value<'a>, EvalError> {
    let Value::Time(millis) = call.arg(2) else { return Ok(Value::Null) };
    // Java counts the interval in nanoseconds, which stop at the end of a BIGINT.
    let interval = interval_ms(call, 1)?.saturating_mul(1_000_000);
    let sum = i128::from(millis) * 1_000_000 + i128::from(sign) * i128::from(interval);
    let nanos = sum.rem_euclid(i128::from(NANOS_PER_DAY));
    Ok(Value::Time((nanos / 1_000_000) as i32))
}

fn add_to_timestamp<'a>(call: &Call<'_, 'a>, sign: i64) -> Result<Value<'a>, EvalError> {
    let Value::Timestamp(millis) = call.arg(2) else { return Ok(Value::Null) };
    Ok(Value::Timestamp(millis.wrapping_add(interval_ms(call, sign)?)))
}
