//! Frames that no client should send: the broker closes the connection or answers, and goes on.
pub(crate) mod samples;

use std::net::SocketAddr;
use std::time::Duration;

use kafka_protocol::messages::{ApiVersionsRequest, MetadataRequest};
use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::start;
use crate::wire::Wire;

/// Sends a frame and closes, and waits until the broker has closed too, or waits for something itself.
async fn send(address: SocketAddr, frame: Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The broker may close at any time.
    let _ = stream.write_i32(frame.len() as i32).await;
    let _ = stream.write_all(&frame).await;
    let _ = stream.shutdown().await;
    let _ =
        tokio::time::timeout(Duration::from_millis(200), stream.read_to_end(&mut Vec::new())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_requests_do_no_harm() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 2, &[]).await;
    wire.put("a", &[("a", Some("0")), ("b", Some("1"))]).await;
    let versions = wire.call(3, &ApiVersionsRequest::default()).await.api_keys;
    let all = versions.iter().flat_map(|api| {
        (api.min_version.max(0)..=api.max_version).map(|version| (api.api_key, version))
    });
    let samples: Vec<_> =
        all.flat_map(|(key, version)| samples::each_request(key, version)).collect();
    let mut sending = tokio::task::JoinSet::new();
    let mut random = ChaCha8Rng::seed_from_u64(7);
    for sample in samples {
        for _ in 0..16 {
            let mut frame = sample.to_vec();
            for _ in 0..random.random_range(1..4) {
                // The first eight bytes choose the request, and are changed seldom.
                let from = if random.random_ratio(1, 10) { 0 } else { 8.min(frame.len() - 1) };
                let at = random.random_range(from..frame.len());
                match random.random_range(0..4) {
                    0 => frame[at] = random.random(),
                    1 => frame[at] ^= 1 << random.random_range(0..8),
                    2 => frame[at] = 0xff,
                    _ => frame.truncate(at.max(1)),
                }
            }
            if sending.len() >= 32 {
                sending.join_next().await;
            }
            sending.spawn(send(broker.address(), frame));
        }
    }
    sending.join_all().await;
    let mut wire = Wire::connect(&broker).await;
    assert!(!wire.call(12, &MetadataRequest::default().with_topics(None)).await.topics.is_empty());
}

#[tokio::test]
async fn a_claimed_length_is_not_reserved() {
    let broker = start().await;
    // ListGroups v5 and CreateTopics v2, claiming two billion elements.
    let compact =
        [&[0, 16, 0, 5, 0, 0, 0, 1, 0, 0, 0][..], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    let plain = [&[0, 19, 0, 2, 0, 0, 0, 1, 0, 0][..], &[0x7f, 0xff, 0xff, 0xff]].concat();
    for frame in [compact, plain] {
        assert!(Wire::connect(&broker).await.raw(&frame).await.is_none());
    }
    for length in [i32::MAX, -1, (100 << 20) + 1] {
        let mut stream = TcpStream::connect(broker.address()).await.unwrap();
        stream.write_i32(length).await.unwrap();
        assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    }
    assert!(Wire::connect(&broker).await.try_call(12, &MetadataRequest::default()).await.is_some());
}

#[tokio::test]
async fn a_connection_too_many_is_refused() {
    let config = EmbeddedConfig { connections_max: 1, ..EmbeddedConfig::default() };
    let broker = EmbeddedBroker::start(config).await.unwrap();
    let mut first = Wire::connect(&broker).await;
    first.call(12, &MetadataRequest::default()).await;
    assert!(Wire::connect(&broker).await.try_call(12, &MetadataRequest::default()).await.is_none());
    first.call(12, &MetadataRequest::default()).await;
}
