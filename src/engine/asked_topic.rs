//! The topics that statements ask for: to be made, or held against those that are there, as ksqlDB's `TopicCreateInjector` does.

use super::ddl::missing_topic;
use super::{Planning, TopicRequest, TopicShape};
use crate::plan::{Options, PlanError, Source};
use crate::sql::ast::{CreateAs, CreateSource, Duration, Property, SourceKind};

/// How long a topic keeps records where nobody says it, not even the brokers.
const RETENTION_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// As many replicas as the brokers give a topic.
const ANY_REPLICAS: i16 = -1;

impl Planning<'_> {
    /// The topic that has to be made for a source, if it is not there.
    pub(super) fn source_topic(
        &self,
        create: &CreateSource,
        source: &Source,
        options: &Options,
    ) -> Result<Option<TopicRequest>, PlanError> {
        let cleanup_policy = match create.kind {
            SourceKind::Stream => "delete",
            SourceKind::Table => "compact",
        };
        check_retention(cleanup_policy, &create.with)?;
        let found = self.known.topic(&source.topic);
        let partitions = options.partitions.or(found.map(|found| found.partitions));
        let Some(partitions) = partitions else {
            return Err(missing_topic(create, &source.topic));
        };
        let replicas = options.replicas.or(found.map(|found| found.replicas));
        let retention_ms = options.retention_ms.or(found.and_then(|found| found.retention_ms));
        let asked = TopicRequest {
            name: source.topic.clone(),
            shape: TopicShape {
                partitions,
                replicas: replicas.unwrap_or(ANY_REPLICAS),
                // ksqlDB says a week here; the brokers know better what is kept, such as replays of long ago.
                retention_ms,
            },
            cleanup_policy,
        };
        self.made_or_compared(asked, &create.with)
    }

    /// The topic that a sink needs, if it does not exist: shaped as that of its source unless told.
    pub(super) fn sink_topic(
        &self,
        create: &CreateAs,
        sink: &Source,
        from: &Source,
        options: &Options,
    ) -> Result<Option<TopicRequest>, PlanError> {
        let window = create.query.window.as_ref();
        let cleanup_policy = match create.kind {
            SourceKind::Stream => "delete",
            SourceKind::Table if window.is_some() => "compact,delete",
            SourceKind::Table => "compact",
        };
        check_retention(cleanup_policy, &create.with)?;
        let unknown = TopicShape { partitions: 1, replicas: ANY_REPLICAS, retention_ms: None };
        let source = self.known.topic(&from.topic).copied().unwrap_or(unknown);
        let retention_ms = options.retention_ms.or(source.retention_ms);
        let unsaid_ms = self.known.default_retention_ms.unwrap_or(RETENTION_MS);
        let of_window = window.and_then(|window| window.retention).map(Duration::as_ms);
        let asked = TopicRequest {
            name: sink.topic.clone(),
            shape: TopicShape {
                partitions: options.partitions.unwrap_or(source.partitions),
                replicas: options.replicas.unwrap_or(source.replicas),
                retention_ms: match of_window {
                    Some(ms) => Some(ms.max(retention_ms.unwrap_or(unsaid_ms))),
                    None => retention_ms,
                },
            },
            cleanup_policy,
        };
        self.made_or_compared(asked, &create.with)
    }

    /// What is asked for, unless it is there as it is asked for.
    fn made_or_compared(
        &self,
        mut asked: TopicRequest,
        clause: &[Property],
    ) -> Result<Option<TopicRequest>, PlanError> {
        // What is forgotten by key alone has no age.
        if asked.cleanup_policy == "compact" {
            asked.shape.retention_ms = None;
        }
        let Some(found) = self.known.topic(&asked.name) else { return Ok(Some(asked)) };
        if self.known.compares_topics {
            compare(&asked, found, clause)?;
        }
        Ok(None)
    }
}

/// Refuses a topic that is there in another shape.
fn compare(asked: &TopicRequest, found: &TopicShape, clause: &[Property]) -> Result<(), PlanError> {
    let TopicRequest { name, shape, .. } = asked;
    let are_known = shape.replicas != ANY_REPLICAS && found.replicas != ANY_REPLICAS;
    let has_few_replicas = are_known && found.replicas < shape.replicas;
    let retention = shape.retention_ms.zip(found.retention_ms);
    let has_other_retention = retention.is_some_and(|(asked, found)| asked != found);
    let has_other_partitions = found.partitions != shape.partitions;
    if !has_other_partitions && !has_few_replicas && !has_other_retention {
        return Ok(());
    }
    let (what, of_retention) = match retention {
        Some((asked, found)) => {
            ("partition/replica/retention", format!(", and {asked} retention (topic has {found})"))
        }
        None => ("partition/replica", String::new()),
    };
    let message = format!(
        "A Kafka topic with the name '{name}' already exists, with different {what} configuration than \
         required. KSQL expects {} partitions (topic has {}), {} replication factor (topic has {}){of_retention}.",
        shape.partitions, found.partitions, shape.replicas, found.replicas
    );
    let property = match (has_other_partitions, has_few_replicas) {
        (true, _) => "PARTITIONS",
        (false, true) => "REPLICAS",
        (false, false) => "RETENTION_MS",
    };
    let error = PlanError::execute(message);
    Err(match clause.iter().find(|given| given.name.text == property) {
        Some(given) => error.at(given.value_span).help(format!(
            "leave {property} out to take the topic as it is, or name another topic"
        )),
        None => error.help(format!(
            "it would be shaped as the topic of its source; {property} in the WITH clause says otherwise"
        )),
    })
}

