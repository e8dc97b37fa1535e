//! Machines without certificates of authorities, as an image from scratch is one.

use std::process::Command;

use millstream::broker::EmbeddedConfig;

use crate::support::{Run, World};

macro_rules! file {
    ($name:literal) => {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registry/tls/", $name)
    };
}

/// The program on such a machine.
fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    command.env("SSL_CERT_FILE", "/nowhere/certificates").env("SSL_CERT_DIR", "/nowhere");
    command
}

/// A server that listens with TLS; where it does.
async fn listening(world: &World, properties: &[&str]) -> (Run, String) {
    let mut command = bare();
    command.args(["server", "--bootstrap-servers", &world.servers]);
    command.args(["--listeners", "https://127.0.0.1:0"]);
    for property in properties {
        command.args(["--property", property]);
    }
    let mut server = world.spawn(command);
    server.wait_for("listening on ", 1).await;
    let log = server.log();
    let (_, rest) = log.split_once("listening on https://127.0.0.1:").unwrap();
    let url = format!("https://localhost:{}", rest.split_whitespace().next().unwrap());
    (server, url)
}

/// Asks a server from the shell, with a properties file; the code, and what is told.
fn asked(world: &World, url: &str, properties: &str) -> (Option<i32>, String) {
    let file = world.directory.path().join("shell.properties");
    std::fs::write(&file, properties).unwrap();
    let mut shell = bare();
    shell.args(["sql", url, "--config-file"]).arg(&file).args(["-e", "SHOW QUERIES;"]);
    let answered = shell.output().unwrap();
    (answered.status.code(), String::from_utf8_lossy(&answered.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn key_stores_of_java_open_as_they_are() {
    let world = World::embedded("stores", EmbeddedConfig::default()).await;
    let store = "ssl.keystore.password=store-password";
    let key = "ssl.key.password=key-password";
    // Each is found out from what is in the file, whatever it is called, as Java's own does.
    let servers: [&[&str]; 4] = [
        &[concat!("ssl.keystore.location=", file!("server.jks")), store, key],
        &[
            concat!("ssl.keystore.location=", file!("server.p12")),
            store,
            "ssl.keystore.type=PKCS12",
        ],
        &[
            concat!("ssl.keystore.location=", file!("server-of-java-8.p12")),
            store,
            "ssl.keystore.type=JKS",
        ],
        &[
            concat!("ssl.certificate.location=", file!("certificate.pem")),
            concat!("ssl.key.location=", file!("key-encrypted.pem")),
            key,
        ],
    ];
    let inline = std::fs::read_to_string(file!("certificate.pem")).unwrap().replace('\n', "\\n");
    let trusts = [
        concat!(
            "ssl.truststore.location=",
            file!("trust.jks"),
            "\nssl.truststore.password=store-password"
        )
        .to_owned(),
        // Certificates of this kind of store are read without a password, as in Java, and those of keys are trusted too.
        concat!("ssl.truststore.location=", file!("trust.jks")).to_owned(),
        concat!(
            "ssl.truststore.location=",
            file!("server.jks"),
            "\nssl.truststore.password=store-password"
        )
        .to_owned(),
        concat!(
            "ssl.truststore.location=",
            file!("trust.p12"),
            "\nssl.truststore.password=store-password"
        )
        .to_owned(),
        format!("ssl.truststore.type=PEM\nssl.truststore.certificates={inline}"),
    ];
    for (server, trust) in servers.into_iter().cycle().zip(trusts) {
        let (running, url) = listening(&world, server).await;
        let (code, told) = asked(&world, &url, &trust);
        assert_eq!(code, Some(0), "{server:?} {trust}: {told}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn key_stores_that_do_not_open_say_why() {
    let world = World::embedded("shut", EmbeddedConfig::default()).await;
    let trust = |name: &str, password: &str| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/registry/tls/");
        let (code, told) = asked(
            &world,
            "https://localhost:1",
            &format!("ssl.truststore.location={path}{name}\nssl.truststore.password={password}"),
        );
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("property ssl.truststore.location is '"), "{told}");
        assert!(password.is_empty() || !told.contains(password), "{told}");
        told
    };
    assert!(trust("trust.jks", "guess-work").contains("the password is not the one"));
    assert!(trust("trust.p12", "guess-work").contains("the password is not the one"));
    assert!(trust("trust.p12", "").contains("the password is not the one"));
    assert!(trust("nowhere.jks", "").contains("No such file"));
    let cut = world.directory.path().join("cut.jks");
    std::fs::write(&cut, &std::fs::read(file!("trust.jks")).unwrap()[..90]).unwrap();
    let at = format!("ssl.truststore.location={}", cut.display());
    assert!(asked(&world, "https://localhost:1", &at).1.contains("cut off"));
    let mut command = bare();
    command.args(["server", "--bootstrap-servers", &world.servers]);
    command.args(["--listeners", "https://127.0.0.1:0", "--property"]);
    command.args([concat!("ssl.keystore.location=", file!("server.jks")), "--property"]);
    let refused = command.arg("ssl.keystore.password=store-password").output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("the password is not the one"), "the key has one of its own: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_authorities_only_what_asks_for_them_is_refused() {
    let world = World::embedded("bare", EmbeddedConfig::default()).await;
    let (server, url) = listening(
        &world,
        &[
            concat!("ssl.keystore.location=", file!("certificate.pem")),
            concat!("ssl.key.location=", file!("key.pem")),
            // Neither is asked before a statement needs it.
            "ksql.connect.url=https://127.0.0.1:1",
            "ksql.schema.registry.url=https://127.0.0.1:1",
        ],
    )
    .await;

    let mut shell = bare();
    let refused = shell.args(["sql", &url, "-e", "SHOW TOPICS;"]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("no certificates of authorities"), "{told}");
    assert!(told.contains("ssl.ca.location"), "{told}");

    let trust = concat!("ssl.ca.location=", file!("certificate.pem"));
    let (code, told) = asked(&world, &url, trust);
    assert_eq!(code, Some(0), "{told}");
    server.stop().await;

    let mut command = bare();
    command.args(["topics", "list", "--bootstrap-servers", &world.servers]);
    let refused = command.args(["--property", "security.protocol=SSL"]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("property ssl.ca.location is ''"), "{told}");
}
