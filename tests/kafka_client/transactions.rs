//! Records and offsets that count together or not at all.
use millstream::broker::{EmbeddedBroker, Fault};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::{CommittedOffset, GroupMetadata, GroupOffsets};
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::{Cluster, KafkaError, TopicPartition};

use crate::support::{
    Broker, broker, faulty, faulty_before_4, from_start, read, timeout, topic, unique,
};
use crate::support::{COMMIT, END_TRANSACTION, PRODUCE};

#[tokio::test(flavor = "multi_thread")]
async fn transactions_count_together_or_not_at_all() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let (topic, id, group) =
        (topic(&cluster, "transactions", 2).await, unique("id"), unique("group"));
    let producer = Producer::transactional(&cluster, &id);
    timeout(producer.init_transactions()).await.unwrap();
    let input = TopicPartition::new(topic.as_str(), 1);
    for round in 0..6i64 {
        producer.begin_transaction().unwrap();
        for partition in 0..2 {
            let value = format!("round {round}");
            producer
                .send(&topic, partition, NewRecord::new(round, None, Some(value.as_bytes())))
                .await
                .unwrap();
        }
        let offsets = [(input.clone(), CommittedOffset { offset: round, metadata: "note".into() })];
        timeout(producer.send_offsets_to_transaction(&offsets, &GroupMetadata::outside(&group)))
            .await
            .unwrap();
        if round % 2 == 0 {
            timeout(producer.commit_transaction()).await.unwrap();
        } else {
            timeout(producer.flush()).await.unwrap();
            timeout(producer.abort_transaction()).await.unwrap();
        }
    }
    let committed = Fetcher::with_options(&cluster, Isolation::ReadCommitted, 1 << 20);
    committed.assign(from_start(&topic, 2));
    let mut values: Vec<_> =
        read(&committed, 6).await.into_iter().map(|record| (record.0, record.2)).collect();
    values.sort();
    let expected = [
        (0, "round 0"),
        (0, "round 2"),
        (0, "round 4"),
        (1, "round 0"),
        (1, "round 2"),
        (1, "round 4"),
    ];
    assert_eq!(values, expected.map(|(partition, value)| (partition, value.to_owned())));
    let all = Fetcher::new(&cluster);
    all.assign(from_start(&topic, 2));
    assert_eq!(read(&all, 12).await.len(), 12);
    let offsets = GroupOffsets::new(&cluster, &group).committed(None).await.unwrap();
    assert_eq!(offsets, [(input, CommittedOffset { offset: 4, metadata: "note".into() })].into());

    let newer = Producer::transactional(&cluster, &id);
    timeout(newer.init_transactions()).await.unwrap();
    producer.begin_transaction().unwrap();
    producer.send(&topic, 0, NewRecord::new(0, None, Some(b"stale"))).await.unwrap();
    timeout(producer.commit_transaction()).await.unwrap_err();
    // From the broker of a partition it may have heard no more than that its epoch is an old one.
    let fenced = KafkaError::ProducerFenced { transactional_id: id };
    assert_eq!(timeout(producer.abort_transaction()).await.unwrap_err(), fenced);
    assert_eq!(producer.begin_transaction().unwrap_err(), fenced);
    newer.begin_transaction().unwrap();
    newer.send(&topic, 0, NewRecord::new(0, None, Some(b"fresh"))).await.unwrap();
    timeout(newer.commit_transaction()).await.unwrap();
    assert_eq!(read(&committed, 1).await[0].2, "fresh");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_survives_lost_answers() {
    survives_lost_answers(faulty().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_before_kafka_4_survives_lost_answers() {
    survives_lost_answers(faulty_before_4().await).await;
}

async fn survives_lost_answers((cluster, embedded): (Cluster, EmbeddedBroker)) {
    let topic = topic(&cluster, "faults", 1).await;
    let producer = Producer::transactional(&cluster, &unique("id"));
    timeout(producer.init_transactions()).await.unwrap();
    for round in 0..3 {
        for api in [PRODUCE, END_TRANSACTION, COMMIT] {
            embedded.faults().inject(api, Fault::DropAnswer);
        }
        producer.begin_transaction().unwrap();
        let value = round.to_string();
        producer.send(&topic, 0, NewRecord::new(0, None, Some(value.as_bytes()))).await.unwrap();
        timeout(producer.commit_transaction()).await.unwrap();
        GroupOffsets::new(&cluster, "group")
            .commit(&[(TopicPartition::new(topic.as_str(), 0), CommittedOffset::new(round))])
            .await
            .unwrap();
    }
    let fetcher = Fetcher::with_options(&cluster, Isolation::ReadCommitted, 1 << 20);
    fetcher.assign(from_start(&topic, 1));
    let values: Vec<_> = read(&fetcher, 3).await.into_iter().map(|record| record.2).collect();
    assert_eq!(values, ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_aborted_leaves_nothing_behind_for_the_next_transaction() {
    let ours = broker().await;
    let (cluster, embedded) = faulty_before_4().await;
    let before_4 = (cluster, Some(embedded));
    for (cluster, _embedded) in [(ours.cluster, ours.embedded), before_4] {
        let topic = topic(&cluster, "aborts", 2).await;
        let producer = Producer::transactional(&cluster, &unique("id"));
        timeout(producer.init_transactions()).await.unwrap();
        for round in 0..9 {
            producer.begin_transaction().unwrap();
            let value = round.to_string();
            let record = NewRecord::new(0, None, Some(value.as_bytes()));
            // Written, or still waiting, or nothing at all.
            if round % 3 != 2 {
                producer.send(&topic, round % 2, record).await.unwrap();
            }
            match round % 3 {
                0 => timeout(producer.commit_transaction()).await.unwrap(),
                _ => timeout(producer.abort_transaction()).await.unwrap(),
            }
        }
        let fetcher = Fetcher::with_options(&cluster, Isolation::ReadCommitted, 1 << 20);
        fetcher.assign(from_start(&topic, 2));
        let mut values: Vec<_> =
            read(&fetcher, 3).await.into_iter().map(|record| record.2).collect();
        values.sort();
        assert_eq!(values, ["0", "3", "6"]);
    }
}
