//! One reading of a device, and its two spellings on Kafka: JSON and Protobuf.
//!
//! The struct is the message of `proto/device_reading.proto`, written by hand so that no build needs `protoc`;
//! a test compiles the file and compares.

use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::DeviceError;

/// One reading of a device's accelerometer.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
pub struct Reading {
    /// When the reading came in, in ms since 1970.
    #[prost(int64, tag = "1")]
    #[serde(rename = "Arrival_Time")]
    pub arrival_ms: i64,
    /// When the device took it, in ns since 1970.
    #[prost(int64, tag = "2")]
    #[serde(rename = "Creation_Time")]
    pub creation_ns: i64,
    /// The device, `nexus4_1`.
    #[prost(string, tag = "3")]
    #[serde(rename = "Device")]
    pub device: String,
    /// The device's readings counted from 0.
    #[prost(int32, tag = "4")]
    #[serde(rename = "Index")]
    pub index: i32,
    /// The device's model, `nexus4`.
    #[prost(string, tag = "5")]
    #[serde(rename = "Model")]
    pub model: String,
    /// Who carries the device: one lowercase letter.
    #[prost(string, tag = "6")]
    #[serde(rename = "User")]
    pub user: String,
    /// What the user does: stand, walk, run or sit. The name is the data set's, for "ground truth".
    #[prost(string, tag = "7")]
    #[serde(rename = "gt")]
    pub activity: String,
    /// Acceleration along x.
    #[prost(double, tag = "8")]
    pub x: f64,
    /// Acceleration along y.
    #[prost(double, tag = "9")]
    pub y: f64,
    /// Acceleration along z.
    #[prost(double, tag = "10")]
    pub z: f64,
}

/// How readings are spelled on their topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadingFormat {
    /// One JSON object, fields in the data set's names and order.
    Json,
    /// Plain proto3 bytes, as ksqlDB's `PROTOBUF_NOSR` reads them.
    Protobuf,
}

impl ReadingFormat {
    /// The topic that readings of this format go to unless another is named.
    pub fn topic(self) -> &'static str {
        match self {
            Self::Json => "device-sensors",
            Self::Protobuf => "device-sensors-proto",
        }
    }

    /// The bytes of `reading`.
    pub fn encode(self, reading: &Reading) -> Result<Vec<u8>, DeviceError> {
        match self {
            Self::Json => serde_json::to_vec(reading)
                .map_err(|error| DeviceError::Encoding(error.to_string())),
            Self::Protobuf => Ok(reading.encode_to_vec()),
        }
    }

    /// The reading that `bytes` hold. A reading without a device, or with an axis that is no finite number, is refused.
    pub fn decode(self, bytes: &[u8]) -> Result<Reading, DeviceError> {
        let faulty = DeviceError::NotAReading;
        let reading: Reading = match self {
            Self::Json => {
                serde_json::from_slice(bytes).map_err(|error| faulty(error.to_string()))?
            }
            Self::Protobuf => Reading::decode(bytes).map_err(|error| faulty(error.to_string()))?,
        };
        reading.checked()
    }
}

impl Reading {
    /// The reading, if it names a device and its axes are numbers.
    pub(super) fn checked(self) -> Result<Self, DeviceError> {
        if self.device.is_empty() {
            return Err(DeviceError::NotAReading("it names no device".to_owned()));
        }
        if !self.axes().iter().all(|axis| axis.is_finite()) {
            return Err(DeviceError::NotAReading("an axis is no finite number".to_owned()));
        }
        Ok(self)
    }

