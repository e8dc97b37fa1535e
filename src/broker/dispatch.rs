//! From a frame to its answer: header, version, shape, the handler of the request, and back.
use std::sync::Arc;

use bytes::{Buf, Bytes};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::api_versions_response::{
    ApiVersion, ApiVersionsResponse, FinalizedFeatureKey,
};
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, RequestHeader};
use kafka_protocol::protocol::{Decodable, Request, StrBytes};

use super::api::{APIS, Api, find};
use super::call::{Call, Pieces, encode};
use super::client::Client;
use super::error::ConnectionError;
use super::shared::Broker;
use super::{
    admin, cluster, config_api, fetch, group_admin, group_api, group_offsets, offsets, produce,
    sasl, shape, transaction_api,
};

/// Answers one frame.
pub(super) async fn answer(
    broker: &Arc<Broker>,
    client: &mut Client,
    mut frame: Bytes,
) -> Result<Pieces, ConnectionError> {
    if client.session.expects_token() {
        return sasl::raw_token(broker, client, &frame).map(Some);
    }
    let (key, version) = match (frame.get(0..2), frame.get(2..4)) {
        (Some(key), Some(version)) => (two(key), two(version)),
        _ => return Err(ConnectionError::Malformed("it has no header")),
    };
    let api = find(key).ok_or(ConnectionError::Malformed("its kind is not known"))?;
    let supported = (api.min..=api.max).contains(&version);
    if !supported && api.key == ApiKey::ApiVersions {
        // The client learns which versions there are, in the one form that every client reads.
        let correlation_id = frame.get(4..8).map_or(0, |mut id| id.get_i32());
        let call = Call { api, version: 0, correlation_id, client_id: StrBytes::default() };
        return encode(&call, &versions(broker, ResponseError::UnsupportedVersion.code()))
            .map(Some);
    }
    if !supported {
        return Err(ConnectionError::Malformed("its version is not offered"));
    }
    let header_version = api.key.request_header_version(version);
    let header_shape = if header_version >= 2 { "hhi" } else { "hhis" };
    if !shape::fits(header_shape, 0, false, &frame) {
        return Err(ConnectionError::Malformed("its header is too short"));
    }
    let header = RequestHeader::decode(&mut frame, header_version);
    let header = header.map_err(|_| ConnectionError::Malformed("its header"))?;
    let client_id = header.client_id.unwrap_or_default();
    let call = Call { api, version, correlation_id: header.correlation_id, client_id };
    if broker.config.sasl.is_some() && !client.session.admits(api.key) {
        return Err(ConnectionError::Unauthenticated);
    }
    handle(broker, client, &call, frame).await
}

fn two(bytes: &[u8]) -> i16 {
    i16::from_be_bytes([bytes[0], bytes[1]])
}

/// The requests that wait are handled here, all others by [`handle_now`].
async fn handle(
    broker: &Arc<Broker>,
    client: &mut Client,
    call: &Call,
    body: Bytes,
) -> Result<Pieces, ConnectionError> {
    match call.api.key {
        ApiKey::Produce if call.version < 3 => {
            Err(ConnectionError::Malformed("its records are of a format before 2"))
        }
        ApiKey::Produce => match produce::produce(broker, call, decode(call, body)?).await {
            Some(response) => encode(call, &response).map(Some),
            None => Ok(None),
        },
        ApiKey::Fetch => fetch::fetch(broker, call, decode(call, body)?).await.map(Some),
        ApiKey::JoinGroup => {
            let response = group_api::join(broker, client, call, decode(call, body)?).await;
            encode(call, &response).map(Some)
        }
        ApiKey::SyncGroup => {
            let response = group_api::sync(broker, call, decode(call, body)?).await;
            encode(call, &response).map(Some)
        }
        ApiKey::SaslHandshake => {
            run(call, body, |request| sasl::handshake(broker, client, call, &request))
        }
        ApiKey::SaslAuthenticate => {
            run(call, body, |request| sasl::authenticate(broker, client, &request))
        }
        _ => handle_now(broker, call, body),
    }
}

