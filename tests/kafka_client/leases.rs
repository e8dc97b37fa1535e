//! A member that may have been let go writes nothing more.
use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use millstream::broker::Fault;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::{CommittedOffset, MemberState, Membership, MembershipOptions};
use millstream::kafka::lease::{SessionClock, SessionTime};
use millstream::kafka::produce::{Acknowledgement, NewRecord, Producer, ProducerOptions};
use millstream::kafka::{Cluster, KafkaError, TopicPartition};

use crate::support::{Broker, HEARTBEAT};
use crate::support::{broker, client, from_start, read, timeout, topic, unique, with};

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct StillClock(Arc<AtomicU64>);

impl StillClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }

    fn session_clock(&self) -> SessionClock {
        let now = self.0.clone();
        SessionClock::new(move || {
            let now = Duration::from_millis(now.load(Ordering::SeqCst));
            SessionTime { boot: now, wall: now }
        })
    }
}

const SESSION: Duration = Duration::from_secs(30);
const NEVER: Duration = Duration::from_mins(5);

fn options(cluster: &Cluster, group: &str) -> MembershipOptions {
    MembershipOptions {
        protocol_type: "test".to_owned(),
        session_timeout: SESSION,
        rebalance_timeout: SESSION,
        heartbeat_interval: NEVER,
        ..MembershipOptions::new(cluster, group, vec![("test".to_owned(), Bytes::new())])
    }
}

/// A member of a group of its own whose session goes by `clock`.
fn member(cluster: &Cluster, clock: &StillClock) -> Membership {
    Membership::with_clock(cluster, options(cluster, &unique("group")), clock.session_clock())
}

async fn join(member: &mut Membership) {
    timeout(Box::pin(member.join(async |_| Ok(Vec::new())))).await.unwrap();
}

fn leased(cluster: &Cluster, member: &Membership) -> Producer {
    let lease = Some(member.lease());
    Producer::with_options(cluster, ProducerOptions { lease, ..ProducerOptions::default() })
}

async fn write(producer: &Producer, topic: &str, value: &str) -> Result<(), KafkaError> {
    let record = NewRecord::new(0, None, Some(value.as_bytes()));
    let sent = producer.send_acknowledged(topic, 0, record).await.unwrap();
    timeout(sent).await.unwrap().map(drop)
}

/// Hands a record over that is not written.
async fn held(producer: &Producer, topic: &str, value: &str) -> Acknowledgement {
    let record = NewRecord::new(0, None, Some(value.as_bytes()));
    let mut sent = producer.send_acknowledged(topic, 0, record).await.unwrap();
    let written = tokio::time::timeout(Duration::from_millis(200), &mut sent).await;
    assert!(written.is_err(), "{value}: {written:?}");
    sent
}

