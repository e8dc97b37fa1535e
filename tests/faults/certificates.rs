//! Machines without certificates of authorities, as an image from scratch is one.

use std::process::Command;

use millstream::broker::EmbeddedConfig;

use crate::support::World;

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

#[tokio::test(flavor = "multi_thread")]
async fn without_authorities_only_what_asks_for_them_is_refused() {
    let world = World::embedded("bare", EmbeddedConfig::default()).await;
    let mut command = bare();
    command.args(["server", "--bootstrap-servers", &world.servers]);
    command.args(["--listeners", "https://127.0.0.1:0"]);
    for property in [
        concat!("ssl.keystore.location=", file!("certificate.pem")),
        concat!("ssl.key.location=", file!("key.pem")),
        // Neither is asked before a statement needs it.
        "ksql.connect.url=https://127.0.0.1:1",
        "ksql.schema.registry.url=https://127.0.0.1:1",
    ] {
        command.args(["--property", property]);
    }
    let mut server = world.spawn(command);
    server.wait_for("listening on ", 1).await;
    let log = server.log();
    let (_, rest) = log.split_once("listening on https://127.0.0.1:").unwrap();
    let url = format!("https://localhost:{}", rest.split_whitespace().next().unwrap());

    let mut shell = bare();
    let refused = shell.args(["sql", &url, "-e", "SHOW TOPICS;"]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("no certificates of authorities"), "{told}");
    assert!(told.contains("ssl.ca.location"), "{told}");

    let trusted = world.directory.path().join("trust.properties");
    std::fs::write(&trusted, concat!("ssl.ca.location=", file!("certificate.pem"))).unwrap();
    let mut shell = bare();
    shell.args(["sql", &url, "--config-file"]).arg(&trusted).args(["-e", "SHOW QUERIES;"]);
    let answered = shell.output().unwrap();
    let told = String::from_utf8_lossy(&answered.stderr).into_owned();
    assert_eq!(answered.status.code(), Some(0), "{told}");
    server.stop().await;

    let mut command = bare();
    command.args(["topics", "list", "--bootstrap-servers", &world.servers]);
    let refused = command.args(["--property", "security.protocol=SSL"]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("property ssl.ca.location is ''"), "{told}");
}
