//! What the queries of a service are: noted in a compacted topic of its own, before their first
//! offsets are committed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::error::LiveError;
use super::restoring::Restoring;
use super::topics::ensure_topic;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::Fetcher;
use crate::kafka::group::CommittedOffset;
use crate::kafka::partitioner::partition_for_key;
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::{Cluster, KafkaError, TopicPartition};
use crate::plan::fingerprint;
use crate::runtime::plan_record::{PlanDetails, PlanRecord, SourceTopic, StorePartitions};
use crate::runtime::{clock, decode_metadata, plans_topic};

/// What is noted of plans, by query and fingerprint.
pub type NotedPlans = BTreeMap<(String, String), PlanDetails>;

/// How many bytes of plan records are held while they are read.
const BUFFER_BYTES: usize = 4 << 20;

/// How long nothing may come of the plans topic.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Reads what a service has noted of its plans.
pub async fn read_plans(admin: &Admin, service_id: &str) -> Result<NotedPlans, LiveError> {
    let topic = plans_topic(service_id);
    let mut plans = BTreeMap::new();
    if admin.describe_topic(&topic).await?.is_none() {
        return Ok(plans);
    }
    let ends = offsets(admin, &topic, OffsetSpec::Latest).await?;
    let mut left = offsets(admin, &topic, OffsetSpec::Earliest).await?;
    left.retain(|at, start| ends.get(at).is_some_and(|end| *start < *end));
    let isolation = Isolation::ReadCommitted;
    let fetcher = Fetcher::with_options(admin.cluster(), isolation, BUFFER_BYTES);
    fetcher.assign(left.clone());
    while !left.is_empty() {
        let fetched = fetcher.poll(WAIT_MAX).await?;
        if fetched.is_empty() {
            tracing::warn!("topic {topic} cannot be read; statements that were are not shown");
            break;
        }
        for part in fetched {
            for record in part.records().filter_map(Result::ok) {
                add_plan(&mut plans, record.key, record.value);
            }
            if ends.get(&part.partition).is_none_or(|end| part.next_offset >= *end) {
                left.remove(&part.partition);
            }
        }
    }
    Ok(plans)
}

fn add_plan(plans: &mut NotedPlans, key: Option<&[u8]>, value: Option<&[u8]>) {
    let Some(key) = key else { return };
    match value {
        Some(value) => {
            let record = PlanRecord::decode(key, value);
            plans.extend(record.map(|r| ((r.query, r.fingerprint), r.details)));
        }
        None => {
            PlanRecord::decode_key(key).map(|key| plans.remove(&key));
        }
    }
}

/// The first or the end offset of each partition of a topic.
async fn offsets(
    admin: &Admin,
    topic: &str,
    spec: OffsetSpec,
) -> Result<BTreeMap<TopicPartition, i64>, KafkaError> {
    let offsets = admin.topic_offsets(topic, spec, Isolation::ReadCommitted).await?;
    let at = |(partition, offset)| (TopicPartition::new(topic, partition), offset);
    Ok((0..).zip(offsets).map(at).collect())
}

/// The plan of a query as it is now, and what was noted before.
pub(super) struct PlanNote {
    record: PlanRecord,
    noted: NotedPlans,
}