async fn values(cluster: &Cluster, topic: &str, count: usize) -> Vec<String> {
    let fetcher = Fetcher::new(cluster);
    fetcher.assign(from_start(topic, 1));
    let values = read(&fetcher, count).await.into_iter().map(|record| record.2).collect();
    // But for the marker behind a transaction, nothing comes after them.
    let more = fetcher.poll(Duration::from_millis(100)).await.unwrap();
    assert_eq!(more.iter().map(|fetched| fetched.records().count()).sum::<usize>(), 0);
    values
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_once_a_session_may_be_over() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "lease", 1).await;
    let clock = StillClock::default();
    let mut member = member(&cluster, &clock);
    let producer = leased(&cluster, &member);
    let early = held(&producer, &topic, "early").await;
    join(&mut member).await;
    timeout(early).await.unwrap().unwrap();
    write(&producer, &topic, "first").await.unwrap();
    clock.advance(SESSION.saturating_sub(Duration::from_millis(1)));
    write(&producer, &topic, "second").await.unwrap();
    clock.advance(Duration::from_millis(1));
    let late = held(&producer, &topic, "late").await;
    let offsets = [(TopicPartition::new(topic.as_str(), 0), CommittedOffset::new(1))];
    let hasty = tokio::time::timeout(Duration::from_millis(200), member.commit(&offsets));
    assert!(hasty.await.is_err(), "offsets are not committed either");
    assert_eq!(member.offsets().committed(None).await.unwrap(), BTreeMap::new());
    // The coordinator still knows it, so joining again is an answer like any other.
    join(&mut member).await;
    timeout(late).await.unwrap().unwrap();
    timeout(member.commit(&offsets)).await.unwrap();
    timeout(producer.flush()).await.unwrap();
    assert_eq!(values(&cluster, &topic, 4).await, ["early", "first", "second", "late"]);
    timeout(member.leave()).await.unwrap();
    assert_eq!(write(&producer, &topic, "gone").await, Err(KafkaError::StaleMember));
    let error = timeout(producer.flush()).await.unwrap_err();
    assert!(matches!(error, KafkaError::Flush { count: 1, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_lasts_over_rebalances_but_over_none_that_was_missed() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "lease", 1).await;
    let group = unique("group");
    let options = || MembershipOptions {
        rebalance_timeout: Duration::from_secs(1),
        heartbeat_interval: Duration::from_millis(100),
        ..options(&cluster, &group)
    };
    let clock = StillClock::default();
    let mut member = Membership::with_clock(&cluster, options(), clock.session_clock());
    join(&mut member).await;
    let (lease, producer) = (member.lease(), leased(&cluster, &member));
    let joining = async || {
        let mut other = Membership::new(&cluster, options());
        join(&mut other).await;
        other
    };
    let (other, ()) = tokio::join!(joining(), async {
        assert_eq!(timeout(member.changed()).await, MemberState::Rebalancing);
        join(&mut member).await;
    });
    assert!(lease.is_open(), "it was there all the time");
    write(&producer, &topic, "mine").await.unwrap();

    // It joins again only when the others have had a generation without it. By its clock no time has passed.
    timeout(other.leave()).await.unwrap();
    assert_eq!(timeout(member.changed()).await, MemberState::Rebalancing);
    let other = joining().await;
    timeout(async {
        while member.state() != MemberState::Lost {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert!(lease.is_over());
    timeout(other.leave()).await.unwrap();
    let stale = write(&producer, &topic, "stale");
    assert_eq!(stale.await, Err(KafkaError::StaleMember));
    join(&mut member).await;
    assert_eq!(write(&producer, &topic, "stale").await, Err(KafkaError::StaleMember));
    write(&leased(&cluster, &member), &topic, "again").await.unwrap();
    assert_eq!(values(&cluster, &topic, 2).await, ["mine", "again"]);
    timeout(member.leave()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_a_stale_member_fails() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "lease", 1).await;
    let clock = StillClock::default();
    let mut member = member(&cluster, &clock);
    join(&mut member).await;
    let transactional_id = unique("id");
    let producer = |member: &Membership| {
        let options = ProducerOptions {
            transactional_id: Some(transactional_id.clone()),
            lease: Some(member.lease()),
            ..ProducerOptions::default()
        };
        Producer::with_options(&cluster, options)
    };
    let lease = member.lease();
    let stale = producer(&member);
    timeout(stale.init_transactions()).await.unwrap();
    stale.begin_transaction().unwrap();
    clock.advance(SESSION);
    stale.send(&topic, 0, NewRecord::new(0, None, Some(b"stale"))).await.unwrap();
    lease.end();
    let error = timeout(stale.commit_transaction()).await.unwrap_err();
    assert!(error.to_string().contains(&KafkaError::StaleMember.to_string()), "{error}");
    timeout(stale.abort_transaction()).await.unwrap();
    join(&mut member).await;
    let producer = producer(&member);
    timeout(producer.init_transactions()).await.unwrap();
    producer.begin_transaction().unwrap();
    producer.send(&topic, 0, NewRecord::new(0, None, Some(b"fresh"))).await.unwrap();
    timeout(producer.commit_transaction()).await.unwrap();
    let committed = with(&cluster, |config| {
        config.isolation = millstream::kafka::config::Isolation::ReadCommitted;
    });
    assert_eq!(values(&committed, &topic, 1).await, ["fresh"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beat_that_comes_too_late_closes_the_lease_until_the_next_answer() {
    let Broker { cluster, embedded } = broker().await;
    let Some(embedded) = embedded else { return };
    let clock = StillClock::default();
    let options = MembershipOptions {
        heartbeat_interval: Duration::from_millis(200),
        ..options(&cluster, &unique("group"))
    };
    let mut member = Membership::with_clock(&cluster, options, clock.session_clock());
    join(&mut member).await;
    let lease = member.lease();
    assert!(lease.is_open());
    let mut advanced = Duration::ZERO;
    while lease.is_open() {
        // More than two beats pass between one and the next, whose answer takes a while.
        embedded.faults().inject(HEARTBEAT, Fault::Delay(Duration::from_secs(1)));
        let step = Duration::from_secs(1);
        clock.advance(step);
        advanced += step;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert!(advanced < SESSION, "the session was not over");
    timeout(async {
        while !lease.is_open() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// What the child of [`a_process_that_was_stopped_writes_nothing_after_its_successor`] is told by its environment.
const SERVERS: &str = "MILLSTREAM_TEST_MEMBER_SERVERS";
const TOPIC: &str = "MILLSTREAM_TEST_MEMBER_TOPIC";
const SESSION_MS: &str = "MILLSTREAM_TEST_MEMBER_SESSION_MS";

/// A process that writes as a member of the group that has its topic's name.
struct Process(Child);

impl Process {
    fn start(servers: &str, topic: &str, session: Duration) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "leases::a_member_in_a_process_of_its_own", "--ignored"])
            .env(SERVERS, servers)
            .env(TOPIC, topic)
            .env(SESSION_MS, session.as_millis().to_string())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.0.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended already is no longer there.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_stopped_writes_nothing_after_its_successor() {
    let Broker { cluster, embedded } = broker().await;
    let topic = topic(&cluster, "stopped", 1).await;
    // A real broker takes no shorter sessions.
    let session = Duration::from_millis(if embedded.is_some() { 1_000 } else { 6_000 });
    let servers = cluster.config().bootstrap_servers.join(",");
    let mut process = Process::start(&servers, &topic, session);
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&topic, 1));
    read(&fetcher, 20).await;
    process.signal("-STOP");

    let mut successor = Membership::new(&cluster, child_options(&cluster, &topic, session));
    join(&mut successor).await;
    let producer = leased(&cluster, &successor);
    write(&producer, &topic, "successor").await.unwrap();
    process.signal("-CONT");
    let ended = timeout(async {
        loop {
            match process.0.try_wait().unwrap() {
                Some(ended) => break ended,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
    assert!(ended.await.success(), "it has not found itself stale");
    write(&producer, &topic, "successor").await.unwrap();

    let end = producer.end_offset(&topic, 0).unwrap();
    let values = values(&cluster, &topic, end as usize).await;
    let taken_over = values.iter().position(|value| value == "successor").unwrap();
    assert_eq!(values[taken_over..], ["successor", "successor"]);
    timeout(successor.leave()).await.unwrap();
}

fn child_options(cluster: &Cluster, group: &str, session: Duration) -> MembershipOptions {
    MembershipOptions {
        session_timeout: session,
        heartbeat_interval: session / 10,
        ..options(cluster, group)
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a part of another test, in a process of its own"]
async fn a_member_in_a_process_of_its_own() {
    let (Ok(servers), Ok(topic)) = (std::env::var(SERVERS), std::env::var(TOPIC)) else { return };
    let session = Duration::from_millis(std::env::var(SESSION_MS).unwrap().parse().unwrap());
    let cluster = with(&client(&servers), |config| config.linger = Duration::ZERO);
    let mut member = Membership::new(&cluster, child_options(&cluster, &topic, session));
    join(&mut member).await;
    let producer = leased(&cluster, &member);
    // It writes all the time, whatever it hears of its group, until it is told that it may not.
    let error = loop {
        for _ in 0..20 {
            let record = NewRecord::new(0, None, Some(b"stopped"));
            producer.send(&topic, 0, record).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if let Err(error) = producer.flush().await {
            break error;
        }
    };
    let KafkaError::Flush { first, .. } = error else { panic!("{error}") };
    assert_eq!(*first, KafkaError::StaleMember);
}
