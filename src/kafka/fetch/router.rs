//! Knows who leads what is read, keeps a worker for each of them, and finds out what is wrong with what cannot be read.
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::shared::Shared;
use super::state::Wanted;
use super::worker::fetch_from;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;
use crate::kafka::place::look_up;
use crate::kafka::retry::sleep_until;

/// How long it may take to find out where a log begins and ends.
const RANGE_WAIT: Duration = Duration::from_secs(5);

/// Makes partitions ready to be read, until it is dropped. Each topic is asked for by itself, so that none waits for
/// another.
pub(super) async fn route(shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    let mut work = shared.work();
    loop {
        work.borrow_and_update();
        while tasks.try_join_next().is_some() {}
        let lacking = shared.lacking();
        for broker in lacking.workers {
            tasks.spawn(fetch_from(shared.clone(), broker));
        }
        for (topic, partitions) in lacking.look_ups.due {
            tasks.spawn(locate(shared.clone(), topic, partitions));
        }
        for wanted in lacking.out_of_range {
            tasks.spawn(explain(shared.clone(), wanted));
        }
        tokio::select! {
            // Whoever could wake us is gone with the fetcher.
            changed = work.changed() => if changed.is_err() { return },
            () = sleep_until(lacking.look_ups.wake) => {}
        }
    }
}

/// Finds the leaders of partitions of a topic; what does not pass goes to the caller.
async fn locate(shared: Arc<Shared>, topic: Arc<str>, partitions: Vec<i32>) {
    let cluster = &shared.cluster;
    let found = look_up(cluster, &topic, &partitions).await;
    let mut is_all = true;
    for partition in partitions {
        let partition = TopicPartition::new(topic.clone(), partition);
        let locate = |place: &mut crate::kafka::place::Place| {
            place.locate(&partition, &found, cluster.config())
        };
        if let Err(error) = shared.locate(&partition, locate) {
            tracing::info!(%error, "kafka: a partition cannot be read at the moment");
            is_all = false;
        }
    }
    if !is_all && found.is_ok() {
        cluster.forget(&topic);
    }
}

/// Finds out why an offset is not in a log: because the topic is another one now, or because the log is not there.
async fn explain(shared: Arc<Shared>, wanted: Wanted) {
    let TopicPartition { topic, partition } = &wanted.partition;
    let cluster = shared.cluster.with_patience(RANGE_WAIT);
    let was = wanted.topic_id;
    let is = cluster.ask_for(topic).await.map(|found| found.id).unwrap_or_default();
    let topic = topic.to_string();
    if was.differs(is) {
        let made_again = KafkaError::TopicMadeAgain { topic, was, is };
        let locate = |place: &mut crate::kafka::place::Place| {
            place.topic_id = is;
            Ok(())
        };
        let _ = shared.locate(&wanted.partition, locate);
        return shared.fail(&wanted, made_again);
    }
    let admin = Admin::new(&cluster);
    let offset = async |spec| {
        let asked = [(wanted.partition.clone(), spec)];
        let found = admin.list_offsets(&asked, shared.decoder.isolation);
        let found = tokio::time::timeout(RANGE_WAIT, found).await.ok()?.ok()?;
        found.get(&wanted.partition)?.offset
    };
    let (log_start, log_end) =
        tokio::join!(offset(OffsetSpec::Earliest), offset(OffsetSpec::Latest));
    let (partition, offset) = (*partition, wanted.position);
    let error = KafkaError::OffsetOutOfRange { topic, partition, offset, log_start, log_end };
    shared.fail(&wanted, error);
}
