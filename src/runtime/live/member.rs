//! Who runs a query: the member of its group that has stood longest.
//!
//! Every instance that runs a query is a member of the query's consumer group. The leader gives all
//! partitions to one member, the longest-standing, and nothing to the others, which wait.

use std::sync::Arc;

use bytes::Bytes;

use crate::kafka::admin::GroupMemberDescription;
use crate::kafka::group::{
    Assigned, Leadership, Membership, MembershipOptions, decode_assignment, decode_user_data,
    encode_assignment, encode_subscription_of,
};
use crate::kafka::{Cluster, KafkaError, TopicPartition};

/// The protocol of our groups. ksqlDB's members know another one, so that Kafka lets only one of the
/// two run a query.
const PROTOCOL: &str = "millstream";

/// How many bytes of what a member says of itself tell when it began, and which instance it is.
const STANDING_BYTES: usize = 16;

/// By what members are told apart.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// When the instance began to stand for its queries.
    pub(super) since_ms: i64,
    /// A number that no other instance has.
    pub(super) instance: u64,
    /// The `group.instance.id` by which it finds its own place again after a restart, if it has one.
    pub(super) static_id: Option<String>,
    /// The URL at which the instance is asked for what its queries keep, if it is.
    pub(super) url: Option<Arc<str>>,
}

/// Prepares a membership for the reader of `topics`; among those that began at the same time
/// the smaller instance wins.
pub(super) fn membership(
    cluster: &Cluster,
    group: &str,
    topics: &[String],
    standing: &Standing,
) -> Result<Membership, KafkaError> {
    let mut user_data = standing.since_ms.to_be_bytes().to_vec();
    user_data.extend_from_slice(&standing.instance.to_be_bytes());
    user_data.extend_from_slice(standing.url.as_deref().unwrap_or_default().as_bytes());
    let metadata = encode_subscription_of(topics, Some(user_data.into()))?;
    let mut options = MembershipOptions::new(cluster, group, vec![(PROTOCOL.to_owned(), metadata)]);
    if standing.static_id.is_some() {
        options.instance_id.clone_from(&standing.static_id);
    }
    Ok(Membership::new(cluster, options))
}

/// Joins, and says whether this member runs the query.
pub(super) async fn join(
    membership: &mut Membership,
    partitions: &[TopicPartition],
) -> Result<bool, KafkaError> {
    let assign = |leadership: Leadership| async move { shares(&leadership, partitions) };
    let assigned: Assigned = membership.join(assign).await?;
    Ok(!decode_assignment(&assigned.assignment)?.is_empty())
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
    let standing = user_data.as_ref().map(|data| &data[..data.len().min(STANDING_BYTES)]);
    standing.map_or_else(|| vec![u8::MAX; STANDING_BYTES], <[u8]>::to_vec)
}

/// The URL of the instance that runs a query, by the members of its group, if it has said one.
pub fn runner_url(members: &[GroupMemberDescription]) -> Option<String> {
    let runs = |member: &&GroupMemberDescription| {
        decode_assignment(&member.assignment).is_ok_and(|partitions| !partitions.is_empty())
    };
    let runner = members.iter().find(runs)?;
    let user_data = decode_user_data(&runner.metadata).ok()??;
    let url = user_data.get(STANDING_BYTES..).filter(|url| !url.is_empty())?;
    std::str::from_utf8(url).ok().map(str::to_owned)
}
