//! Records with a schema of the registry as text, as ksqlDB's `PRINT` shows them.

use super::avro::{self, AvroSchema};
use super::frame;
use super::json::read_tape;
use super::protobuf::{self, Descriptor};
use crate::registry::schema::{ResolvedSchema, SchemaId, SchemaType};

/// A schema, and what it takes to show records of it.
#[derive(Debug)]
pub(super) enum ShownSchema {
    Avro(AvroSchema),
    Protobuf(Descriptor),
    Json,
}

impl ShownSchema {
    /// A schema, unless it cannot be read itself.
    pub(super) fn of(schema: &ResolvedSchema) -> Option<Self> {
        match schema.ty {
            SchemaType::Avro => AvroSchema::parse(schema).ok().map(Self::Avro),
            SchemaType::Protobuf => Descriptor::new(schema).ok().map(Self::Protobuf),
            SchemaType::Json => Some(Self::Json),
        }
    }

    pub(super) fn ty(&self) -> SchemaType {
        match self {
            Self::Avro(_) => SchemaType::Avro,
            Self::Protobuf(_) => SchemaType::Protobuf,
            Self::Json => SchemaType::Json,
        }
    }

    /// What stands behind the frame, as text.
    pub(super) fn show(&self, body: &[u8]) -> Option<String> {
        match self {
            Self::Avro(schema) => avro::shown(schema, body).ok(),
            Self::Protobuf(descriptor) => protobuf::shown(descriptor, body).ok(),
            Self::Json => {
                let text = std::str::from_utf8(body).ok()?;
                Some(read_tape(text.as_bytes(), body).ok()??.to_json(0))
            }
        }
    }
}

