use super::*;

fn text(schema: &str) -> Result<String, String> {
    Schema::parse(schema, &[]).map(|schema| schema.text())
}

#[test]
fn the_text_is_formatted_alike_and_stays() {
    let given = r#"
        // A comment.
        syntax = "proto3"; package a.b;
        import "google/protobuf/timestamp.proto";
        option java_package = "x.y";
        enum E { option allow_alias = true; A = 0; B = 0 [deprecated = true]; }
        message M {
          reserved 9, 20 to 30; reserved "old";
          int32 a = 1; optional string b = 2 [json_name = "bee"]; repeated int64 c = 3 [packed = false, deprecated = true];
          map<string, N> d = 4; oneof o { N e = 5; google.protobuf.Timestamp f = 6; }
          message N { M m = 1; }
          message Empty {}
        }
        service S { rpc Get (M) returns (stream M); }
    "#;
    let kept = r#"syntax = "proto3";
package a.b;

import "google/protobuf/timestamp.proto";

option java_package = "x.y";

message M {
  reserved 9;
  reserved 20 to 30;
  reserved "old";

  int32 a = 1;
  optional string b = 2 [json_name = "bee"];
  repeated int64 c = 3 [
    packed = false,
    deprecated = true
  ];
  map<string, N> d = 4;

  oneof o {
    N e = 5;
    google.protobuf.Timestamp f = 6;
  }

  message N {
    M m = 1;
  }

  message Empty {}
}

enum E {
  option allow_alias = true;
  A = 0;
  B = 0 [deprecated = true];
}

service S {
  rpc Get (M) returns (stream M);
}
"#;
    assert_eq!(text(given).unwrap(), kept);
    assert_eq!(text(kept).unwrap(), kept);
}

#[test]
fn what_ksqldb_registers_stays_as_it_is() {
    let schema = r#"syntax = "proto3";

import "confluent/type/decimal.proto";

message ConnectDefault1 {
  int32 ID = 1;
  confluent.type.Decimal D = 2 [(confluent.field_meta) = {
    params: [
      {
        value: "4",
        key: "precision"
      },
      {
        value: "2",
        key: "scale"
      }
    ]
  }];
  repeated ConnectDefault2Entry M = 3;

  message ConnectDefault2Entry {
    string key = 1;
    int32 value = 2;
  }
}
"#;
    assert_eq!(text(schema).unwrap(), schema);
}

#[test]
fn a_descriptor_in_base64_is_a_file_too() {
    let schema = Schema::parse(
        "syntax = \"proto3\"; package p; message M { N n = 1; E e = 2; map<string, int32> m = 3; message N {} } enum E { A = 0; }",
        &[],
    )
    .unwrap();
    let again = Schema::parse(&schema.serialized("m.proto"), &[]).unwrap();
    assert_eq!(differences(&schema, &again, ["new", "old"]), []);
    assert_eq!(differences(&again, &schema, ["new", "old"]), []);
    assert!(again.text().contains(".p.M.N n = 1;"), "{}", again.text());
    assert!(again.text().contains("map<string, int32> m = 3;"), "{}", again.text());
    let field = &again.file.message_type[0].field[1];
    assert_eq!(field.r#type(), prost_types::field_descriptor_proto::Type::Enum);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for schema in [
        "",
        "message M {",
        "syntax = \"proto3\"; message M { Nope a = 1; }",
        "syntax = \"proto3\"; import \"nope.proto\"; message M {}",
        "syntax = \"proto3\"; message M { int32 a = 1; int32 b = 1; }",
        "syntax = \"proto3\"; message M { int32 a = 1; int32 a = 2; }",
        "syntax = \"proto3\"; message M {} message M {}",
        "syntax = \"proto3\"; message M { google.protobuf.Timestamp a = 1; }",
        "syntax = \"proto3\"; service S { rpc Get (Nope) returns (Nope); }",
    ] {
        let parsed = text(schema);
        assert!(parsed.is_err() || schema.is_empty(), "{schema}: {parsed:?}");
    }
}
