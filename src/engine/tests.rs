//! Statements that make, change and drop things, told as a user would.

use std::time::Duration;

use super::*;
use crate::runtime::live::Guarantee;
use crate::sql::{ParseOptions, parse};

/// An engine with a Kafka in which there is nothing but what is made.
#[derive(Default)]
struct World {
    engine: Engine,
    session: Session,
    known: Known,
    number: i64,
}

impl World {
    /// Runs statements; what the last of them did, or why one was refused.
    fn run(&mut self, text: &str) -> Result<Change, String> {
        let mut last = Change::default();
        for parsed in parse(text, &ParseOptions::default()).unwrap() {
            let planned = self.engine.plan(&parsed, &self.session, &self.known);
            let planned = planned.map_err(|error| error.to_string())?;
            let takes_number = planned.takes_number();
            last = self.engine.apply(planned, self.number);
            self.number += i64::from(takes_number);
            last.session.iter().for_each(|change| self.session.apply(change));
            last.topic.iter().for_each(|topic| self.known.add_request(topic));
        }
        Ok(last)
    }

    fn refusal(&mut self, text: &str) -> String {
        self.run(text).map(|change| format!("{:?}", change.answer)).unwrap_err()
    }

    fn queries(&self) -> Vec<&str> {
        self.engine.queries().iter().map(|query| query.id.as_str()).collect()
    }
}

/// `clicks`, the stream of those pages that are long enough, and a count of them.
fn clicks() -> World {
    let mut world = World::default();
    world
        .run(
            "CREATE STREAM clicks (page STRING, ms INT)
               WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=3);
             CREATE STREAM slow AS SELECT * FROM clicks WHERE ms > 1000;
             CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM slow GROUP BY page;",
        )
        .unwrap();
    world
}

fn message(change: &Change) -> &str {
    match &change.answer {
        Answer::Message(message) => message,
        other => panic!("{other:?}"),
    }
}

fn terminated(change: &Change) -> Vec<&str> {
    let queries = change.queries.iter().map(|query| match query {
        QueryChange::Terminate { id } => id.as_str(),
        other => panic!("{other:?}"),
    });
    queries.collect()
}

#[test]
fn an_engine_can_be_sent_to_another_thread() {
    fn is_sendable<T: Send + Sync>() {}
    is_sendable::<Engine>();
    is_sendable::<Planned>();
    is_sendable::<Program>();
}

#[test]
fn dropping_a_source_ends_the_query_that_fills_it() {
    let mut world = clicks();
    assert_eq!(world.queries(), ["CSAS_SLOW_0", "CTAS_COUNTS_1"]);
    let change = world.run("DROP TABLE counts;").unwrap();
    assert_eq!(message(&change), "Source `COUNTS` (topic: COUNTS) was dropped.");
    assert_eq!(terminated(&change), ["CTAS_COUNTS_1"]);
    assert_eq!(change.delete_topic, None);
    assert_eq!(world.queries(), ["CSAS_SLOW_0"]);
    world
        .run("CREATE TABLE counts AS SELECT page, COUNT(*) AS n FROM slow GROUP BY page;")
        .unwrap();
    let writers = world.engine.catalog().writers("COUNTS").map(|query| query.id.as_str());
    assert_eq!(writers.collect::<Vec<_>>(), ["CTAS_COUNTS_2"]);
}

#[test]
fn a_topic_is_deleted_only_if_that_is_asked_for_and_nobody_else_uses_it() {
    let mut world = clicks();
    let change = world.run("DROP TABLE counts DELETE TOPIC;").unwrap();
    assert_eq!(change.delete_topic.as_deref(), Some("COUNTS"));
    world
        .run("CREATE STREAM again (page STRING) WITH (KAFKA_TOPIC='SLOW', VALUE_FORMAT='JSON');")
        .unwrap();
    assert_eq!(
        world.refusal("DROP STREAM slow DELETE TOPIC;"),
        "Refusing to delete topic. Found other data sources (AGAIN) using topic SLOW"
    );
}

