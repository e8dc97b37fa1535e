//! How ordinary consumers share partitions, exactly as Java's do, so that both may be in one group.
use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::consumer_protocol_assignment::TopicPartition as AssignedTopic;
use kafka_protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::metadata::JoinedMember;
use crate::kafka::cluster::{text, topic_name};
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// The newest version of the consumer protocol that is read.
const VERSION_MAX: i16 = 3;

/// A way of sharing partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Each topic is cut into as many ranges as there are members.
    Range,
    /// The partitions of all topics are dealt out like cards.
    RoundRobin,
}

/// A member and what it wants to read, in the order in which partitions are given out.
struct Subscriber<'a> {
    member: &'a JoinedMember,
    topics: Vec<String>,
}

impl Strategy {
    /// The strategies, best first.
    pub const ALL: [Self; 2] = [Self::Range, Self::RoundRobin];

    /// The name of the protocol.
    pub fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
        }
    }

    /// Shares out topics, given with how many partitions each has, to members by their subscriptions.
    pub fn assign(
        self,
        members: &[JoinedMember],
        topics: &BTreeMap<String, i32>,
    ) -> Result<Vec<(String, Vec<TopicPartition>)>, KafkaError> {
        let subscriber = |member| -> Result<_, KafkaError> {
            Ok(Subscriber { member, topics: decode_subscription(&member.metadata)? })
        };
        let mut subscribers: Vec<_> = members.iter().map(subscriber).collect::<Result<_, _>>()?;
        // Static members come first, as they keep their place over a restart.
        subscribers.sort_by_key(|subscriber| {
            let JoinedMember { member_id, instance_id, .. } = subscriber.member;
            (instance_id.is_none(), instance_id.clone(), member_id.clone())
        });
        let mut shares = vec![Vec::new(); subscribers.len()];
        match self {
            Self::Range => range(&subscribers, topics, &mut shares),
            Self::RoundRobin => round_robin(&subscribers, topics, &mut shares),
        }
        let names = subscribers.iter().map(|subscriber| subscriber.member.member_id.clone());
        Ok(names.zip(shares).collect())
    }
}

fn range(
    subscribers: &[Subscriber<'_>],
    topics: &BTreeMap<String, i32>,
    shares: &mut [Vec<TopicPartition>],
) {
    for (topic, partitions) in topics {
        let takers: Vec<_> = (0..subscribers.len())
            .filter(|index| subscribers[*index].topics.contains(topic))
            .collect();
        let count = i32::try_from(takers.len()).unwrap_or(i32::MAX);
        let mut next = 0;
        for (place, taker) in takers.into_iter().enumerate() {
            let share = partitions / count + i32::from((place as i32) < partitions % count);
            shares[taker].extend(
                (next..next + share)
                    .map(|partition| TopicPartition::new(topic.as_str(), partition)),
            );
            next += share;
        }
    }
}

fn round_robin(
    subscribers: &[Subscriber<'_>],
    topics: &BTreeMap<String, i32>,
    shares: &mut [Vec<TopicPartition>],
) {
    let mut next = 0;
    for (topic, partitions) in topics {
        if !subscribers.iter().any(|subscriber| subscriber.topics.contains(topic)) {
            continue;
        }
        for partition in 0..*partitions {
            while !subscribers[next].topics.contains(topic) {
                next = (next + 1) % subscribers.len();
            }
            shares[next].push(TopicPartition::new(topic.as_str(), partition));
            next = (next + 1) % subscribers.len();
        }
    }
}

/// What a consumer of these topics joins with.
pub fn encode_subscription(topics: &[String]) -> Result<Bytes, KafkaError> {
    let topics = topics.iter().map(|topic| text(topic)).collect();
    encode(&ConsumerProtocolSubscription::default().with_topics(topics), "subscription")
}

/// What a consumer of these topics joins with, and what it tells the leader beside them.
pub fn encode_subscription_of(
    topics: &[String],
    user_data: Option<Bytes>,
) -> Result<Bytes, KafkaError> {
    let topics = topics.iter().map(|topic| text(topic)).collect();
    let subscription = ConsumerProtocolSubscription::default();
    encode(&subscription.with_topics(topics).with_user_data(user_data), "subscription")
}

/// What a member tells the leader beside its topics.
pub fn decode_user_data(metadata: &Bytes) -> Result<Option<Bytes>, KafkaError> {
    let subscription: ConsumerProtocolSubscription = decode(metadata, "subscription")?;
    Ok(subscription.user_data)
}

/// The topics that a member wants to read.
pub fn decode_subscription(metadata: &Bytes) -> Result<Vec<String>, KafkaError> {
    let subscription: ConsumerProtocolSubscription = decode(metadata, "subscription")?;
    Ok(subscription.topics.iter().map(ToString::to_string).collect())
}

/// What the leader tells a member.
pub fn encode_assignment(partitions: &[TopicPartition]) -> Result<Bytes, KafkaError> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    let topic = |(name, partitions): (&str, Vec<i32>)| {
        AssignedTopic::default().with_topic(topic_name(name)).with_partitions(partitions)
    };
    let assignment = ConsumerProtocolAssignment::default();
    encode(
        &assignment.with_assigned_partitions(topics.into_iter().map(topic).collect()),
        "assignment",
    )
}

/// The partitions that the leader has given to a member; none if it has said nothing.
pub fn decode_assignment(assignment: &Bytes) -> Result<Vec<TopicPartition>, KafkaError> {
    if assignment.is_empty() {
        return Ok(Vec::new());
    }
    let assignment: ConsumerProtocolAssignment = decode(assignment, "assignment")?;
    let partitions = assignment.assigned_partitions.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(|partition| TopicPartition::new(topic.topic.0.as_str(), *partition))
    });
    Ok(partitions.collect())
}

