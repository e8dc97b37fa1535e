//! What was meant by a name that is not known: the one that is nearest, or what other systems' name for it is here.

use strsim::osa_distance;

/// The most names that are listed.
const NAMES_SHOWN_MAX: usize = 10;

/// The fewest letters that a name has which another one can be mistyped for.
const LETTERS_MIN: usize = 3;

/// What a name was to be the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A column of the rows at hand.
    Column,
    /// A field of a struct.
    Field,
    /// A stream or a table.
    Source,
    /// A query, by its id.
    Query,
    /// A function.
    Function,
    /// A type of a column.
    Type,
    /// A format of keys or values.
    Format,
    /// A property of a `WITH` clause.
    Option,
}

impl NameKind {
    /// What such names are called where they are listed.
    fn plural(self) -> &'static str {
        match self {
            Self::Column => "columns",
            Self::Field => "fields",
            Self::Source => "streams and tables",
            Self::Query => "queries",
            Self::Function => "functions",
            Self::Type => "types",
            Self::Format => "formats",
            Self::Option => "properties",
        }
    }

    /// What other systems' names are here.
    fn synonyms(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Column | Self::Field | Self::Source | Self::Query => &[],
            Self::Function => FUNCTIONS,
            Self::Type => TYPES,
            Self::Format => FORMATS,
            Self::Option => OPTIONS,
        }
    }

    /// Whether there are too many of them to list.
    fn is_open(self) -> bool {
        matches!(self, Self::Function | Self::Option)
    }
}

/// The units of time, as functions take them.
static UNITS: &[&str] = &[
    "YEARS",
    "MONTHS",
    "WEEKS",
    "DAYS",
    "HOURS",
    "MINUTES",
    "SECONDS",
    "MILLISECONDS",
    "MICROSECONDS",
];

/// The unit of time that `word` names in the singular.
pub fn unit(word: &str) -> Option<&'static str> {
    UNITS.iter().copied().find(|unit| unit.strip_suffix('S') == Some(word))
}

/// What may help whoever wrote `word`, which is none of `names`.
pub fn help(kind: NameKind, word: &str, names: &[&str]) -> Option<String> {
    let upper = word.to_uppercase();
    if let Some((_, here)) = kind.synonyms().iter().find(|(theirs, _)| *theirs == upper) {
        return Some(format!("write {here}"));
    }
    if let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(word)) {
        return Some(if name.chars().any(char::is_lowercase) {
            format!("did you mean `{name}`? Without quotes, names are in capitals")
        } else {
            format!("did you mean {name}? In quotes, names keep their case")
        });
    }
    if let Some(near) = did_you_mean(&upper, names.iter().copied()) {
        return Some(format!("did you mean {near}?"));
    }
    // Functions are so many that one would be near to almost any word.
    let theirs = kind.synonyms().iter().map(|(theirs, _)| *theirs);
    if kind != NameKind::Function
        && let Some(near) = did_you_mean(&upper, theirs)
        && let Some((_, here)) = kind.synonyms().iter().find(|(theirs, _)| *theirs == near)
    {
        return Some(format!("write {here}"));
    }
    if kind.is_open() {
        return None;
    }
    let shown = names.get(..NAMES_SHOWN_MAX).unwrap_or(names).join(", ");
    let plural = kind.plural();
    match names.len().saturating_sub(NAMES_SHOWN_MAX) {
        _ if names.is_empty() => None,
        0 => Some(format!("{plural}: {shown}")),
        more => Some(format!("{plural}: {shown} and {more} more")),
    }
}

/// What functions of other systems are here.
pub fn functions_elsewhere() -> &'static [(&'static str, &'static str)] {
    FUNCTIONS
}

/// The candidate with the fewest edits from `word`, the first of those that are equally near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates.into_iter().min_by_key(|candidate| osa_distance(word, candidate))
}

/// The candidate that was probably meant: near enough that no more than a third of it was mistyped.
///
/// Letters that changed places are one mistake. Names of one or two letters are not others mistyped.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = word.chars().count();
    if length < LETTERS_MIN {
        return None;
    }
    let edits_of = |candidate: &str| {
        let other = candidate.chars().count();
        let most = length.max(other) / 3;
        // The difference in length alone is known at once.
        let is_possible = length.abs_diff(other) <= most;
        let edits = is_possible.then(|| osa_distance(word, candidate))?;
        (edits <= most && edits < other).then_some(edits)
    };
    let near = candidates.into_iter().filter_map(|name| Some((edits_of(name)?, name)));
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

