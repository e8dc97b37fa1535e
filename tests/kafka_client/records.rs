//! Records out and in: codecs, many partitions, large ones.
use std::time::Duration;

use millstream::kafka::TopicPartition;
use millstream::kafka::compression::Compression;
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::records::{BatchBuilder, Headers, HeadersRef};

use crate::support::{Broker, broker, from_start, read, timeout, topic, with};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_with_every_codec() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    for codec in Compression::ALL {
        let cluster = with(&cluster, |config| config.compression = codec);
        let topic = topic(&cluster, codec.name(), 1).await;
        let producer = Producer::new(&cluster);
        let headers: Headers =
            [(&b"h"[..], Some(&b"1"[..])), (b"h", None), (b"", Some(b""))].into_iter().collect();
        for index in 0..1000i64 {
            let value = format!("reading {index}").repeat(10);
            let record = NewRecord::new(index, Some(b"key"), Some(value.as_bytes()));
            producer
                .send(&topic, 0, NewRecord { headers: headers.as_ref(), ..record })
                .await
                .unwrap();
        }
        producer.send(&topic, 0, NewRecord::new(7, None, None)).await.unwrap();
        let last = producer
            .send_acknowledged(&topic, 0, NewRecord::new(8, None, Some(b"")))
            .await
            .unwrap();
        timeout(producer.flush()).await.unwrap();
        assert_eq!(last.await.unwrap().unwrap().offset, Some(1001));
        let fetcher = Fetcher::new(&cluster);
        fetcher.assign(from_start(&topic, 1));
        let mut found = Vec::new();
        while found.len() < 1002 {
            for fetched in timeout(fetcher.poll(Duration::from_secs(5))).await.unwrap() {
                assert_eq!(fetched.position, found.len() as i64);
                for record in fetched.records() {
                    let record = record.unwrap();
                    let headers: Vec<_> = record
                        .headers
                        .iter()
                        .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                        .collect();
                    found.push((
                        record.timestamp,
                        record.key.map(<[u8]>::to_vec),
                        record.value.map(<[u8]>::to_vec),
                        headers,
                    ));
                }
            }
        }
        assert_eq!(found[999].0, 999);
        assert_eq!(found[5].2.as_deref(), Some("reading 5".repeat(10).as_bytes()));
        let expected = vec![
            (b"h".to_vec(), Some(b"1".to_vec())),
            (b"h".to_vec(), None),
            (vec![], Some(vec![])),
        ];
        assert_eq!(found[999].3, expected);
        assert_eq!(found[1000], (7, None, None, vec![]));
        assert_eq!(found[1001], (8, None, Some(vec![]), vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_partitions_are_read_at_once_and_in_order() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "many", 6).await;
    let producer = Producer::new(&cluster);
    for batch in 0..60 {
        let mut builder = BatchBuilder::new();
        for index in 0..500 {
            let value = format!("{batch}-{index}");
            builder.append(index, None, Some(value.as_bytes()), HeadersRef::EMPTY);
        }
        producer.send_batch(&topic, batch % 6, builder).await.unwrap();
    }
    timeout(producer.flush()).await.unwrap();
    // A small limit makes many fetches, none of which may be lost or come twice.
    let fetcher = Fetcher::with_options(&cluster, Isolation::ReadUncommitted, 20_000);
    fetcher.assign(from_start(&topic, 6));
    let records = read(&fetcher, 30_000).await;
    for partition in 0..6 {
        let offsets: Vec<_> =
            records.iter().filter(|record| record.0 == partition).map(|record| record.1).collect();
        assert_eq!(offsets, (0..5000).collect::<Vec<_>>());
    }
    let first = TopicPartition::new(topic.as_str(), 0);
    assert_eq!(fetcher.progress(&first).unwrap().high_watermark, 5000);
    fetcher.pause(fetcher.assignment().iter());
    fetcher.seek(&first, 4990);
    assert_eq!(fetcher.poll(Duration::from_millis(300)).await.unwrap(), []);
    fetcher.resume([&first]);
    assert_eq!(read(&fetcher, 10).await[0].1, 4990);
    fetcher.seek(&first, 9999);
    let error = timeout(fetcher.poll(Duration::from_secs(20))).await.unwrap_err();
    let expected = format!("{topic}-0 has no offset 9999, it begins at 0 and ends before 5000");
    assert_eq!(error.to_string(), expected);
    fetcher.seek(&first, 4999);
    assert_eq!(read(&fetcher, 1).await[0].1, 4999);
}