/// The id of the schema that bytes may have been written with.
pub(super) fn schema_of(bytes: &[u8]) -> Option<(SchemaId, &[u8])> {
    frame::split(bytes).ok().filter(|(id, _)| id.0 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What records of a schema are shown as.
    fn shown(ty: SchemaType, text: &str, bodies: &[&str]) -> Vec<Option<String>> {
        let text = text.to_owned();
        let schema = ResolvedSchema { id: SchemaId(1), ty, text, imports: Vec::new() };
        let schema = ShownSchema::of(&schema).unwrap();
        let byte = |hex: &[u8]| u8::from_str_radix(std::str::from_utf8(hex).unwrap(), 16).unwrap();
        let bytes = |body: &&str| body.as_bytes().chunks(2).map(byte).collect::<Vec<_>>();
        bodies.iter().map(|body| schema.show(&bytes(body))).collect()
    }

    fn all(texts: &[&str]) -> Vec<Option<String>> {
        texts.iter().map(|text| Some((*text).to_owned())).collect()
    }

    // The expected texts are what Avro 1.11.0, protobuf-java 3.19.6 and Jackson 2.14.2 print.

    #[test]
    fn avro_records_are_shown_as_java_prints_them() {
        let schema = r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"nul","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"by","type":"bytes"},{"name":"s","type":"string"},{"name":"arr","type":{"type":"array","items":"string"}},{"name":"m","type":{"type":"map","values":"int"}},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}},{"name":"fx","type":{"type":"fixed","name":"F","size":3}},{"name":"u","type":["null","string"]},{"name":"dec","type":{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}},{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"dt","type":{"type":"int","logicalType":"date"}},{"name":"r","type":["null",{"type":"record","name":"Q","fields":[{"name":"z","type":"double"}]}]}]}"#;
        let (plain, odd) = (
            "010d8080808080808080200000c03f000000205fa002420c0041c8225c0a0a706c61696e04026106622c63000a046b3104046b3204047a7a04026102166b657920776974682022711600020102ff0202780404d280a0abfef962f0a802029a9999999999b93f",
            "010d8080808080808080200000c07f000000000000f0ff0c0041c8225c0a307122625c200a0901c3a9e282acf09f98807fc285e280a82f04026106622c63000a046b3104046b3204047a7a04026102166b657920776974682022711600020102ff000404d280a0abfef962f0a80200",
        );
        assert_eq!(
            shown(SchemaType::Avro, schema, &[plain, odd]),
            all(&[
                r#"{"nul": null, "b": true, "i": -7, "l": 1152921504606846976, "f": 1.5, "d": 1.0E10, "by": "\u0000AÈ\"\\\n", "s": "plain", "arr": ["a", "b,c"], "m": {"zz": 2, "a": 1, "key with \"q": 11, "k1": 2, "k2": 2}, "e": "Y", "fx": [1, 2, -1], "u": "x", "dec": "\u0004Ò", "ts": 1700000000000, "dt": 19000, "r": {"z": 0.1}}"#,
                r#"{"nul": null, "b": true, "i": -7, "l": 1152921504606846976, "f": "NaN", "d": "-Infinity", "by": "\u0000AÈ\"\\\n", "s": "q\"b\\ \n\t\u0001é\u20AC😀\u007F\u0085\u2028/", "arr": ["a", "b,c"], "m": {"zz": 2, "a": 1, "key with \"q": 11, "k1": 2, "k2": 2}, "e": "Y", "fx": [1, 2, -1], "u": null, "dec": "\u0004Ò", "ts": 1700000000000, "dt": 19000, "r": null}"#
            ])
        );
        let cut = &plain[..40];
        assert_eq!(shown(SchemaType::Avro, schema, &[cut, ""]), [None, None]);
        let alone = |ty: &str, body: &str| shown(SchemaType::Avro, ty, &[body]);
        assert_eq!(alone("\"string\"", "0461622f"), all(&["ab"]));
        assert_eq!(alone("\"long\"", "03"), all(&["-2"]));
        // Lists of what has no length, and records that lie within themselves, end.
        let endless = "{\"type\":\"array\",\"items\":\"null\"}";
        assert_eq!(alone(endless, "feffffffffffffffff01"), [None]);
        let entries = format!("{{\"type\":\"map\",\"values\":{endless}}}");
        // A thousand entries, each of a million values without a length.
        let entry = ["0261", "80897a", "00"].concat();
        assert_eq!(alone(&entries, &format!("d00f{}00", entry.repeat(1_000))), [None]);
        let nested = "{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"a\",\"type\":[\"null\",\"A\"]}]}";
        assert_eq!(alone(nested, &"02".repeat(100_000)), [None]);
        assert_eq!(alone(nested, "0200"), all(&["{\"a\": {\"a\": null}}"]));
    }

    #[test]
    fn protobuf_messages_are_shown_as_java_prints_them() {
        let schema = r#"syntax = "proto3"; message M { int32 late_but_first = 30; bool b = 1; int32 i32 = 2; uint32 u32 = 3; sint64 s64 = 4; uint64 u64 = 5; float f = 6; double d = 7; string s = 8; bytes by = 9; fixed32 fx = 10; sfixed64 sf = 11; repeated int32 rep = 12; repeated string reps = 13; message N { double z = 1; } N n = 14; repeated N ns = 15; map<string, int32> mp = 16; enum E { X = 0; Y = 1; } E e = 17; }"#;
        let whole = [
            "00080110fbffffffffffffffff0118ffffffff0f200b28ffffffffffffffffff01350000c03f39000000205fa0024242137122625c20270a0901c3a9e282acf09f98807f4a060041c8225c0a55ffffffff59ffffffffffffffff620200026a01616a007209099a9999999999b93f7a09099a9999999999b93f7a008201060a027a7a10018201050a016110008201060a026b311000880101f00103",
            "00c00207cd0207000000d1020700000000000000da02026869e20209099a9999999999b93f88010939000000000000f87f350000807fc00208eb02099a9999999999b93fec021000",
            "00",
        ];
        assert_eq!(
            shown(SchemaType::Protobuf, schema, &whole),
            all(&[
                r#"b: true i32: -5 u32: 4294967295 s64: -6 u64: 18446744073709551615 f: 1.5 d: 1.0E10 s: "q\"b\\ \'\n\t\001\303\251\342\202\254\360\237\230\200\177" by: "\000A\310\"\\\n" fx: 4294967295 sf: -1 rep: 0 rep: 2 reps: "a" reps: "" n { z: 0.1 } ns { z: 0.1 } ns { } mp { key: "k1" value: 0 } mp { key: "a" value: 0 } mp { key: "zz" value: 1 } e: Y late_but_first: 3"#,
                r"f: Infinity d: NaN e: UNKNOWN_ENUM_VALUE_E_9 40: 7 40: 8 41: 0x00000007 42: 0x0000000000000007 43: { 13: 105 } 44: { 1: 0x3fb999999999999a } 45 { 1: 0x3fb999999999999a }",
                ""
            ])
        );
        let nested = "syntax = \"proto3\"; message A { A a = 1; int32 n = 2; oneof o { int32 x = 3; string y = 4; } optional int32 p = 5; }";
        let inner = "000a020a00"; // a { a { } }
        let choice = "00180122016228001001"; // x, then y, p = 0, n = 1
        assert_eq!(
            shown(SchemaType::Protobuf, nested, &[inner, choice]),
            all(&["a { a { } }", "n: 1 y: \"b\" p: 0"])
        );
        assert_eq!(shown(SchemaType::Protobuf, nested, &["000a05", "0202"]), [None, None]);
        let required = "syntax = \"proto2\"; message A { required int32 n = 1; optional E e = 2; enum E { ONE = 1; } }";
        assert_eq!(
            shown(SchemaType::Protobuf, required, &["00", "0008001009"]),
            [None, Some("n: 0 2: 9".to_owned())]
        );
    }

    #[test]
    fn json_is_shown_as_jackson_prints_its_tree() {
        let hex = |text: &str| {
            let digits = text.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
            digits
                .map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
                .collect::<String>()
        };
        let text = hex(
            "{\"A\": 1, \"b\": \"x, y\", \"c\": [1, 2.50, null, {\"z\": {}}], \"e\": 1e3, \"A\": 2}",
        );
        assert_eq!(
            shown(SchemaType::Json, "{}", &[&text, &hex("\"a\""), &hex("[1, "), ""]),
            [
                Some(
                    "{\"A\":2,\"b\":\"x, y\",\"c\":[1,2.50,null,{\"z\":{}}],\"e\":1E+3}".to_owned()
                ),
                Some("\"a\"".to_owned()),
                None,
                None,
            ]
        );
    }
}