static TYPES: &[(&str, &str)] = &[
    ("TEXT", "STRING"),
    ("STR", "STRING"),
    ("CHAR", "STRING"),
    ("CHARACTER", "STRING"),
    ("NVARCHAR", "STRING"),
    ("VARCHAR2", "STRING"),
    ("CLOB", "STRING"),
    ("UUID", "STRING"),
    ("ENUM", "STRING"),
    ("JSON", "STRING, and read it with EXTRACTJSONFIELD, or STRUCT<name TYPE, …>"),
    ("JSONB", "STRING, and read it with EXTRACTJSONFIELD, or STRUCT<name TYPE, …>"),
    ("FLOAT", "DOUBLE"),
    ("FLOAT4", "DOUBLE"),
    ("FLOAT8", "DOUBLE"),
    ("FLOAT32", "DOUBLE"),
    ("FLOAT64", "DOUBLE"),
    ("REAL", "DOUBLE"),
    ("NUMERIC", "DECIMAL(10, 2), with the digits in all and after the point that are meant"),
    (
        "NUMBER",
        "DECIMAL(10, 2), with the digits in all and after the point that are meant, or DOUBLE",
    ),
    ("DEC", "DECIMAL(10, 2), with the digits in all and after the point that are meant"),
    ("MONEY", "DECIMAL(19, 2)"),
    ("LONG", "BIGINT"),
    ("INT64", "BIGINT"),
    ("INT8", "BIGINT"),
    ("UINT64", "BIGINT"),
    ("UINT32", "BIGINT"),
    ("SERIAL", "BIGINT"),
    ("SHORT", "INT"),
    ("SMALLINT", "INT"),
    ("TINYINT", "INT"),
    ("MEDIUMINT", "INT"),
    ("BYTE", "INT, or BYTES for binary data"),
    ("INT2", "INT"),
    ("INT4", "INT"),
    ("INT16", "INT"),
    ("INT32", "INT"),
    ("BOOL", "BOOLEAN"),
    ("BIT", "BOOLEAN"),
    ("DATETIME", "TIMESTAMP"),
    ("DATETIME2", "TIMESTAMP"),
    ("TIMESTAMPTZ", "TIMESTAMP"),
    ("TIMESTAMP_LTZ", "TIMESTAMP"),
    ("BLOB", "BYTES"),
    ("BINARY", "BYTES"),
    ("VARBINARY", "BYTES"),
    ("BYTEA", "BYTES"),
    ("ROW", "STRUCT<name TYPE, …>"),
    ("RECORD", "STRUCT<name TYPE, …>"),
    ("OBJECT", "STRUCT<name TYPE, …> or MAP<STRING, …>"),
    ("LIST", "ARRAY<TYPE>"),
    ("ARRAY", "ARRAY<STRING>, with the type of its elements"),
    ("MAP", "MAP<STRING, STRING>, with the type of its values"),
    ("STRUCT", "STRUCT<name TYPE, …>, with its fields"),
];

static FORMATS: &[(&str, &str)] = &[
    ("CSV", "DELIMITED"),
    ("TSV", "DELIMITED with VALUE_DELIMITER='TAB'"),
    ("DELIMITER", "DELIMITED"),
    ("AVRO_SR", "AVRO"),
    ("AVRO-CONFLUENT", "AVRO"),
    ("PROTO", "PROTOBUF"),
    ("PROTOBUF_SR", "PROTOBUF"),
    ("PROTOBUF-CONFLUENT", "PROTOBUF"),
    ("PROTOBUF_NO_SR", "PROTOBUF_NOSR"),
    ("JSONSR", "JSON_SR"),
    ("JSON-SR", "JSON_SR"),
    ("JSONSCHEMA", "JSON_SR"),
    ("JSON_SCHEMA", "JSON_SR"),
    ("STRING", "KAFKA, which writes a single column as Kafka's own serializers do"),
    ("TEXT", "KAFKA, which writes a single column as Kafka's own serializers do"),
    ("RAW", "KAFKA, which writes a single column as Kafka's own serializers do"),
    ("BYTES", "KAFKA, which writes a single column as Kafka's own serializers do"),
    ("LONG", "KAFKA, which writes a single column as Kafka's own serializers do"),
    ("INT", "KAFKA, which writes a single column as Kafka's own serializers do"),
    ("NULL", "NONE"),
];

