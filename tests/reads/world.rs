//! A broker in this process, statements on it, and an instance that runs their queries.

use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::engine::{
    Engine, Known, PersistentQuery, Properties, QueryChange, ReadQuery, ReadSpec, Session,
    TopicShape,
};
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::runtime::ClientRow;
use millstream::runtime::live::{Instance, InstanceOptions, LiveError, PushRows, QuerySpec};
use millstream::sql::{ParseOptions, ParsedStatement, parse};
use millstream::types::OwnedValue;

/// How long something may take before it counts as a hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// When the first record comes.
const START_MS: i64 = 1_700_000_000_000;

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) instance: Instance,
    pub(crate) session: Session,
    known: Known,
    cluster: Cluster,
    reads: u32,
    _broker: EmbeddedBroker,
}

impl World {
    /// Statements over topics that are made for them; streams are read from their beginning.
    pub(crate) async fn start(statements: &str) -> Self {
        let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
        let config = [("bootstrap.servers".to_owned(), broker.bootstrap())];
        let cluster = Cluster::new(ClientConfig::from_properties(&config.into()).unwrap()).unwrap();
        let options = InstanceOptions {
            stop_within: Duration::from_secs(1),
            id: 1,
            workers: 2,
            registry: None,
            skipped_bytes_max: InstanceOptions::SKIPPED_BYTES_MAX,
            url: None,
        };
        let instance = Instance::new(&cluster, options).unwrap();
        let properties = [("commit.interval.ms", "50"), ("auto.offset.reset", "earliest")];
        let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut world = Self {
            engine: Engine::new(Properties::new(properties)).with_clients(),
            instance,
            session: Session::default(),
            known: Known::default(),
            cluster,
            reads: 0,
            _broker: broker,
        };
        world.execute(statements).await;
        world
    }

    async fn run(&mut self, parsed: &ParsedStatement) {
        let number = self.engine.queries().len() as i64;
        let change = self.engine.run(parsed, &mut self.session, &self.known, number);
        let change = change.unwrap_or_else(|error| panic!("{error}: {}", parsed.text));
        if let Some(topic) = &change.topic {
            self.known.add_request(topic);
            let TopicShape { partitions, .. } = topic.shape;
            let new = NewTopic::new(topic.name.as_str(), partitions);
            Admin::new(&self.cluster).create_topic(&new).await.unwrap();
        }
        for query in &change.queries {
            match query {
                QueryChange::Start(query) => self.start_query(query),
                QueryChange::Replace(query) => {
                    self.instance.stop_query(&query.id).await;
                    self.start_query(query);
                }
                QueryChange::Terminate { id } => drop(self.instance.stop_query(id).await),
                QueryChange::Pause { id } => self.instance.pause_query(id).await,
                QueryChange::Resume { id } => self.instance.resume_query(id),
            }
        }
    }

    fn start_query(&self, query: &PersistentQuery) {
        let settings = millstream::engine::settings(&self.engine.properties_of(query)).unwrap();
        let (id, plan) = (query.id.clone(), query.plan.clone());
        let is_replacement = query.is_replacement;
        self.instance
            .start_query(QuerySpec { id, plan, settings, is_replacement, is_paused: false })
            .unwrap();
    }

    /// Runs statements.
    pub(crate) async fn execute(&mut self, statements: &str) {
        for parsed in parse(statements, &ParseOptions::default()).unwrap() {
            self.run(&parsed).await;
        }
    }

    /// Writes records as `key=value`, a second apart; the value is gone where there is no `=`.
    pub(crate) async fn send(&self, topic: &str, records: &[&str]) {
        let partitions = self.known.topic(topic).unwrap().partitions;
        let producer = Producer::new(&self.cluster);
        for (at, record) in records.iter().enumerate() {
            let (key, value) = match record.split_once('=') {
                Some((key, value)) => (key, Some(value.as_bytes())),
                None => (*record, None),
            };
            let time = START_MS + at as i64 * 1_000;
            let record = NewRecord::new(time, Some(key.as_bytes()), value);
            let partition = partition_for_key(key.as_bytes(), partitions);
            producer.send(topic, partition, record).await.unwrap();
        }
        producer.flush().await.unwrap();
    }

