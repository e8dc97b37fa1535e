//! What is shipped beside the source: SQL, Dockerfile and compose files.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::devices::Spelling;
use millstream::engine::headless::{self, Checked};
use millstream::engine::{Properties, settings};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{
    EmbeddedRegistry, EmbeddedRegistryConfig, RegistryClient, RegistryConfig, SchemaType,
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
    assert_eq!(defined.len(), 40);
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

/// The queries of each file, in its order.
const QUERIES: [(&str, &[&str]); 7] = [
    (
        "device.sql",
        &["CTAS_DEVICE_ACTIVITY_COUNTS", "CTAS_DEVICE_SENSOR_STATS", "CSAS_MOVEMENT_ALERTS"],
    ),
    (
        "joins.sql",
        &[
            "CSAS_READINGS_LOCATED",
            "CSAS_ROOM_ALERTS",
            "CTAS_DEVICE_LAST_ACTIVITY",
            "CSAS_ALERTS_EXPLAINED",
            "CSAS_MOVING_PHONES",
            "CSAS_MOVING_OTHERS",
            "CSAS_MOVING_TOGETHER",
            "CTAS_OWNERS_ACTIVITY",
        ],
    ),
    ("over.sql", &["CSAS_DEVICE_STEPS", "CSAS_DEVICE_TRANSITIONS", "CSAS_DEVICE_ROLLING"]),
    (
        "protobuf.sql",
        &[
            "CTAS_DEVICE_ACTIVITY_COUNTS_PROTO",
            "CTAS_DEVICE_SENSOR_STATS_PROTO",
            "CSAS_MOVEMENT_ALERTS_PROTO",
            "CTAS_DEVICE_LAST2_PROTO",
            "CSAS_ACTIVITY_TRANSITIONS_PROTO",
            "CTAS_TRANSITION_COUNTS_PROTO",
        ],
    ),
    (
        "registry.sql",
        &[
            "CTAS_ACTIVITIES_JSON_SR",
            "CTAS_ACTIVITIES_PROTO_SR",
            "CTAS_DEVICE_STATS_AVRO",
            "CSAS_MOVEMENT_ALERTS_AVRO",
        ],
    ),
    (
        "transitions.sql",
        &["CTAS_DEVICE_LAST2", "CSAS_ACTIVITY_TRANSITIONS", "CTAS_TRANSITION_COUNTS"],
    ),
    (
        "windowed.sql",
        &[
            "CTAS_TUMBLING_FINAL",
            "CTAS_TUMBLING_CHANGES",
            "CTAS_HOPPING_CHANGES",
            "CTAS_SESSION_CHANGES",
        ],
    ),
];

/// Checks a text beside a registry that has the schemas of readings.
async fn check(text: &str) -> Checked {
    let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    let cluster = Cluster::new(ClientConfig::new(&broker.bootstrap()).unwrap()).unwrap();
    let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default());
    let registry = registry.await.unwrap();
    let client = RegistryClient::new(RegistryConfig::new(&registry.url()).unwrap()).unwrap();
    for language in SchemaType::ALL {
        let spelling = Spelling::Registered(language, client.clone());
        spelling.register(spelling.topic()).await.unwrap();
    }
    let checked = headless::check(Some(&client), text, &Properties::default()).await.unwrap();
    registry.shutdown().await;
    broker.shutdown().await;
    checked
}

/// Holds the ids of a text without faults, which are numbered from 0, against `expected`.
fn check_queries(what: &str, text: &str, expected: &[&str]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let checked = runtime.block_on(check(text));
    assert_eq!(checked.faults, [], "{what}");
    let numbered = expected.iter().enumerate().map(|(number, id)| format!("{id}_{number}"));
    assert_eq!(checked.queries().collect::<Vec<_>>(), numbered.collect::<Vec<_>>(), "{what}");
}

#[test]
fn every_file_plans_alone_and_with_the_others() {
    let files = sql_files();
    assert!(files.keys().eq(QUERIES.iter().map(|(file, _)| file)));
    for (file, expected) in QUERIES {
        check_queries(file, &files[file], expected);
    }
    let all: String = files.into_values().collect();
    let expected: Vec<&str> = QUERIES.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
    check_queries("all files", &all, &expected);
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
        let parity = name.starts_with("ksqldb") || ["kafka-ui", "parity"].contains(&name);
        assert_eq!(
            service.as_mapping_get("profiles").is_some(),
            parity,
            "{name}: only the reference is optional"
        );
    }
}