static OPTIONS: &[(&str, &str)] = &[
    ("TOPIC", "KAFKA_TOPIC"),
    ("TOPIC_NAME", "KAFKA_TOPIC"),
    ("KAFKA_TOPIC_NAME", "KAFKA_TOPIC"),
    ("NUM_PARTITIONS", "PARTITIONS"),
    ("PARTITION_COUNT", "PARTITIONS"),
    ("REPLICATION", "REPLICAS"),
    ("REPLICATION_FACTOR", "REPLICAS"),
    ("RETENTION", "RETENTION_MS"),
    ("DELIMITER", "VALUE_DELIMITER"),
    ("FIELD_DELIMITER", "VALUE_DELIMITER"),
    ("SEPARATOR", "VALUE_DELIMITER"),
    ("SERDE", "VALUE_FORMAT"),
    ("VALUE_SERDE", "VALUE_FORMAT"),
    ("KEY_SERDE", "KEY_FORMAT"),
    ("KEY", "KEY or PRIMARY KEY behind the column, as in (id STRING KEY, …)"),
    ("PRIMARY_KEY", "PRIMARY KEY behind the column, as in (id STRING PRIMARY KEY, …)"),
    ("ROWTIME", "TIMESTAMP"),
    ("TIMESTAMP_COLUMN", "TIMESTAMP"),
    ("TIME_COLUMN", "TIMESTAMP"),
    ("DATE_FORMAT", "TIMESTAMP_FORMAT"),
    ("SCHEMA_ID", "VALUE_SCHEMA_ID"),
    ("QUERY", "QUERY_ID"),
    ("AVRO_SCHEMA_FULL_NAME", "VALUE_SCHEMA_FULL_NAME"),
];

