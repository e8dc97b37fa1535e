//! How readings are spelled on a topic: plainly, or with a schema of a registry that they are held against first.

use serde_json::Value as Json;

use super::{DeviceError, Reading, ReadingFormat};
use crate::formats::{CheckedJsonEncoder, JsonFault};
use crate::registry::{RegistryClient, RegistryError, ResolvedSchema, Schema, SchemaType, Subject};

/// A reading in the languages of schemas.
const PROTOBUF: &str = include_str!("../../proto/device_reading.proto");
const AVRO: &str = include_str!("../../proto/device_reading.avsc");
const JSON_SCHEMA: &str = include_str!("../../proto/device_reading.schema.json");

/// How readings are to be spelled.
#[derive(Clone, Debug)]
pub enum Spelling {
    /// Without a schema.
    Plain(ReadingFormat),
    /// With a schema in this language, of a registry.
    Registered(SchemaType, RegistryClient),
}

impl Spelling {
    /// The topic that such readings go to unless another is named.
    pub fn topic(&self) -> &'static str {
        match self {
            Self::Plain(format) => format.topic(),
            Self::Registered(SchemaType::Json, _) => "device-sensors-json-sr",
            Self::Registered(SchemaType::Protobuf, _) => "device-sensors-proto-sr",
            Self::Registered(SchemaType::Avro, _) => "device-sensors-avro",
        }
    }

    /// Registers the schema of a topic's values, unless they have one or need none.
    pub async fn register(&self, topic: &str) -> Result<(), DeviceError> {
        Speller::new(self, topic).await.map(drop)
    }
}

/// Spells readings.
#[derive(Debug)]
pub(super) enum Speller {
    Plain(ReadingFormat),
    Registered(CheckedJsonEncoder),
}

impl Speller {
    /// Spells the values of a topic: with the newest schema of their subject, whoever has registered that, else with our
    /// own, which is registered.
    pub(super) async fn new(spelling: &Spelling, topic: &str) -> Result<Self, DeviceError> {
        let (ty, registry) = match spelling {
            Spelling::Plain(format) => return Ok(Self::Plain(*format)),
            Spelling::Registered(ty, registry) => (*ty, registry),
        };
        let subject = Subject::of_values(topic);
        let schema = newest(registry, &subject, ty).await?;
        let unfit = |cause: String| DeviceError::Schema { subject: subject.to_string(), cause };
        if schema.ty != ty {
            return Err(unfit(format!("its newest schema is of {}, not of {ty}", schema.ty)));
        }
        Ok(Self::Registered(CheckedJsonEncoder::new(&schema).map_err(unfit)?))
    }

    /// The bytes of a reading that we have invented, or what is wrong with it.
    pub(super) fn of_reading(&self, reading: &Reading) -> Result<Vec<u8>, Vec<JsonFault>> {
        match self {
            Self::Plain(format) => format.encode(reading).map_err(|error| whole(&error)),
            Self::Registered(encoder) => {
                encoder.encode(&serde_json::to_value(reading).map_err(|error| whole(&error))?)
            }
        }
    }

    /// The bytes of a reading that is given as JSON, or what is wrong with it.
    pub(super) fn of_json(&self, json: &Json) -> Result<Vec<u8>, Vec<JsonFault>> {
        let format = match self {
            Self::Plain(format) => *format,
            Self::Registered(encoder) => return encoder.encode(json),
        };
        let text = json.to_string().into_bytes();
        let reading = ReadingFormat::Json.decode(&text).map_err(|error| whole(&error))?;
        match format {
            // As it is, with whatever else it says.
            ReadingFormat::Json => Ok(text),
            ReadingFormat::Protobuf => format.encode(&reading).map_err(|error| whole(&error)),
        }
    }
}

/// The newest schema of a subject, or ours, once that is registered.
async fn newest(
    registry: &RegistryClient,
    subject: &Subject,
    ty: SchemaType,
) -> Result<ResolvedSchema, RegistryError> {
    let id = match registry.latest(subject).await {
        Ok(latest) => latest.id,
        Err(error) if error.is_not_found() => {
            let text = match ty {
                SchemaType::Json => JSON_SCHEMA,
                SchemaType::Protobuf => PROTOBUF,
                SchemaType::Avro => AVRO,
            };
            registry.register(subject, &Schema::new(ty, text)).await?
        }
        Err(error) => return Err(error),
    };
    Ok(registry.by_id(id).await?.as_ref().clone())
}

/// A fault of all of a reading.
fn whole(cause: &dyn std::fmt::Display) -> Vec<JsonFault> {
    vec![JsonFault { field: "$".to_owned(), reason: cause.to_string() }]
}
