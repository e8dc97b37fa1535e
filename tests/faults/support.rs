//! A broker, topics of a test's own, and the real binary as a child.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::admin::{Admin, NewTopic, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::GroupOffsets;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::{ClientConfig, Cluster, TopicPartition};

/// How often something is looked for, and how many times before it counts as a hang.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 2_400;

/// How long sessions last, if a test does not say otherwise: longer than it may take, so that no instance is let go for a
/// machine that is busy, and nobody can wait for the end of one unseen. It is the most that brokers allow.
const SESSION: Duration = Duration::from_mins(30);

/// Partitions of the source topics.
pub(crate) const PARTITIONS: i32 = 3;

/// A record as it was read: its key and its value.
pub(crate) type Read = (Option<Vec<u8>>, Option<Vec<u8>>);

/// One test's world: a broker, a client of it, and names that nobody else uses.
pub(crate) struct World {
    pub(crate) servers: String,
    pub(crate) cluster: Cluster,
    pub(crate) name: String,
    pub(crate) directory: tempfile::TempDir,
    pub(crate) embedded: Option<EmbeddedBroker>,
}

impl World {
    /// The broker that `KAFKA_BROKERS` names, or else the embedded one.
    pub(crate) async fn start(name: &str) -> Self {
        match std::env::var("KAFKA_BROKERS") {
            Ok(servers) => Self::at(name, servers, None),
            Err(_) => Self::embedded(name, EmbeddedConfig::default()).await,
        }
    }

    /// The embedded broker.
    pub(crate) async fn embedded(name: &str, config: EmbeddedConfig) -> Self {
        let broker = EmbeddedBroker::start(config).await.unwrap();
        Self::at(name, broker.bootstrap(), Some(broker))
    }

    /// The broker at `servers`.
    pub(crate) fn on(name: &str, servers: String) -> Self {
        Self::at(name, servers, None)
    }

