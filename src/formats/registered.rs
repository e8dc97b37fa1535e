//! Records with a schema in the registry: the frame, the schema that it names, and ksqlDB's words
//! for what can be wrong with either.
//!
//! A reader has a reader of its own for each schema that it has been told of, so that nothing is
//! looked up for a record but a number among a few.

use super::avro::{self, AvroReader, AvroWriter};
use super::frame::{self, FrameError};
use super::json::{JsonEncoder, MapStyle, Scan};
use super::json_sr::{self, JsonSrReader};
use super::protobuf::{self, ProtobufEncoder, ProtobufReader};
use super::rows::{Outcome, Rows};
use super::{
    DecodeError, EncodeError, Encoded, Format, FormatError, FormatSpec, Role, Row, Schemas,
};
use crate::registry::schema::{ResolvedSchema, SchemaId};
use crate::types::{Arena, ColumnDef};

/// Reads records with schemas.
#[derive(Debug)]
pub(super) struct RegisteredDecoder {
    format: Format,
    columns: Vec<ColumnDef>,
    wrapped: bool,
    role: Role,
    topic: String,
    known: Vec<(SchemaId, Known)>,
}

/// What is known of an id.
#[derive(Debug)]
enum Known {
    Avro(AvroReader),
    Json(JsonSrReader),
    Protobuf(ProtobufReader),
    /// Records of this schema cannot be read, and why.
    Unfit(String),
    /// There is no such schema, as the registry says it.
    Missing(String),
}

/// What the fast way of reading remembers of each schema, while a chunk is read.
#[derive(Debug, Default)]
pub(super) struct Scans(Vec<Scan>);

impl Scans {
    fn of(&mut self, index: usize) -> &mut Scan {
        while self.0.len() <= index {
            self.0.push(Scan::exact());
        }
        &mut self.0[index]
    }
}

/// What went wrong with a record, before it is put into words.
enum Fault {
    Frame(FrameError),
    /// The registry does not have the schema.
    Schema(SchemaId, String),
    /// The bytes are not what the schema says.
    Bytes(SchemaId, String),
    /// A value is not what the column takes.
    Value(String),
}

impl RegisteredDecoder {
    pub(super) fn new(
        spec: &FormatSpec,
        columns: &[ColumnDef],
        role: Role,
        topic: &str,
        schemas: &Schemas,
    ) -> Self {
        let mut decoder = Self {
            format: spec.format,
            columns: columns.to_vec(),
            wrapped: spec.is_wrapped(columns.len(), role),
            role,
            topic: topic.to_owned(),
            known: Vec::new(),
        };
        schemas.of_format(spec.format).for_each(|schema| decoder.learn(schema.id, Ok(schema)));
        decoder
    }

    /// The ids before some records that it has not been told of, each once.
    pub(super) fn unknown(&self, payloads: &[Option<&[u8]>]) -> Vec<SchemaId> {
        let mut unknown = Vec::new();
        let mut last = None;
        for bytes in payloads.iter().flatten() {
            let Ok((id, _)) = frame::split(bytes) else { continue };
            if last == Some(id) {
                continue;
            }
            last = Some(id);
            if self.place(id).is_none() && !unknown.contains(&id) {
                unknown.push(id);
            }
        }
        unknown
    }

    fn place(&self, id: SchemaId) -> Option<usize> {
        self.known.iter().position(|(known, _)| *known == id)
    }

    /// Takes in a schema, or why there is none.
    pub(super) fn learn(&mut self, id: SchemaId, found: Result<&ResolvedSchema, &str>) {
        let known = match found {
            Ok(schema) => self.reader(schema),
            Err(message) => Known::Missing(message.to_owned()),
        };
        match self.place(id) {
            Some(place) => self.known[place].1 = known,
            None => self.known.push((id, known)),
        }
    }

    /// Forgets of which ids there is no schema.
    pub(super) fn forget_missing(&mut self) {
        self.known.retain(|(_, known)| !matches!(known, Known::Missing(_)));
    }

    fn reader(&self, schema: &ResolvedSchema) -> Known {
        let reader = match self.format {
            Format::Avro => avro::reader(schema, &self.columns, self.wrapped).map(Known::Avro),
            Format::Protobuf => protobuf::reader(schema, &self.columns).map(Known::Protobuf),
            _ => json_sr::reader(schema, &self.columns, self.wrapped).map(Known::Json),
        };
        reader.unwrap_or_else(Known::Unfit)
    }

