use super::*;

fn parse(text: &str) -> Result<Schema, String> {
    Schema::parse(text, &[])
}

fn kinds(original: &str, update: &str) -> Vec<&'static str> {
    let [original, update] = [original, update].map(|text| parse(text).unwrap());
    differences(&update, &original, ["new", "old"]).iter().map(|found| found.kind).collect()
}

#[test]
fn the_text_keeps_the_order_of_names_unless_it_is_normalised() {
    let schema = parse(r#" { "type" : "object", "b": 1.0, "a": [ ] } "#).unwrap();
    assert_eq!(schema.text(), r#"{"type":"object","b":1.0,"a":[]}"#);
    assert_eq!(schema.normalised(), r#"{"a":[],"b":1.0,"type":"object"}"#);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for schema in [
        "",
        "[]",
        "3",
        r#"{"type":"text"}"#,
        r#"{"type":3}"#,
        r#"{"properties":3}"#,
        r#"{"properties":{"a":3}}"#,
        r#"{"required":[3]}"#,
        r#"{"maxLength":"x","type":"string"}"#,
        r##"{"$ref":"#/nowhere"}"##,
        r#"{"$ref":"http://nowhere/x.json"}"#,
        r#"{"allOf":{}}"#,
    ] {
        assert!(parse(schema).is_err(), "{schema}");
    }
}

#[test]
fn references_lead_where_they_say() {
    for (reference, update) in [
        ("#/$defs/a~1b%20c", r#""$defs":{"a/b c":{"type":"integer"}}"#),
        ("#here", r#""$defs":{"x":{"$anchor":"here","type":"integer"}}"#),
    ] {
        let old = r#"{"type":"array","items":{"type":"integer"}}"#;
        let new = format!(r#"{{"type":"array","items":{{"$ref":"{reference}"}},{update}}}"#);
        assert_eq!(kinds(old, &new), [""; 0]);
    }
    // One that leads back to itself says nothing.
    assert_eq!(kinds(r##"{"$ref":"#"}"##, r##"{"$ref":"#"}"##), [""; 0]);
    assert_eq!(
        kinds(
            r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
            "{}"
        ),
        [""; 0]
    );
}

#[test]
fn lists_of_choices_are_matched_at_best() {
    // Each of three takes the place of another first, and still all find one.
    let old = r#"{"oneOf":[{"type":"integer"},{"type":"number","maximum":5},{"type":"number"}]}"#;
    let new = r#"{"oneOf":[{"type":"number"},{"type":"integer"},{"type":"number","maximum":9}]}"#;
    assert_eq!(kinds(old, new), [""; 0]);
}

#[test]
fn what_would_take_for_ever_is_refused() {
    let choices = |offset: usize| {
        let all: Vec<String> = (0..900)
            .map(|index| format!(r#"{{"type":"string","minLength":{}}}"#, index + offset))
            .collect();
        format!(r#"{{"oneOf":[{}]}}"#, all.join(","))
    };
    assert!(kinds(&choices(0), &choices(1)).contains(&"COMBINED_TYPE_SUBSCHEMAS_CHANGED"));
    let deep = format!("{}{{}}{}", r#"{"not":"#.repeat(110), "}".repeat(110));
    assert!(parse(&deep).is_err());
}

#[test]
fn definitions_that_lead_to_others_without_end_do_not_end_the_stack() {
    // Each is of the one that was read before it, so that reading stays shallow.
    let chain = || {
        let mut all = vec![r#""d0":{"type":"string"}"#.to_owned()];
        all.extend((1..2_000).map(|index| {
            let before = index - 1;
            format!(r##""d{index}":{{"type":"array","items":{{"$ref":"#/$defs/d{before}"}}}}"##)
        }));
        let each: Vec<String> =
            (0..2_000).map(|index| format!(r##"{{"$ref":"#/$defs/d{index}"}}"##)).collect();
        format!(
            r##"{{"allOf":[{{"prefixItems":[{}]}},{{"$ref":"#/$defs/d1999"}}],"$defs":{{{}}}}}"##,
            each.join(","),
            all.join(",")
        )
    };
    let found = kinds(&chain(), &chain());
    assert!(found.contains(&"COMBINED_TYPE_SUBSCHEMAS_CHANGED") || found.is_empty(), "{found:?}");
}
