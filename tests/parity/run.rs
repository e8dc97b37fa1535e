//! Runs the statements of a pipeline over its input, on a broker of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::engine::{Properties, Services, headless};
use millstream::kafka::admin::{Admin, ConfigResource, NewTopic, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::GroupOffsets;
use millstream::kafka::{ClientConfig, Cluster, TopicPartition};
use millstream::runtime::live::{Instance, InstanceOptions, QuerySpec};

use super::pipeline::{Mode, Pipeline};
use super::record::{Partitions, Record, Shape, read_lines, read_recorded, recorded};
use super::stub::produce;

/// How long a pipeline may take; a slow machine does not fail for it.
const DEADLINE: Duration = Duration::from_mins(2);

/// How often it is asked whether everything is processed.
const POLL: Duration = Duration::from_millis(50);

/// A topic that a run left.
pub(crate) struct Topic {
    pub(crate) shape: Shape,
    pub(crate) records: Partitions,
}

/// Everything that a run left, by topic.
pub(crate) type Run = BTreeMap<String, Topic>;

/// Runs a pipeline to the end of its input, and reads what it has written.
pub(crate) fn run(pipeline: &Pipeline, mode: Mode) -> Result<Run, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let running = run_on_broker(pipeline, mode);
        let ended = tokio::time::timeout(DEADLINE, running).await;
        ended.map_err(|_| format!("not at its end after {DEADLINE:?}"))?
    })
}

async fn run_on_broker(pipeline: &Pipeline, mode: Mode) -> Result<Run, String> {
    // Changelogs are compared whole, so nothing is compacted, and records of the past stay.
    let config = EmbeddedConfig { cleaning_interval: None, ..EmbeddedConfig::default() };
    let broker = EmbeddedBroker::start(config).await.map_err(|error| error.to_string())?;
    let client = ClientConfig::new(&broker.bootstrap()).map_err(|error| error.to_string())?;
    let cluster = Cluster::new(client).map_err(|error| error.to_string())?;
    let run = run_on(&cluster, pipeline, mode).await;
    broker.shutdown().await;
    run
}

async fn run_on(cluster: &Cluster, pipeline: &Pipeline, mode: Mode) -> Result<Run, String> {
    load(cluster, pipeline).await;
    let text = std::fs::read_to_string(recorded(pipeline.name).join("queries.sql")).unwrap();
    let ids = read_recorded(pipeline.name).queries;
    let numbers: Vec<i64> =
        ids.iter().map(|id| id.rsplit('_').next().unwrap().parse().unwrap()).collect();
    let properties = properties(pipeline, mode);
    let specs = headless::prepare(&Services::of(cluster), &text, &properties, &numbers).await;
    let specs = specs.map_err(|error| error.to_string())?;
    assert_eq!(
        specs.iter().map(|spec| &spec.id).collect::<Vec<_>>(),
        ids.iter().collect::<Vec<_>>()
    );
    let options = InstanceOptions {
        stop_within: Duration::from_secs(30),
        id: 1,
        workers: mode.workers(),
        registry: None,
        skipped_bytes_max: InstanceOptions::SKIPPED_BYTES_MAX,
        url: None,
    };
    let instance = Instance::start(cluster, specs.clone(), options).await;
    let instance = instance.map_err(|error| error.to_string())?;
    let is_over = async || {
        let status = instance.status();
        let failed = status.queries.iter().filter(|query| query.cause.is_some());
        match failed.clone().next() {
            None => Ok(has_processed_all(cluster, &specs).await),
            Some(_) if pipeline.stops => Ok(failed.count() == specs.len()),
            Some(query) => Err(format!("query {} failed: {:?}", query.id, query.cause)),
        }
    };
    while !is_over().await? {
        tokio::time::sleep(POLL).await;
    }
    instance.stop().await;
    read_all(cluster).await
}

