//! JSON as records of a schema of the registry, if that takes it: else what of it the schema does not take, and where that
//! stands.
//!
//! Stricter than [`encode_json`](super::encode_json()), which makes of JSON what it can: names match exactly, a text is no
//! number, and nothing may be there that the schema does not have.

mod avro;
mod faults;
mod json;
mod protobuf;

pub use faults::JsonFault;

use serde_json::Value as Json;

use faults::Faults;

use super::avro::AvroSchema;
use super::protobuf::Message;
use super::{avro as avro_format, frame, protobuf as protobuf_format};
use crate::registry::schema::{ResolvedSchema, SchemaId, SchemaType};

/// Writes JSON as records of one schema.
#[derive(Debug)]
pub struct CheckedJsonEncoder {
    id: SchemaId,
    schema: Schema,
}

#[derive(Debug)]
enum Schema {
    Avro(AvroSchema),
    Json(json::Validator),
    Protobuf(Message),
}

impl CheckedJsonEncoder {
    /// An encoder for a schema, or why that cannot be used. Of a Protobuf schema with several messages, the first is meant.
    pub fn new(schema: &ResolvedSchema) -> Result<Self, String> {
        let parsed = match schema.ty {
            SchemaType::Avro => Schema::Avro(AvroSchema::parse(schema)?),
            SchemaType::Json => Schema::Json(json::Validator::new(schema)?),
            SchemaType::Protobuf => Schema::Protobuf(protobuf_format::first_message(schema)?),
        };
        Ok(Self { id: schema.id, schema: parsed })
    }

