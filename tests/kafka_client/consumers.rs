//! Consumers that share the partitions of a topic.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use millstream::kafka::admin::Admin;
use millstream::kafka::config::OffsetReset;
use millstream::kafka::group::{Consumer, GroupOffsets, Membership, MembershipOptions};
use millstream::kafka::produce::{NewRecord, Producer};
use tokio::task::JoinHandle;

use crate::support::{Broker, broker, timeout, topic, unique, with};

/// A consumer that is polled by a task of its own.
struct Running {
    seen: Arc<Seen>,
    task: JoinHandle<Consumer>,
}

#[derive(Default)]
struct Seen {
    read: AtomicUsize,
    assigned: AtomicUsize,
    is_ended: AtomicBool,
}

impl Running {
    fn start(mut consumer: Consumer) -> Self {
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let task = tokio::spawn(async move {
            while !shared.is_ended.load(Ordering::SeqCst) {
                for fetched in consumer.poll(Duration::from_millis(50)).await.unwrap() {
                    shared.read.fetch_add(fetched.records().count(), Ordering::SeqCst);
                }
                shared.assigned.store(consumer.assignment().len(), Ordering::SeqCst);
            }
            consumer
        });
        Self { seen, task }
    }

    async fn wait_for(&self, read: usize, assigned: usize) {
        let seen =
            || (self.seen.read.load(Ordering::SeqCst), self.seen.assigned.load(Ordering::SeqCst));
        timeout(async {
            while seen() != (read, assigned) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    async fn close(self) {
        self.seen.is_ended.store(true, Ordering::SeqCst);
        self.task.await.unwrap().close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_share_partitions_and_take_over() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let cluster = with(&cluster, |config| {
        config.offset_reset = OffsetReset::Earliest;
        config.heartbeat_interval = Duration::from_millis(200);
        config.poll_interval_max = Duration::from_secs(20);
    });
    let (topic, group) = (topic(&cluster, "shared", 4).await, unique("group"));
    let producer = Producer::new(&cluster);
    let send = async |value: &str| {
        for partition in 0..4 {
            producer
                .send(&topic, partition, NewRecord::new(0, None, Some(value.as_bytes())))
                .await
                .unwrap();
        }
        timeout(producer.flush()).await.unwrap();
    };
    send("first").await;
    let new = || Running::start(Consumer::new(&cluster, &group, &[&topic]).unwrap());
    let one = new();
    one.wait_for(4, 4).await;
    let two = new();
    one.wait_for(4, 2).await;
    two.wait_for(0, 2).await;
    send("second").await;
    one.wait_for(6, 2).await;
    two.wait_for(2, 2).await;
    let description = Admin::new(&cluster).describe_group(&group).await.unwrap().unwrap();
    assert_eq!((description.state.as_str(), description.members.len()), ("Stable", 2));
    assert!(
        Admin::new(&cluster)
            .list_groups()
            .await
            .unwrap()
            .iter()
            .any(|listed| listed.group == group)
    );

    let options = MembershipOptions::new(&cluster, &group, vec![("other".into(), Bytes::new())]);
    let mut other = Membership::new(&cluster, options);
    let error = timeout(other.join(async |_| Ok(Vec::new()))).await.unwrap_err();
    assert!(error.to_string().contains("INCONSISTENT_GROUP_PROTOCOL"), "{error}");

    one.close().await;
    two.wait_for(2, 4).await;
    send("third").await;
    two.wait_for(6, 4).await;
    two.close().await;
    let committed = GroupOffsets::new(&cluster, &group).committed(None).await.unwrap();
    assert_eq!(
        committed.values().map(|committed| committed.offset).collect::<Vec<_>>(),
        [3, 3, 3, 3]
    );
    Admin::new(&cluster).delete_group(&group).await.unwrap();
    assert_eq!(Admin::new(&cluster).describe_group(&group).await.unwrap(), None);
}