impl PlanNote {
    /// Looks at the query's topics, and at what was noted.
    pub(super) async fn look(admin: &Admin, query: &Restoring) -> Result<Self, LiveError> {
        let plan = query.layout.plan();
        let mut details = PlanDetails::of(plan);
        let names: BTreeSet<&str> = plan.sources().map(|(_, s)| s.topic.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        for (topic, found) in admin.describe_topics(&names).await? {
            let id = found?.id.to_string();
            let of_topic = details.sources.iter_mut().filter(|source| source.topic == topic);
            of_topic.for_each(|source| source.id.clone_from(&id));
        }
        let partitions = |id| query.layout.counts().of_store(id);
        let stores = plan.stores().map(|(id, _, store)| StorePartitions {
            store: store.name.clone(),
            partitions: partitions(id),
        });
        details.stores = stores.collect();
        let (id, fingerprint) = (query.layout.query_id().to_owned(), fingerprint(plan));
        Ok(Self {
            record: PlanRecord { query: id, fingerprint, details },
            noted: read_plans(admin, &query.settings.service_id).await?,
        })
    }

    /// The fingerprint of the plan.
    pub(super) fn fingerprint(&self) -> &str {
        &self.record.fingerprint
    }

    fn before(&self) -> Option<&PlanDetails> {
        self.noted.get(&(self.record.query.clone(), self.record.fingerprint.clone()))
    }

    /// The sources that were deleted and made again since the plan was noted.
    pub(super) fn made_again(&self) -> BTreeSet<String> {
        let Some(before) = self.before() else { return BTreeSet::new() };
        let is_made_again = |now: &&SourceTopic| {
            before.sources.iter().any(|was| was.topic == now.topic && was.id != now.id)
        };
        let made_again = self.record.details.sources.iter().filter(is_made_again);
        made_again.map(|source| source.topic.clone()).collect()
    }

    /// Why offsets are not this plan's, if they are another one's.
    pub(super) fn refusal(
        &self,
        committed: &BTreeMap<TopicPartition, CommittedOffset>,
    ) -> Option<String> {
        let PlanRecord { query, fingerprint, details } = &self.record;
        let metadata = committed.values().map(|committed| decode_metadata(&committed.metadata));
        let of = metadata.filter_map(|metadata| metadata.fingerprint().map(str::to_owned));
        let other = of.into_iter().find(|of| of != fingerprint)?;
        let noted = self.noted.get(&(query.clone(), other.clone()));
        let was = noted.map_or_else(
            || format!("a plan with the fingerprint {other}"),
            |noted| noted.text_beside(details),
        );
        let now = noted.map_or_else(|| details.statement.clone(), |was| details.text_beside(was));
        Some(format!(
            "its offsets and its state are of another statement; millstream reset FILE {query} \
             makes it begin anew\nwas: {was}\nnow: {now}"
        ))
    }

    /// Notes the plan, unless it is noted as it is, and waits until that is written.
    pub(super) async fn write(self, cluster: &Cluster, query: &Restoring) -> Result<(), LiveError> {
        if self.before() == Some(&self.record.details) {
            return Ok(());
        }
        let topic = plans_topic(&query.settings.service_id);
        let replicas = query.settings.internal_replicas;
        let configs = BTreeMap::from([("cleanup.policy".to_owned(), "compact".to_owned())]);
        ensure_topic(&Admin::new(cluster), &topic, 1, replicas, &configs).await?;
        let (key, value) = self.record.encode();
        Ok(write_plans(cluster, &topic, &[(key, Some(value))]).await?)
    }
}

/// Writes records of a plans topic, by their keys; those without a value delete what was noted.
pub async fn write_plans(
    cluster: &Cluster,
    topic: &str,
    records: &[(Vec<u8>, Option<Vec<u8>>)],
) -> Result<(), KafkaError> {
    let partitions = cluster.topic(topic).await?.partitions.len() as i32;
    let producer = Producer::new(cluster);
    for (key, value) in records {
        let record = NewRecord::new(clock::now().0, Some(key), value.as_deref());
        producer.send(topic, partition_for_key(key, partitions), record).await?;
    }
    producer.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{OffsetMetadata, encode_metadata};

    type Topics = [(&'static str, &'static str)];

    /// The plan `a` over these topics, where others were noted before.
    fn note(sources: &Topics, noted: &[(&str, &str, &Topics)]) -> PlanNote {
        let details = |statement: &str, sources: &Topics| {
            let source = |(topic, id): &(&str, &str)| SourceTopic {
                topic: (*topic).to_owned(),
                id: (*id).to_owned(),
                ..SourceTopic::default()
            };
            let sources = sources.iter().map(source).collect();
            PlanDetails { statement: statement.to_owned(), sources, ..PlanDetails::default() }
        };
        let record = |fingerprint: &str, statement: &str, sources: &Topics| PlanRecord {
            query: "CTAS_A_0".to_owned(),
            fingerprint: fingerprint.repeat(32),
            details: details(statement, sources),
        };
        let mut plans = NotedPlans::new();
        for (fingerprint, statement, sources) in noted {
            let PlanRecord { query, fingerprint, details } =
                record(fingerprint, statement, sources);
            plans.insert((query, fingerprint), details);
        }
        PlanNote { record: record("a", "NEW", sources), noted: plans }
    }

    #[test]
    fn a_topic_that_was_made_again_has_another_id() {
        let now = [("in", "1"), ("users", "2")];
        assert!(note(&now, &[]).made_again().is_empty());
        assert!(note(&now, &[("b", "", &[("in", "0")])]).made_again().is_empty());
        let noted: &Topics = &[("in", "1"), ("users", "0"), ("gone", "3")];
        let made_again = note(&now, &[("a", "", noted)]).made_again();
        assert_eq!(made_again.into_iter().collect::<Vec<_>>(), ["users"]);
    }

    #[test]
    fn offsets_of_another_plan_are_refused_with_both_texts() {
        let committed = |fingerprint: &str| {
            let metadata = OffsetMetadata::default().with_fingerprint(&fingerprint.repeat(32));
            let metadata = encode_metadata(&metadata);
            let committed = CommittedOffset { offset: 0, metadata };
            BTreeMap::from([(TopicPartition::new("in", 0), committed)])
        };
        let note = note(&[], &[("b", "OLD", &[])]);
        assert_eq!(note.refusal(&committed("a")), None);
        let ksqldb = BTreeMap::from([(TopicPartition::new("in", 0), CommittedOffset::new(7))]);
        assert_eq!(note.refusal(&ksqldb), None);
        let refusal = note.refusal(&committed("b")).unwrap();
        assert!(refusal.ends_with("was: OLD\nnow: NEW"), "{refusal}");
        assert!(refusal.contains("millstream reset FILE CTAS_A_0"), "{refusal}");
        let refusal = note.refusal(&committed("c")).unwrap();
        assert!(refusal.contains(&"c".repeat(32)), "{refusal}");
    }
}
