//! Properties that Kafka users have, and the faults that they make.
use super::*;

fn config(properties: &[(&str, &str)]) -> Result<ClientConfig, ConfigError> {
    let mut all =
        BTreeMap::from([("bootstrap.servers".to_owned(), "PLAINTEXT://a:1, b:2".to_owned())]);
    all.extend(properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    ClientConfig::from_properties(&all)
}

#[test]
fn defaults_are_kafkas_but_for_what_waits_in_a_producer() {
    let config = config(&[("some.other", "x")]).unwrap();
    assert_eq!(config.bootstrap_servers, ["a:1", "b:2"]);
    assert!(config.is_idempotent && config.tls.is_none() && config.sasl.is_none());
    assert_eq!(config.others.get("some.other").map(String::as_str), Some("x"));
    assert_eq!((config.batch_bytes, config.request_bytes_max), (16 << 10, 1 << 20));
    assert_eq!(config.buffer_bytes, 8 << 20);
}

#[test]
fn a_login_is_read_from_jaas() {
    let jaas = r#"org.apache.kafka.common.security.scram.ScramLoginModule required username="al\"ice" password='s;c';"#;
    let config = config(&[
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.jaas.config", jaas),
    ]);
    let config = config.unwrap();
    let sasl = config.sasl.unwrap();
    assert_eq!((sasl.username.as_str(), sasl.password.as_str()), ("al\"ice", "s;c"));
    assert!(config.tls.unwrap().is_host_checked);
    assert!(!format!("{:?}", Sasl { mechanism: SaslMechanism::Plain, ..sasl }).contains("s;c"));
}

#[test]
fn faults_name_the_property_and_what_was_expected() {
    let check = |property, value, expected| {
        assert_eq!(config(&[(property, value)]).unwrap_err().to_string(), expected);
    };
    check("acks", "2", "property acks is '2', expected one of all, -1, 1, 0");
    check(
        "security.protocol",
        "TLS",
        "property security.protocol is 'TLS', expected one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL",
    );
    check(
        "bootstrap.servers",
        "a",
        "property bootstrap.servers is 'a', expected host:port, with a comma between several",
    );
    check(
        "ssl.truststore.type",
        "BCFKS",
        "property ssl.truststore.type is 'BCFKS', expected one of JKS, PKCS12, PEM",
    );
}
