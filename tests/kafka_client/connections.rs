//! Connections that break, brokers that are not there, passwords that are wrong.
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig, Fault, SaslPlain};
use millstream::kafka::ErrorKind;
use millstream::kafka::admin::Admin;
use millstream::kafka::config::{Sasl, SaslMechanism};
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::produce::{NewRecord, Producer};

use crate::support::{FETCH, METADATA, PRODUCE};
use crate::support::{client, faulty, from_start, read, timeout, topic, with};

#[tokio::test(flavor = "multi_thread")]
async fn lost_requests_and_answers_lose_and_double_nothing() {
    let (cluster, embedded) = faulty().await;
    let topic = topic(&cluster, "faults", 2).await;
    let faults = embedded.faults();
    for api in [METADATA, PRODUCE, FETCH, FETCH, PRODUCE, PRODUCE, FETCH] {
        faults.inject(api, Fault::DropRequest);
        faults.inject(api, Fault::DropAnswer);
    }
    let cluster = with(&cluster, |config| config.batch_bytes = 200);
    let producer = Producer::new(&cluster);
    for index in 0..2_000 {
        let value = index.to_string();
        producer
            .send(&topic, index % 2, NewRecord::new(0, None, Some(value.as_bytes())))
            .await
            .unwrap();
    }
    timeout(producer.flush()).await.unwrap();
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&topic, 2));
    let records = read(&fetcher, 2_000).await;
    for partition in 0..2 {
        let values = records.iter().filter(|record| record.0 == partition);
        let values: Vec<i32> = values.map(|record| record.2.parse().unwrap()).collect();
        let expected: Vec<_> = (0..1_000).map(|index| index * 2 + partition).collect();
        assert_eq!(values, expected);
    }
    assert_eq!(fetcher.poll(Duration::from_millis(100)).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends_with_what_was_wrong() {
    let cluster = client("127.0.0.1:1").with_patience(Duration::from_millis(300));
    let error = timeout(Admin::new(&cluster).list_topics()).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot connect to Kafka at 127.0.0.1:1: "), "{error}");
    assert!(error.is_retriable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_at_once() {
    let (username, password) = ("alice".to_owned(), "secret".to_owned());
    let sasl = SaslPlain { username: username.clone(), password: password.clone() };
    let config = EmbeddedConfig { sasl: Some(sasl), ..EmbeddedConfig::default() };
    let broker = EmbeddedBroker::start(config).await.unwrap();
    let with_password = |password: &str| {
        with(&client(&broker.bootstrap()), |config| {
            let (username, password) = (username.clone(), password.to_owned());
            config.sasl = Some(Sasl { mechanism: SaslMechanism::Plain, username, password });
        })
    };
    timeout(Admin::new(&with_password(&password)).list_topics()).await.unwrap();
    let error = timeout(Admin::new(&with_password("other")).list_topics()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
}
