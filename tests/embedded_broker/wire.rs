//! A client that speaks the wire protocol, request by request, and so can do what no real client does.
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{
    ApiKey, CreateTopicsRequest, FetchRequest, MetadataRequest, ProduceRequest, RequestHeader,
    ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, Request, StrBytes};
use millstream::broker::EmbeddedBroker;
use millstream::kafka::records::{BatchBuilder, BatchOptions, HeadersRef, RawBatches};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    correlation_id: i32,
}

/// A record's offset, key and value.
pub(crate) type Row = (i64, Option<String>, Option<String>);

impl Wire {
    pub(crate) async fn connect(broker: &EmbeddedBroker) -> Self {
        Self { stream: TcpStream::connect(broker.address()).await.unwrap(), correlation_id: 0 }
    }

    /// Sends a request and reads its answer.
    pub(crate) async fn call<Q: Request>(&mut self, version: i16, request: &Q) -> Q::Response {
        self.try_call(version, request)
            .await
            .unwrap_or_else(|| panic!("no answer to {} v{version}", Q::KEY))
    }

    /// Sends a request; nothing if the connection breaks.
    pub(crate) async fn try_call<Q: Request>(
        &mut self,
        version: i16,
        request: &Q,
    ) -> Option<Q::Response> {
        self.correlation_id += 1;
        let frame = encode(version, self.correlation_id, request);
        let mut answer = self.raw(&frame).await?;
        let header_version = ApiKey::try_from(Q::KEY).unwrap().response_header_version(version);
        let header = ResponseHeader::decode(&mut answer, header_version).unwrap();
        assert_eq!(header.correlation_id, self.correlation_id);
        let response = Q::Response::decode(&mut answer, version).unwrap();
        assert!(!answer.has_remaining(), "bytes follow the answer to {} v{version}", Q::KEY);
        Some(response)
    }

    /// Sends a frame as it is, and reads one.
    pub(crate) async fn raw(&mut self, frame: &[u8]) -> Option<Bytes> {
        let length = (frame.len() as i32).to_be_bytes();
        self.stream.write_all(&[&length, frame].concat()).await.ok()?;
        let length = self.stream.read_i32().await.ok()?;
        let mut answer = vec![0; length as usize];
        self.stream.read_exact(&mut answer).await.ok()?;
        Some(answer.into())
    }

    pub(crate) async fn create(&mut self, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
        let configs = configs.iter().map(|(name, value)| {
            CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(topic)))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let created = self.call(5, &CreateTopicsRequest::default().with_topics(vec![topic])).await;
        assert_eq!(created.topics[0].error_code, 0, "{:?}", created.topics[0].error_message);
    }

    pub(crate) async fn topic_id(&mut self, topic: &str) -> uuid::Uuid {
        let topic = MetadataRequestTopic::default().with_name(Some(TopicName(text(topic))));
        let request = MetadataRequest::default().with_topics(Some(vec![topic]));
        self.call(12, &request).await.topics[0].topic_id
    }

    /// Produces one batch to partition 0.
    pub(crate) async fn produce(&mut self, topic: &str, batch: Bytes) -> PartitionProduceResponse {
        self.produce_as(9, topic, batch).await
    }

    /// The same, in a version of the request.
    pub(crate) async fn produce_as(
        &mut self,
        version: i16,
        topic: &str,
        batch: Bytes,
    ) -> PartitionProduceResponse {
        let data = PartitionProduceData::default().with_index(0).with_records(Some(batch));
        let topic = TopicProduceData::default()
            .with_name(TopicName(text(topic)))
            .with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(1000)
            .with_topic_data(vec![topic]);
        self.call(version, &request).await.responses.remove(0).partition_responses.remove(0)
    }

    /// Produces records without keys' order mattering, each in a batch of its own.
    pub(crate) async fn put(&mut self, topic: &str, rows: &[(&str, Option<&str>)]) {
        for row in rows {
            assert_eq!(
                self.produce(topic, batch(&[*row], &BatchOptions::default())).await.error_code,
                0
            );
        }
    }

    /// Fetches partition 0 from an offset on.
    pub(crate) async fn fetch(&mut self, topic: &str, from: i64, committed: bool) -> PartitionData {
        let partition =
            FetchPartition::default().with_fetch_offset(from).with_partition_max_bytes(1 << 20);
        let topic = FetchTopic::default()
            .with_topic(TopicName(text(topic)))
            .with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_max_bytes(1 << 20)
            .with_isolation_level(i8::from(committed))
            .with_topics(vec![topic]);
        self.call(11, &request).await.responses.remove(0).partitions.remove(0)
    }

    /// The records of partition 0 from an offset on, markers left out.
    pub(crate) async fn read(&mut self, topic: &str, from: i64) -> Vec<Row> {
        let fetched = self.fetch(topic, from, false).await;
        assert_eq!(fetched.error_code, 0);
        rows(&fetched.records.unwrap_or_default())
    }
}

/// The records of batches, markers left out.
pub(crate) fn rows(batches: &Bytes) -> Vec<Row> {
    let mut rows = Vec::new();
    for raw in RawBatches::new(batches.clone()) {
        let raw = raw.unwrap();
        raw.check_crc().unwrap();
        if raw.header.is_control() {
            continue;
        }
        let batch = raw.open().unwrap();
        let owned =
            |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        rows.extend(
            batch
                .records()
                .map(|record| record.unwrap())
                .map(|record| (record.offset, owned(record.key), owned(record.value))),
        );
    }
    rows
}

/// A batch of records with timestamps from 1,000 on.
pub(crate) fn batch(rows: &[(&str, Option<&str>)], options: &BatchOptions) -> Bytes {
    let mut builder = BatchBuilder::new();
    for (at, (key, value)) in (0..).zip(rows) {
        builder.append(
            1_000 + at,
            Some(key.as_bytes()),
            value.map(str::as_bytes),
            HeadersRef::EMPTY,
        );
    }
    builder.finish(options).unwrap()
}

pub(crate) fn row(offset: i64, key: &str, value: &str) -> Row {
    (offset, Some(key.to_owned()), Some(value.to_owned()))
}

pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A request as a frame, without its length.
pub(crate) fn encode<Q: Request>(version: i16, correlation_id: i32, request: &Q) -> BytesMut {
    let mut frame = BytesMut::new();
    let header = RequestHeader::default()
        .with_request_api_key(Q::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(text("test")));
    header
        .encode(&mut frame, ApiKey::try_from(Q::KEY).unwrap().request_header_version(version))
        .unwrap();
    request.encode(&mut frame, version).unwrap();
    frame
}
