//! Readings with schemas in a registry: written, held against them, and watched.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::devices::{
    ConsumeOptions, ConsumeSummary, From, OnInvalid, Pace, PartitionTable, ProduceOptions,
    ReadingSource, Readings, Spelling, View, consume, produce,
};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{
    EmbeddedRegistry, EmbeddedRegistryConfig, RegistryClient, RegistryConfig, Schema, SchemaType,
    Subject,
};

/// A broker, and a registry beside it.
struct World {
    broker: EmbeddedBroker,
    registry: EmbeddedRegistry,
    client: RegistryClient,
}

impl World {
    async fn start() -> Self {
        let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
        let cluster = Cluster::new(ClientConfig::new(&broker.bootstrap()).unwrap()).unwrap();
        let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default());
        let registry = registry.await.unwrap();
        let client = RegistryClient::new(RegistryConfig::new(&registry.url()).unwrap()).unwrap();
        Self { broker, registry, client }
    }

    /// Runs `millstream` with some input, from outside.
    fn run(&self, arguments: &[&str], input: &str) -> Output {
        use std::io::Write as _;
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.args(arguments).args(["--bootstrap-servers", &self.broker.bootstrap()]);
        command.args(["--schema-registry", &self.registry.url()]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Watches a topic until so many records were seen.
    async fn watch(&self, spelling: &Spelling, records: u64) -> ConsumeSummary {
        let options = ConsumeOptions {
            kafka: ClientConfig::new(&self.broker.bootstrap()).unwrap(),
            topic: spelling.topic().to_owned(),
            spelling: spelling.clone(),
            group: format!("watching-{}", spelling.topic()),
            from: From::Earliest,
            interval: Duration::from_millis(20),
            retry_for: Duration::from_secs(20),
            clock: Arc::new(now_ms),
        };
        let (out, seen) = tokio::io::duplex(1 << 20);
        let lines = Lines(out, tokio::runtime::Handle::current());
        let enough = async move {
            use tokio::io::AsyncBufReadExt as _;
            let mut lines = tokio::io::BufReader::new(seen).lines();
            let mut totals = std::collections::BTreeMap::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                let line: serde_json::Value = serde_json::from_str(&line).unwrap();
                totals.insert(line["device"].to_string(), line["total"].as_u64().unwrap());
                if totals.values().sum::<u64>() >= records {
                    return;
                }
            }
        };
        let watched = consume(options, View::Lines(lines), enough);
        tokio::time::timeout(Duration::from_mins(1), watched).await.unwrap().unwrap()
    }

    async fn stop(self) {
        self.registry.shutdown().await;
        self.broker.shutdown().await;
    }
}

/// An output that a test reads as it is written.
struct Lines(tokio::io::DuplexStream, tokio::runtime::Handle);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        use tokio::io::AsyncWriteExt as _;
        let Self(out, runtime) = self;
        tokio::task::block_in_place(|| runtime.block_on(out.write(bytes)))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the clock of the application")]
fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |since| since.as_millis() as i64)
}

