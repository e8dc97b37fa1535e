//! Partitions that cannot be read, beside those that can.
use std::collections::BTreeMap;
use std::time::Duration;

use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::config::OffsetReset;
use millstream::kafka::fetch::{Fetched, Fetcher};
use millstream::kafka::group::Consumer;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::{Cluster, KafkaError, ResponseError, TopicId, TopicPartition};

use crate::support::{Broker, broker, timeout, topic, unique, with};

async fn write(cluster: &Cluster, topic: &str, values: std::ops::Range<i32>) {
    let producer = Producer::new(cluster);
    for value in values {
        let value = value.to_string();
        let record = NewRecord::new(0, None, Some(value.as_bytes()));
        producer.send(topic, 0, record).await.unwrap();
    }
    timeout(producer.flush()).await.unwrap();
}

/// Deletes a topic and makes it again: its ids before and after.
async fn make_again(cluster: &Cluster, name: &str) -> (TopicId, TopicId) {
    let admin = Admin::new(cluster);
    let id = async || admin.describe_topic(name).await.unwrap().map(|topic| topic.id);
    let was = id().await.unwrap();
    admin.delete_topic(name).await.unwrap();
    let made = async {
        loop {
            match admin.create_topic(&NewTopic::new(name, 1)).await {
                Err(error) if error.is_code(ResponseError::TopicAlreadyExists) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                made => break made.unwrap(),
            }
        }
        loop {
            match id().await {
                Some(is) if is != was => break is,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    (was, timeout(made).await)
}

/// What a fetcher brings: values by topic, and problems by topic with their positions.
#[derive(Default)]
struct Seen {
    values: BTreeMap<String, Vec<String>>,
    problems: BTreeMap<String, (i64, KafkaError)>,
}

impl Seen {
    async fn until(&mut self, fetcher: &Fetcher, is_enough: impl Fn(&Self) -> bool) {
        timeout(async {
            while !is_enough(self) {
                self.take(fetcher.fetch(Duration::from_secs(5)).await);
            }
        })
        .await;
    }

    fn take(&mut self, fetched: Fetched) {
        for part in fetched.partitions {
            let values = self.values.entry(part.partition.topic.to_string()).or_default();
            let value = |record: Result<millstream::kafka::records::RecordRef<'_>, _>| {
                String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap()
            };
            values.extend(part.records().map(value));
        }
        for problem in fetched.problems {
            let (topic, position) = (problem.partition.topic.to_string(), problem.position);
            let before = self.problems.insert(topic, (position, problem.error));
            assert!(before.is_none(), "a problem is told once");
        }
    }

    fn count(&self, topic: &str) -> usize {
        self.values.get(topic).map_or(0, Vec::len)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_beside_what_can() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let admin = Admin::new(&cluster);
    let [sound, cut, gone, again] = ["sound", "cut", "gone", "again"];
    let mut names = Vec::new();
    for name in [sound, cut, gone, again] {
        let name = topic(&cluster, name, 1).await;
        write(&cluster, &name, 0..10).await;
        names.push(name);
    }
    let [sound, cut, gone, again] = &names[..] else { panic!("four names") };
    let at = |topic: &str| TopicPartition::new(topic, 0);
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(names.iter().map(|name| (at(name), 0)));
    let mut seen = Seen::default();
    seen.until(&fetcher, |seen| names.iter().all(|name| seen.count(name) == 10)).await;

    admin.delete_records(&[(at(cut), 7)]).await.unwrap();
    fetcher.seek(&at(cut), 3);
    let never = unique("never");
    fetcher.assign([(at(&never), 0), (TopicPartition::new(sound.as_str(), 5), 0)]);
    admin.delete_topic(gone).await.unwrap();
    let (was, is) = make_again(&cluster, again).await;
    // More than there was, so that the position exists in the new one too.
    write(&cluster, again, 100..130).await;
    write(&cluster, sound, 10..20).await;
    seen.until(&fetcher, |seen| seen.problems.len() == 5 && seen.count(sound) == 20).await;

    let problems = &seen.problems;
    let expected = KafkaError::OffsetOutOfRange {
        topic: cut.clone(),
        partition: 0,
        offset: 3,
        log_start: Some(7),
        log_end: Some(10),
    };
    assert_eq!(problems[cut], (3, expected));
    assert_eq!(problems[gone], (10, KafkaError::TopicGone { topic: gone.clone() }));
    assert_eq!(problems[&never], (0, KafkaError::TopicGone { topic: never.clone() }));
    let made_again = KafkaError::TopicMadeAgain { topic: again.clone(), was, is };
    assert_eq!(problems[again], (10, made_again));
    let missing = KafkaError::PartitionGone { topic: sound.clone(), partition: 5 };
    assert_eq!(problems[sound], (0, missing));
    assert_eq!(seen.count(again), 10, "nothing of the new topic was given out");

    // Each goes on once it is moved.
    fetcher.seek(&at(cut), 7);
    fetcher.seek(&at(again), 0);
    seen.until(&fetcher, |seen| seen.count(cut) == 13 && seen.count(again) == 40).await;
    assert_eq!(seen.values[cut][10..], ["7", "8", "9"]);
    assert_eq!(seen.values[again][10], "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_goes_on_with_a_topic_that_was_made_again() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let cluster = with(&cluster, |config| config.offset_reset = OffsetReset::Earliest);
    let (again, sound) = (topic(&cluster, "again", 1).await, topic(&cluster, "sound", 1).await);
    write(&cluster, &again, 0..10).await;
    let mut consumer = Consumer::new(&cluster, &unique("group"), &[&again, &sound]).unwrap();
    let mut read = BTreeMap::<String, usize>::new();
    let mut poll = async |consumer: &mut Consumer| {
        for fetched in timeout(consumer.poll(Duration::from_millis(100))).await.unwrap() {
            *read.entry(fetched.partition.topic.to_string()).or_default() +=
                fetched.records().count();
        }
        read.clone()
    };
    while poll(&mut consumer).await.get(&again) != Some(&10) {}
    consumer.commit().await.unwrap();
    make_again(&cluster, &again).await;
    write(&cluster, &again, 100..115).await;
    write(&cluster, &sound, 0..5).await;
    let expected = BTreeMap::from([(again.clone(), 25), (sound.clone(), 5)]);
    timeout(Box::pin(async { while poll(&mut consumer).await != expected {} })).await;
    consumer.close().await.unwrap();
}