    fn at(name: &str, servers: String, embedded: Option<EmbeddedBroker>) -> Self {
        let number =
            std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), name) & 0xffff_ffff;
        let cluster = cluster(&servers);
        let name = format!("{name}-{number:08x}");
        Self { servers, cluster, name, directory: tempfile::tempdir().unwrap(), embedded }
    }

    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// A session whose end can be waited for; it is the least that Kafka allows.
    pub(crate) fn short_session(&self) -> Duration {
        Duration::from_secs(if self.is_embedded() { 2 } else { 6 })
    }

    pub(crate) fn topic(&self, part: &str) -> String {
        format!("{}-{part}", self.name)
    }

    pub(crate) async fn create(&self, topic: &str, partitions: i32) {
        self.create_with(NewTopic::new(topic, partitions)).await;
    }

    pub(crate) async fn create_with(&self, topic: NewTopic) {
        let admin = Admin::new(&self.cluster);
        admin.create_topic(&topic).await.unwrap();
        // A broker answers before it knows the topic itself.
        let known = async {
            while admin.describe_topic(&topic.name).await.unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), known).await.unwrap();
    }

    /// The group of a query.
    pub(crate) fn group(&self, query: &str) -> String {
        format!("_confluent-ksql-{}query_{query}", self.name)
    }

    /// Writes values without keys, spread over the partitions of a topic.
    pub(crate) async fn send(
        &self,
        topic: &str,
        values: impl IntoIterator<Item = Option<Vec<u8>>>,
    ) {
        let producer = Producer::new(&self.cluster);
        for (at, value) in values.into_iter().enumerate() {
            let record = NewRecord::new(1_700_000_000_000 + at as i64, None, value.as_deref());
            producer.send(topic, at as i32 % PARTITIONS, record).await.unwrap();
        }
        producer.flush().await.unwrap();
    }

    /// The first or the last offsets of a topic.
    pub(crate) async fn offsets(
        &self,
        topic: &str,
        spec: OffsetSpec,
    ) -> BTreeMap<TopicPartition, i64> {
        let admin = Admin::new(&self.cluster);
        let found = admin.describe_topic(topic).await.unwrap().expect("the topic exists");
        let asked: Vec<_> = (0..found.partitions.len() as i32)
            .map(|partition| (TopicPartition::new(topic, partition), spec))
            .collect();
        let listed = admin.list_offsets(&asked, Isolation::ReadCommitted).await.unwrap();
        listed.into_iter().map(|(at, listed)| (at, listed.offset.unwrap_or(0))).collect()
    }

    /// All records of a topic.
    pub(crate) async fn read(&self, topic: &str) -> Vec<Read> {
        self.read_placed(topic).await.into_iter().map(|(_, read)| read).collect()
    }

    /// The same, with the offset of each.
    pub(crate) async fn read_placed(&self, topic: &str) -> Vec<(i64, Read)> {
        let ends = self.offsets(topic, OffsetSpec::Latest).await;
        let mut left = self.offsets(topic, OffsetSpec::Earliest).await;
        left.retain(|at, start| *start < ends[at]);
        let fetcher = Fetcher::with_options(&self.cluster, Isolation::ReadCommitted, 16 << 20);
        fetcher.assign(left.clone());
        let mut all = Vec::new();
        while !left.is_empty() {
            for fetched in fetcher.poll(Duration::from_secs(1)).await.unwrap() {
                for record in fetched.records() {
                    let record = record.unwrap();
                    let (key, value) = (record.key, record.value);
                    all.push((record.offset, (key.map(<[u8]>::to_vec), value.map(<[u8]>::to_vec))));
                }
                if fetched.next_offset >= ends[&fetched.partition] {
                    left.remove(&fetched.partition);
                }
            }
        }
        all
    }

    /// How many records of a topic a query has not committed.
    pub(crate) async fn lag(&self, query: &str, topic: &str) -> i64 {
        let ends = self.offsets(topic, OffsetSpec::Latest).await;
        let group = self.group(query);
        let committed = GroupOffsets::new(&self.cluster, &group).committed(None).await.unwrap();
        let behind = |(at, end): (&TopicPartition, &i64)| {
            end - committed.get(at).map_or(0, |committed| committed.offset)
        };
        ends.iter().map(behind).sum()
    }

    /// Waits until queries have committed all of a topic.
    pub(crate) async fn wait_for_level(&self, queries: &[&str], topic: &str, run: &Run) {
        for query in queries {
            for look in 0.. {
                if self.lag(query, topic).await == 0 {
                    break;
                }
                assert!(look < LOOKS, "{query} does not come level:\n{}", run.log());
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    /// Starts `millstream run` with a text, and further arguments.
    pub(crate) fn run(&self, sql: &str, args: &[&str]) -> Run {
        self.start_run(&self.servers, SESSION, sql, args)
    }

    /// The same, with a session whose end can be waited for.
    pub(crate) fn run_restless(&self, sql: &str, args: &[&str]) -> Run {
        self.start_run(&self.servers, self.short_session(), sql, args)
    }

    /// The same, with other brokers.
    pub(crate) fn run_at(&self, servers: &str, sql: &str, args: &[&str]) -> Run {
        self.start_run(servers, SESSION, sql, args)
    }

    fn start_run(&self, servers: &str, session: Duration, sql: &str, args: &[&str]) -> Run {
        let number = std::fs::read_dir(self.directory.path()).unwrap().count();
        let file = self.directory.path().join(format!("{number}.sql"));
        std::fs::write(&file, sql).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.arg("run").arg(&file).args(["--bootstrap-servers", servers]);
        for property in [
            format!("ksql.service.id={}", self.name),
            format!("session.timeout.ms={}", session.as_millis()),
            "heartbeat.interval.ms=200".to_owned(),
            "auto.offset.reset=earliest".to_owned(),
            "commit.interval.ms=200".to_owned(),
            "ksql.query.retry.backoff.initial.ms=300".to_owned(),
        ] {
            command.args(["--property", &property]);
        }
        command.args(args);
        self.spawn(command)
    }

    /// Starts a program, whose output is kept.
    pub(crate) fn spawn(&self, mut command: Command) -> Run {
        let number = std::fs::read_dir(self.directory.path()).unwrap().count();
        let log = self.directory.path().join(format!("{number}.log"));
        let out = File::create(&log).unwrap();
        let child = command.stdout(out.try_clone().unwrap()).stderr(out).spawn();
        Run { child: child.unwrap(), log, ended: None }
    }
}

/// A client of a broker.
pub(crate) fn cluster(servers: &str) -> Cluster {
    let properties = [("bootstrap.servers".to_owned(), servers.to_owned())];
    Cluster::new(ClientConfig::from_properties(&properties.into()).unwrap()).unwrap()
}

/// A running `millstream run`; it is killed when this is dropped.
pub(crate) struct Run {
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Run {
    /// Everything that it has printed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it has printed a text so many times.
    pub(crate) async fn wait_for(&mut self, text: &str, times: usize) {
        for _ in 0..LOOKS {
            if self.log().matches(text).count() >= times {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "ended without {text:?}:\n{}", self.log());
            tokio::time::sleep(LOOK_EVERY / 5).await;
        }
        panic!("{text:?} is not printed:\n{}", self.log());
    }

    /// The id of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Tells it to stop.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Pauses it, as a laptop's lid or a machine's snapshot does.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on after a pause.
    pub(crate) fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Waits for its end, and gives its exit code.
    pub(crate) async fn code(&mut self) -> i32 {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.ended = Some(status);
                return status.code().unwrap_or_else(|| panic!("{status}:\n{}", self.log()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("it does not end:\n{}", self.log());
    }

    /// Tells it to stop; it ends with 0.
    pub(crate) async fn stop(mut self) -> String {
        self.terminate();
        assert_eq!(self.code().await, 0, "{}", self.log());
        self.log()
    }
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

/// An embedded broker in a process of its own, which can be paused.
pub(crate) struct BrokerProcess(Child);

impl BrokerProcess {
    /// Starts it: that, and its address.
    pub(crate) async fn start() -> (Self, String) {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.args(["broker", "--kafka-port", &port.to_string()]);
        let broker = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let address = format!("127.0.0.1:{port}");
        for _ in 0..LOOKS {
            if tokio::net::TcpStream::connect(&address).await.is_ok() {
                return (broker, address);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("no broker at {address}");
    }

    /// Answers nobody any more.
    pub(crate) fn pause(&self) {
        signal(&self.0, "-STOP");
    }

    /// Answers again.
    pub(crate) fn go_on(&self) {
        signal(&self.0, "-CONT");
    }
}

impl Drop for BrokerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.ended.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