    pub(super) fn decode<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
        scans: &mut Scans,
    ) -> Result<Outcome, DecodeError> {
        self.read(bytes, rows, arena, scans).map_err(|fault| self.error(fault))
    }

    fn read<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
        scans: &mut Scans,
    ) -> Result<Outcome, Fault> {
        let (id, body) = frame::split(bytes).map_err(Fault::Frame)?;
        let Some(place) = self.place(id) else {
            return Err(Fault::Schema(id, "the schema was not asked for".to_owned()));
        };
        match &self.known[place].1 {
            Known::Avro(reader) => reader.read(body, rows, arena).map_err(|error| match error {
                avro::ReadError::Wire(message) => Fault::Bytes(id, message),
                avro::ReadError::Convert(message) => Fault::Value(message),
            }),
            Known::Json(reader) => {
                reader.read(body, rows, arena, scans.of(place)).map_err(|error| match error {
                    json_sr::ReadError::Parse(message) => Fault::Bytes(id, message),
                    json_sr::ReadError::Convert(message) => Fault::Value(message),
                })
            }
            Known::Protobuf(reader) => match reader.read(body, rows, arena) {
                Ok(()) => Ok(Outcome::Row),
                Err(protobuf::ReadError::Wire(message)) => Err(Fault::Bytes(id, message)),
                Err(protobuf::ReadError::Convert(message)) => Err(Fault::Value(message)),
            },
            Known::Unfit(message) => Err(Fault::Value(message.clone())),
            Known::Missing(message) => Err(Fault::Schema(id, message.clone())),
        }
    }

    /// The entry of the processing log, whose causes differ from format to format.
    fn error(&self, fault: Fault) -> DecodeError {
        let topic = &self.topic;
        let is_avro = self.format == Format::Avro;
        let failed = |name| format!("Failed to deserialize data for topic {topic} to {name}: ");
        let (outer, name) = match self.format {
            Format::Avro => (failed("Avro"), "Avro"),
            Format::Protobuf => (failed("Protobuf"), "Protobuf"),
            _ => {
                let text = "Converting byte[] to Kafka Connect data failed due to serialization";
                (format!("{text} error of topic {topic}: "), "JSON")
            }
        };
        let of_message = |id: i32| format!("Error deserializing {name} message for id {id}");
        let causes = match fault {
            Fault::Frame(FrameError::Short) if is_avro => {
                vec![FrameError::Short.message().to_owned()]
            }
            Fault::Frame(error) if is_avro => vec![outer, error.message().to_owned()],
            Fault::Frame(error) => vec![outer, of_message(-1), error.message().to_owned()],
            Fault::Schema(id, message) => {
                let role = match (is_avro, self.role) {
                    (true, Role::Key) => "key ",
                    (true, Role::Value) => "value ",
                    (false, _) => "",
                };
                vec![outer, format!("Error retrieving {name} {role}schema for id {id}"), message]
            }
            Fault::Bytes(id, message) => vec![outer, of_message(id.0), message],
            Fault::Value(message) => vec![message],
        };
        let message = format!("Error deserializing message from topic: {topic}");
        DecodeError { message, causes }
    }
}

/// Writes records with a schema.
#[derive(Debug)]
pub(super) struct RegisteredEncoder {
    id: SchemaId,
    writer: Writer,
    topic: String,
}

#[derive(Debug)]
enum Writer {
    Avro(AvroWriter),
    Json(JsonEncoder),
    Protobuf(ProtobufEncoder),
    /// No row can be written with the schema of the registry, and why.
    Unfit(String),
}

impl RegisteredEncoder {
    pub(super) fn new(
        spec: &FormatSpec,
        columns: &[ColumnDef],
        role: Role,
        topic: &str,
        schemas: &Schemas,
    ) -> Result<Self, FormatError> {
        let schema = schemas.written(spec, columns, role)?;
        let wrapped = spec.is_wrapped(columns.len(), role);
        let writer = match spec.format {
            Format::Avro => {
                avro::writer(schema, columns, wrapped).map_or_else(Writer::Unfit, Writer::Avro)
            }
            Format::Protobuf if spec.schema_id.is_some() => {
                ProtobufEncoder::by_id(schema, spec, columns, topic)
                    .map_or_else(Writer::Unfit, Writer::Protobuf)
            }
            Format::Protobuf => {
                Writer::Protobuf(ProtobufEncoder::new(spec, columns, wrapped, topic))
            }
            _ => Writer::Json(JsonEncoder::new(columns, wrapped, MapStyle::Entries)),
        };
        Ok(Self { id: schema.id, writer, topic: topic.to_owned() })
    }

