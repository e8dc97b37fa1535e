use super::*;

fn text(schema: &str) -> Result<String, String> {
    Schema::parse(schema, &[]).map(|schema| schema.text())
}

#[test]
fn the_text_is_that_of_avro_for_java() {
    for (given, kept) in [
        ("string", "\"string\""),
        (r#"{"type":"string"}"#, "\"string\""),
        (
            r#"{"type": {"type": "int", "logicalType":"date"}}"#,
            r#"{"type":"int","logicalType":"date"}"#,
        ),
        (r#" [ "null", "int" ] "#, r#"["null","int"]"#),
        (
            r#"{"fields":[{"type":"int","name":"a","order":"ascending","aliases":["b"],"doc":"d","default":1,"x":[]}],"namespace":"n","name":"R","type":"record","aliases":["S"],"doc":"r"}"#,
            r#"{"type":"record","name":"R","namespace":"n","doc":"r","fields":[{"name":"a","type":"int","doc":"d","default":1,"aliases":["b"],"x":[]}],"aliases":["S"]}"#,
        ),
        (
            r#"{"type":"record","name":"a.b.R","fields":[{"name":"next","type":["null","a.b.R"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["X"],"default":"X"}},{"name":"f","type":{"type":"fixed","size":4,"name":"c.F"}},{"name":"g","type":"c.F"},{"name":"h","type":"E"}]}"#,
            r#"{"type":"record","name":"R","namespace":"a.b","fields":[{"name":"next","type":["null","R"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["X"],"default":"X"}},{"name":"f","type":{"type":"fixed","name":"F","namespace":"c","size":4}},{"name":"g","type":"c.F"},{"name":"h","type":"E"}]}"#,
        ),
    ] {
        let once = text(given).unwrap();
        assert_eq!(once, kept);
        assert_eq!(text(&once).unwrap(), kept, "what is kept is kept");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for schema in [
        "",
        "{",
        "\"nope\"",
        "1",
        r#"{"type":"record","name":"R"}"#,
        r#"{"type":"record","fields":[]}"#,
        r#"{"type":"record","name":"1R","fields":[]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"a","type":"int"}]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#,
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"record","name":"R","fields":[]}}]}"#,
        r#"{"type":"enum","name":"E","symbols":["A","A"]}"#,
        r#"{"type":"enum","name":"E","symbols":["A"],"default":"B"}"#,
        r#"{"type":"fixed","name":"F"}"#,
        r#"["int",["string"]]"#,
        r#"["int","int"]"#,
        r#"{"type":"array"}"#,
    ] {
        assert!(text(schema).is_err(), "{schema}");
    }
    let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(120), "}".repeat(120));
    assert!(text(&deep).is_err());
}

#[test]
fn types_of_what_is_used_are_known_and_not_written_again() {
    let import = Import {
        name: "n.A".into(),
        text: r#"{"type":"record","name":"A","namespace":"n","fields":[]}"#.into(),
    };
    let schema = Schema::parse(
        r#"{"type":"record","name":"B","namespace":"n","fields":[{"name":"a","type":"n.A"}]}"#,
        &[import],
    );
    assert_eq!(
        schema.unwrap().text(),
        r#"{"type":"record","name":"B","namespace":"n","fields":[{"name":"a","type":"A"}]}"#
    );
}

#[test]
fn a_record_that_contains_itself_is_compared() {
    let list = |field: &str| {
        format!(
            r#"{{"type":"record","name":"L","fields":[{field}{{"name":"next","type":["null","L"]}}]}}"#
        )
    };
    let (old, new) = (list(""), list(r#"{"name":"v","type":"int"},"#));
    let [old, new] = [old, new].map(|text| Schema::parse(&text, &[]).unwrap());
    assert_eq!(differences(&old, &new, ["old", "new"]), []);
    let found = differences(&new, &old, ["new", "old"]);
    assert_eq!(found[0].kind, "READER_FIELD_MISSING_DEFAULT_VALUE");
    assert_eq!(
        found[0].to_string(),
        "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'v' at path '/fields/0' in the \
         new schema has no default value and is missing in the old schema', additionalInfo:'v'}"
    );
}

#[test]
fn definitions_that_lead_to_others_without_end_do_not_end_the_stack() {
    // Each record is of the one that was defined before it.
    let chain = |field: &str| {
        let mut records = vec![r#"{"type":"record","name":"R0","fields":[]}"#.to_owned()];
        records.extend((1..300).map(|index| {
            let before = index - 1;
            format!(
                r#"{{"type":"record","name":"R{index}","fields":[{{"name":"{field}","type":"R{before}"}}]}}"#
            )
        }));
        format!(
            r#"{{"type":"record","name":"Root","fields":[{{"name":"all","type":[{}]}},{{"name":"last","type":"R299"}}]}}"#,
            records.join(",")
        )
    };
    let [old, new] = [chain("a"), chain("a")].map(|text| Schema::parse(&text, &[]).unwrap());
    let found = differences(&new, &old, ["new", "old"]);
    assert!(found.iter().all(|found| found.kind == "TOO_DEEP_TO_COMPARE"), "{found:?}");
}
