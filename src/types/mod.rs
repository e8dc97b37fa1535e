//! Values, SQL types, schemas, rows, time and windows: the vocabulary of every other layer.
//!
//! Nothing here knows text, bytes or Kafka. A [`Value`] borrows from the fetched batch or from an
//! [`Arena`]; a [`Column`] holds one value for each row of a chunk; an [`OwnedValue`] outlives both.

mod arena;
mod codec;
mod column;
mod concat;
mod decimal;
mod headers;
mod owned_column;
mod owned_rows;
mod owned_value;
mod rows;
mod schema;
mod shared;
mod sql_type;
mod time;
mod value;
mod window;

pub use arena::Arena;
pub use codec::{CodecError, RowCodec};
pub use column::{Column, ColumnBuilder, Validity};
pub use decimal::{DIGITS_MAX, Decimal, DecimalDigits, DecimalError, Rounding, unicode_digit};
pub use headers::{Headers, OwnedHeaders, owned_headers};
pub use owned_column::Stretch;
pub use owned_rows::OwnedRows;
pub use owned_value::OwnedValue;
pub use rows::{KeyColumns, Meta, OldRows, Rows};
pub use schema::{ColumnDef, Schema};
pub use shared::Shared;
pub use sql_type::{Field, SqlType, StructType};
pub use time::{Offset, Partition, Timestamp};
pub use value::Value;
pub use window::{TimeWindows, Window, WindowKind};
