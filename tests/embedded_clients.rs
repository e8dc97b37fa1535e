//! Real clients against `millstream broker`: librdkafka from Python, kcat, and Java's producer, consumer, admin client
//! and Kafka Streams; with a Schema Registry beside it, the serializers of confluent-kafka, kafkajs and franz-go. The
//! test of a client that is not installed is ignored; `MILLSTREAM_REQUIRE=clients` has it fail.
//!
//! Python needs `confluent-kafka[avro,json,protobuf]` (`MILLSTREAM_PYTHON` names the interpreter), Java the class path
//! that `mvn -q compile dependency:build-classpath -Dmdep.outputFile=target/classpath` leaves in `tests/clients/java`,
//! Node `npm ci` in `tests/clients/node`, Go `go build -o target/registry .` in `tests/clients/go`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Completion, Trial};

use missing::Missing;

#[path = "data/missing.rs"]
mod missing;

fn main() -> ExitCode {
    let trials = vec![
        trial("librdkafka works", librdkafka_works),
        trial("kcat lists, produces and consumes across a kill", kcat_works_across_a_kill),
        trial("Java's clients and Kafka Streams work", java_clients_and_kafka_streams_work),
        trial("confluent-kafka's serializers work", python_serializers_work),
        trial("serializers of three languages read each other", serializers_read_each_other),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A test that needs a client.
fn trial(name: &str, run: fn() -> Result<(), Missing>) -> Trial {
    Trial::ignorable_test(name, move || match run() {
        Ok(()) => Ok(Completion::Completed),
        Err(missing) => missing.outcome(),
    })
}

/// A broker in a process of its own, killed in the end.
struct Broker {
    process: Child,
    address: String,
    /// Where its registry is, if it has one.
    registry: String,
}

impl Broker {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_millstream"))
            .args(["broker", "--kafka-port", "0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let address = line
            .split([' ', ';'])
            .find(|word| word.contains(':'))
            .unwrap_or_else(|| panic!("{line}"));
        let registry = line.split([' ', ';']).find(|word| word.starts_with("http://"));
        let registry = registry.unwrap_or_default().to_owned();
        Self { address: address.to_owned(), registry, process }
    }

    /// Ends the process without a chance to finish anything.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// What is missing unless a command runs.
fn require(command: &mut Command, what: &str) -> Result<(), Missing> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(lacking(&format!("{what} is not installed")))
}

fn lacking(reason: &str) -> Missing {
    Missing { what: "clients", reason: reason.to_owned() }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, error) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    out.into_owned()
}

fn librdkafka_works() -> Result<(), Missing> {
    let python = std::env::var("MILLSTREAM_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = ["-c", "import confluent_kafka"];
    require(Command::new(&python).args(import), "confluent-kafka for Python")?;
    let broker = Broker::start(&[]);
    let output =
        run(Command::new(python).arg(clients().join("librdkafka.py")).arg(&broker.address));
    assert_eq!(output.lines().filter(|line| line.starts_with("ok ")).count(), 10, "{output}");
    Ok(())
}

/// A command that runs a client with these arguments, broker and registry first.
fn client<'c>(command: &'c mut Command, broker: &Broker, arguments: &[&str]) -> &'c mut Command {
    command.args([&broker.address, &broker.registry]).args(arguments)
}

/// Python with the serializers.
fn python_with_serializers() -> Result<Command, Missing> {
    let python = std::env::var("MILLSTREAM_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = "import confluent_kafka.schema_registry.avro, confluent_kafka.schema_registry.json_schema, \
                  confluent_kafka.schema_registry.protobuf";
    require(
        Command::new(&python).args(["-c", import]),
        "confluent-kafka[avro,json,protobuf] for Python",
    )?;
    let mut command = Command::new(python);
    command.arg(clients().join("registry.py"));
    Ok(command)
}

fn python_serializers_work() -> Result<(), Missing> {
    let mut python = python_with_serializers()?;
    let broker = Broker::start(&["--registry-port", "0"]);
    let output = run(client(&mut python, &broker, &["check"]));
    assert_eq!(output.lines().filter(|line| line.starts_with("ok ")).count(), 9, "{output}");
    Ok(())
}

fn serializers_read_each_other() -> Result<(), Missing> {
    let python = python_with_serializers;
    let go = clients().join("go/target/registry");
    python()?;
    require(Command::new("node").arg("--version"), "Node")?;
    if !go.exists() || !clients().join("node/node_modules").exists() {
        return Err(lacking(
            "the clients of Go and Node are not installed: see the head of this file",
        ));
    }
    let node = || {
        let mut node = Command::new("node");
        node.arg(clients().join("node/registry.js"));
        node
    };
    let broker = Broker::start(&["--registry-port", "0"]);
    run(client(&mut python()?, &broker, &["write"]));
    run(client(&mut node(), &broker, &["write"]));
    run(client(&mut Command::new(&go), &broker, &["write"]));
    let read = [
        run(client(&mut python()?, &broker, &["read", "node"])),
        run(client(&mut node(), &broker, &["read", "python", "node"])),
        run(client(&mut Command::new(&go), &broker, &["read", "python", "node", "go"])),
    ]
    .concat();
    assert_eq!(read.lines().filter(|line| line.starts_with("ok ")).count(), 11, "{read}");
    Ok(())
}

fn kcat_works_across_a_kill() -> Result<(), Missing> {
    require(Command::new("kcat").arg("-V"), "kcat")?;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let broker = Broker::start(&["--data-dir", data, "--user", "alice:secret"]);
    let kcat = |broker: &Broker, arguments: &[&str]| {
        let mut command = Command::new("kcat");
        command.args([
            "-b",
            &broker.address,
            "-X",
            "security.protocol=SASL_PLAINTEXT",
            "-X",
            "sasl.mechanism=PLAIN",
        ]);
        command.args(["-X", "sasl.username=alice", "-X", "sasl.password=secret"]).args(arguments);
        command
    };
    let mut producer = kcat(&broker, &["-P", "-t", "words", "-K:", "-z", "gzip"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    producer.stdin.take().unwrap().write_all(b"a:one\nb:two\na:three\n").unwrap();
    assert!(producer.wait().unwrap().success());
    assert!(run(&mut kcat(&broker, &["-L"])).contains("topic \"words\" with 1 partitions"));
    broker.kill();

    let broker = Broker::start(&["--data-dir", data, "--user", "alice:secret"]);
    let consumed = run(&mut kcat(&broker, &["-C", "-t", "words", "-e", "-q", "-f", "%o %k %s\n"]));
    assert_eq!(consumed, "0 a one\n1 b two\n2 a three\n");
    let found = run(&mut kcat(&broker, &["-Q", "-t", "words:0:-2"]));
    assert!(found.contains("words [0] offset 0"), "{found}");
    Ok(())
}

fn java_clients_and_kafka_streams_work() -> Result<(), Missing> {
    let java = clients().join("java");
    let libraries = std::fs::read_to_string(java.join("target/classpath"))
        .map_err(|_| lacking("the Java clients are not compiled: see the head of this file"))?;
    require(Command::new("java").arg("-version"), "Java")?;
    let classpath = format!("{}:{}", java.join("target/classes").display(), libraries.trim());
    let broker = Broker::start(&[]);
    for (class, cases) in [("clients.Clients", 6), ("clients.WordCount", 2)] {
        let mut command = Command::new("java");
        command.args([
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-cp",
            &classpath,
            class,
            &broker.address,
        ]);
        let output = run(&mut command);
        assert_eq!(
            output.lines().filter(|line| line.starts_with("ok ")).count(),
            cases,
            "{output}"
        );
    }
    Ok(())
}