    /// Deletes a topic.
    pub(crate) async fn drop_topic(&self, topic: &str) {
        Admin::new(&self.cluster).delete_topic(topic).await.unwrap();
    }

    /// Why a statement is refused.
    pub(crate) fn refusal(&self, sql: &str) -> String {
        let parsed = parse(sql, &ParseOptions::default()).unwrap();
        let planned = self.engine.plan(&parsed[0], &self.session, &self.known);
        planned.map(|_| ()).unwrap_err().message
    }

    /// Plans a `SELECT`.
    pub(crate) fn plan(&self, sql: &str) -> Result<ReadQuery, String> {
        let parsed = parse(sql, &ParseOptions::default()).unwrap();
        let read = self.engine.plan_read(&parsed[0], &self.session, &self.known);
        read.map_err(|error| error.to_string())
    }

    /// Asks for the rows of a `SELECT`.
    pub(crate) fn read(&mut self, sql: &str) -> Reading {
        let read = self.plan(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        self.reads += 1;
        match read.spec(format!("transient_{}", self.reads)) {
            ReadSpec::Push(spec) => {
                Reading { rows: self.instance.push(*spec), waiting: Vec::new() }
            }
            ReadSpec::Pull(_) => panic!("rows of a table are pulled: {sql}"),
        }
    }

    /// The rows that a table has, sorted, once its query runs.
    pub(crate) async fn pull(&self, sql: &str) -> Vec<String> {
        let mut rows = self.pull_in_order(sql).await;
        rows.sort();
        rows
    }

    /// The same, as they come.
    pub(crate) async fn pull_in_order(&self, sql: &str) -> Vec<String> {
        self.pull_portions(sql).await.iter().flatten().map(text).collect()
    }

    /// How many rows come at a time.
    pub(crate) async fn portions(&self, sql: &str) -> Vec<usize> {
        self.pull_portions(sql).await.iter().map(Vec::len).collect()
    }

    async fn pull_portions(&self, sql: &str) -> Vec<Vec<ClientRow>> {
        let read = self.plan(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        let ReadSpec::Pull(spec) = read.spec("") else { panic!("rows of a stream: {sql}") };
        let pulling = async {
            let mut rows = self.instance.pull(spec).await.unwrap();
            let mut portions = Vec::new();
            while let Some(rows) = rows.next().await {
                portions.push(rows.unwrap());
            }
            portions
        };
        tokio::time::timeout(PATIENCE, pulling).await.unwrap()
    }

    /// Waits until a table gives these rows.
    pub(crate) async fn pulls(&self, sql: &str, expected: &[&str]) {
        let arriving = async {
            while self.pull(sql).await != expected {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, arriving).await.is_err() {
            assert_eq!(self.pull(sql).await, expected, "{sql}");
        }
    }
}

/// The rows of a `SELECT` while they come.
pub(crate) struct Reading {
    rows: PushRows,
    waiting: Vec<ClientRow>,
}

impl Reading {
    /// The next rows, as texts.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<String> {
        while self.waiting.len() < count {
            let rows = tokio::time::timeout(PATIENCE, self.rows.next()).await.unwrap();
            match rows {
                Some(rows) => self.waiting.extend(rows.unwrap()),
                None => panic!("the query has ended after {:?}", self.waiting),
            }
        }
        self.waiting.drain(..count).map(|row| text(&row)).collect()
    }

    /// All rows, of a query that ends.
    pub(crate) async fn all(mut self) -> Result<Vec<String>, LiveError> {
        while let Some(rows) = tokio::time::timeout(PATIENCE, self.rows.next()).await.unwrap() {
            self.waiting.extend(rows?);
        }
        Ok(self.waiting.iter().map(text).collect())
    }
}

fn text(row: &ClientRow) -> String {
    let values = row.values.iter().map(|value| match value {
        OwnedValue::Null => "-".to_owned(),
        OwnedValue::String(text) => text.to_string(),
        OwnedValue::Int(number) => number.to_string(),
        OwnedValue::Bigint(number) => number.to_string(),
        OwnedValue::Double(number) => number.to_string(),
        other => format!("{other:?}"),
    });
    let values: Vec<String> = values.collect();
    format!("{}{}", if row.is_tombstone { "gone " } else { "" }, values.join(" "))
}
