//! The records of a topic as they are, for whoever looks at them.

use std::time::Duration;

use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::records::Headers;
use serde_json::{Value, json};

use crate::world::{Ksql, World};

/// The first so many lines of an answer that does not end.
async fn first(ksql: &Ksql, asked: &str, count: usize) -> Vec<Value> {
    let url = format!("{}/v1/millstream/records?{asked}", ksql.url());
    let mut response = crate::world::client().get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let mut text = String::new();
    loop {
        let lines: Vec<Value> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if lines.len() >= count {
            return lines;
        }
        let chunk = tokio::time::timeout(Duration::from_secs(30), response.chunk()).await;
        let chunk = chunk.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_told_with_their_headers_from_an_offset_or_a_time_on() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run("CREATE STREAM s (id VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='t', PARTITIONS=1, VALUE_FORMAT='JSON');")
        .await;
    let producer = Producer::new(&world.cluster());
    let mut headers = Headers::new();
    headers.push(b"trace", Some(b"7"));
    headers.push(b"empty", None);
    for n in 0..5_i64 {
        let value = format!("{{\"N\":{n}}}");
        let record = NewRecord::new(1_000 * n, Some(b"k"), Some(value.as_bytes()));
        let record = NewRecord { headers: headers.as_ref(), ..record };
        producer.send("t", 0, record).await.unwrap();
    }
    producer.send("t", 0, NewRecord::new(9_000, None, None)).await.unwrap();
    producer.flush().await.unwrap();
    let all = first(&ksql, "topic=t&from=earliest", 6).await;
    let expected = json!({
        "partition": 0, "offset": 3, "timestamp": 3_000, "key": "k", "value": "{\"N\":3}",
        "headers": [["trace", "7"], ["empty", null]],
    });
    assert_eq!(all[3], expected);
    assert_eq!((&all[5]["key"], &all[5]["value"]), (&Value::Null, &Value::Null));
    let offsets = async |from: &str, count| -> Vec<Value> {
        let found = first(&ksql, &format!("topic=t&from={from}"), count).await;
        found.iter().map(|record| record["offset"].clone()).collect()
    };
    assert_eq!(offsets("offset:4", 2).await, [4, 5]);
    assert_eq!(offsets("time:2500", 3).await, [3, 4, 5]);
    let (status, refused) = ksql.get("/v1/millstream/records?topic=none").await;
    assert_eq!((status, refused.contains("there is no topic none")), (400, true));
    ksql.stop().await;
}