#[test]
fn a_source_that_others_are_made_of_stays() {
    let mut world = clicks();
    let refused = "Cannot drop SLOW.\nThe following streams and/or tables read from this source: \
                   [COUNTS].\nYou need to drop them before dropping SLOW.";
    assert_eq!(world.refusal("DROP STREAM slow;"), refused);
    // It does not help to end the query: the table is still made of the stream.
    let change = world.run("TERMINATE CTAS_COUNTS_1;").unwrap();
    assert_eq!(message(&change), "Query terminated.");
    assert_eq!(terminated(&change), ["CTAS_COUNTS_1"]);
    assert_eq!(world.refusal("DROP STREAM slow;"), refused);
    world.run("DROP TABLE counts; DROP STREAM slow; DROP STREAM clicks;").unwrap();
    assert_eq!(world.queries(), [""; 0]);
    assert_eq!(world.engine.catalog().sources().count(), 0);
}

#[test]
fn a_source_that_an_insert_reads_or_writes_stays() {
    let mut world = clicks();
    world
        .run(
            "CREATE STREAM all_clicks (page STRING, ms INT)
               WITH (KAFKA_TOPIC='all', VALUE_FORMAT='JSON', PARTITIONS=3);
             INSERT INTO all_clicks SELECT * FROM clicks;
             INSERT INTO all_clicks WITH (QUERY_ID='mine') SELECT * FROM clicks;",
        )
        .unwrap();
    assert_eq!(world.queries()[2..], ["INSERTQUERY_2", "MINE"]);
    assert_eq!(
        world.refusal("DROP STREAM all_clicks;"),
        "Cannot drop ALL_CLICKS.\nThe following queries read from this source: [].\nThe following \
         queries write into this source: [INSERTQUERY_2, MINE].\nYou need to terminate them before \
         dropping ALL_CLICKS."
    );
    assert!(
        world
            .refusal("DROP STREAM clicks;")
            .contains("read from this source: [INSERTQUERY_2, MINE]")
    );
    let again = "INSERT INTO all_clicks WITH (QUERY_ID='mine') SELECT * FROM clicks;";
    assert_eq!(world.refusal(again), "Query ID 'MINE' already exists.");
    assert_eq!(world.refusal("TERMINATE nobody;"), "Unknown queryId: NOBODY");
    world.run("TERMINATE ALL; DROP STREAM all_clicks;").unwrap();
}

#[test]
fn a_copy_of_an_engine_goes_its_own_way() {
    let mut world = clicks();
    let mut copy = world.engine.clone();
    assert!(Arc::ptr_eq(copy.catalog(), world.engine.catalog()));
    world.run("DROP TABLE counts;").unwrap();
    assert!(copy.catalog().source("COUNTS").is_some());
    let parsed = parse("DROP TABLE counts;", &ParseOptions::default()).unwrap();
    copy.run(&parsed[0], &mut Session::default(), &Known::default(), 9).unwrap();
    // What has not changed is still the same thing.
    let of = |engine: &Engine| Arc::clone(engine.catalog().source("SLOW").unwrap());
    assert!(Arc::ptr_eq(&of(&copy), &of(&world.engine)));
}

#[test]
fn what_is_there_already_is_said() {
    let mut world = clicks();
    let change = world
        .run("CREATE TABLE IF NOT EXISTS slow AS SELECT page, COUNT(*) FROM clicks GROUP BY page;");
    let warning = "Cannot add table `SLOW`: A stream with the same name already exists.";
    assert_eq!(change.unwrap().answer, Answer::Warning(warning.to_owned()));
    for (statement, answer) in [
        ("DROP STREAM IF EXISTS nowhere;", "Source `NOWHERE` does not exist."),
        ("DROP TYPE IF EXISTS nothing;", "Type 'NOTHING' does not exist"),
        (
            "CREATE TYPE money AS DECIMAL(12, 2);",
            "Registered custom type with name 'MONEY' and SQL type DECIMAL(12, 2)",
        ),
        (
            "CREATE TYPE IF NOT EXISTS money AS INT;",
            "MONEY is already registered with type DECIMAL(12, 2)",
        ),
        ("DROP TYPE money;", "Dropped type 'MONEY'"),
        ("ALTER STREAM clicks ADD COLUMN x INT;", "Stream CLICKS altered."),
    ] {
        assert_eq!(message(&world.run(statement).unwrap()), answer);
    }
    assert_eq!(world.refusal("DROP STREAM nowhere;"), "Stream NOWHERE does not exist.");
}