fn handle_now(broker: &Broker, call: &Call, body: Bytes) -> Result<Pieces, ConnectionError> {
    match call.api.key {
        ApiKey::ApiVersions => run(call, body, |_: ApiVersionsRequest| versions(broker, 0)),
        ApiKey::Metadata => run(call, body, |request| cluster::metadata(broker, call, request)),
        ApiKey::DescribeCluster => {
            run(call, body, |request| cluster::describe(broker, call, &request))
        }
        ApiKey::FindCoordinator => {
            run(call, body, |request| cluster::find_coordinator(broker, call, request))
        }
        ApiKey::DescribeLogDirs => {
            run(call, body, |request| cluster::log_dirs(broker, call, &request))
        }
        ApiKey::ListOffsets => run(call, body, |request| offsets::list(broker, call, request)),
        ApiKey::OffsetForLeaderEpoch => {
            run(call, body, |request| offsets::of_epoch(broker, request))
        }
        ApiKey::CreateTopics => {
            run(call, body, |request| admin::create_topics(broker, call, request))
        }
        ApiKey::DeleteTopics => {
            run(call, body, |request| admin::delete_topics(broker, call, request))
        }
        ApiKey::CreatePartitions => {
            run(call, body, |request| admin::create_partitions(broker, request))
        }
        ApiKey::DeleteRecords => run(call, body, |request| admin::delete_records(broker, request)),
        ApiKey::DescribeConfigs => {
            run(call, body, |request| config_api::describe(broker, call, request))
        }
        ApiKey::AlterConfigs => run(call, body, |request| config_api::replace(broker, request)),
        ApiKey::IncrementalAlterConfigs => {
            run(call, body, |request| config_api::alter(broker, request))
        }
        ApiKey::Heartbeat => run(call, body, |request| group_api::heartbeat(broker, &request)),
        ApiKey::LeaveGroup => run(call, body, |request| group_api::leave(broker, call, request)),
        ApiKey::OffsetCommit => run(call, body, |request| group_offsets::commit(broker, request)),
        ApiKey::OffsetFetch => {
            run(call, body, |request| group_offsets::fetch(broker, call, request))
        }
        ApiKey::OffsetDelete => run(call, body, |request| group_offsets::delete(broker, request)),
        ApiKey::ListGroups => run(call, body, |request| group_admin::list(broker, call, &request)),
        ApiKey::DescribeGroups => {
            run(call, body, |request| group_admin::describe(broker, call, request))
        }
        ApiKey::DeleteGroups => run(call, body, |request| group_admin::delete(broker, request)),
        ApiKey::InitProducerId => {
            run(call, body, |request| transaction_api::init(broker, call, &request))
        }
        ApiKey::AddPartitionsToTxn => {
            run(call, body, |request| transaction_api::add_partitions(broker, call, &request))
        }
        ApiKey::AddOffsetsToTxn => {
            run(call, body, |request| transaction_api::add_offsets(broker, call, &request))
        }
        ApiKey::TxnOffsetCommit => {
            run(call, body, |request| transaction_api::commit_offsets(broker, call, request))
        }
        ApiKey::EndTxn => run(call, body, |request| transaction_api::end(broker, call, &request)),
        ApiKey::DescribeProducers => {
            run(call, body, |request| transaction_api::describe_producers(broker, request))
        }
        ApiKey::DescribeTransactions => {
            run(call, body, |request| transaction_api::describe(broker, request))
        }
        ApiKey::ListTransactions => {
            run(call, body, |request| transaction_api::list(broker, &request))
        }
        _ => Err(ConnectionError::Malformed("its kind is not answered")),
    }
}

fn run<Q: Request>(
    call: &Call,
    body: Bytes,
    handler: impl FnOnce(Q) -> Q::Response,
) -> Result<Pieces, ConnectionError> {
    let response = handler(decode(call, body)?);
    encode(call, &response).map(Some)
}

fn decode<Q: Decodable>(call: &Call, mut body: Bytes) -> Result<Q, ConnectionError> {
    let flexible = call.api.key.request_header_version(call.version) >= 2;
    if !shape::fits(call.api.shape, call.version, flexible, &body) {
        return Err(ConnectionError::Malformed(
            "its body is not laid out as its kind and version say",
        ));
    }
    Q::decode(&mut body, call.version).map_err(|_| ConnectionError::Malformed("its body"))
}

fn versions(broker: &Broker, error: i16) -> ApiVersionsResponse {
    let row = |api: &Api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.min)
            .with_max_version(api.max)
    };
    let transactions = FinalizedFeatureKey::default()
        .with_name(StrBytes::from_static_str("transaction.version"))
        .with_max_version_level(broker.config.transaction_version)
        .with_min_version_level(broker.config.transaction_version);
    ApiVersionsResponse::default()
        .with_error_code(error)
        .with_finalized_features_epoch(0)
        .with_finalized_features(vec![transactions])
        .with_api_keys(APIS.iter().map(row).collect())
}
