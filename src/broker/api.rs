//! The table of the requests that the broker answers: versions, and the shape that guards their decoding.
use kafka_protocol::messages::ApiKey;

/// One kind of request: what is advertised, and how its body is laid out.
pub(super) struct Api {
    pub(super) key: ApiKey,
    pub(super) min: i16,
    pub(super) max: i16,
    /// The layout, in the notation of [`super::shape`].
    pub(super) shape: &'static str,
}

/// The row of `key`, if the broker answers such requests.
pub(super) fn find(key: i16) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key as i16 == key)
}

/// From these versions of requests on, transactions are of version 2 (KIP-890): partitions and offsets join them by
/// themselves, and each end gives the next epoch.
pub(super) mod transaction_version_2 {
    pub(in crate::broker) const PRODUCE: i16 = 12;
    pub(in crate::broker) const TXN_OFFSET_COMMIT: i16 = 5;
    pub(in crate::broker) const END_TXN: i16 = 5;
}

const fn api(key: ApiKey, min: i16, max: i16, shape: &'static str) -> Api {
    Api { key, min, max, shape }
}

/// Produce is advertised from version 0, as Kafka 4 does, because librdkafka derives compression support from it;
/// requests below version 3 end the connection.
pub(super) static APIS: &[Api] = &[
    api(ApiKey::Produce, 0, 12, "shi[{s[{iB}]}]"),
    api(ApiKey::Fetch, 4, 13, "iiiib7+i7+i[{0-12s13+u[{i9+iq12+i5+qi}]}]7+[{0-12s13+u[i]}]11+s"),
    api(ApiKey::ListOffsets, 1, 7, "i2+b[{s[{i4+iq}]}]"),
    api(ApiKey::Metadata, 0, 12, "[{10+us}]4+b8-10b8+b"),
    api(ApiKey::OffsetCommit, 2, 8, "sis7+s2-4q[{s[{iq6+is}]}]"),
    api(ApiKey::OffsetFetch, 1, 8, "0-7s0-7[{s[i]}]8+[{s[{s[i]}]}]7+b"),
    api(ApiKey::FindCoordinator, 0, 4, "0-3s1+b4+[s]"),
    api(ApiKey::JoinGroup, 0, 9, "si1+is5+ss[{sB}]8+s"),
    api(ApiKey::Heartbeat, 0, 4, "sis3+s"),
    api(ApiKey::LeaveGroup, 0, 5, "s0-2s3+[{ss5+s}]"),
    api(ApiKey::SyncGroup, 0, 5, "sis3+s5+s5+s[{sB}]"),
    api(ApiKey::DescribeGroups, 0, 5, "[s]3+b"),
    api(ApiKey::ListGroups, 0, 5, "4+[s]5+[s]"),
    api(ApiKey::SaslHandshake, 0, 1, "s"),
    api(ApiKey::ApiVersions, 0, 3, "3+s3+s"),
    api(ApiKey::CreateTopics, 2, 7, "[{sih[{i[i]}][{ss}]}]ib"),
    api(ApiKey::DeleteTopics, 1, 6, "6+[{su}]1-5[s]i"),
    api(ApiKey::DeleteRecords, 0, 2, "[{s[{iq}]}]i"),
    api(ApiKey::InitProducerId, 0, 5, "si3+q3+h"),
    api(ApiKey::OffsetForLeaderEpoch, 2, 4, "3+i[{s[{iii}]}]"),
    api(ApiKey::AddPartitionsToTxn, 0, 3, "sqh[{s[i]}]"),
    api(ApiKey::AddOffsetsToTxn, 0, 4, "sqhs"),
    api(ApiKey::EndTxn, 0, 5, "sqhb"),
    api(ApiKey::TxnOffsetCommit, 0, 5, "ssqh3+i3+s3+s[{s[{iq2+is}]}]"),
    api(ApiKey::DescribeConfigs, 1, 4, "[{bs[s]}]b3+b"),
    api(ApiKey::AlterConfigs, 0, 2, "[{bs[{ss}]}]b"),
    api(ApiKey::DescribeLogDirs, 1, 4, "[{s[i]}]"),
    api(ApiKey::SaslAuthenticate, 0, 2, "B"),
    api(ApiKey::CreatePartitions, 0, 3, "[{si[{[i]}]}]ib"),
    api(ApiKey::DeleteGroups, 0, 2, "[s]"),
    api(ApiKey::IncrementalAlterConfigs, 0, 1, "[{bs[{sbs}]}]b"),
    api(ApiKey::OffsetDelete, 0, 0, "s[{s[{i}]}]"),
    api(ApiKey::DescribeCluster, 0, 1, "b1+b"),
    api(ApiKey::DescribeProducers, 0, 0, "[{s[i]}]"),
    api(ApiKey::DescribeTransactions, 0, 0, "[s]"),
    api(ApiKey::ListTransactions, 0, 1, "[s][q]1+q"),
];