/// Refuses to let what is forgotten by key alone be forgotten by age.
fn check_retention(cleanup_policy: &str, clause: &[Property]) -> Result<(), PlanError> {
    let given = clause.iter().find(|given| given.name.text == "RETENTION_MS");
    match given {
        Some(given) if cleanup_policy == "compact" => Err(PlanError::execute(
            "Invalid config variable in the WITH clause: RETENTION_MS. Non-windowed tables do not \
             support retention.",
        )
        .at(given.name.span)
        .help("a table keeps the last record of each key for as long as there is a topic")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::{Engine, Known, Session, TopicRequest, TopicShape};
    use crate::sql::{ParseOptions, parse};

    const WEEK_MS: i64 = 604_800_000;

    /// Runs statements beside topics `x` of one partition and `y` of two: the topic that the last of them makes, or why it is
    /// refused.
    fn run(text: &str) -> Result<Option<TopicRequest>, String> {
        let mut known = Known::default();
        for (name, partitions) in [("x", 1), ("y", 2)] {
            let shape = TopicShape { partitions, replicas: 1, retention_ms: Some(WEEK_MS) };
            known.add_topic(name, shape);
        }
        known.compares_topics = true;
        let (mut engine, session) = (Engine::default(), Session::default());
        let mut last = None;
        for parsed in parse(text, &ParseOptions::default()).unwrap() {
            let planned = engine.plan(&parsed, &session, &known).map_err(|e| e.to_string())?;
            let change = engine.apply(planned, 0);
            change.topic.iter().for_each(|topic| known.add_request(topic));
            last = change.topic;
        }
        Ok(last)
    }

    fn stream(with: &str) -> String {
        format!("CREATE STREAM s (id INT) WITH (VALUE_FORMAT='JSON', {with});")
    }

    #[test]
    fn a_topic_that_is_there_is_taken_as_it_is_or_refused() {
        assert_eq!(run(&stream("KAFKA_TOPIC='x'")), Ok(None));
        assert_eq!(run(&stream("KAFKA_TOPIC='x', PARTITIONS=1, REPLICAS=1")), Ok(None));
        let refused = |what: &str| {
            format!(
                "A Kafka topic with the name 'x' already exists, with different partition/replica/retention \
                 configuration than required. KSQL expects {what} retention (topic has 604800000)."
            )
        };
        for (with, what) in [
            (
                "PARTITIONS=3",
                "3 partitions (topic has 1), 1 replication factor (topic has 1), and 604800000",
            ),
            (
                "REPLICAS=2",
                "1 partitions (topic has 1), 2 replication factor (topic has 1), and 604800000",
            ),
            (
                "RETENTION_MS=5",
                "1 partitions (topic has 1), 1 replication factor (topic has 1), and 5",
            ),
        ] {
            let found = run(&stream(&format!("KAFKA_TOPIC='x', {with}")));
            assert_eq!(found.unwrap_err(), refused(what));
        }
        let table = "CREATE TABLE t (id INT PRIMARY KEY) WITH (VALUE_FORMAT='JSON', KAFKA_TOPIC='y', PARTITIONS=1);";
        assert_eq!(
            run(table).unwrap_err(),
            "A Kafka topic with the name 'y' already exists, with different partition/replica configuration \
             than required. KSQL expects 1 partitions (topic has 2), 1 replication factor (topic has 1)."
        );
    }

    #[test]
    fn a_sink_is_shaped_as_its_source_so_another_topic_is_refused() {
        let sink = |with: &str| {
            format!("{} CREATE STREAM t {with} AS SELECT * FROM s;", stream("KAFKA_TOPIC='x'"))
        };
        let made = run(&sink("")).unwrap().unwrap();
        assert_eq!((made.shape.partitions, made.shape.retention_ms), (1, Some(WEEK_MS)));
        assert!(
            run(&sink("WITH (KAFKA_TOPIC='y')"))
                .unwrap_err()
                .contains("1 partitions (topic has 2)")
        );
        assert_eq!(run(&sink("WITH (KAFKA_TOPIC='y', PARTITIONS=2)")), Ok(None));
    }

    #[test]
    fn how_long_results_are_kept() {
        let table = |with: &str, window: &str| {
            format!(
                "{} CREATE TABLE t {with} AS SELECT id, COUNT(*) AS n FROM s {window} GROUP BY id;",
                stream("KAFKA_TOPIC='x'")
            )
        };
        let window = |days: i64| format!("WINDOW TUMBLING (SIZE 1 HOUR, RETENTION {days} DAYS)");
        let kept = |text: &str| run(text).unwrap().unwrap().shape.retention_ms;
        let day_ms = WEEK_MS / 7;
        assert_eq!(kept(&table("", &window(30))), Some(30 * day_ms));
        assert_eq!(kept(&table("", &window(3))), Some(WEEK_MS));
        assert_eq!(kept(&table("WITH (RETENTION_MS=86400000)", &window(3))), Some(3 * day_ms));
        assert_eq!(kept(&table("", "")), None);
        assert_eq!(kept(&stream("KAFKA_TOPIC='new', PARTITIONS=1")), None);
        let refused = "Invalid config variable in the WITH clause: RETENTION_MS. Non-windowed tables do not \
                       support retention.";
        assert_eq!(run(&table("WITH (RETENTION_MS=5)", "")).unwrap_err(), refused);
    }
}
