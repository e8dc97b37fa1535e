//! What fails holds nothing else up: other topics, other partitions, other records.
use std::time::Duration;

use millstream::broker::ProduceFault;
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::produce::{Acknowledgement, Full, NewRecord, Producer};
use millstream::kafka::{Cluster, KafkaError, ResponseError, TopicPartition};

use crate::support::{Broker, broker, faulty, from_start, read, timeout, topic, unique, with};

/// Longer than a test may take, so that what waits for a time-out fails the test.
const NEVER: Duration = Duration::from_mins(5);

/// A producer whose requests and deliveries run out of time long after the test.
fn patient(cluster: &Cluster) -> Producer {
    Producer::new(&with(cluster, |config| {
        config.request_timeout = NEVER;
        config.delivery_timeout = NEVER;
    }))
}

async fn send(producer: &Producer, topic: &str, partition: i32, value: &str) -> Acknowledgement {
    let record = NewRecord::new(0, None, Some(value.as_bytes()));
    producer.send_acknowledged(topic, partition, record).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_never_answered_holds_up_no_other() {
    let (cluster, embedded) = faulty().await;
    let silent = topic(&cluster, "silent", 2).await;
    let sound = topic(&cluster, "sound", 2).await;
    embedded.faults().on_produce(&silent, None, ProduceFault::Never);
    let producer = patient(&cluster);
    for round in 0..5 {
        let mut stuck = send(&producer, &silent, round % 2, "stuck").await;
        let written = send(&producer, &sound, round % 2, "written").await;
        timeout(written).await.unwrap().unwrap();
        assert!(stuck.try_recv().is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_whose_replicas_lag_holds_up_no_other() {
    let (cluster, embedded) = faulty().await;
    let topic = topic(&cluster, "lagging", 3).await;
    embedded.faults().on_produce(&topic, Some(1), ProduceFault::Unreplicated);
    let producer = patient(&cluster);
    let mut stuck = Vec::new();
    for round in 0..20 {
        stuck.push(send(&producer, &topic, 1, &format!("stuck {round}")).await);
        for partition in [0, 2] {
            let value = format!("written {round}");
            let written = send(&producer, &topic, partition, &value).await;
            timeout(written).await.unwrap().unwrap();
        }
    }
    assert!(stuck.iter_mut().all(|stuck| stuck.try_recv().is_err()));
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign([(TopicPartition::new(topic.as_str(), 0), 0)]);
    let values: Vec<_> = read(&fetcher, 20).await.into_iter().map(|record| record.2).collect();
    assert_eq!(values, (0..20).map(|round| format!("written {round}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_was_slow_is_written_once_and_in_order() {
    let (cluster, embedded) = faulty().await;
    let topic = topic(&cluster, "slow", 2).await;
    embedded.faults().on_produce(&topic, Some(1), ProduceFault::Unreplicated);
    let producer = Producer::new(&with(&cluster, |config| {
        config.batch_bytes = 100;
        // Then the broker gives up soon, also where the partition stands apart.
        config.request_timeout = Duration::from_secs(3);
    }));
    let mut waiting = Vec::new();
    for index in 0..50 {
        waiting.push(send(&producer, &topic, 1, &index.to_string()).await);
        waiting.push(send(&producer, &topic, 0, &index.to_string()).await);
    }
    let last = waiting.pop().unwrap();
    timeout(last).await.unwrap().unwrap();
    embedded.faults().lift(&topic);
    timeout(producer.flush()).await.unwrap();
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&topic, 2));
    let records = read(&fetcher, 100).await;
    for partition in 0..2 {
        let values = records.iter().filter(|record| record.0 == partition);
        let values: Vec<i32> = values.map(|record| record.2.parse().unwrap()).collect();
        assert_eq!(values, (0..50).collect::<Vec<_>>());
    }
    assert_eq!(fetcher.poll(Duration::from_millis(100)).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_refuses_everything_leaves_memory_to_the_others() {
    let (cluster, embedded) = faulty().await;
    let refusing = topic(&cluster, "refusing", 1).await;
    let sound = topic(&cluster, "sound", 1).await;
    let fault = ProduceFault::Refused(ResponseError::NotEnoughReplicas);
    embedded.faults().on_produce(&refusing, None, fault);
    let producer = Producer::new(&with(&cluster, |config| {
        config.buffer_bytes = 100_000;
        config.delivery_timeout = NEVER;
    }));
    let value = vec![7; 1_000];
    let record = NewRecord::new(0, None, Some(&value));
    while producer.try_send(&refusing, 0, record).unwrap() != Err(Full) {}
    for _ in 0..500 {
        timeout(producer.send(&sound, 0, record)).await.unwrap();
    }
    let last = send(&producer, &sound, 0, "last").await;
    assert_eq!(timeout(last).await.unwrap().unwrap().offset, Some(500));
    embedded.faults().lift(&refusing);
    timeout(producer.flush()).await.unwrap();
    assert!(producer.end_offset(&refusing, 0).unwrap() > 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_deleted_is_known_as_such_soon() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let gone = topic(&cluster, "gone", 1).await;
    let sound = topic(&cluster, "sound", 1).await;
    let producer = patient(&cluster);
    for name in [&gone, &sound] {
        timeout(send(&producer, name, 0, "first").await).await.unwrap().unwrap();
    }
    Admin::new(&cluster).delete_topic(&gone).await.unwrap();
    // A broker takes a moment to forget a topic, and takes records for it until then.
    let error = loop {
        let stuck = send(&producer, &gone, 0, "lost").await;
        let written = send(&producer, &sound, 0, "written").await;
        timeout(written).await.unwrap().unwrap();
        if let Err(error) = timeout(stuck).await.unwrap() {
            break error;
        }
    };
    assert_eq!(error, KafkaError::TopicGone { topic: gone.clone() });
    let flushed = timeout(producer.flush()).await.unwrap_err();
    assert!(flushed.to_string().ends_with(&format!("topic {gone} does not exist")), "{flushed}");

    let never = unique("never");
    let lost = send(&producer, &never, 0, "lost").await;
    let missing = send(&producer, &sound, 7, "lost").await;
    let error = timeout(lost).await.unwrap().unwrap_err();
    assert_eq!(error, KafkaError::TopicGone { topic: never });
    let error = timeout(missing).await.unwrap().unwrap_err();
    assert_eq!(error, KafkaError::PartitionGone { topic: sound, partition: 7 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_made_again_is_not_the_one_from_before() {
    let (cluster, embedded) = faulty().await;
    let name = topic(&cluster, "again", 1).await;
    let producer = patient(&cluster);
    timeout(send(&producer, &name, 0, "first").await).await.unwrap().unwrap();
    let was = cluster.topic(&name).await.unwrap().id;
    // Nothing is written until the producer has looked at its topic again.
    let moved = ProduceFault::Refused(ResponseError::NotLeaderOrFollower);
    embedded.faults().on_produce(&name, None, moved);
    let admin = Admin::new(&cluster);
    admin.delete_topic(&name).await.unwrap();
    admin.create_topic(&NewTopic::new(&name, 1)).await.unwrap();
    let lost = send(&producer, &name, 0, "lost").await;
    let error = timeout(lost).await.unwrap().unwrap_err();
    let is = cluster.topic(&name).await.unwrap().id;
    assert_eq!(error, KafkaError::TopicMadeAgain { topic: name.clone(), was, is });
    assert!(was.differs(is));
    // Who has heard of it may go on.
    embedded.faults().lift(&name);
    let written = send(&producer, &name, 0, "new").await;
    assert_eq!(timeout(written).await.unwrap().unwrap().offset, Some(0));
}