    pub(super) fn encode<R: Row + ?Sized>(
        &self,
        row: &R,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        let start = out.len();
        frame::write(self.id, out);
        match &self.writer {
            Writer::Avro(writer) => {
                if let Some(null) = writer.bare_null(row.value(0)) {
                    out.truncate(start);
                    return Ok(null);
                }
                writer.write(row, out).map_err(|cause| self.error(&cause))?;
                Ok(Encoded::Bytes)
            }
            Writer::Json(writer) => {
                let encoded = writer.encode(row, out);
                if encoded == Encoded::Null {
                    out.truncate(start);
                }
                Ok(encoded)
            }
            Writer::Protobuf(writer) => {
                writer.write_index(out);
                writer.encode(row, out)
            }
            Writer::Unfit(cause) => Err(self.error(cause)),
        }
    }

    fn error(&self, cause: &str) -> EncodeError {
        let message = format!(
            "Error serializing message to topic: {}. {cause}\nHint: You probably forgot to add \
             VALUE_SCHEMA_ID when creating the source.",
            self.topic
        );
        let class = "io.confluent.ksql.serde.KsqlSerializationException";
        EncodeError { class, message, causes: vec![cause.to_owned()] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Decoder;
    use crate::registry::schema::SchemaType;
    use crate::types::{SqlType, Value};

    fn schema(id: i32, ty: SchemaType, text: &str) -> ResolvedSchema {
        ResolvedSchema { id: SchemaId(id), ty, text: text.to_owned(), imports: Vec::new() }
    }

    fn decoder(format: Format, columns: &[(&str, SqlType)]) -> Decoder {
        let columns: Vec<_> =
            columns.iter().map(|(name, ty)| ColumnDef::new(*name, ty.clone())).collect();
        Decoder::new(&format.into(), &columns, Role::Value, "t", &Schemas::default()).unwrap()
    }

    /// What a record is: its values, or the causes of its entry in the processing log.
    fn read(decoder: &Decoder, bytes: &[u8]) -> Result<String, Vec<String>> {
        let arena = Arena::new();
        let decoded = decoder.decode(&[Some(bytes)], &[], &arena);
        if let Some((_, error)) = decoded.failures.into_iter().next() {
            assert_eq!(error.message, "Error deserializing message from topic: t");
            return Err(error.causes);
        }
        let values = decoded.columns.iter().map(|column| column.value(0));
        Ok(format!("{:?}", values.collect::<Vec<Value<'_>>>()))
    }

    fn causes(causes: &[&str]) -> Result<String, Vec<String>> {
        Err(causes.iter().map(|cause| (*cause).to_owned()).collect())
    }

    #[test]
    fn a_reader_is_told_of_each_writers_schema_once_and_reads_by_name() {
        let mut decoder =
            decoder(Format::Avro, &[("A", SqlType::Bigint), ("NEW", SqlType::String)]);
        let old = [0, 0, 0, 0, 7, 10];
        let new = [0, 0, 0, 0, 8, 2, 2, b'x', 12];
        let payloads = [Some(&old[..]), None, Some(&new[..]), Some(&old[..]), Some(b"\x01")];
        assert_eq!(decoder.unknown_schemas(&payloads), [SchemaId(7), SchemaId(8)]);
        let record =
            |fields: &str| format!("{{\"type\":\"record\",\"name\":\"R\",\"fields\":[{fields}]}}");
        let of_old = record(r#"{"name":"a","type":"int"}"#);
        let of_new = record(
            r#"{"name":"new","type":["null","string"],"default":null},{"name":"A","type":"long"}"#,
        );
        decoder.learn_schema(SchemaId(7), Ok(&schema(7, SchemaType::Avro, &of_old)));
        decoder.learn_schema(SchemaId(8), Ok(&schema(8, SchemaType::Avro, &of_new)));
        assert_eq!(decoder.unknown_schemas(&payloads), []);
        assert_eq!(read(&decoder, &old).unwrap(), "[Bigint(5), Null]");
        assert_eq!(read(&decoder, &new).unwrap(), "[Bigint(6), String(\"x\")]");
    }

    #[test]
    fn what_is_wrong_with_an_avro_record_is_said_as_ksqldb_says_it() {
        let mut decoder = decoder(Format::Avro, &[("A", SqlType::Int)]);
        let text = r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","int"]}]}"#;
        decoder.learn_schema(SchemaId(100), Ok(&schema(100, SchemaType::Avro, text)));
        let missing = "Subject Not Found; error code: 40401";
        decoder.learn_schema(SchemaId(999), Err(missing));
        let outer = "Failed to deserialize data for topic t to Avro: ";
        let of_record = "Error deserializing Avro message for id 100";
        let read = |bytes: &[u8]| read(&decoder, bytes);
        assert_eq!(read(&[0, 0, 0, 0, 100, 2, 4, 99]).unwrap(), "[Int(2)]");
        assert_eq!(read(&[1, 0, 0, 0, 100, 2]), causes(&[outer, "Unknown magic byte!"]));
        assert_eq!(read(&[0, 0, 0]), causes(&["java.nio.BufferUnderflowException"]));
        assert_eq!(
            read(&[0, 0, 0, 3, 231, 2, 4]),
            causes(&[outer, "Error retrieving Avro value schema for id 999", missing])
        );
        assert_eq!(read(&[0, 0, 0, 0, 100]), causes(&[outer, of_record, "java.io.EOFException"]));
        assert_eq!(
            read(&[0, 0, 0, 0, 100, 8, 2]),
            causes(&[outer, of_record, "Index 4 out of bounds for length 2"])
        );
    }

    #[test]
    fn a_column_of_another_type_drops_the_record_after_its_bytes_were_checked() {
        let mut decoder = decoder(Format::Avro, &[("A", SqlType::Int), ("B", SqlType::Double)]);
        let text = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},
            {"name":"b","type":"double"}]}"#;
        decoder.learn_schema(SchemaId(1), Ok(&schema(1, SchemaType::Avro, text)));
        let whole = [0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            read(&decoder, &whole),
            causes(&["Cannot deserialize type int64 as type int32 for path: ->A"])
        );
        let cut = read(&decoder, &whole[..9]).unwrap_err();
        assert_eq!(cut.last().unwrap(), "java.io.EOFException");
    }

    #[test]
    fn a_record_is_of_the_message_of_its_schema_that_is_named() {
        let text =
            "syntax = \"proto3\"; message One { uint32 A = 1; } message Two { string A = 3; }";
        let schema = schema(9, SchemaType::Protobuf, text);
        let mut schemas = Schemas::default();
        schemas.add(schema.clone());
        let spec = FormatSpec {
            schema_id: Some(schema.id),
            full_schema_name: Some("Two".to_owned()),
            ..FormatSpec::new(Format::Protobuf)
        };
        let columns = [ColumnDef::new("A", SqlType::String)];
        let encoder = RegisteredEncoder::new(&spec, &columns, Role::Value, "t", &schemas).unwrap();
        let mut bytes = Vec::new();
        encoder.encode(&[Value::String("x")][..], &mut bytes).unwrap();
        // The id; one index, which is 1; and the third field.
        assert_eq!(bytes, [0, 0, 0, 0, 9, 2, 2, 0x1a, 1, b'x']);
        let mut decoder = decoder(Format::Protobuf, &[("A", SqlType::String)]);
        decoder.learn_schema(schema.id, Ok(&schema));
        assert_eq!(read(&decoder, &bytes).unwrap(), "[String(\"x\")]");
        assert!(protobuf::is_one_of_several(&schema, "Two"));
        assert!(!protobuf::is_one_of_several(&schema, "Three"));
    }

    #[test]
    fn json_is_taken_as_its_schema_says_and_never_validated() {
        let mut decoder = decoder(
            Format::JsonSr,
            &[
                ("A", SqlType::Bigint),
                ("B", SqlType::String),
                ("M", SqlType::map(SqlType::String, SqlType::Int)),
            ],
        );
        let text = r#"{"type":"object","properties":{"a":{"type":"integer"},
            "b":{"type":"string","default":"dd"},"m":{"type":"array","connect.type":"map","items":
            {"type":"object","properties":{"key":{"type":"string"},
            "value":{"type":"integer","connect.type":"int32"}}}}}}"#;
        decoder.learn_schema(SchemaId(1), Ok(&schema(1, SchemaType::Json, text)));
        let read = |json: &str| read(&decoder, &[&[0, 0, 0, 0, 1], json.as_bytes()].concat());
        assert_eq!(
            read(r#"{"a":1.5,"b":"x","m":[{"key":"k","value":7}]}"#).unwrap(),
            "[Bigint(1), String(\"x\"), Map([(String(\"k\"), Int(7))])]"
        );
        assert_eq!(
            read(r#"{"a":"text","A":3} and more"#).unwrap(),
            "[Bigint(0), String(\"dd\"), Null]"
        );
        assert_eq!(read(r#"{"a":null}"#), causes(&["Invalid null value for required INT64 field"]));
        assert_eq!(
            read("[1]"),
            causes(&["Structs should be encoded as JSON objects, but found ARRAY"])
        );
        let cut = read(r#"{"a":1"#).unwrap_err();
        assert_eq!(cut[1], "Error deserializing JSON message for id 1");
    }

    const PROTO: &str = "syntax = \"proto3\"; package p; message A { int32 a = 1; } message B { \
        message N { string s = 3; } enum E { ZERO = 0; ONE = 1; } oneof pick { sint32 x = 1; N n = 2; } \
        E e = 4; repeated fixed32 f = 5; map<int32, float> m = 6; optional uint64 o = 7; }";

    fn protobuf(columns: &[(&str, SqlType)]) -> Decoder {
        let mut decoder = decoder(Format::Protobuf, columns);
        decoder.learn_schema(SchemaId(1), Ok(&schema(1, SchemaType::Protobuf, PROTO)));
        decoder
    }

    #[test]
    fn a_message_is_the_one_that_its_indexes_name() {
        let decoder = protobuf(&[("A", SqlType::Bigint), ("S", SqlType::String)]);
        let read = |body: &[u8]| read(&decoder, &[&[0, 0, 0, 0, 1], body].concat());
        assert_eq!(read(&[0, 8, 5]).unwrap(), "[Bigint(5), Null]");
        assert_eq!(read(&[2, 0, 8, 5]).unwrap(), "[Bigint(5), Null]");
        // The first message within the second one.
        assert_eq!(read(&[4, 2, 0, 26, 1, b'x']).unwrap(), "[Null, String(\"x\")]");
        let outer = "Failed to deserialize data for topic t to Protobuf: ";
        let of_record = "Error deserializing Protobuf message for id 1";
        assert_eq!(read(&[1]), causes(&[outer, of_record, "Illegal Capacity: -1"]));
        assert_eq!(read(&[]), causes(&[outer, of_record, "java.nio.BufferUnderflowException"]));
        assert!(read(&[2, 8]).unwrap_err()[2].starts_with("Invalid message indexes: "));
        assert_eq!(
            read(&[0, 8]).unwrap_err()[1..],
            [
                of_record,
                "While parsing a protocol message, the input ended unexpectedly in the \
             middle of a field.  This could mean either that the input has been truncated or that an \
             embedded message misreported its own length."
            ]
        );
    }

    #[test]
    fn a_message_of_others_is_read_with_its_own_types() {
        use crate::types::StructType;
        let choice = StructType::new([
            ("X", SqlType::Int),
            ("N", SqlType::Struct(StructType::new([("S", SqlType::String)]))),
        ]);
        let decoder = protobuf(&[
            ("PICK_0", SqlType::Struct(choice)),
            ("E", SqlType::String),
            ("F", SqlType::array(SqlType::Bigint)),
            ("M", SqlType::map(SqlType::String, SqlType::Double)),
            ("O", SqlType::Bigint),
        ]);
        let read = |body: &[u8]| read(&decoder, &[&[0, 0, 0, 0, 1, 2, 2], body].concat());
        assert_eq!(read(&[]).unwrap(), "[Null, String(\"ZERO\"), Array([]), Map([]), Null]");
        // Of a choice the last one counts; the first is -1 in zigzag.
        let body = [
            &[8, 1, 18, 3, 26, 1, b'y', 32, 1][..],
            &[42, 4, 255, 255, 255, 255, 50, 7, 8, 9, 21, 0, 0, 0, 63, 56, 0],
        ];
        assert_eq!(
            read(&body.concat()).unwrap(),
            "[Struct([Null, Struct([String(\"y\")])]), String(\"ONE\"), Array([Bigint(4294967295)]), \
             Map([(String(\"9\"), Double(0.5))]), Bigint(0)]"
        );
        assert_eq!(
            read(&[8, 1, 32, 7]).unwrap(),
            "[Struct([Int(-1), Null]), String(\"UNKNOWN_ENUM_VALUE_E_7\"), Array([]), Map([]), Null]"
        );
    }
}
