//! Members of groups: static ones that come back, ones that were replaced, and ghosts.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use millstream::broker::Fault;
use millstream::kafka::admin::Admin;
use millstream::kafka::group::{
    Assigned, CommittedOffset, GroupOffsets, Leadership, MemberState, Membership, MembershipOptions,
};
use millstream::kafka::produce::Producer;
use millstream::kafka::{Cluster, KafkaError, TopicPartition};

use crate::support::{Broker, LEAVE, broker, timeout, topic, unique};

/// Longer than a test may take, so that who waits for a session to end fails the test.
const NEVER: Duration = Duration::from_mins(5);

/// How a member joins that says `says` of itself.
fn options(
    cluster: &Cluster,
    group: &str,
    instance: Option<&str>,
    says: &str,
) -> MembershipOptions {
    let metadata = Bytes::copy_from_slice(says.as_bytes());
    let protocols = vec![("test".to_owned(), metadata)];
    MembershipOptions {
        // A broker reads what members of the type `consumer` say, and this is no subscription.
        protocol_type: "test".to_owned(),
        instance_id: instance.map(str::to_owned),
        session_timeout: NEVER,
        rebalance_timeout: NEVER,
        heartbeat_interval: Duration::from_millis(50),
        ..MembershipOptions::new(cluster, group, protocols)
    }
}

/// Joins; as the leader it gives each member its own metadata back. How often it has led is counted.
async fn join(member: &mut Membership, led: &Arc<AtomicUsize>) -> Result<Assigned, KafkaError> {
    let assign = |leadership: Leadership| {
        led.fetch_add(1, Ordering::SeqCst);
        let members = leadership.members.into_iter();
        let shares = members.map(|member| (member.member_id, member.metadata)).collect();
        async move { Ok(shares) }
    };
    timeout(Box::pin(member.join(assign))).await
}

/// Two members of a group, both stable, and how often one of them has led.
async fn two_members(
    cluster: &Cluster,
    group: &str,
    instances: [Option<&str>; 2],
) -> ([Membership; 2], Arc<AtomicUsize>) {
    let led = Arc::new(AtomicUsize::new(0));
    let [one, two] = instances;
    let mut one = Membership::new(cluster, options(cluster, group, one, "first"));
    join(&mut one, &led).await.unwrap();
    let mut two = Membership::new(cluster, options(cluster, group, two, "second"));
    let joining = {
        let led = led.clone();
        tokio::spawn(async move {
            let assigned = join(&mut two, &led).await.unwrap();
            (two, assigned)
        })
    };
    assert_eq!(timeout(one.changed()).await, MemberState::Rebalancing);
    let assigned = join(&mut one, &led).await.unwrap();
    assert_eq!(assigned.assignment, "first");
    let (two, assigned) = joining.await.unwrap();
    assert_eq!(assigned.assignment, "second");
    ([one, two], led)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_member_takes_its_place_again_without_a_rebalance() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    for which in [0, 1] {
        let group = unique("static");
        let instances = ["one", "two"];
        let (members, led) = two_members(&cluster, &group, instances.map(Some)).await;
        let generation = members[0].metadata().generation;
        let mut members = members.map(Some);
        let was = members[which].take().unwrap();
        let (member_id, says) = (was.metadata().member_id, ["first", "second"][which]);
        drop(was);
        let times = led.load(Ordering::SeqCst);
        // It says something new of itself, as one does that has begun anew.
        let options = options(&cluster, &group, Some(instances[which]), "restarted");
        let mut again = Membership::new(&cluster, options);
        let assigned = join(&mut again, &led).await.unwrap();
        assert_eq!((assigned.generation, &assigned.assignment[..]), (generation, says.as_bytes()));
        assert_ne!(again.metadata().member_id, member_id);
        assert_eq!(led.load(Ordering::SeqCst), times, "nobody had to assign");
        assert!(again.lease().is_open());
        let other = members[1 - which].take().unwrap();
        for member in [&again, &other] {
            member.commit(&[]).await.unwrap();
            assert_eq!(member.state(), MemberState::Stable);
        }
        timeout(again.leave()).await.unwrap();
        assert_eq!(timeout(other.changed()).await, MemberState::Rebalancing);
        timeout(other.leave()).await.unwrap();
        let described = Admin::new(&cluster).describe_group(&group).await.unwrap();
        assert!(described.is_none_or(|group| group.members.is_empty()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_replaced_is_fenced_for_good() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let (group, topic) = (unique("fenced"), topic(&cluster, "fenced", 1).await);
    let led = Arc::default();
    let new = || Membership::new(&cluster, options(&cluster, &group, Some("one"), "it"));
    let (mut old, mut successor) = (new(), new());
    join(&mut old, &led).await.unwrap();
    let lease = old.lease();
    assert!(lease.is_open());
    join(&mut successor, &led).await.unwrap();
    let fenced = KafkaError::InstanceFenced { group: group.clone(), instance_id: "one".to_owned() };
    assert_eq!(timeout(old.changed()).await, MemberState::Fenced(fenced.clone()));
    assert!(!lease.is_open());
    let text =
        format!("another process has taken the place of one (group.instance.id) in group {group}");
    assert_eq!(fenced.to_string(), text);

    let offsets = [(TopicPartition::new(topic.as_str(), 0), CommittedOffset::new(1))];
    assert_eq!(timeout(old.commit(&offsets)).await.unwrap_err(), fenced);
    let producer = Producer::transactional(&cluster, &unique("id"));
    timeout(producer.init_transactions()).await.unwrap();
    producer.begin_transaction().unwrap();
    let sent = timeout(producer.send_offsets_to_transaction(&offsets, &old.metadata())).await;
    assert_eq!(sent.unwrap_err(), fenced);
    timeout(producer.abort_transaction()).await.unwrap();
    assert_eq!(join(&mut old, &led).await.unwrap_err(), fenced);
    timeout(old.leave()).await.unwrap();

    timeout(successor.commit(&offsets)).await.unwrap();
    assert_eq!(successor.state(), MemberState::Stable);
    let committed = GroupOffsets::new(&cluster, &group).committed(None).await.unwrap();
    assert_eq!(committed, offsets.into());
    timeout(successor.leave()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_does_not_wait_for_its_own_ghost() {
    let Broker { cluster, embedded } = broker().await;
    let (group, led) = (unique("ghost"), Arc::default());
    let new = || Membership::new(&cluster, options(&cluster, &group, None, "it"));
    // One that is dropped without a word.
    let mut member = new();
    join(&mut member, &led).await.unwrap();
    drop(member);
    let mut member = new();
    join(&mut member, &led).await.unwrap();
    // One that is dropped while it joins: the other one is to join again first.
    let mut joining = new();
    let waiting = tokio::spawn(async move { joining.join(async |_| Ok(Vec::new())).await });
    assert_eq!(timeout(member.changed()).await, MemberState::Rebalancing);
    waiting.abort();
    assert!(waiting.await.is_err());
    join(&mut member, &led).await.unwrap();
    // One whose farewell does not arrive.
    let Some(embedded) = embedded else { return };
    drop(member);
    let hasty = cluster.with_patience(Duration::ZERO);
    let mut member = Membership::new(&hasty, options(&hasty, &group, None, "it"));
    join(&mut member, &led).await.unwrap();
    embedded.faults().inject(LEAVE, Fault::DropRequest);
    timeout(member.leave()).await.unwrap_err();
    let mut member = new();
    join(&mut member, &led).await.unwrap();
    let described = Admin::new(&cluster).describe_group(&group).await.unwrap().unwrap();
    assert_eq!(described.members.len(), 1);
}
