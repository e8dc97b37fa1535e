//! What is shipped beside the source: SQL, Dockerfile and compose files.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use saphyr::{LoadableYamlNode, Yaml};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sql_files() -> BTreeMap<String, String> {
    let files = fs::read_dir(root().join("ksql")).unwrap().map(|entry| entry.unwrap().path());
    let sql = files.filter(|path| path.extension().is_some_and(|extension| extension == "sql"));
    sql.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(&path)))
        .collect()
}

/// The statements of a file, comments and line ends taken out.
fn statements(text: &str) -> Vec<String> {
    let plain: String = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default().to_owned() + " ")
        .collect();
    let words = plain.split(';').map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    words.filter(|statement| !statement.is_empty()).collect()
}

#[test]
fn the_files_define_no_name_twice_but_the_sources_they_share() {
    let mut defined: BTreeMap<String, String> = BTreeMap::new();
    for (file, text) in sql_files() {
        for statement in
            statements(&text).iter().filter(|statement| statement.starts_with("CREATE"))
        {
            let shared = statement.contains("IF NOT EXISTS ");
            let name =
                statement.replace("IF NOT EXISTS ", "").split(' ').nth(2).unwrap().to_owned();
            match defined.insert(name.clone(), statement.clone()) {
                None => {}
                Some(other) if shared => {
                    assert_eq!(*statement, other, "{name} is one source in {file}");
                }
                Some(_) => panic!("{file} defines {name} again"),
            }
        }
    }
    assert_eq!(defined.len(), 21);
}

#[test]
fn every_statement_parses_alone_and_with_the_others() {
    let options = millstream::sql::ParseOptions::default();
    let mut together = 0;
    for (file, text) in sql_files() {
        let parsed = millstream::sql::parse(&text, &options)
            .unwrap_or_else(|errors| panic!("{file}: {errors:?}"));
        assert_eq!(parsed.len(), statements(&text).len(), "{file}");
        together += parsed.len();
    }
    let all: String = sql_files().into_values().collect();
    assert_eq!(millstream::sql::parse(&all, &options).unwrap().len(), together);
}

#[test]
fn transitions_are_not_merged_away() {
    for (file, text) in sql_files() {
        let set = "SET 'cache.max.bytes.buffering'='0'";
        assert_eq!(statements(&text)[0] == set, text.contains("device_last2"), "{file}");
    }
}

#[test]
fn compose_files_name_images_by_version_and_services_that_exist() {
    let text = read("compose/compose.yaml");
    let documents = Yaml::load_from_str(&text).unwrap();
    let services = documents[0]["services"].as_mapping().unwrap();
    let names: BTreeSet<&str> = services.keys().map(|name| name.as_str().unwrap()).collect();
    for required in ["kafka", "millstream", "producer", "consumer", "ksqldb", "kafka-ui"] {
        assert!(names.contains(required), "no service {required}");
    }
    for (name, service) in services {
        let name = name.as_str().unwrap();
        let merged = service.as_mapping_get("<<");
        let image = service.as_mapping_get("image").or_else(|| merged?.as_mapping_get("image"));
        let image = image.and_then(Yaml::as_str).unwrap_or_else(|| panic!("{name} has no image"));
        let tag = image.rsplit_once(':').map_or("", |(_, tag)| tag);
        assert!(
            tag.starts_with(|c: char| c.is_ascii_digit() || c == 'v'),
            "{name}: {image} names no version"
        );
        let needs = service.as_mapping_get("depends_on").and_then(Yaml::as_mapping);
        for needed in needs.into_iter().flat_map(|needs| needs.keys()) {
            assert!(names.contains(needed.as_str().unwrap()), "{name} depends on {needed:?}");
        }
        let parity = name.starts_with("ksqldb") || name == "kafka-ui";
        assert_eq!(
            service.as_mapping_get("profiles").is_some(),
            parity,
            "{name}: only the reference is optional"
        );
    }
}

#[test]
fn ksqldb_shares_neither_topics_nor_groups_with_millstream() {
    let text = read("compose/compose.yaml");
    let documents = Yaml::load_from_str(&text).unwrap();
    let environment = &documents[0]["services"]["ksqldb"]["environment"];
    assert_eq!(environment["KSQL_KSQL_SERVICE_ID"].as_str(), Some("reference_"));
    assert_eq!(environment["KSQL_KSQL_OUTPUT_TOPIC_NAME_PREFIX"].as_str(), Some("ksqldb_"));

    // A source over a sink of the same files needs the prefix spelled out; compose puts it before these.
    let own: BTreeSet<String> = sql_files()
        .values()
        .flat_map(|text| statements(text))
        .filter(|statement| statement.contains(" AS SELECT "))
        .map(|statement| statement.split(' ').nth(2).unwrap().to_uppercase())
        .collect();
    let read_back: BTreeSet<String> = sql_files()
        .values()
        .flat_map(|text| statements(text))
        .filter_map(|statement| {
            Some(statement.split_once("KAFKA_TOPIC='")?.1.split('\'').next()?.to_owned())
        })
        .filter(|topic| own.contains(topic))
        .collect();
    assert_eq!(read_back.into_iter().collect::<Vec<_>>(), ["DEVICE_LAST2", "DEVICE_LAST2_PROTO"]);
    assert!(text.contains("s/KAFKA_TOPIC='DEVICE_LAST2/KAFKA_TOPIC='ksqldb_DEVICE_LAST2/"));
}

#[test]
fn the_image_is_one_binary_run_by_nobody_in_particular() {
    let text = read("Dockerfile");
    let last = text.rsplit_once("\nFROM ").map(|(_, stage)| stage).unwrap();
    assert!(last.starts_with("scratch\n"));
    assert!(last.contains("USER 65532:65532"));
    assert!(
        !text.contains(":latest") && !last.contains("\nRUN "),
        "nothing in an empty image can run"
    );
    let toolchain = read("Cargo.toml");
    let version = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap()
        .trim_matches('"');
    assert!(
        text.contains(&format!("FROM rust:{version}-alpine")),
        "the builder's Rust is the crate's"
    );
}
