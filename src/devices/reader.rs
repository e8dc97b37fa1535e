//! Reads readings, whatever they are spelled with.

use super::{DeviceError, Reading, ReadingFormat, Spelling};
use crate::formats::{Decoder, Format, FormatSpec, Role, Schemas};
use crate::registry::{RegistryClient, SchemaType};
use crate::types::{Arena, Column, ColumnDef, SqlType, Value};

/// Reads the values of a topic's records.
pub(super) enum ReadingReader {
    Plain(ReadingFormat),
    Registered { decoder: Box<Decoder>, used: Vec<bool>, registry: RegistryClient },
}

/// The columns of a reading, in the order of its fields.
fn columns() -> Vec<ColumnDef> {
    let texts = ["Device", "Model", "User", "gt"].map(|name| (name, SqlType::String));
    let numbers = [
        ("Arrival_Time", SqlType::Bigint),
        ("Creation_Time", SqlType::Bigint),
        // An int of others may be a long.
        ("Index", SqlType::Bigint),
        ("x", SqlType::Double),
        ("y", SqlType::Double),
        ("z", SqlType::Double),
    ];
    texts.into_iter().chain(numbers).map(|(name, ty)| ColumnDef::new(name, ty)).collect()
}

impl ReadingReader {
    /// Reads what is spelled so on a topic.
    pub(super) fn new(spelling: &Spelling, topic: &str) -> Result<Self, DeviceError> {
        let (ty, registry) = match spelling {
            Spelling::Plain(format) => return Ok(Self::Plain(*format)),
            Spelling::Registered(ty, registry) => (*ty, registry.clone()),
        };
        let format = match ty {
            SchemaType::Avro => Format::Avro,
            SchemaType::Json => Format::JsonSr,
            SchemaType::Protobuf => Format::Protobuf,
        };
        let (spec, none) = (FormatSpec::new(format), Schemas::default());
        let columns = columns();
        let decoder = Decoder::new(&spec, &columns, Role::Value, topic, &none);
        let decoder = decoder.map_err(|error| DeviceError::NotAReading(error.to_string()))?;
        let used = vec![true; columns.len()];
        Ok(Self::Registered { decoder: Box::new(decoder), used, registry })
    }

    /// Asks the registry for the schemas of some values, as far as they are new. One that does not answer is asked again.
    pub(super) async fn learn(&mut self, values: &[Option<&[u8]>]) -> Result<(), DeviceError> {
        let Self::Registered { decoder, registry, .. } = self else { return Ok(()) };
        for id in decoder.unknown_schemas(values) {
            match registry.by_id_once_there(id).await {
                Ok(schema) => decoder.learn_schema(id, Ok(&schema)),
                Err(error) if error.is_not_found() => {
                    decoder.learn_schema(id, Err(&error.to_string()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The readings of some values; what is none is an error.
    pub(super) fn read(&self, values: &[Option<&[u8]>]) -> Vec<Result<Reading, DeviceError>> {
        let (decoder, used) = match self {
            Self::Plain(format) => {
                let missing = || DeviceError::NotAReading("it has no value".to_owned());
                let read = |value: Option<&[u8]>| format.decode(value.ok_or_else(missing)?);
                return values.iter().copied().map(read).collect();
            }
            Self::Registered { decoder, used, .. } => (decoder, used),
        };
        let arena = Arena::new();
        let decoded = decoder.decode(values, used, &arena);
        let mut readings: Vec<_> =
            (0..values.len()).map(|row| of_row(&decoded.columns, row).checked()).collect();
        for (row, error) in decoded.failures {
            let causes = error.causes.join(": ");
            readings[row as usize] = Err(DeviceError::NotAReading(causes));
        }
        readings
    }
}

fn of_row(columns: &[Column<'_>], row: usize) -> Reading {
    let value = |index: usize| columns.get(index).map_or(Value::Null, |column| column.value(row));
    let text = |index| match value(index) {
        Value::String(text) => text.to_owned(),
        _ => String::new(),
    };
    let whole = |index| match value(index) {
        Value::Bigint(number) => number,
        _ => 0,
    };
    let axis = |index| match value(index) {
        Value::Double(number) => number,
        _ => f64::NAN,
    };
    Reading {
        device: text(0),
        model: text(1),
        user: text(2),
        activity: text(3),
        arrival_ms: whole(4),
        creation_ns: whole(5),
        index: i32::try_from(whole(6)).unwrap_or_default(),
        x: axis(7),
        y: axis(8),
        z: axis(9),
    }
}