fn properties(pipeline: &Pipeline, mode: Mode) -> Properties {
    let repartition = match mode {
        Mode::Topics => "topic",
        Mode::Memory(_) => "memory",
    };
    let always = [
        ("auto.offset.reset", "earliest"),
        ("cache.max.bytes.buffering", "0"),
        ("commit.interval.ms", "100"),
        ("ksql.service.id", "default_"),
        ("ksql.logging.processing.topic.auto.create", "true"),
        ("ksql.logging.processing.rows.include", "true"),
        ("ksql.millstream.repartition", repartition),
        // What went through repartition topics is held against the recording.
        ("repartition.purge.interval.ms", "3600000"),
    ];
    let all = always.iter().chain(pipeline.properties);
    Properties::new(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// Makes the source topic and writes the input.
async fn load(cluster: &Cluster, pipeline: &Pipeline) {
    let topic = NewTopic::new(pipeline.source, pipeline.partitions);
    Admin::new(cluster).create_topic(&topic).await.unwrap();
    let input = read_lines(&recorded(pipeline.input)).into_iter();
    let folded = input.map(|(at, record)| (at % pipeline.partitions as usize, record));
    produce(cluster, pipeline.source, &folded.collect::<Vec<_>>()).await;
}

/// Whether all queries have committed the ends of what they read.
///
/// A commit follows the writing of everything before it, and queries are asked in the order in
/// which they feed each other, a source before its repartition topic: so no record is on its way.
async fn has_processed_all(cluster: &Cluster, specs: &[QuerySpec]) -> bool {
    let admin = Admin::new(cluster);
    for spec in specs {
        let group = spec.settings.application_id(&spec.id);
        let mut topics: Vec<_> =
            spec.plan.sources().map(|(_, source)| source.topic.clone()).collect();
        let listed = admin.list_topics().await.unwrap();
        let names = listed.iter().map(|topic| topic.name.to_string());
        topics.extend(
            names.filter(|name| name.starts_with(&group) && name.ends_with("-repartition")),
        );
        for topic in topics {
            let ends = ends(&admin, &topic).await;
            let committed = GroupOffsets::new(cluster, &group).committed(None).await.unwrap();
            let is_at_end = |(at, end): (&TopicPartition, &i64)| {
                committed.get(at).is_some_and(|committed| committed.offset == *end)
            };
            if !ends.iter().all(is_at_end) {
                return false;
            }
        }
    }
    true
}

async fn ends(admin: &Admin, topic: &str) -> BTreeMap<TopicPartition, i64> {
    let isolation = Isolation::ReadCommitted;
    let offsets = admin.topic_offsets(topic, OffsetSpec::Latest, isolation).await.unwrap();
    let at = |(partition, end)| (TopicPartition::new(topic, partition), end);
    (0..).zip(offsets).map(at).collect()
}

/// Everything on the broker, but for what it and its clients keep there for themselves.
async fn read_all(cluster: &Cluster) -> Result<Run, String> {
    let admin = Admin::new(cluster);
    let mut run = Run::new();
    for topic in admin.list_topics().await.map_err(|error| error.to_string())? {
        if topic.name.starts_with("__") {
            continue;
        }
        let resource = ConfigResource::Topic(topic.name.to_string());
        let configs = admin.describe_configs(&resource).await.map_err(|error| error.to_string())?;
        let own = configs.into_iter().filter(|config| !config.is_default);
        let configs_set_on_topic =
            own.filter_map(|config| config.value.map(|value| (config.name, value))).collect();
        let records = read(cluster, &admin, &topic.name).await;
        let shape = Shape { partitions: records.len(), configs_set_on_topic };
        run.insert(topic.name.to_string(), Topic { shape, records });
    }
    Ok(run)
}

async fn read(cluster: &Cluster, admin: &Admin, topic: &str) -> Partitions {
    let ends = ends(admin, topic).await;
    let mut records = vec![Vec::new(); ends.len()];
    let fetcher = Fetcher::new(cluster);
    let mut left: BTreeMap<_, _> = ends.into_iter().filter(|(_, end)| *end > 0).collect();
    fetcher.assign(left.keys().map(|at| (at.clone(), 0)));
    while !left.is_empty() {
        for fetched in fetcher.poll(Duration::from_secs(1)).await.unwrap() {
            let partition = &mut records[fetched.partition.partition as usize];
            partition.extend(fetched.records().map(|record| owned(&record.unwrap())));
            if left.get(&fetched.partition).is_some_and(|end| fetched.next_offset >= *end) {
                left.remove(&fetched.partition);
            }
        }
    }
    records
}

fn owned(record: &millstream::kafka::records::RecordRef<'_>) -> Record {
    let header = |header: millstream::kafka::records::HeaderRef<'_>| {
        let name = String::from_utf8(header.key.to_vec()).unwrap();
        (name, header.value.map(<[u8]>::to_vec))
    };
    Record {
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        timestamp_ms: record.timestamp,
        headers: record.headers.iter().map(header).collect(),
    }
}
