//! The requests that this client makes, each with the versions that it can make them in.
//!
//! The lowest versions are those of Kafka 2.4. The highest are where the shape of a request changes in a way that this
//! client has no use for (topic ids in produce requests, several groups in a request), so that each
//! request is built one way: encoding refuses a field that the version in use does not have.
//!
//! What a version of a request means beside its shape, as in transactions of version 2, is for its caller to choose.
use kafka_protocol::messages as m;
use kafka_protocol::protocol::Request;

/// A request that this client makes.
pub(super) trait Api: Request<Response: Send> + Send + Sync {
    /// Kafka's name of the request.
    const NAME: &'static str;
    /// The lowest version that is made.
    const MIN: i16;
    /// The highest version that is made.
    const MAX: i16;
}

macro_rules! apis {
    ($($request:ident $name:literal $min:literal..$max:literal;)*) => {
        $(impl Api for m::$request {
            const NAME: &'static str = $name;
            const MIN: i16 = $min;
            const MAX: i16 = $max;
        })*
    };
}

apis! {
    ApiVersionsRequest "ApiVersions" 0..3;
    MetadataRequest "Metadata" 4..12;
    ProduceRequest "Produce" 7..11;
    FetchRequest "Fetch" 11..13;
    ListOffsetsRequest "ListOffsets" 4..7;
    FindCoordinatorRequest "FindCoordinator" 1..3;
    JoinGroupRequest "JoinGroup" 5..9;
    SyncGroupRequest "SyncGroup" 3..4;
    HeartbeatRequest "Heartbeat" 3..4;
    LeaveGroupRequest "LeaveGroup" 3..4;
    OffsetCommitRequest "OffsetCommit" 7..8;
    OffsetFetchRequest "OffsetFetch" 7..7;
    OffsetDeleteRequest "OffsetDelete" 0..0;
    ListGroupsRequest "ListGroups" 0..3;
    DescribeGroupsRequest "DescribeGroups" 3..5;
    DeleteGroupsRequest "DeleteGroups" 1..2;
    CreateTopicsRequest "CreateTopics" 4..7;
    DeleteTopicsRequest "DeleteTopics" 3..5;
    CreatePartitionsRequest "CreatePartitions" 1..3;
    DeleteRecordsRequest "DeleteRecords" 1..2;
    DescribeConfigsRequest "DescribeConfigs" 1..4;
    IncrementalAlterConfigsRequest "IncrementalAlterConfigs" 0..1;
    InitProducerIdRequest "InitProducerId" 1..4;
    AddPartitionsToTxnRequest "AddPartitionsToTxn" 0..3;
    AddOffsetsToTxnRequest "AddOffsetsToTxn" 0..3;
    TxnOffsetCommitRequest "TxnOffsetCommit" 2..3;
    EndTxnRequest "EndTxn" 0..3;
    SaslHandshakeRequest "SaslHandshake" 1..1;
    SaslAuthenticateRequest "SaslAuthenticate" 0..2;
}

/// The versions of requests by which a transaction is one of version 2 (KIP-890): partitions and offsets join it by
/// themselves, and its end gives the epoch of the next one.
pub(super) mod transaction_version_2 {
    pub(in crate::kafka) const PRODUCE: i16 = 12;
    pub(in crate::kafka) const TXN_OFFSET_COMMIT: i16 = 5;
    pub(in crate::kafka) const END_TXN: i16 = 5;
}