fn encode(what: &impl Encodable, name: &'static str) -> Result<Bytes, KafkaError> {
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    what.encode(&mut bytes, 0).map_err(|error| fault(name, &error))?;
    Ok(bytes.freeze())
}

/// Reads the version and what follows it; of a newer version than is known, the fields that are known.
fn decode<D: Decodable>(bytes: &Bytes, name: &'static str) -> Result<D, KafkaError> {
    let mut rest = bytes.clone();
    let version = bytes::Buf::try_get_i16(&mut rest).map_err(|error| fault(name, &error))?;
    D::decode(&mut rest, version.clamp(0, VERSION_MAX)).map_err(|error| fault(name, &error))
}

fn fault(name: &'static str, cause: &impl ToString) -> KafkaError {
    KafkaError::Protocol {
        broker: "a group member".into(),
        request: name,
        cause: cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, topics: &[&str]) -> JoinedMember {
        let topics: Vec<_> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let metadata = encode_subscription(&topics).unwrap();
        JoinedMember { member_id: id.into(), instance_id: None, metadata }
    }

    fn shares(strategy: Strategy) -> Vec<String> {
        let members = [member("b", &["s", "t"]), member("a", &["t"])];
        let topics = [("s".to_owned(), 2), ("t".to_owned(), 3)].into();
        let shares = strategy.assign(&members, &topics).unwrap();
        let show = |(member, share): (String, Vec<TopicPartition>)| {
            let share: Vec<_> = share.iter().map(ToString::to_string).collect();
            format!("{member}: {}", share.join(" "))
        };
        shares.into_iter().map(show).collect()
    }

    #[test]
    fn partitions_are_shared_as_java_does() {
        assert_eq!(shares(Strategy::Range), ["a: t-0 t-1", "b: s-0 s-1 t-2"]);
        assert_eq!(shares(Strategy::RoundRobin), ["a: t-0 t-2", "b: s-0 s-1 t-1"]);
    }

    #[test]
    fn assignments_lead_back() {
        let partitions = [TopicPartition::new("s", 1), TopicPartition::new("t", 0)];
        assert_eq!(
            decode_assignment(&encode_assignment(&partitions).unwrap()).unwrap(),
            partitions
        );
        assert_eq!(decode_assignment(&Bytes::new()).unwrap(), []);
        assert!(decode_assignment(&Bytes::from_static(&[0])).is_err());
    }
}