#[test]
fn what_a_session_may_not_override_stops_what_it_runs_next() {
    let mut world = clicks();
    world.run("SET 'bootstrap.servers' = 'elsewhere:9092';").unwrap();
    assert_eq!(
        world.refusal("DROP TABLE counts;"),
        "Cannot override properties: bootstrap.servers"
    );
    world.run("UNSET 'bootstrap.servers'; DROP TABLE counts;").unwrap();
    assert_eq!(world.refusal("SET 'nope' = '1';"), "Unknown property: nope");
    assert_eq!(
        world.refusal("SET 'ksql.streams.auto.offset.reset' = 'sometimes';"),
        "Invalid value sometimes for configuration auto.offset.reset: String must be one of: latest, \
         earliest, none"
    );
}

#[test]
fn a_query_keeps_what_its_session_had_set() {
    let mut world = clicks();
    let change = world
        .run("SET 'auto.offset.reset' = 'earliest'; CREATE STREAM early AS SELECT * FROM clicks;")
        .unwrap();
    let [QueryChange::Start(query)] = &*change.queries else { panic!("{change:?}") };
    assert!(settings(&world.engine.properties_of(query)).unwrap().from_earliest);
    let slow = world.engine.catalog().query("CSAS_SLOW_0").unwrap();
    assert!(!settings(&world.engine.properties_of(slow)).unwrap().from_earliest);
}

#[test]
fn exactly_once_has_three_names_and_is_refused_with_what_would_undo_it() {
    let with = |name: &str, value: &str| {
        let guarantee =
            ("ksql.streams.processing.guarantee".to_owned(), "exactly_once_v2".to_owned());
        let properties = Properties::new([guarantee, (name.to_owned(), value.to_owned())]);
        settings(&properties).map(|settings| settings.guarantee)
    };
    let transaction_timeout = Duration::from_secs(10);
    for name in ["exactly_once", "exactly_once_beta", "exactly_once_v2"] {
        let guarantee = with("processing.guarantee", name).unwrap();
        assert_eq!(guarantee, Guarantee::ExactlyOnce { transaction_timeout });
    }
    assert_eq!(with("processing.guarantee", "at_least_once").unwrap(), Guarantee::AtLeastOnce);
    for (name, value, refused) in [
        ("processing.guarantee", "twice", "processing.guarantee"),
        ("commit.interval.ms", "10001", "transaction.timeout.ms"),
        ("transaction.timeout.ms", "1999", "transaction.timeout.ms"),
        ("producer.acks", "1", "acks"),
        ("enable.idempotence", "false", "enable.idempotence"),
    ] {
        assert_eq!(with(name, value).unwrap_err().name, refused, "{name}={value}");
    }
}

#[test]
fn a_statement_says_beforehand_what_it_needs_to_know() {
    let world = clicks();
    for (statement, topics) in [
        ("CREATE STREAM a (x INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON');", "t!"),
        ("CREATE STREAM a (x INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);", "t"),
        ("CREATE STREAM a AS SELECT * FROM clicks;", "A clicks"),
        (
            "CREATE STREAM a WITH (KAFKA_TOPIC='t') AS SELECT * FROM slow JOIN counts ON slow.page = counts.page;",
            "COUNTS SLOW t",
        ),
        ("INSERT INTO slow SELECT * FROM clicks;", "SLOW clicks"),
        ("DROP STREAM slow;", ""),
        ("DROP STREAM slow DELETE TOPIC;", "SLOW"),
        ("SET 'auto.offset.reset' = 'earliest';", ""),
    ] {
        let parsed = parse(statement, &ParseOptions::default()).unwrap();
        let needs = world.engine.needs(&parsed[0].statement, &world.session);
        let shown = needs.topics.iter().map(|(topic, need)| match need {
            TopicNeed::Required => format!("{topic}!"),
            TopicNeed::Optional => topic.clone(),
        });
        assert_eq!(shown.collect::<Vec<_>>().join(" "), topics, "{statement}");
    }
}

#[tokio::test]
async fn law_18_the_number_of_threads_is_read_at_the_start_and_set_without_effect() {
    let text = "SET 'ksql.streams.num.stream.threads'='2';";
    let checked = super::headless::check(None, text, &Properties::default()).await.unwrap();
    assert!(checked.faults.is_empty(), "{:?}", checked.faults);
    let notes: Vec<&str> = checked.notes.iter().map(|(_, note)| note.as_str()).collect();
    let expected =
        "ksql.streams.num.stream.threads is read when the process starts, so this has no effect";
    assert_eq!(notes, [expected]);
}