    /// The framed record, or what the schema does not take: in the order in which it stands in the schema.
    ///
    /// A record of JSON Schema is the JSON as it is.
    pub fn encode(&self, json: &Json) -> Result<Vec<u8>, Vec<JsonFault>> {
        let mut faults = Faults::default();
        let mut out = Vec::new();
        frame::write(self.id, &mut out);
        let written = match &self.schema {
            Schema::Avro(schema) => {
                avro::check(schema, json, &mut faults);
                avro_format::write_json(schema, json, &mut out)
            }
            Schema::Json(validator) => {
                validator.check(json, &mut faults);
                out.extend_from_slice(json.to_string().as_bytes());
                Ok(())
            }
            Schema::Protobuf(message) => {
                protobuf::check(message, json, &mut faults);
                protobuf_format::write_json(message, json, &mut out)
            }
        };
        match written {
            Err(cause) if faults.is_empty() => faults.add(cause),
            _ => {}
        }
        if faults.is_empty() { Ok(out) } else { Err(faults.into_found()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::schema::{Import, SchemaId};

    const AVRO: &str = r#"{"type":"record","name":"R","fields":[
        {"name":"id","type":"long"},
        {"name":"kind","type":{"type":"enum","name":"E","symbols":["A","B"]}},
        {"name":"x","type":["null","double"],"default":null},
        {"name":"tags","type":{"type":"array","items":"string"},"default":[]},
        {"name":"by","type":{"type":"map","values":"int"},"default":{}},
        {"name":"more","type":["null",{"type":"record","name":"S","fields":[{"name":"n","type":"int"}]}],"default":null}]}"#;

    const PROTOBUF: &str = r#"syntax = "proto3";
        message R { int64 id = 1; E kind = 2; repeated string tags = 3; S more = 4; map<string, int32> by = 5; double x = 6; }
        message S { int32 n = 1; }
        enum E { A = 0; B = 1; }"#;

    const JSON: &str = r#"{"type":"object","required":["id","kind"],"additionalProperties":false,"properties":{
        "id":{"type":"integer"},"kind":{"enum":["A","B"]},"x":{"type":["number","null"]},
        "tags":{"type":"array","items":{"type":"string"}},"by":{"type":"object","additionalProperties":{"type":"integer"}},
        "more":{"$ref":"more.json"}}}"#;

    fn encoder(ty: SchemaType) -> CheckedJsonEncoder {
        let (text, imports) = match ty {
            SchemaType::Avro => (AVRO, Vec::new()),
            SchemaType::Protobuf => (PROTOBUF, Vec::new()),
            SchemaType::Json => {
                let text = r#"{"type":["object","null"],"properties":{"n":{"type":"integer"}}}"#;
                let import = Import { name: "more.json".to_owned(), text: text.to_owned() };
                (JSON, vec![import])
            }
        };
        let schema = ResolvedSchema { id: SchemaId(1), ty, text: text.to_owned(), imports };
        CheckedJsonEncoder::new(&schema).unwrap()
    }

    fn faults(ty: SchemaType, json: &str) -> Vec<JsonFault> {
        encoder(ty).encode(&serde_json::from_str(json).unwrap()).err().unwrap_or_default()
    }

    fn fields(ty: SchemaType, json: &str) -> Vec<String> {
        let faults = faults(ty, json);
        let mut fields: Vec<String> = faults.into_iter().map(|fault| fault.field).collect();
        fields.sort();
        fields
    }

    #[test]
    fn what_every_language_takes_and_where_it_does_not() {
        let sound = r#"{"id":9007199254740993,"kind":"B","x":1.5,"tags":["a"],"by":{"k":1},"more":{"n":3}}"#;
        for ty in SchemaType::ALL {
            assert_eq!(faults(ty, sound), [], "{ty}");
            for (faulty, expected) in [
                (r#"{"id":"1","kind":"A"}"#, &["$.id"][..]),
                (r#"{"id":1.5,"kind":"A"}"#, &["$.id"]),
                (r#"{"id":1,"kind":"C"}"#, &["$.kind"]),
                (r#"{"id":1,"kind":"A","x":"much"}"#, &["$.x"]),
                (r#"{"id":1,"kind":"A","tags":["a",2]}"#, &["$.tags[1]"]),
                (r#"{"id":1,"kind":"A","by":{"k":"v"}}"#, &["$.by.k"]),
                (r#"{"id":1,"kind":"A","more":{"n":"3"}}"#, &["$.more.n"]),
                (r#"{"id":true,"kind":"C"}"#, &["$.id", "$.kind"]),
                ("[1]", &["$"]),
            ] {
                assert_eq!(fields(ty, faulty), expected, "{ty}: {faulty}");
            }
        }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much() {
        let too_much = r#"{"id":1,"kind":"A","Id":2}"#;
        let missing = r#"{"kind":"A"}"#;
        for (ty, lacks, has) in [
            (SchemaType::Avro, vec!["$.id"], vec!["$.Id"]),
            // A message of proto3 needs none of its fields.
            (SchemaType::Protobuf, vec![], vec!["$.Id"]),
            (SchemaType::Json, vec!["$"], vec!["$"]),
        ] {
            assert_eq!(fields(ty, missing), lacks, "{ty}");
            assert_eq!(fields(ty, too_much), has, "{ty}");
        }
    }

    #[test]
    fn no_number_becomes_another_one() {
        let json = r#"{"id":9223372036854775808,"kind":"A","x":1e400}"#;
        for ty in [SchemaType::Avro, SchemaType::Protobuf] {
            assert_eq!(fields(ty, json), ["$.id", "$.x"], "{ty}");
        }
    }

    #[test]
    fn a_fault_says_what_is_wanted() {
        let fault = |ty, json: &str| faults(ty, json)[0].to_string();
        let json = r#"{"id":1,"kind":"C"}"#;
        assert_eq!(fault(SchemaType::Avro, json), r#"$.kind: one of A, B is wanted, not "C""#);
        assert_eq!(fault(SchemaType::Protobuf, json), r#"$.kind: one of A, B is wanted, not "C""#);
        assert_eq!(fault(SchemaType::Json, json), "$.kind: value must be one of 'A', 'B'");
    }
}
