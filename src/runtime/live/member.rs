//! Who runs a query: the member of its group that has stood longest.
//!
//! Every instance that runs a query is a member of the query's consumer group. The leader gives all
//! partitions to one member, the longest-standing, and nothing to the others, which wait.

use bytes::Bytes;

use crate::kafka::group::{
    Assigned, Leadership, Membership, MembershipOptions, decode_assignment, decode_user_data,
    encode_assignment, encode_subscription_of,
};
use crate::kafka::{Cluster, KafkaError, TopicPartition};

/// The protocol of our groups. ksqlDB's members know another one, so that Kafka lets only one of the
/// two run a query.
const PROTOCOL: &str = "millstream";

/// What joining gave: the membership back, and whether this member is to run the query.
pub(super) type Joined = (Membership, Result<bool, KafkaError>);

/// Prepares a membership for the reader of `topics`. `since` is when this instance began to stand
/// for the query; among equals the smaller `instance` wins.
pub(super) fn membership(
    cluster: &Cluster,
    group: &str,
    topics: &[String],
    (since_ms, instance): (i64, u64),
) -> Result<Membership, KafkaError> {
    let mut standing = since_ms.to_be_bytes().to_vec();
    standing.extend_from_slice(&instance.to_be_bytes());
    let metadata = encode_subscription_of(topics, Some(standing.into()))?;
    let options = MembershipOptions::new(cluster, group, vec![(PROTOCOL.to_owned(), metadata)]);
    Ok(Membership::new(cluster, options))
}

/// Joins, and says whether this member runs the query.
pub(super) async fn join(mut membership: Membership, partitions: Vec<TopicPartition>) -> Joined {
    let assign = |leadership: Leadership| {
        let partitions = partitions.clone();
        async move { shares(&leadership, &partitions) }
    };
    let result = membership.join(assign).await;
    let result = result
        .and_then(|assigned: Assigned| Ok(!decode_assignment(&assigned.assignment)?.is_empty()));
    (membership, result)
}

/// Everything to the member that has stood longest.
fn shares(
    leadership: &Leadership,
    partitions: &[TopicPartition],
) -> Result<Vec<(String, Bytes)>, KafkaError> {
    let owner = leadership
        .members
        .iter()
        .min_by_key(|member| (standing(&member.metadata), member.member_id.clone()))
        .map(|member| member.member_id.clone());
    let mut shares = Vec::with_capacity(leadership.members.len());
    for member in &leadership.members {
        let share = if owner.as_ref() == Some(&member.member_id) { partitions } else { &[] };
        shares.push((member.member_id.clone(), encode_assignment(share)?));
    }
    Ok(shares)
}

/// Since when a member stands, as its bytes compare; members that do not say come last.
fn standing(metadata: &Bytes) -> Vec<u8> {
    let user_data = decode_user_data(metadata).ok().flatten();
    user_data.map_or_else(|| vec![u8::MAX; 16], |data| data.to_vec())
}