static FUNCTIONS: &[(&str, &str)] = &[
    ("LOWER", "LCASE"),
    ("LOWERCASE", "LCASE"),
    ("TOLOWER", "LCASE"),
    ("UPPER", "UCASE"),
    ("UPPERCASE", "UCASE"),
    ("TOUPPER", "UCASE"),
    ("LENGTH", "LEN"),
    ("CHAR_LENGTH", "LEN"),
    ("CHARACTER_LENGTH", "LEN"),
    ("SUBSTR", "SUBSTRING"),
    ("MID", "SUBSTRING"),
    ("STRPOS", "INSTR"),
    ("LOCATE", "INSTR"),
    ("CHARINDEX", "INSTR"),
    ("POSITION", "INSTR"),
    ("NVL", "IFNULL"),
    ("ISNULL", "IFNULL"),
    ("NOW", "UNIX_TIMESTAMP(), or FROM_UNIXTIME(UNIX_TIMESTAMP()) for a TIMESTAMP"),
    ("GETDATE", "UNIX_TIMESTAMP()"),
    ("CURRENT_TIMESTAMP", "FROM_UNIXTIME(UNIX_TIMESTAMP())"),
    ("CURRENT_DATE", "FROM_DAYS(UNIX_DATE())"),
    ("TO_CHAR", "FORMAT_TIMESTAMP, FORMAT_DATE or FORMAT_TIME"),
    ("DATE_FORMAT", "FORMAT_TIMESTAMP, FORMAT_DATE or FORMAT_TIME"),
    ("TO_DATE", "PARSE_DATE"),
    ("STR_TO_DATE", "PARSE_DATE"),
    ("TO_TIMESTAMP", "PARSE_TIMESTAMP"),
    ("DATE_ADD", "DATEADD"),
    ("DATE_SUB", "DATESUB"),
    ("STDDEV", "STDDEV_SAMP"),
    ("STDEV", "STDDEV_SAMP"),
    ("AVERAGE", "AVG"),
    ("MEAN", "AVG"),
    ("FIRST", "EARLIEST_BY_OFFSET"),
    ("FIRST_VALUE", "EARLIEST_BY_OFFSET"),
    ("LAST", "LATEST_BY_OFFSET"),
    ("LAST_VALUE", "LATEST_BY_OFFSET"),
    ("APPROX_COUNT_DISTINCT", "COUNT_DISTINCT"),
    ("CORR", "CORRELATION"),
    ("ARRAY_AGG", "COLLECT_LIST"),
    ("STRING_AGG", "ARRAY_JOIN(COLLECT_LIST(…), ',')"),
    ("GROUP_CONCAT", "ARRAY_JOIN(COLLECT_LIST(…), ',')"),
    ("LISTAGG", "ARRAY_JOIN(COLLECT_LIST(…), ',')"),
    ("UNNEST", "EXPLODE"),
    ("FLATTEN", "EXPLODE"),
    ("JSON_EXTRACT", "EXTRACTJSONFIELD"),
    ("JSON_VALUE", "EXTRACTJSONFIELD"),
    ("GET_JSON_OBJECT", "EXTRACTJSONFIELD"),
    ("TO_JSON", "TO_JSON_STRING"),
    ("SIZE", "ARRAY_LENGTH"),
    ("CARDINALITY", "ARRAY_LENGTH"),
    ("IF", "CASE WHEN condition THEN a ELSE b END"),
    ("IIF", "CASE WHEN condition THEN a ELSE b END"),
    ("DECODE", "CASE WHEN condition THEN a ELSE b END"),
    ("MOD", "a % b"),
    ("POW", "POWER"),
    ("CEILING", "CEIL"),
    ("TRUNCATE", "TRUNC"),
    ("LOG10", "LOG(10, value)"),
    ("RAND", "RANDOM()"),
    ("CONVERT", "CAST(value AS type)"),
    ("TO_NUMBER", "CAST(value AS DOUBLE)"),
    ("TO_STRING", "CAST(value AS STRING)"),
    ("CONTAINS", "INSTR(text, part) > 0, or ARRAY_CONTAINS for an array"),
    ("REGEXP_LIKE", "REGEXP_EXTRACT(pattern, text) IS NOT NULL"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_was_meant() {
        let others = [
            ("NOPE", "A"),
            ("B", "A"),
            ("DEVICE", "READINGS"),
            ("", "A"),
            ("P", "MS"),
            ("HOME", "URL"),
            ("ID", "I"),
        ];
        for (word, known) in others {
            assert_eq!(did_you_mean(word, [known]), None, "{word}");
        }
        for (word, known) in
            [("DEVISE", "DEVICE"), ("CNT", "CNTS"), ("FORM", "FROM"), ("SELEKT", "SELECT")]
        {
            assert_eq!(did_you_mean(word, [known]), Some(known), "{word}");
        }
        assert_eq!(nearest("", ["SELECT", "SET"]), Some("SET"));
        assert_eq!(nearest("A", []), None);
    }

    #[test]
    fn where_nothing_is_near_help_says_what_there_is() {
        let help = |word, names: &[&str]| help(NameKind::Column, word, names);
        assert_eq!(help("DEVISE", &["ID", "DEVICE"]).unwrap(), "did you mean DEVICE?");
        assert_eq!(help("NOPE", &["A", "ID"]).unwrap(), "columns: A, ID");
        assert_eq!(
            help("NOPE", &["A"; 12]).unwrap(),
            format!("columns: {}A and 2 more", "A, ".repeat(9))
        );
        assert_eq!(help("NOPE", &[]), None);
        assert_eq!(
            help("page", &["PAGE"]).unwrap(),
            "did you mean PAGE? In quotes, names keep their case"
        );
        assert_eq!(
            help("PAGE", &["page"]).unwrap(),
            "did you mean `page`? Without quotes, names are in capitals"
        );
    }

    #[test]
    fn names_of_other_systems_lead_to_those_of_this_one() {
        for (kind, word, expected) in [
            (NameKind::Type, "text", "write STRING"),
            (NameKind::Format, "Csv", "write DELIMITED"),
            (NameKind::Option, "TOPIC", "write KAFKA_TOPIC"),
            (NameKind::Function, "UPPERCASE", "write UCASE"),
        ] {
            assert_eq!(help(kind, word, &[]).unwrap(), expected);
        }
    }
}
