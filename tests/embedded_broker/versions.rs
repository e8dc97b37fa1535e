//! Every version that is advertised is answered, in a form that its client can read.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::Request;

use crate::hostile::samples::each_request;
use crate::start;
use crate::wire::{Wire, text};

#[tokio::test]
async fn each_version_of_each_request_is_answered() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    wire.create("a", 2, &[]).await;
    wire.put("a", &[("a", Some("0")), ("b", Some("1"))]).await;
    let versions = wire.call(3, &ApiVersionsRequest::default()).await;
    for api in &versions.api_keys {
        // Produce is advertised from version 0 for librdkafka's sake, and taken from version 3 on.
        let min = if api.api_key == ProduceRequest::KEY { 3 } else { api.min_version };
        for version in min..=api.max_version {
            for frame in each_request(api.api_key, version) {
                let answered = wire.raw(&frame).await.is_some();
                assert!(answered, "{:?} v{version}", ApiKey::try_from(api.api_key));
            }
        }
    }
}

#[tokio::test]
async fn a_client_from_the_future_learns_the_versions() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    let mut answer = wire.raw(&[0, 18, 0, 99, 0, 0, 0, 7]).await.unwrap();
    let correlation_id = bytes::Buf::get_i32(&mut answer);
    let response =
        <ApiVersionsResponse as kafka_protocol::protocol::Decodable>::decode(&mut answer, 0)
            .unwrap();
    assert_eq!(
        (correlation_id, response.error_code),
        (7, ResponseError::UnsupportedVersion.code())
    );
    assert!(response.api_keys.iter().any(|api| api.api_key == 18 && api.max_version == 3));
}

#[tokio::test]
async fn a_version_that_is_not_offered_ends_the_connection() {
    let broker = start().await;
    let mut wire = Wire::connect(&broker).await;
    assert!(wire.try_call(13, &MetadataRequest::default()).await.is_none());
    let mut wire = Wire::connect(&broker).await;
    let group = ConsumerGroupHeartbeatRequest::default().with_group_id(GroupId(text("g")));
    assert!(wire.try_call(0, &group).await.is_none());
}
