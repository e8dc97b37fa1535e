//! `produce`, `register` and `consume` beside brokers that want more than an address.

use std::process::{Command, Stdio};
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig, SaslPlain};

use super::{failed, millstream, succeeded};

/// A broker that lets in one user.
async fn guarded() -> EmbeddedBroker {
    let user = SaslPlain { username: "ada".to_owned(), password: "secret".to_owned() };
    let config = EmbeddedConfig { sasl: Some(user), ..EmbeddedConfig::default() };
    EmbeddedBroker::start(config).await.unwrap()
}

const LOGIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"ada\" password=\"secret\";";

#[tokio::test(flavor = "multi_thread")]
async fn readings_are_written_and_watched_with_a_login_of_a_properties_file() {
    let broker = guarded().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.properties");
    let properties = format!(
        "bootstrap.servers={}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config={LOGIN}\ngroup.id=watchers\n",
        broker.bootstrap()
    );
    std::fs::write(&file, properties).unwrap();
    let config = ["--config", file.to_str().unwrap()];
    let written =
        [&["produce", "json", "--rate", "0", "--count", "300", "--seed", "1"], &config[..]];
    let told = succeeded(&millstream(&written.concat(), "").await);
    assert!(told.starts_with("300 readings"), "{told}");
    let told = succeeded(&millstream(&[&["register"], &config[..]].concat(), "").await);
    assert_eq!(told, "12 devices registered on 'device-registry'\n");

    let mut consume = Command::new(env!("CARGO_BIN_EXE_millstream"));
    consume.args([&["consume", "--every", "0.1"], &config[..]].concat());
    let consume = consume.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut consume = consume.spawn().unwrap();
    let mut lines =
        std::io::BufRead::lines(std::io::BufReader::new(consume.stdout.take().unwrap()));
    let first = tokio::task::spawn_blocking(move || lines.next().unwrap().unwrap());
    let first = tokio::time::timeout(Duration::from_secs(50), first).await.unwrap().unwrap();
    assert!(first.contains("\"device\""), "{first}");
    Command::new("kill").args(["-TERM", &consume.id().to_string()]).status().unwrap();
    let ended = consume.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(told.contains("group 'watchers' goes on at offset"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_log_in_or_is_not_let_in_hears_why_at_once() {
    let broker = guarded().await;
    let servers = ["--brokers", &broker.bootstrap(), "--retry-for", "4"];
    let wrong = LOGIN.replace("secret", "guess");
    let login = [
        "--property",
        "security.protocol=SASL_PLAINTEXT",
        "--property",
        "sasl.mechanism=PLAIN",
        "--property",
        &format!("sasl.jaas.config={wrong}"),
    ];
    for command in [&["produce", "json", "--count", "1"][..], &["consume"], &["register"]] {
        let servers = if command == ["register"] { &servers[..2] } else { &servers };
        let told = failed(&millstream(&[command, servers, &login].concat(), "").await);
        assert!(told.contains("Authentication failed"), "{command:?}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_partition_table_that_cannot_be_meant_are_refused() {
    let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    let servers = broker.bootstrap();
    let produce = |entry: &'static str| {
        let servers = servers.clone();
        async move {
            let arguments =
                ["produce", "json", "--count", "1", "--brokers", &servers, "--partition", entry];
            millstream(&arguments, "").await
        }
    };
    assert_eq!(
        failed(&produce("foo=1").await),
        "error: no reading is of the model 'foo'; there are nexus4, iphone12, pixel6, galaxy_s21\n"
    );
    assert_eq!(
        failed(&produce("nexus4=9").await),
        "error: 'nexus4=9': topic 'device-sensors' has 3 partitions, the last of which is 2\n"
    );
    succeeded(&produce("nexus4=2").await);
    // Readings of others may be of any model.
    let arguments =
        ["produce", "json", "--from", "-", "--brokers", &servers, "--partition", "foo=1"];
    let reading = "{\"arrival_time\":1,\"creation_time\":1,\"device\":\"foo_1\",\"index\":1,\"model\":\"foo\",\"user\":\"a\",\"gt\":\"walk\",\"x\":0.0,\"y\":0.0,\"z\":0.0}\n";
    let told = millstream(&arguments, reading).await;
    assert!(!String::from_utf8_lossy(&told.stderr).contains("no reading is of the model"));
}