fn reading(device: &str, more: &str) -> String {
    format!(
        r#"{{"Arrival_Time":1700000000000,"Creation_Time":1,"Device":"{device}","Index":0,"Model":"nexus4","User":"a","gt":"walk","x":0.5,"y":0.25,"z":0{more}}}"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_of_all_languages_are_registered_written_and_watched() {
    let world = World::start().await;
    for language in SchemaType::ALL {
        let spelling = Spelling::Registered(language, world.client.clone());
        let options = ProduceOptions {
            kafka: ClientConfig::new(&world.broker.bootstrap()).unwrap(),
            topic: spelling.topic().to_owned(),
            spelling: spelling.clone(),
            table: PartitionTable::default(),
            rate: None,
            count: Some(300),
            retry_for: Duration::from_secs(20),
            on_invalid: OnInvalid::Stop,
            rejected: None,
            shows_progress: false,
        };
        let pace = Pace { start_ms: 1_700_000_000_000, interval_us: 1_000 };
        let readings = ReadingSource::Invented(Box::new(Readings::new(3, 3, pace)), None);
        let written = produce(readings, options, std::future::pending()).await.unwrap();
        assert_eq!((written.readings(), written.refused.readings), (300, 0), "{language}");
        let seen = world.watch(&spelling, 300).await;
        assert_eq!((seen.readings, seen.faulty, seen.devices), (300, 0, 12), "{language}");
        let subject = Subject::of_values(spelling.topic());
        assert_eq!(world.client.latest(&subject).await.unwrap().schema.ty, language);
    }
    world.stop().await;
}

/// Somebody else's schema, which is stricter than ours.
const STRICT: &str = r#"{"type":"object","additionalProperties":false,
    "required":["Device","gt","x","y","z"],"properties":{
    "Arrival_Time":{"type":"integer"},"Creation_Time":{"type":"integer"},"Index":{"type":"integer"},
    "Model":{"type":"string"},"User":{"type":"string"},
    "Device":{"type":"string","pattern":"^nexus4_[0-9]+$"},
    "gt":{"enum":["walk","run"]},
    "x":{"type":"number","maximum":1},"y":{"type":"number"},"z":{"type":"number"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_held_against_a_schema_of_others_and_the_refused_are_kept() {
    let world = World::start().await;
    let topic = "device-sensors-json-sr";
    let schema = Schema::new(SchemaType::Json, STRICT);
    world.client.register(&Subject::of_values(topic), &schema).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rejected = folder.path().join("rejected.jsonl");
    let rejected = rejected.to_str().unwrap();
    let sound = reading("nexus4_1", "");
    let others = [reading("pixel6_1", ""), reading("nexus4_2", r#","more":1"#), "{bad".to_owned()];
    let input = format!("{sound}\n\n{}\n{sound}", others.join("\n"));
    let produced = ["produce", "json", "--from", "-", "--rejected", rejected];

    let stopped = [&produced[..], &["--on-invalid", "stop"]].concat();
    let output = world.run(&stopped, &input);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("3 readings are refused by the topic's schema, so none was written"));
    assert!(error.contains("line 3 is refused: $.Device: "), "{error}");
    assert!(error.contains("line 5 is refused: $: no JSON: "), "{error}");
    assert_eq!(std::fs::read_to_string(rejected).unwrap(), format!("{}\n", others.join("\n")));

    let output = world.run(&produced, &input);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    // None of the first try came before them.
    let begins = "2 readings acknowledged on 'device-sensors-json-sr'\n  partition 0: 2 readings, \
                  offsets 0 to 1\n3 readings refused\n";
    assert!(said.starts_with(begins), "{said}");
    assert_eq!(std::fs::read_to_string(rejected).unwrap(), format!("{}\n", others.join("\n")));
    let spelling = Spelling::Registered(SchemaType::Json, world.client.clone());
    let seen = world.watch(&spelling, 2).await;
    assert_eq!((seen.readings, seen.faulty, seen.devices), (2, 0, 1));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_of_another_language_is_refused_and_avro_needs_a_registry() {
    let world = World::start().await;
    let subject = Subject::of_values("device-sensors-avro");
    world.client.register(&subject, &Schema::new(SchemaType::Json, "{}")).await.unwrap();
    let output = world.run(&["produce", "avro", "--count", "1"], "");
    let error = String::from_utf8(output.stderr).unwrap();
    let said = "subject device-sensors-avro-value of the schema registry: its newest schema is of JSON, not of AVRO";
    assert!(output.status.code() == Some(1) && error.contains(said), "{error}");
    let mut alone = Command::new(env!("CARGO_BIN_EXE_millstream"));
    let alone = alone.args(["produce", "avro"]).output().unwrap();
    let error = String::from_utf8(alone.stderr).unwrap();
    assert!(error.contains("avro needs --schema-registry URL"), "{error}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_record_can_hold_is_refused_and_all_else_is_written() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let rejected = folder.path().join("rejected.jsonl");
    let rejected = rejected.to_str().unwrap();
    let large = reading(&"n".repeat(2_000_000), "");
    let input = format!("{}\n{large}\n{}\n", reading("nexus4_1", ""), reading("nexus4_2", ""));
    let output = world.run(&["produce", "avro", "--from", "-", "--rejected", rejected], &input);
    let said = String::from_utf8(output.stdout).unwrap();
    let begins = "2 readings acknowledged on 'device-sensors-avro'\n";
    assert!(said.starts_with(begins) && said.contains("1 readings refused"), "{said}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("line 2 is refused: $: ") && error.contains("more than a record"));
    assert_eq!(std::fs::read_to_string(rejected).unwrap(), format!("{large}\n"));

    // A script can tell that nothing was written; and the lines themselves are not written over.
    let produced = ["produce", "avro", "--from", rejected, "--rejected"];
    let output = world.run(&[&produced[..], &[rejected]].concat(), "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("--from and --rejected are the same file"), "{error}");
    let output = world.run(&[&produced[..], &[&format!("{rejected}.2")]].concat(), "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(1) && error.contains("every reading was refused"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(rejected).unwrap(), format!("{large}\n"));
    world.stop().await;
}
