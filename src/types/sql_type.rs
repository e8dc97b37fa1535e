//! SQL types, as ksqlDB names and prints them.

use std::fmt;
use std::sync::Arc;

/// The type of a column or an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SqlType {
    /// TRUE or FALSE.
    Boolean,
    /// A signed number of 32 bits.
    Int,
    /// A signed number of 64 bits.
    Bigint,
    /// An IEEE 754 number of 64 bits.
    Double,
    /// A decimal number with `precision` digits, `scale` of them after the point.
    Decimal {
        /// How many digits there are at most.
        precision: u32,
        /// How many of them follow the point.
        scale: u32,
    },
    /// Text (VARCHAR).
    String,
    /// Bytes.
    Bytes,
    /// Days since 1970-01-01.
    Date,
    /// Milliseconds of the day.
    Time,
    /// Milliseconds since the epoch.
    Timestamp,
    /// A list of values of one type.
    Array(Arc<SqlType>),
    /// Keys with their values.
    Map(Arc<SqlType>, Arc<SqlType>),
    /// Named fields.
    Struct(StructType),
}

/// A field of a [`StructType`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    /// The name, in the case that it was declared with.
    pub name: Box<str>,
    /// The type.
    pub ty: SqlType,
}

/// The fields of a STRUCT, in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct StructType {
    /// The fields.
    pub fields: Arc<[Field]>,
}

impl StructType {
    /// Builds a struct type from names and types.
    pub fn new<N: Into<Box<str>>>(fields: impl IntoIterator<Item = (N, SqlType)>) -> Self {
        let fields = fields.into_iter().map(|(name, ty)| Field { name: name.into(), ty }).collect();
        Self { fields }
    }

    /// What ksqlDB says of two fields called `name`.
    pub fn repeated(name: &str, first: &SqlType, second: &SqlType) -> String {
        format!("Duplicate field names found in STRUCT: '`{name}` {first}' and '`{name}` {second}'")
    }

    /// The position and the type of the field called `name`.
    pub fn field(&self, name: &str) -> Option<(usize, &SqlType)> {
        let found = self.fields.iter().enumerate().find(|(_, field)| &*field.name == name);
        found.map(|(index, field)| (index, &field.ty))
    }
}

impl SqlType {
    /// An ARRAY of `item`.
    pub fn array(item: Self) -> Self {
        Self::Array(Arc::new(item))
    }

    /// A MAP from `key` to `value`.
    pub fn map(key: Self, value: Self) -> Self {
        Self::Map(Arc::new(key), Arc::new(value))
    }

    /// A DECIMAL, or the rule that it breaks, as ksqlDB says it.
    pub fn decimal(precision: i32, scale: i32) -> Result<Self, String> {
        let rule = match (u32::try_from(precision), u32::try_from(scale)) {
            (Err(_) | Ok(0), _) => "precision must be >= 1",
            (_, Err(_)) => "scale must be >= 0",
            (Ok(precision), Ok(scale)) if scale <= precision => {
                return Ok(Self::Decimal { precision, scale });
            }
            _ => "precision must be >= scale",
        };
        Err(format!("DECIMAL {rule}: DECIMAL({precision},{scale})"))
    }

    /// Whether this is INT, BIGINT, DECIMAL or DOUBLE.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Int | Self::Bigint | Self::Double | Self::Decimal { .. })
    }

    /// Whether this is DATE, TIME or TIMESTAMP.
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Date | Self::Time | Self::Timestamp)
    }

    /// The name of the type without its parameters: `DECIMAL`, `ARRAY`.
    pub fn base_name(&self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::Int => "INTEGER",
            Self::Bigint => "BIGINT",
            Self::Double => "DOUBLE",
            Self::Decimal { .. } => "DECIMAL",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Date => "DATE",
            Self::Time => "TIME",
            Self::Timestamp => "TIMESTAMP",
            Self::Array(_) => "ARRAY",
            Self::Map(..) => "MAP",
            Self::Struct(_) => "STRUCT",
        }
    }
}

impl fmt::Display for SqlType {
    /// Prints the type as ksqlDB prints it in schemas: `` STRUCT<`A` INTEGER> ``, `DECIMAL(4, 2)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decimal { precision, scale } => write!(f, "DECIMAL({precision}, {scale})"),
            Self::Array(item) => write!(f, "ARRAY<{item}>"),
            Self::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            Self::Struct(ty) if ty.fields.is_empty() => f.write_str("STRUCT< >"),
            Self::Struct(ty) => {
                f.write_str("STRUCT<")?;
                for (index, field) in ty.fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}`{}` {}", field.name, field.ty)?;
                }
                f.write_str(">")
            }
            other => f.write_str(other.base_name()),
        }
    }
}