/// The service's command, as words after `millstream`.
fn command(service: &Yaml) -> Vec<String> {
    let words = service["command"].as_sequence().unwrap();
    words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[test]
fn compose_runs_files_that_exist_with_flags_that_exist() {
    let text = read("compose/compose.yaml");
    let documents = Yaml::load_from_str(&text).unwrap();
    let services =
        ["millstream", "producer", "producer-protobuf", "consumer", "ksqldb-apply", "parity"];
    for service in services {
        let words = command(&documents[0]["services"][service]);
        check_flags(service, &words);
        for word in &words[1..] {
            if let Some(file) = word.strip_prefix("/ksql/").or(word.strip_prefix("/applied/")) {
                assert!(root().join("ksql").join(file).exists(), "{service}: no {word}");
            }
        }
    }
}

/// Fails unless the program's command takes each of the flags among `words`.
fn check_flags(what: &str, words: &[String]) {
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_millstream"))
        .args([words[0].as_str(), "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for word in words.iter().filter(|word| word.starts_with("--")) {
        assert!(help.contains(&format!("{word} <")), "{what}: no {word}");
    }
}

#[test]
fn each_property_of_the_sample_is_known_and_does_something() {
    let text = read("compose/server.properties");
    // What is only proposed holds as well.
    let proposed = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => rest,
        _ => line,
    });
    let properties = Properties::parse(&proposed.collect::<Vec<_>>().join("\n"));
    assert!(properties.iter().count() > 12);
    assert_eq!(properties.unknown().collect::<Vec<_>>(), []);
    let silent: Vec<_> = properties.without_effect_on_servers().collect();
    assert_eq!(silent, []);
    properties.check().unwrap();
    settings(&properties).unwrap();
}

#[test]
fn the_unit_of_systemd_starts_the_server_with_flags_that_exist() {
    let text = read("compose/millstream.service");
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let mut words = command.split(' ').map(str::to_owned);
    assert_eq!(words.next().as_deref(), Some("/usr/local/bin/millstream"));
    check_flags("millstream.service", &words.collect::<Vec<_>>());
    // It has to have time to stop.
    let seconds = text.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    assert!(seconds.parse::<u32>().unwrap() > 10);
}

#[test]
fn the_sidecar_of_kubernetes_runs_sql_that_plans_with_flags_that_exist() {
    let text = read("compose/kubernetes.yaml");
    let documents = Yaml::load_from_str(&text).unwrap();
    let sql = documents[0]["data"]["device.sql"].as_str().unwrap();
    check_queries("kubernetes.yaml", sql, &["CTAS_DEVICE_ACTIVITIES"]);
    let pod = &documents[1]["spec"]["template"]["spec"];
    let container = &pod["containers"][1];
    let args = container["args"].as_sequence().unwrap();
    let args: Vec<_> = args.iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    check_flags("kubernetes.yaml", &args);
    assert_eq!((args[0].as_str(), args[1].as_str()), ("run", "/sql/device.sql"));
    // What it writes to is mounted, as the rest is read-only; and it is who the image says.
    let mounts = container["volumeMounts"].as_sequence().unwrap();
    let mounted = |path: &str| mounts.iter().any(|at| at["mountPath"].as_str() == Some(path));
    assert!(mounted("/var/lib/millstream") && mounted("/sql"));
    let user = pod["securityContext"]["runAsUser"].as_integer().unwrap();
    assert!(read("Dockerfile").contains(&format!("USER {user}:{user}")));
    let compose = read("compose/compose.yaml");
    assert!(
        compose.contains(container["image"].as_str().unwrap()),
        "the image that compose builds"
    );
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
        text.contains(&format!("FROM rust:{version}-slim")),
        "the builder's Rust is the crate's"
    );
}

#[test]
fn a_folder_without_cases_has_not_passed() {
    let folder = tempfile::tempdir().unwrap();
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_millstream"))
        .arg("test")
        .arg(folder.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("there is no case in {}", folder.path().display())), "{told}");
}