    /// The three axes, in order.
    pub fn axes(&self) -> [f64; 3] {
        [self.x, self.y, self.z]
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;

    fn reading() -> Reading {
        Reading {
            arrival_ms: 1_700_000_000_139,
            creation_ns: 1_699_999_999_385_860_200,
            device: "galaxy_s21_3".to_owned(),
            index: 7,
            model: "galaxy_s21".to_owned(),
            user: "f".to_owned(),
            activity: "sit".to_owned(),
            x: -0.004_285_056_4,
            y: 0.019_210_958_5,
            z: 0.019_884_553_1,
        }
    }

    #[test]
    fn json_has_the_data_sets_names_in_order() {
        let text = String::from_utf8(ReadingFormat::Json.encode(&reading()).unwrap()).unwrap();
        assert_eq!(
            text,
            r#"{"Arrival_Time":1700000000139,"Creation_Time":1699999999385860200,"Device":"galaxy_s21_3","Index":7,"Model":"galaxy_s21","User":"f","gt":"sit","x":-0.0042850564,"y":0.0192109585,"z":0.0198845531}"#
        );
    }

    #[test]
    fn both_formats_bring_a_reading_back() {
        for format in [ReadingFormat::Json, ReadingFormat::Protobuf] {
            assert_eq!(format.decode(&format.encode(&reading()).unwrap()).unwrap(), reading());
        }
    }

    #[test]
    fn what_is_no_reading_is_refused_with_its_cause() {
        for (format, bytes, cause) in [
            (ReadingFormat::Json, &b"{}"[..], "missing field"),
            (ReadingFormat::Json, b"not json", "expected ident"),
            (ReadingFormat::Protobuf, b"", "names no device"),
            (ReadingFormat::Protobuf, b"\x1a\xff", "Reading.device"),
        ] {
            let error = format.decode(bytes).unwrap_err().to_string();
            assert!(error.contains(cause), "{error}");
        }
        let infinite = Reading { x: f64::INFINITY, ..reading() };
        assert!(ReadingFormat::Protobuf.decode(&infinite.encode_to_vec()).is_err());
    }

    /// Readings that another producer wrote, and ksqlDB read: their bytes, their time and their partition are ours too.
    /// (But for numbers below 1e-4, which JSON has many spellings for.)
    #[test]
    fn readings_of_another_producer_have_the_same_bytes() {
        let text = include_str!("../../tests/golden/devices/readings-json-and-protobuf.jsonl");
        let table = crate::devices::PartitionTable::default();
        for line in text.lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(record["value_b64"].as_str().unwrap())
                .unwrap();
            let format = if record["format"] == "json" {
                ReadingFormat::Json
            } else {
                ReadingFormat::Protobuf
            };
            let reading = format.decode(&bytes).unwrap();
            assert_eq!(format.encode(&reading).unwrap(), bytes, "{line}");
            assert_eq!(Some(reading.arrival_ms), record["timestamp"].as_i64());
            assert_eq!(
                i64::from(table.partition(&reading.model, 3)),
                record["partition"].as_i64().unwrap()
            );
        }
    }

    #[test]
    fn the_proto_file_describes_the_same_message() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
        let files = protox::compile(["device_reading.proto"], [path]).unwrap();
        let pool = prost_reflect::DescriptorPool::from_file_descriptor_set(files).unwrap();
        let message = pool.get_message_by_name("millstream.DeviceReading").unwrap();
        let fields: Vec<_> = message
            .fields()
            .map(|f| (f.name().to_owned(), f.number(), format!("{:?}", f.kind())))
            .collect();
        let names = [
            "Arrival_Time",
            "Creation_Time",
            "Device",
            "Index",
            "Model",
            "User",
            "gt",
            "x",
            "y",
            "z",
        ];
        let kinds = [
            "int64", "int64", "string", "int32", "string", "string", "string", "double", "double",
            "double",
        ];
        let expected: Vec<_> = (1u32..)
            .zip(names.iter().zip(kinds))
            .map(|(number, (name, kind))| ((*name).to_owned(), number, kind.to_owned()))
            .collect();
        assert_eq!(fields, expected);

        // Every field of the struct, read through the file's description, is the struct's value in JSON.
        let dynamic =
            prost_reflect::DynamicMessage::decode(message, reading().encode_to_vec().as_slice())
                .unwrap();
        let json: serde_json::Value = serde_json::to_value(reading()).unwrap();
        for name in names {
            let value = dynamic.get_field_by_name(name).unwrap();
            let text = match value.as_ref() {
                prost_reflect::Value::String(text) => format!("{text:?}"),
                prost_reflect::Value::I64(number) => number.to_string(),
                prost_reflect::Value::I32(number) => number.to_string(),
                prost_reflect::Value::F64(number) => number.to_string(),
                other => panic!("{name} is {other:?}"),
            };
            assert_eq!(text, json[name].to_string(), "{name}");
        }
    }
}
